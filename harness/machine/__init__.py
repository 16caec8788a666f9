"""This machine: what it is, what disturbs it, who may use it, and which players it can run."""
