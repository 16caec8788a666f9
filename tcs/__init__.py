"""The systems that the harness measures, one folder each; libraries that stand alone."""
