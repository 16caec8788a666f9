"""H2 of a Vietoris-Rips filtration: loops of lunes, pushed down to the triangles that fill loops."""
