"""Sorting: the example suite."""
