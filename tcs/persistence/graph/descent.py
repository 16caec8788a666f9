"""Boundaries of the triangles that fill loops of a graph, pushed down to its relative neighbours.

What :mod:`.cloud.descent` does for points. An edge that is no relative neighbour is homologous to the other two sides
of its triangle with the vertex of its lune whose longer side is shortest, and those come before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tcs.persistence.cloud.descent import toggle
from tcs.persistence.compute.kernels import doubled, kernel
from tcs.persistence.graph.pairs import MUCH_LONGER, length_between

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Bits of a slot at most, and a multiplier that spreads numbers over the highest bits (Knuth, volume 3, section 6.4).
MOST_BITS = 17
GOLDEN = np.uint64(0x9E3779B97F4A7C15)


@kernel
def push_down(
    starts: NDArray[np.int64], neighbours: NDArray[Any], keys: NDArray[np.float64], edges: NDArray[Any],
    lengths: NDArray[np.float64], row_starts: NDArray[np.int64], number: NDArray[Any], fillers: NDArray[Any],
    first: int, last: int,
) -> Any:  # fmt: skip
    """Columns of the reduced boundary matrix for the fillers ``first`` to ``last``.

    Args:
        starts, neighbours, keys: see :class:`.graph.Graph`.
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
    stack, stack_lengths = np.empty((64, 2), np.int64), np.empty(64)
    # the same edges come again and again: each slot keeps the last one that fell into it, with its third vertex
    n = len(starts) - 1
    bits = 6
    while bits < MOST_BITS and 1 << bits < 8 * (last - first):
        bits += 1
    shift = np.uint64(64 - bits)
    known, thirds = np.full(1 << bits, -1, np.int64), np.empty(1 << bits, np.int64)
    sides = np.empty((1 << bits, 2))
    for f in range(first, last):
        depth = 0
        for apex in range(2, 4):
            for end in range(2):
                a, b = fillers[f, end], fillers[f, apex]
                stack[depth, 0], stack[depth, 1] = min(a, b), max(a, b)
                stack_lengths[depth] = length_between(starts, neighbours, keys, a, b)
                depth += 1
        begin = total
        while depth > 0:
            depth -= 1
            a, b, length = stack[depth, 0], stack[depth, 1], stack_lengths[depth]
            place = relative_between(edges, lengths, row_starts, a, b, length)
            if place >= 0:
                if number[place] >= 0:
                    total = toggle(entries, begin, total, number[place])
                    if total == len(entries):
                        entries = doubled(entries)
                continue
            edge = a * n + b
            slot = (np.uint64(edge) * GOLDEN) >> shift
            if known[slot] != edge:
                known[slot] = edge
                thirds[slot], sides[slot, 0], sides[slot, 1] = nearest_in_lune(starts, neighbours, keys, a, b, length)
            third = thirds[slot]
            if depth + 2 > len(stack):
                stack, stack_lengths = doubled(stack), doubled(stack_lengths)
            stack[depth, 0], stack[depth, 1] = min(a, third), max(a, third)
            stack[depth + 1, 0], stack[depth + 1, 1] = min(b, third), max(b, third)
            stack_lengths[depth], stack_lengths[depth + 1] = sides[slot, 0], sides[slot, 1]
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
) -> tuple[int, float, float]:
    """The vertex of the lune of ab, an edge of this length, whose longer side is shortest, and its sides to a and b.

    -1 if the lune is empty.
    """
    swapped = starts[a + 1] - starts[a] > starts[b + 1] - starts[b]
    if swapped:
        a, b = b, a
    best, longest = -1, np.inf
    to_a = to_b = np.inf
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
        longer = max(here, there)
        if longer < longest and (here < length or w < b) and (there < length or (there == length and w < a)):
            best, longest, to_a, to_b = w, longer, here, there
    return (best, to_b, to_a) if swapped else (best, to_a, to_b)
