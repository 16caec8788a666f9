"""Components of a growing graph, with the elder rule: H0 of any filtration and, by duality, its top homology."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Index = NDArray[np.intp]


def component_bars(births: Values, i: Index, j: Index, values: Values) -> Values:
    """Bars of H0 of a graph whose nodes appear at ``births`` and whose edges (i, j) appear at ``values``.

    When two components meet the younger one dies (Edelsbrunner and Harer 2010, section VII.1).

    Returns:
        Bars of positive length, shape (m, 2); one with death ``inf`` for each component that remains.
    """
    order = np.argsort(values, kind="stable")
    parent = list(range(len(births)))
    birth = births.tolist()
    bars = []
    for a, b, value in zip(i[order].tolist(), j[order].tolist(), values[order].tolist(), strict=True):
        while parent[a] != a:
            parent[a] = a = parent[parent[a]]
        while parent[b] != b:
            parent[b] = b = parent[parent[b]]
        if a == b:
            continue
        if birth[a] > birth[b]:
            a, b = b, a
        parent[b] = a
        if birth[b] < value:
            bars.append((birth[b], value))
    bars += [(birth[node], np.inf) for node in range(len(birth)) if parent[node] == node and birth[node] < np.inf]
    return np.array(bars, dtype=np.float64).reshape(-1, 2)


def top_bars(deaths: Values, i: Index, j: Index, values: Values) -> Values:
    """Bars of H(d-1) of a filtered complex that fills a region of R^d, by Alexander duality.

    The nodes are its top cells, which appear at ``deaths``, and the last one is the outside, at infinity. Read
    backwards, the complement is a graph: the wall (i, j) opens at ``values``, and the void whose cell came first dies.
    """
    bars = component_bars(-deaths, i, j, -values)
    closed = bars[np.isfinite(bars).all(axis=1)]
    return np.stack([-closed[:, 1], -closed[:, 0]], axis=1)


def grid_bars(values: Values) -> tuple[Values, Values]:
    """H0 and H(d-1) of the lower-star filtration of a grid of cubes with values on its vertices, d = 2 or 3.

    Below a level the vertices are joined along the axes; the complement of what they span is joined along diagonals
    too, and with the outside.
    """
    size = values.size
    flat = values.ravel()
    straight_i, straight_j = _adjacent(values.shape, diagonal=False)
    low = component_bars(flat, straight_i, straight_j, np.maximum(flat[straight_i], flat[straight_j]))

    diagonal_i, diagonal_j = _adjacent(values.shape, diagonal=True)
    inner = np.zeros(values.shape, dtype=bool)
    inner[(slice(1, -1),) * values.ndim] = True
    border = np.flatnonzero(~inner.ravel())
    i = np.concatenate([diagonal_i, border])
    j = np.concatenate([diagonal_j, np.full(len(border), size)])
    nodes = np.append(flat, np.inf)
    return low, top_bars(nodes, i, j, np.minimum(nodes[i], nodes[j]))


def _adjacent(shape: tuple[int, ...], *, diagonal: bool) -> tuple[Index, Index]:
    """Each pair of adjacent vertices of a grid once, as flat indices."""
    index = np.arange(int(np.prod(shape))).reshape(shape)
    found_i, found_j = [], []
    for code in range(3 ** len(shape) // 2):
        # ternary digits, one for each axis, give half of the offsets in {-1, 0, 1}^d: the others are opposite
        offset = [code // 3**axis % 3 - 1 for axis in range(len(shape))]
        if not diagonal and sum(map(abs, offset)) != 1:
            continue
        here = tuple(slice(max(0, -step), size - max(0, step)) for step, size in zip(offset, shape, strict=True))
        there = tuple(slice(max(0, step), size - max(0, -step)) for step, size in zip(offset, shape, strict=True))
        found_i.append(index[here].ravel())
        found_j.append(index[there].ravel())
    return np.concatenate(found_i), np.concatenate(found_j)
