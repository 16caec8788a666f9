"""Persistent homology: the same points to every peer, and their bars compared bit for bit."""
