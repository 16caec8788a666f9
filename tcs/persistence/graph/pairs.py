"""Pairs of vertices, sorted by counting; the rows of the graph that they make, sorted and looked up in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tcs.persistence.compute.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

# A row this many times longer than another is searched, not walked along.
MUCH_LONGER = 16
# Entries that insertion sorts as fast as anything.
FEW = 24


def index_type(n: int) -> type[np.signedinteger[Any]]:
    """The integer type for n vertices."""
    return np.int32 if n <= np.iinfo(np.int32).max else np.int64


def sorted_pairs(
    n: int, low: NDArray[Any], high: NDArray[Any], keys: NDArray[np.float64], flipped: NDArray[np.bool_]
) -> Any:
    """Pairs of vertices and what belongs to them, sorted by the smaller vertex, then by the larger, stably.

    Args:
        n: number of vertices. ``low``, ``high``: vertices (m,). ``keys`` (m,). ``flipped`` (m,), or empty.

    Returns:
        The four arrays in their new order.
    """
    high, low, keys, flipped = by_vertex(n, high, low, keys, flipped)
    return by_vertex(n, low, high, keys, flipped)


@kernel
def by_vertex(
    n: int, vertex: NDArray[Any], other: NDArray[Any], keys: NDArray[np.float64], flipped: NDArray[np.bool_]
) -> Any:
    """Entries in the order of ``vertex``, by counting; ``flipped`` may be empty."""
    place = np.zeros(n + 1, np.int64)
    for v in vertex:
        place[v + 1] += 1
    for v in range(n):
        place[v + 1] += place[v]
    vertices, others, lengths = np.empty_like(vertex), np.empty_like(other), np.empty_like(keys)
    flips = np.empty_like(flipped)
    for i in range(len(vertex)):
        at = place[vertex[i]]
        place[vertex[i]] += 1
        vertices[at], others[at], lengths[at] = vertex[i], other[i], keys[i]
        if len(flipped):
            flips[at] = flipped[i]
    return vertices, others, lengths, flips


@kernel
def both_ways(n: int, low: NDArray[Any], high: NDArray[Any], keys: NDArray[np.float64]) -> Any:
    """Rows of a graph from its edges, sorted by (low, high): ``starts``, ``neighbours`` and ``keys``."""
    starts = np.zeros(n + 1, np.int64)
    for i in range(len(low)):
        starts[low[i] + 1] += 1
        starts[high[i] + 1] += 1
    for v in range(n):
        starts[v + 1] += starts[v]
    place = starts[:-1].copy()
    neighbours, lengths = np.empty(2 * len(low), low.dtype), np.empty(2 * len(low))
    for i in range(len(low)):
        # all edges to smaller vertices have come before, so that rows fill in rising order
        a, b = low[i], high[i]
        neighbours[place[a]], lengths[place[a]] = b, keys[i]
        neighbours[place[b]], lengths[place[b]] = a, keys[i]
        place[a] += 1
        place[b] += 1
    return starts, neighbours, lengths


@kernel
def sort_rows(
    starts: NDArray[np.int64], vertices: NDArray[Any], lengths: NDArray[np.float64], first: int, last: int
) -> None:
    """Sort the rows ``first`` to ``last`` by length, in place and stably: by buckets of length, then by insertion.

    Rows whose lengths crowd in few buckets are merged.
    """
    room = 256
    spare_vertices, spare_lengths = np.empty(room, vertices.dtype), np.empty(room)
    counts = np.empty(room + 1, np.int64)
    for row in range(first, last):
        begin, m = starts[row], starts[row + 1] - starts[row]
        vertex, length = vertices[begin : begin + m], lengths[begin : begin + m]
        if m > FEW:
            if m > room:
                room = 2 * m
                spare_vertices, spare_lengths = np.empty(room, vertices.dtype), np.empty(room)
                counts = np.empty(room + 1, np.int64)
            low, high = length.min(), length.max()
            factor = m * (1 - 2.0**-20) / (high - low)
            if not factor < np.inf:
                factor = 0.0
            counts[: m + 1] = 0
            for i in range(m):
                counts[np.int64((length[i] - low) * factor) + 1] += 1
            if factor == 0.0 or counts[: m + 1].max() > FEW:
                order = np.argsort(length, kind="mergesort")
                vertex[:], length[:] = vertex[order], length[order]
                continue
            for i in range(m):
                counts[i + 1] += counts[i]
            for i in range(m):
                bucket = np.int64((length[i] - low) * factor)
                spare_vertices[counts[bucket]], spare_lengths[counts[bucket]] = vertex[i], length[i]
                counts[bucket] += 1
            vertex[:], length[:] = spare_vertices[:m], spare_lengths[:m]
        for i in range(1, m):
            key, carried = length[i], vertex[i]
            j = i
            while j > 0 and length[j - 1] > key:
                length[j], vertex[j] = length[j - 1], vertex[j - 1]
                j -= 1
            length[j], vertex[j] = key, carried


@kernel
def length_between(
    starts: NDArray[np.int64], neighbours: NDArray[Any], keys: NDArray[np.float64], a: int, b: int
) -> float:
    """The key of the edge ab, found by halving the row of a, or infinity."""
    low, high = starts[a], starts[a + 1]
    while low < high:
        middle = (low + high) // 2
        if neighbours[middle] < b:
            low = middle + 1
        else:
            high = middle
    return keys[low] if low < starts[a + 1] and neighbours[low] == b else np.inf
