"""The benchmark project of this repository: one folder a suite."""
