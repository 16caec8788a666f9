"""The lunes of all edges: which edges are relative neighbours, and which ones fill loops.

The lune of an edge uv is the set of points w such that uw and vw both come before uv in the filtration. An edge
with an empty lune belongs to the relative neighbourhood graph (Toussaint 1980) and may open a loop; one whose lune
falls into several components fills loops; any other edge changes no homology in dimensions 0 and 1 (the reduced
Vietoris-Rips complex, Koyama, Memoli, Robins and Turner, arXiv:2307.16333).

Most edges are settled in float32, eight or sixteen candidates at a time, with margins that cover every rounding
error; the doubtful ones are settled in float64.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from tcs.persistence.compute.kernels import doubled, inlined, kernel, precedes, trailing_zeros

if TYPE_CHECKING:
    from numpy.typing import NDArray

LANES = 16
RANKED = 48
# Squares are scaled so that the longest is near 1. Below this one products of four lengths lose bits in float32.
LEAST = np.float32(1e-12)
# What a glance tells about a lune.
EMPTY, ONE_PIECE, MEMBERS, UNCLEAR = 0, 1, 2, 3
NONE = np.int32(-(2**31) + 1)


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
    b, centre = np.empty(dimension, np.float32), np.empty(dimension, np.float32)
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
            spare_square, spare_near = np.empty(room), np.empty(room, np.int32)
            relative, norm = np.zeros((dimension, room), np.float32), np.zeros(room, np.float32)
            members, parts = np.empty(room, np.int32), np.empty(room, np.int32)
            found = np.empty(room // LANES + 1, np.int64)
        own = copy_around(points, low[cell], high[cell], starts[cell], local, vertex, axes)
        for s in range(own, own + starts[cell + 1] - starts[cell]):
            m = neighbours(local, candidates, s, longest, square, near, axes)
            square, near, spare_square, spare_near = by_length(
                square, near, m, longest, scale, norm, spare_square, spare_near
            )
            for q in range(m):
                for c in range(dimension):
                    relative[c, q] = (local[c, near[q]] - local[c, s]) * scale
                norm[q] = square[q] * scale * scale
            for p in range(m):
                v = near[p]
                if v < s:
                    continue
                k = 0
                if norm[p] > LEAST:
                    for c in range(dimension):
                        b[c] = relative[c, p]
                    verdict, middle = glance(relative, norm, p, b, found, axes)
                    if verdict == ONE_PIECE:
                        continue
                    if verdict == UNCLEAR:
                        k = exact_members(local, square, near, p, s, members, axes)
                    elif verdict == MEMBERS:
                        if is_star(relative, norm[p], p, middle, found, centre, axes):
                            continue
                        k = members_of(near, p, found, members)
                else:
                    k = exact_members(local, square, near, p, s, members, axes)
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
    norm: NDArray[np.float32], spare_square: NDArray[np.float64], spare_near: NDArray[np.int32],
) -> Any:  # fmt: skip
    """Sort neighbours by their squared distance, ties by their place; both pairs of arrays are handed back.

    Few are sorted by counting how many are shorter, many by buckets of squared length; a bad spread by merging.
    """
    if m <= RANKED:
        top = (m + LANES - 1) // LANES * LANES
        for i in range(m):
            norm[i] = square[i] * scale * scale
        norm[m:top] = np.inf
        total = 0
        for i in range(m):
            length = norm[i]
            rank: Any = np.int32(0)
            for j in range(top):
                rank += np.int32(norm[j] < length)
            total += rank
            spare_square[rank], spare_near[rank] = square[i], near[i]
        if total == m * (m - 1) // 2:
            return spare_square, spare_near, square, near
    else:
        buckets = 64
        while buckets < m:
            buckets *= 2
        counts = np.zeros(buckets + 1, np.int32)
        factor = buckets * (1 - 2.0**-20) / longest
        for i in range(m):
            counts[np.int32(square[i] * factor) + 1] += 1
        if counts.max() <= RANKED:
            for i in range(1, buckets):
                counts[i] += counts[i - 1]
            for i in range(m):
                bucket = np.int32(square[i] * factor)
                place = counts[bucket]
                counts[bucket] += 1
                spare_square[place], spare_near[place] = square[i], near[i]
            for i in range(1, m):
                length, carried = spare_square[i], spare_near[i]
                j = i
                while j > 0 and spare_square[j - 1] > length:
                    spare_square[j], spare_near[j] = spare_square[j - 1], spare_near[j - 1]
                    j -= 1
                spare_square[j], spare_near[j] = length, carried
            return spare_square, spare_near, square, near
    order = np.argsort(square[:m], kind="mergesort")
    for i in range(m):
        spare_square[i], spare_near[i] = square[order[i]], near[order[i]]
    return spare_square, spare_near, square, near


@inlined
def glance(
    relative: NDArray[np.float32], norm: NDArray[np.float32], p: int, b: NDArray[np.float32],
    found: NDArray[np.int64], axes: Any,
) -> Any:  # fmt: skip
    """Look at the lune of the edge from the origin to neighbour p among the nearer neighbours, in float32.

    With a = |w|^2 and the edge b: w is in the lune when a < 2 w.b. It is a witness that the whole lune is in one
    piece when it lies in the lens around the edge that is nearer to every point of the lune than the edge is long:
    3 (|b|^2 a - (w.b)^2) < (w.b - a)^2.

    Returns:
        The number of members and the one nearest to the middle of the edge. The number is 1 as soon as there is a
        witness, and -1 when some candidate is in doubt.
    """
    dimension = len(axes)
    longer = norm[p]
    # a float32 dot product of d terms is off by (d + 2) 2^-24 |w| |b|; what is made from it by a few times that
    doubt = np.float32((4 * dimension + 16) * 2.0**-24) * longer
    slack = np.float32((8 * dimension + 48) * 2.0**-24) * longer * longer
    fixed_point = np.float32(2.0**22) / longer
    deepest: Any = NONE
    middle = unclear = 0
    bits: Any
    best: Any
    for start in range(0, p, LANES):
        bits, best = 0, NONE
        for lane in range(LANES):
            q = start + lane
            dot = np.float32(0)
            for c in range(dimension):
                dot += relative[c, q] * b[c]
            depth = dot - norm[q]
            side = dot + depth
            valid = q < p
            inside = valid & (side > doubt)
            unsure = valid & (abs(side) <= doubt)
            witness = (
                valid & (depth > 0)
                & (depth * depth > np.float32(3) * (longer * norm[q] - dot * dot) + slack)
            )  # fmt: skip
            bits |= (np.int64(inside) | (np.int64(unsure) << 16) | (np.int64(witness) << 32)) << lane
            ranked = (np.int32(depth * fixed_point) << np.int32(4)) | np.int32(lane)
            best = max(best, ranked if inside else NONE)
        if bits >> 32:
            return ONE_PIECE, 0
        # another candidate may still be a witness, without whom all would be looked at again
        unclear |= bits >> 16
        found[start // LANES] = bits
        if best > deepest:
            deepest, middle = best, start + (best & 15)
    if unclear:
        return UNCLEAR, 0
    return EMPTY if deepest == NONE else MEMBERS, middle


@inlined
def is_star(
    relative: NDArray[np.float32], longer: np.float32, p: int, middle: int, found: NDArray[np.int64],
    centre: NDArray[np.float32], axes: Any,
) -> bool:  # fmt: skip
    """Whether all members of a lune are certainly nearer to one of them than the edge is long."""
    dimension = len(axes)
    for c in range(dimension):
        centre[c] = relative[c, middle]
    bound = longer - np.float32((4 * dimension + 16) * 2.0**-24) * longer
    for block in range((p + LANES - 1) // LANES):
        bits = found[block]
        while bits:
            q = block * LANES + trailing_zeros(bits)
            bits &= bits - 1
            distance = np.float32(0)
            for c in range(dimension):
                difference = relative[c, q] - centre[c]
                distance += difference * difference
            if distance >= bound:
                return False
    return True


@kernel
def members_of(near: NDArray[np.int32], p: int, found: NDArray[np.int64], members: NDArray[np.int32]) -> int:
    """Write down the members that the bits of a glance name; how many is returned."""
    k = 0
    for block in range((p + LANES - 1) // LANES):
        bits = found[block]
        while bits:
            members[k] = near[block * LANES + trailing_zeros(bits)]
            bits &= bits - 1
            k += 1
    return k


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
