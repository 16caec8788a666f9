"""The lunes of all edges of a cloud, with the loops that they have: what H2 needs besides :mod:`.cloud.lunes`.

An edge whose lune has a loop, one that no triangles in the lune fill, changes H2: with its cofaces it fills the
suspension of the loop, with the two ends of the edge as poles (discrete Morse theory on the order of edges). Lunes
with a vertex that is joined to all others, which are most, have none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tcs.persistence.cloud.glance import members_of, unsettled
from tcs.persistence.cloud.lunes import apart, by_length, copy_around, exact_members, look_from, neighbours
from tcs.persistence.compute.kernels import doubled, kernel, precedes
from tcs.persistence.compute.lanes import LANES
from tcs.persistence.voids.link_loops import loops
from tcs.persistence.voids.links import ONE, WORD, collapse, collapsed_word, fill, has_centre, lowest, parts_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The shortest loop has so many vertices.
SHORTEST_LOOP = 4


@kernel
def lunes_and_loops(
    points: NDArray[np.float64], starts: NDArray[np.int64], low: NDArray[Any], high: NDArray[Any], first: int,
    last: int, longest: float, scale: float, axes: Any, index: Any,
) -> Any:  # fmt: skip
    """Classify the edges whose smaller vertex lies in the cells ``first`` to ``last``, and find the loops of lunes.

    Args:
        As :func:`.cloud.lunes.lunes` has them.

    Returns:
        First the four arrays of :func:`.cloud.lunes.lunes`. Then for a basis of the loops of all lunes, in
        the order of edges at each smaller vertex: the edge (l, 2), its squared length (l,), how many vertices the
        loop has (l,), and the vertices of all loops on end.
    """
    dimension = len(axes)
    room = 0
    closed, left = np.empty((0, 1), np.uint64), np.empty(1, np.uint64)
    waiting, common, corners = np.empty(1, np.uint64), np.empty(1, np.uint64), np.empty((dimension, 0))
    edges, lengths = np.empty((64, 2), index.dtype), np.empty(64)
    fillers, times = np.empty((64, 4), index.dtype), np.empty(64)
    bases, ages, sizes = np.empty((64, 2), index.dtype), np.empty(64), np.empty(64, np.int64)
    walks = np.empty(256, index.dtype)
    m_edges = m_fillers = m_loops = m_walks = 0
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
            members, parts, labels = (np.empty(room, np.int32), np.empty(room, np.int32), np.empty(room, np.int32))
            found, open_edges = np.empty(room // LANES + 1, np.int64), np.empty(room, np.int32)
        own = copy_around(points, low[cell], high[cell], starts[cell], local, vertex, axes)
        for s in range(own, own + starts[cell + 1] - starts[cell]):
            m = neighbours(local, candidates, s, longest, raw_square, raw_near, axes)
            by_length(raw_square, raw_near, m, longest, scale, norm, square, near)
            look_from(local, s, m, scale, square, near, relative, norm, axes)
            for e in range(unsettled(relative, norm, near, m, s, found, open_edges, axes)):
                p = open_edges[e]
                v = near[p]
                k = members_of(relative, norm, near, p, found, members, axes)
                if k < 0:
                    k = exact_members(local, square, near, p, s, members, axes)
                if k == 0:
                    if m_edges == len(edges):
                        edges, lengths = doubled(edges), doubled(lengths)
                    edges[m_edges, 0], edges[m_edges, 1] = vertex[s], vertex[v]
                    lengths[m_edges] = square[p]
                    m_edges += 1
                    continue
                words = (k + WORD - 1) // WORD
                if k > len(closed) or words != closed.shape[1]:
                    closed, left = np.empty((2 * k, words), np.uint64), np.empty(words, np.uint64)
                    waiting, common = np.empty(words, np.uint64), np.empty(words, np.uint64)
                    corners = np.empty((dimension, WORD * words))
                tabulate(local, members, k, s, v, square[p], closed, corners, axes)
                fill(left, k)
                if has_centre(closed, left):
                    continue
                number = parts_of(closed, k, left, waiting, labels)
                if number > 1:
                    while m_fillers + number > len(fillers):
                        fillers, times = doubled(fillers), doubled(times)
                    name_parts(local, members, k, s, v, labels, number, parts, axes)
                    for part in range(1, number):
                        fillers[m_fillers, 0], fillers[m_fillers, 1] = vertex[s], vertex[v]
                        fillers[m_fillers, 2], fillers[m_fillers, 3] = vertex[parts[0]], vertex[parts[part]]
                        times[m_fillers] = square[p]
                        m_fillers += 1
                if k < SHORTEST_LOOP:
                    continue
                fill(left, k)
                if words == 1:
                    left[0] = collapsed_word(closed, left[0])
                    if left[0] == 0:
                        continue
                elif not collapse(closed, left, waiting, common):
                    continue
                loop, begins = loops(closed, left)
                while m_loops + len(begins) > len(ages):
                    bases, ages, sizes = doubled(bases), doubled(ages), doubled(sizes)
                while m_walks + len(loop) > len(walks):
                    walks = doubled(walks)
                for i in range(len(begins) - 1):
                    bases[m_loops, 0], bases[m_loops, 1] = vertex[s], vertex[v]
                    ages[m_loops], sizes[m_loops] = square[p], begins[i + 1] - begins[i]
                    m_loops += 1
                for i in range(len(loop)):
                    walks[m_walks] = vertex[members[loop[i]]]
                    m_walks += 1
    return (
        edges[:m_edges].copy(), lengths[:m_edges].copy(), fillers[:m_fillers].copy(), times[:m_fillers].copy(),
        bases[:m_loops].copy(), ages[:m_loops].copy(), sizes[:m_loops].copy(), walks[:m_walks].copy(),
    )  # fmt: skip


@kernel
def tabulate(
    local: NDArray[np.float64], members: NDArray[np.int32], k: int, u: int, v: int, length: float,
    closed: NDArray[np.uint64], corners: NDArray[np.float64], axes: Any,
) -> None:  # fmt: skip
    """Write which members of the lune of uv are joined in it into a table of bits, as :mod:`.voids.links` has them.

    ``corners`` (d, >= k) is room for their coordinates.
    """
    for c in range(len(axes)):
        for i in range(k):
            corners[c, i] = local[c, members[i]]
    for i in range(k):
        for word in range(closed.shape[1]):
            first = WORD * word
            joined = tied = np.uint64(0)
            for j in range(min(WORD, k - first)):
                total = 0.0
                for c in range(len(axes)):
                    difference = corners[c, i] - corners[c, first + j]
                    total += difference * difference
                joined |= np.uint64(total < length) << np.uint64(j)
                tied |= np.uint64(total == length) << np.uint64(j)
            while tied != 0:
                j = lowest(tied)
                tied &= tied - ONE
                joined |= np.uint64(precedes(length, members[i], members[first + j], length, u, v)) << np.uint64(j)
            closed[i, word] = joined
        closed[i, i // WORD] |= ONE << np.uint64(i % WORD)


@kernel
def name_parts(
    local: NDArray[np.float64], members: NDArray[np.int32], k: int, u: int, v: int, labels: NDArray[np.int32],
    number: int, parts: NDArray[np.int32], axes: Any,
) -> None:  # fmt: skip
    """Find in each component the vertex whose longer side to u and v is shortest, and put the shortest of all first."""
    shortest = np.full(number, np.inf)
    for i in range(k):
        part = labels[i]
        sides = max(apart(local, u, members[i], axes), apart(local, v, members[i], axes))
        if sides < shortest[part]:
            shortest[part], parts[part] = sides, members[i]
    first = np.argmin(shortest)
    parts[0], parts[first] = parts[first], parts[0]
