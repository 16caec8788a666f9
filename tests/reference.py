"""Vietoris-Rips bars of small clouds as the textbook has them: every simplex, one matrix over Z/2, reduced in order.

Edelsbrunner and Harer, Computational Topology (2010), section VII.1, with the lengths of Ripser: float32, compared
after rounding. Plain and slow on purpose; it shares nothing with the library that it judges.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray

Bars = list[NDArray[np.float32]]


def lengths(points: Any, metric: str = "euclidean") -> NDArray[np.float32]:
    """Float32 distances (n, n), made from float64 ones whose terms are added in the order of the coordinates."""
    cloud = np.asarray(points, dtype=np.float64)
    total = np.zeros((len(cloud), len(cloud)))
    for x in cloud.T:
        apart = np.abs(x[:, None] - x[None])
        if metric == "chebyshev":
            total = np.maximum(total, apart)
        else:
            total = total + (apart if metric == "cityblock" else apart * apart)
    return (np.sqrt(total) if metric == "euclidean" else total).astype(np.float32)


def bars(distances: Any, threshold: float = np.inf) -> Bars:
    """Bars of H0 and H1 of the flag complexes of a distance matrix, (m, 2) each, sorted, none of length zero.

    Args:
        distances: (n, n), symmetric, infinite where there is never an edge. ``threshold``: the longest edge.
    """
    d = np.asarray(distances, dtype=np.float32)
    n = len(d)
    value: dict[tuple[int, ...], Any] = {(v,): np.float32(0) for v in range(n)}
    value |= {
        (u, v): d[u, v]
        for u, v in itertools.combinations(range(n), 2)
        if d[u, v] <= np.float32(threshold) and d[u, v] < np.inf
    }
    for edge in [simplex for simplex in value if len(simplex) == 2]:
        for w in range(edge[1] + 1, n):
            if (edge[0], w) in value and (edge[1], w) in value:
                value[*edge, w] = max(value[edge], value[edge[0], w], value[edge[1], w])
    order = sorted(value, key=lambda simplex: (value[simplex], len(simplex), simplex))
    place = {simplex: i for i, simplex in enumerate(order)}
    reduced: dict[int, set[int]] = {}
    alive: dict[int, None] = {}
    found: list[list[tuple[Any, Any]]] = [[], [], []]
    for i, simplex in enumerate(order):
        faces = itertools.combinations(simplex, len(simplex) - 1) if len(simplex) > 1 else ()
        column = {place[face] for face in faces}
        while column and max(column) in reduced:
            column ^= reduced[max(column)]
        if column:
            low = max(column)
            reduced[low] = column
            del alive[low]
            found[len(order[low]) - 1].append((value[order[low]], value[simplex]))
        else:
            alive[i] = None
    for i in alive:
        found[len(order[i]) - 1].append((value[order[i]], np.inf))
    return [np.array(sorted(p for p in d if p[0] < p[1]), dtype=np.float32).reshape(-1, 2) for d in found[:2]]


def rips_bars(points: Any, threshold: float = np.inf, metric: str = "euclidean") -> Bars:
    """Bars of H0 and H1 of the Vietoris-Rips filtration of a small cloud (n, d)."""
    return bars(lengths(points, metric), threshold)
