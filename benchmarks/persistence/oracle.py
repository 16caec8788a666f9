"""Persistent homology as the textbook has it: every simplex, one matrix over Z/2, columns reduced from the left.

Slow and plain on purpose, and written apart from any peer: Edelsbrunner and Harer, Computational Topology (2010),
section VII.1. It is the judge of small inputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Simplex = tuple[int, ...]


def rips_filtration(points: NDArray[np.float64], threshold: float, dimension: int) -> dict[Simplex, float]:
    """Every simplex of the Vietoris-Rips complex up to ``dimension``, with the length of its longest edge."""
    lengths = np.sqrt(((points[:, None] - points[None]) ** 2).sum(axis=-1))
    values: dict[Simplex, float] = {(v,): 0.0 for v in range(len(points))}
    last = list(values)
    for _ in range(dimension):
        larger = []
        for simplex in last:
            for v in range(simplex[-1] + 1, len(points)):
                longest = max(float(lengths[u, v]) for u in simplex)
                if longest <= threshold:
                    values[(*simplex, v)] = max(values[simplex], longest)
                    larger.append((*simplex, v))
        last = larger
    return values


def reduce(values: Mapping[Simplex, float], max_dimension: int) -> list[NDArray[np.float64]]:
    """Bars of H0 .. ``max_dimension`` of a filtered complex that is given up to ``max_dimension + 1``.

    Args:
        values: simplex (sorted vertices) to the value at which it appears, no face later than its cofaces.

    Returns:
        One array of shape (m, 2) a dimension, bars of length zero left out.
    """
    order = sorted(values, key=lambda simplex: (values[simplex], len(simplex), simplex))
    position = {simplex: index for index, simplex in enumerate(order)}
    column_of: dict[int, set[int]] = {}
    unpaired: dict[int, None] = {}
    bars: list[list[tuple[float, float]]] = [[] for _ in range(max_dimension + 1)]
    for index, simplex in enumerate(order):
        faces = combinations(simplex, len(simplex) - 1) if len(simplex) > 1 else ()
        column = {position[face] for face in faces}
        while column and (low := max(column)) in column_of:
            column ^= column_of[low]
        if not column:
            unpaired[index] = None
            continue
        low = max(column)
        column_of[low] = column
        del unpaired[low]
        birth, death = values[order[low]], values[simplex]
        if birth < death:
            bars[len(order[low]) - 1].append((birth, death))
    for index in unpaired:
        if (d := len(order[index]) - 1) <= max_dimension:
            bars[d].append((values[order[index]], np.inf))
    return [np.array(rows, dtype=np.float64).reshape(-1, 2) for rows in bars]


def rips(points: NDArray[np.float64], threshold: float, max_dimension: int) -> list[NDArray[np.float64]]:
    """Bars of the Vietoris-Rips filtration, H0 .. ``max_dimension``."""
    return reduce(rips_filtration(points, threshold, max_dimension + 1), max_dimension)
