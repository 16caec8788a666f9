"""Who answers the questions about embeddings."""
