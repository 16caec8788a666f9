"""Lunes of a Euclidean cloud, found cell by cell: the reduced complex without a list of neighbours."""
