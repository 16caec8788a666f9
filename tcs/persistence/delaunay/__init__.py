"""Delaunay triangulations in the plane and in space, with exact predicates."""
