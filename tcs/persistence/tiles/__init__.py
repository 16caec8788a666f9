"""Vietoris-Rips persistence in tiles: points on disk, lunes and columns of one tile at a time, here or on workers."""
