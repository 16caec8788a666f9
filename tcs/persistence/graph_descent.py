"""Boundaries of the triangles that fill loops of a graph, pushed down to its relative neighbours.

What :mod:`.descent` does for points. An edge that is no relative neighbour is homologous to the other two sides of its
triangle with the vertex of its lune whose longer side is shortest, and those come before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tcs.persistence.descent import toggle
from tcs.persistence.kernels import doubled, kernel
from tcs.persistence.pairs import length_between

if TYPE_CHECKING:
    from numpy.typing import NDArray

# A row this many times longer than another is searched, not walked along.
MUCH_LONGER = 16


@kernel
def push_down(
    starts: NDArray[np.int64], neighbours: NDArray[Any], keys: NDArray[np.float64], edges: NDArray[Any],
    lengths: NDArray[np.float64], row_starts: NDArray[np.int64], number: NDArray[Any], fillers: NDArray[Any],
    first: int, last: int,
) -> Any:  # fmt: skip
    """Columns of the reduced boundary matrix for the fillers ``first`` to ``last``.

    Args:
        starts, neighbours, keys: see :class:`tcs.persistence.graph.Graph`.
        edges: relative neighbours (m, 2), sorted. ``lengths``: their keys. ``row_starts``: where those of each
            vertex begin.
        number: the row of each, or -1 for those in the spanning forest.
        fillers: u, v, and one vertex of two components of the lune of uv (k, 4).

    Returns:
        Rows of all columns on end, and how many each column has.
    """
    entries = np.empty(4 * (last - first) + 16, number.dtype)
    sizes = np.empty(last - first, np.int64)
    total = 0
    stack = np.empty((64, 2), np.int64)
    for f in range(first, last):
        u, v, w, x = fillers[f, 0], fillers[f, 1], fillers[f, 2], fillers[f, 3]
        stack[0, 0], stack[0, 1], stack[1, 0], stack[1, 1] = u, w, v, w
        stack[2, 0], stack[2, 1], stack[3, 0], stack[3, 1] = u, x, v, x
        depth = 4
        begin = total
        while depth > 0:
            depth -= 1
            a, b = min(stack[depth, 0], stack[depth, 1]), max(stack[depth, 0], stack[depth, 1])
            length = length_between(starts, neighbours, keys, a, b)
            place = relative_between(edges, lengths, row_starts, a, b, length)
            if place >= 0:
                if number[place] >= 0:
                    total = toggle(entries, begin, total, number[place])
                    if total == len(entries):
                        entries = doubled(entries)
                continue
            third = nearest_in_lune(starts, neighbours, keys, a, b, length)
            if depth + 2 > len(stack):
                stack = doubled(stack)
            stack[depth, 0], stack[depth, 1] = a, third
            stack[depth + 1, 0], stack[depth + 1, 1] = b, third
            depth += 2
        sizes[f - first] = total - begin
    return entries[:total].copy(), sizes


@kernel
def relative_between(
    edges: NDArray[Any], lengths: NDArray[np.float64], row_starts: NDArray[np.int64], a: int, b: int, length: float
) -> int:
    """Where the edge ab of this length, a < b, stands among the relative neighbours, or -1."""
    low, high = row_starts[a], row_starts[a + 1]
    while low < high:
        middle = (low + high) // 2
        if lengths[middle] < length or (lengths[middle] == length and edges[middle, 1] < b):
            low = middle + 1
        else:
            high = middle
    return low if low < row_starts[a + 1] and edges[low, 1] == b else -1


@kernel
def nearest_in_lune(
    starts: NDArray[np.int64], neighbours: NDArray[Any], keys: NDArray[np.float64], a: int, b: int, length: float
) -> int:
    """The vertex of the lune of ab, an edge of this length, whose longer side is shortest; -1 if there is none."""
    if starts[a + 1] - starts[a] > starts[b + 1] - starts[b]:
        a, b = b, a
    best, longest = -1, np.inf
    j, end = starts[b], starts[b + 1]
    search = end - j > MUCH_LONGER * (starts[a + 1] - starts[a])
    for i in range(starts[a], starts[a + 1]):
        w, here = neighbours[i], keys[i]
        if here > length or here >= longest:
            # it is not in the lune, or its longer side is not shorter
            continue
        if search:
            there = length_between(starts, neighbours, keys, b, w)
        else:
            while j < end and neighbours[j] < w:
                j += 1
            there = keys[j] if j < end and neighbours[j] == w else np.inf
        sides = max(here, there)
        if sides < longest and (here < length or w < b) and (there < length or (there == length and w < a)):
            best, longest = w, sides
    return best
