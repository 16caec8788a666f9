"""Who answers: one module an engine, each fed in the way that its authors document as the best."""
