"""The lunes of all edges: which edges are relative neighbours, and which ones fill loops.

The lune of an edge uv is the set of points w such that uw and vw both come before uv in the filtration. An edge
with an empty lune belongs to the relative neighbourhood graph (Toussaint 1980) and may open a loop; one whose lune
falls into several components fills loops; any other edge changes no homology in dimensions 0 and 1 (the reduced
Vietoris-Rips complex, Koyama, Memoli, Robins and Turner, arXiv:2307.16333).

Most edges are settled in float32, with margins that cover every rounding error (:mod:`.cloud.glance`); the others are
settled in float64.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from tcs.persistence.cloud.glance import in_one_piece, members_of, unsettled
from tcs.persistence.compute.kernels import doubled, kernel, precedes
from tcs.persistence.compute.lanes import LANES, at_least, every, load, ones

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Up to so many neighbours are sorted by counting; a bucket holds up to so many.
RANKED = 96
CROWDED = 48


@kernel
def lunes(
    points: NDArray[np.float64], starts: NDArray[np.int64], low: NDArray[Any], high: NDArray[Any],
    first: int, last: int, longest: float, scale: float, axes: Any, index: Any,
) -> Any:  # fmt: skip
    """Classify the edges whose smaller vertex lies in the cells ``first`` to ``last``.

    Args:
        points, starts, low, high: see :class:`.cloud.cells.Cells`.
        longest: largest squared length of an edge. ``scale``: a power of two near 1 / sqrt(longest).
        index: an empty array of the integer type for vertices.

    Returns:
        Of the relative neighbours, sorted by (u, length): vertices (m, 2) and squared lengths (m,). Of the edges
        that fill a loop, for each component of the lune but the first: vertices u, v, w of the first component and w
        of this one (k, 4), and squared lengths (k,).
    """
    dimension = len(axes)
    room = 0
    edges, lengths = np.empty((64, 2), index.dtype), np.empty(64)
    fillers, times = np.empty((64, 4), index.dtype), np.empty(64)
    m_edges = m_fillers = 0
    for cell in range(first, last):
        candidates = 0
        for r in range(low.shape[1]):
            candidates += high[cell, r] - low[cell, r]
        if candidates + LANES > room:
            room = 2 * candidates + LANES
            local, vertex = np.empty((dimension, room)), np.empty(room, index.dtype)
            square, near = np.empty(room), np.empty(room, np.int32)
            raw_square, raw_near = np.empty(room), np.empty(room, np.int32)
            relative, norm = np.zeros((dimension, room), np.float32), np.zeros(room, np.float32)
            left, members, parts = np.empty(room, np.int32), np.empty(room, np.int32), np.empty(room, np.int32)
            found = np.empty(room // LANES + 1, np.int64)
        own = copy_around(points, low[cell], high[cell], starts[cell], local, vertex, axes)
        for s in range(own, own + starts[cell + 1] - starts[cell]):
            m = neighbours(local, candidates, s, longest, raw_square, raw_near, axes)
            by_length(raw_square, raw_near, m, longest, scale, norm, square, near)
            look_from(local, s, m, scale, square, near, relative, norm, axes)
            for e in range(unsettled(relative, norm, near, m, s, found, left, axes)):
                p = left[e]
                v = near[p]
                k = members_of(relative, norm, near, p, found, members, axes)
                if k < 0:
                    k = exact_members(local, square, near, p, s, members, axes)
                elif k > 0 and in_one_piece(relative, norm[p], p, k, found, parts, axes):
                    continue
                if k == 0:
                    if m_edges == len(edges):
                        edges, lengths = doubled(edges), doubled(lengths)
                    edges[m_edges, 0], edges[m_edges, 1] = vertex[s], vertex[v]
                    lengths[m_edges] = square[p]
                    m_edges += 1
                    continue
                number = components(local, members, k, s, v, square[p], parts, axes)
                while m_fillers + number > len(fillers):
                    fillers, times = doubled(fillers), doubled(times)
                for part in range(1, number):
                    fillers[m_fillers, 0], fillers[m_fillers, 1] = vertex[s], vertex[v]
                    fillers[m_fillers, 2], fillers[m_fillers, 3] = vertex[parts[0]], vertex[parts[part]]
                    times[m_fillers] = square[p]
                    m_fillers += 1
    return edges[:m_edges].copy(), lengths[:m_edges].copy(), fillers[:m_fillers].copy(), times[:m_fillers].copy()


def scale_of(longest: float) -> float:
    """A power of two near 1 / sqrt(longest): scaling the cloud by one changes no bit of a result."""
    return 2.0 ** -math.frexp(math.sqrt(longest))[1] if longest > 0 else 1.0


@kernel
def copy_around(
    points: NDArray[np.float64], low: NDArray[Any], high: NDArray[Any], start: int,
    local: NDArray[np.float64], vertex: NDArray[Any], axes: Any,
) -> int:  # fmt: skip
    """Copy the points of some ranges, coordinate by coordinate; where the one at ``start`` went is returned."""
    i = own = 0
    for r in range(len(low)):
        if low[r] <= start < high[r]:
            own = i + start - low[r]
        for w in range(low[r], high[r]):
            for c in range(len(axes)):
                local[c, i] = points[w, c]
            vertex[i] = w
            i += 1
    return own


@kernel
def neighbours(
    local: NDArray[np.float64], candidates: int, s: int, longest: float, square: NDArray[np.float64],
    near: NDArray[np.int32], axes: Any,
) -> int:  # fmt: skip
    """The candidates within the longest square of candidate s, and their squared distances; how many is returned."""
    for i in range(candidates):
        total = 0.0
        for c in range(len(axes)):
            difference = local[c, s] - local[c, i]
            total += difference * difference
        square[i] = total
    square[s] = np.inf
    m = 0
    for i in range(candidates):
        found = square[i]
        square[m] = found
        near[m] = i
        m += found <= longest
    return m


@kernel
def by_length(
    square: NDArray[np.float64], near: NDArray[np.int32], m: int, longest: float, scale: float,
    norm: NDArray[np.float32], to_square: NDArray[np.float64], to_near: NDArray[np.int32],
) -> None:  # fmt: skip
    """Sort neighbours by their squared distance, ties by their place. ``norm`` is used up.

    Few are sorted by counting how many are shorter, many by buckets of squared length; a bad spread by merging.
    """
    if m <= RANKED:
        if ranked(square, near, m, scale, norm, to_square, to_near):
            return
    elif in_buckets(square, near, m, longest, to_square, to_near):
        return
    order = np.argsort(square[:m], kind="mergesort")
    for i in range(m):
        to_square[i], to_near[i] = square[order[i]], near[order[i]]


@kernel
def ranked(
    square: NDArray[np.float64], near: NDArray[np.int32], m: int, scale: float, norm: NDArray[np.float32],
    to_square: NDArray[np.float64], to_near: NDArray[np.int32],
) -> bool:  # fmt: skip
    """Sort by counting; whether all lengths differed, also in float32, is returned."""
    top = (m + LANES - 1) // LANES * LANES
    for i in range(m):
        norm[i] = square[i] * scale * scale
    norm[m:top] = np.inf
    total = 0
    for i in range(m):
        length = every(norm[i])
        rank = top
        for start in range(0, top, LANES):
            rank -= ones(at_least(load(norm, start), length))
        total += rank
        to_square[rank], to_near[rank] = square[i], near[i]
    return total == m * (m - 1) // 2


@kernel
def in_buckets(
    square: NDArray[np.float64], near: NDArray[np.int32], m: int, longest: float, to_square: NDArray[np.float64],
    to_near: NDArray[np.int32],
) -> bool:  # fmt: skip
    """Sort by buckets, and within them by insertion; False if one of them is too full for that."""
    buckets = 64
    while buckets < m:
        buckets *= 2
    counts = np.zeros(buckets + 1, np.int32)
    factor = buckets * (1 - 2.0**-20) / longest
    for i in range(m):
        counts[np.int32(square[i] * factor) + 1] += 1
    if counts.max() > CROWDED:
        return False
    for i in range(1, buckets):
        counts[i] += counts[i - 1]
    for i in range(m):
        bucket = np.int32(square[i] * factor)
        place = counts[bucket]
        counts[bucket] += 1
        to_square[place], to_near[place] = square[i], near[i]
    for i in range(1, m):
        length, carried = to_square[i], to_near[i]
        j = i
        while j > 0 and to_square[j - 1] > length:
            to_square[j], to_near[j] = to_square[j - 1], to_near[j - 1]
            j -= 1
        to_square[j], to_near[j] = length, carried
    return True


@kernel
def look_from(
    local: NDArray[np.float64], s: int, m: int, scale: float, square: NDArray[np.float64], near: NDArray[np.int32],
    relative: NDArray[np.float32], norm: NDArray[np.float32], axes: Any,
) -> None:  # fmt: skip
    """Fill in where the neighbours lie as seen from s, and the squares of their lengths, scaled, in float32."""
    for q in range(m):
        for c in range(len(axes)):
            relative[c, q] = (local[c, near[q]] - local[c, s]) * scale
        norm[q] = square[q] * scale * scale


@kernel
def exact_members(
    local: NDArray[np.float64], square: NDArray[np.float64], near: NDArray[np.int32], p: int, s: int,
    members: NDArray[np.int32], axes: Any,
) -> int:  # fmt: skip
    """The lune of the edge from s to its neighbour p, in float64; how many members there are is returned."""
    v = near[p]
    k = 0
    for q in range(p):
        third = apart(local, v, near[q], axes)
        # on a tie the order of edges at a common vertex is that of their other ends
        members[k] = near[q]
        k += third < square[p] or (third == square[p] and near[q] < s)
    return k


@kernel
def apart(local: NDArray[np.float64], a: int, b: int, axes: Any) -> float:
    """The squared distance of two candidates, to the bit that of :func:`tcs.persistence.compute.kernels.squared`."""
    total = 0.0
    for c in range(len(axes)):
        difference = local[c, a] - local[c, b]
        total += difference * difference
    return total


@kernel
def components(
    local: NDArray[np.float64], members: NDArray[np.int32], k: int, u: int, v: int, length: float,
    parts: NDArray[np.int32], axes: Any,
) -> int:  # fmt: skip
    """Flood the lune of uv, u < v, whose vertices are ``members[:k]``, and count its components.

    ``members`` is reordered. ``parts`` receives the vertex of each component whose longer side to u and v is
    shortest, the shortest of all first.
    """
    number = done = reached = first = 0
    shortest = np.inf
    while done < k:
        # members[:done] are settled, members[done:reached] wait to be left, the rest is not reached yet
        best, longer = members[done], np.inf
        reached = done + 1
        while done < reached:
            w = members[done]
            done += 1
            sides = max(apart(local, u, w, axes), apart(local, v, w, axes))
            if sides < longer:
                best, longer = w, sides
            for i in range(reached, k):
                x = members[i]
                if precedes(apart(local, w, x, axes), w, x, length, u, v):
                    members[i] = members[reached]
                    members[reached] = x
                    reached += 1
        parts[number] = best
        if longer < shortest:
            shortest, first = longer, number
        number += 1
    parts[0], parts[first] = parts[first], parts[0]
    return number
