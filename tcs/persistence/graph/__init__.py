"""Lunes of a weighted graph: distance matrices, other metrics, high dimensions."""
