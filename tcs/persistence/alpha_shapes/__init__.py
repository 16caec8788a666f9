"""Persistence of the alpha filtration of a Delaunay triangulation."""
