"""The lunes of all edges of a graph: which edges are relative neighbours, and which ones fill loops.

What :mod:`.cloud.lunes` does for points, from adjacency and the order of edges alone: no triangle inequality is used.
Small and dense graphs are swept (:mod:`.graph.sweep`). In others the lune of an edge is found by marking the row of
one end and walking along that of the other, the shorter, both in the order of edges, so that a walk ends at the edge
itself.

Edges are ordered by (key, smaller vertex, larger vertex), as everywhere; at a common vertex that is the order by
(key, other end).
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from tcs.persistence.compute.kernels import doubled, kernel, precedes
from tcs.persistence.graph.pairs import MUCH_LONGER, length_between, sort_rows, sorted_pairs
from tcs.persistence.graph.sweep import is_dense, sweep

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tcs.persistence.compute.team import Team
    from tcs.persistence.graph.graph import Graph

# Entries of rows that one call works on, unless that makes more than so many calls.
PART_ENTRIES, MOST_PARTS = 2**18, 256
# Vertices whose rows stay in a cache.
CLUSTER = 512


def classify(graph: Graph, team: Team) -> tuple[NDArray[Any], NDArray[np.float64], NDArray[Any], NDArray[np.float64]]:
    """Relative neighbours and fillers of a graph, as :func:`.cloud.lunes.lunes` has them.

    Returns:
        Of the relative neighbours, sorted by (smaller vertex, key, larger vertex): vertices (m, 2) and keys (m,). Of
        the edges that fill a loop, for each component of the lune but the first: vertices u, v, w of the first
        component and w of this one (k, 4), and keys (k,).
    """
    if is_dense(graph, team.threads):
        return sweep(graph, team)
    n, starts, neighbours, keys = graph.n, graph.starts, graph.neighbours, graph.keys
    near, lengths = neighbours.copy(), keys.copy()
    number = max(1, min(len(keys) // PART_ENTRIES, MOST_PARTS))
    parts = even_parts(starts, number)
    team.run("sort", lambda first, last: sort_rows(starts, near, lengths, first, last), parts)
    order = clustered(starts, near)
    parts = even_parts(np.append(0, np.cumsum(np.diff(starts)[order])), number)
    spare: list[tuple[NDArray[np.float64], NDArray[np.float64]]] = []

    def work(first: int, last: int) -> Any:
        try:
            marks = spare.pop()
        except IndexError:
            marks = np.full(n, np.inf), np.full(n, -1.0)
        found = lunes(starts, neighbours, keys, near, lengths, order[first:last], *marks)
        spare.append(marks)
        return found

    edges, squares, fillers, times = team.gather("lunes", work, parts)
    return *by_length(n, edges, squares), fillers, times


def even_parts(starts: NDArray[np.int64], number: int) -> list[tuple[int, int]]:
    """Ranges of rows with about as many entries each, at least one range."""
    targets = np.arange(1, number) * (starts[-1] // number)
    cuts = np.unique(np.concatenate([[0], np.searchsorted(starts, targets), [len(starts) - 1]]))
    return [(int(a), int(b)) for a, b in pairwise(cuts)] or [(0, 0)]


@kernel
def clustered(starts: NDArray[np.int64], near: NDArray[Any]) -> NDArray[np.int64]:
    """Vertices in an order in which neighbours stand together, so that rows are met again while they are in a cache."""
    n = len(starts) - 1
    seen = np.zeros(n, np.bool_)
    order = np.empty(n, np.int64)
    m = 0
    for seed in range(n):
        if seen[seed]:
            continue
        seen[seed] = True
        order[m] = seed
        at = m
        m += 1
        end = min(n, at + CLUSTER)
        while at < m < end:
            for i in range(starts[order[at]], starts[order[at] + 1]):
                v = near[i]
                if m < end and not seen[v]:
                    seen[v] = True
                    order[m] = v
                    m += 1
            at += 1
    return order


def by_length(n: int, edges: NDArray[Any], lengths: NDArray[np.float64]) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Edges (m, 2) and their lengths sorted by smaller vertex, then length, then larger vertex."""
    low, high, lengths, _ = sorted_pairs(n, edges[:, 0], edges[:, 1], lengths, np.empty(0, np.bool_))
    starts = np.append(0, np.cumsum(np.bincount(low, minlength=n)))
    sort_rows(starts, high, lengths, 0, n)
    return np.stack([low, high], axis=1), lengths


@kernel
def lunes(
    starts: NDArray[np.int64], neighbours: NDArray[Any], keys: NDArray[np.float64], near: NDArray[Any],
    lengths: NDArray[np.float64], vertices: NDArray[np.int64], length_to: NDArray[np.float64],
    waiting: NDArray[np.float64],
) -> Any:  # fmt: skip
    """Classify the edges of some vertices that have the longer row of the two (or are the smaller, in equal rows).

    Args:
        starts, neighbours, keys: see :class:`.graph.Graph`. ``near, lengths``: the same rows, but in
            the order of edges. ``vertices``: those whose edges are classified.
        length_to: (n,), infinity everywhere. ``waiting``: (n,), -1 everywhere. Both are left so.

    Returns:
        As :func:`.cloud.lunes.lunes`, but in no order.
    """
    room = 256
    members, queue, parts = np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room, np.int64)
    sides = np.empty(room)
    edges, squares = np.empty((64, 2), neighbours.dtype), np.empty(64)
    fillers, times = np.empty((64, 4), neighbours.dtype), np.empty(64)
    m_edges = m_fillers = 0
    for u in vertices:
        begin, end = starts[u], starts[u + 1]
        # one place more, to which is written what does not count
        if end - begin + 1 > room:
            room = 2 * (end - begin) + 1
            members, queue, parts = np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room, np.int64)
            sides = np.empty(room)
        for p in range(begin, end):
            v, length = near[p], lengths[p]
            # the marks are those of the edges at u before uv
            length_to[v] = length
            longer_row = end - begin - (starts[v + 1] - starts[v])
            if longer_row < 0 or (longer_row == 0 and v < u):
                continue
            k = lune(starts, near, lengths, u, v, length_to, members, sides)
            low, high = min(u, v), max(u, v)
            if k == 0:
                if m_edges == len(edges):
                    edges, squares = doubled(edges), doubled(squares)
                edges[m_edges, 0], edges[m_edges, 1] = low, high
                squares[m_edges] = length
                m_edges += 1
                continue
            # the vertex nearest to both ends is most likely a neighbour of all others, and leads its component
            middle = np.argmin(sides[:k])
            for i in range(k):
                waiting[members[i]] = sides[i]
            members[0], members[middle] = members[middle], members[0]
            number = components(
                starts, neighbours, keys, near, lengths, members, k, queue, waiting, low, high, length, parts
            )
            while m_fillers + number > len(fillers):
                fillers, times = doubled(fillers), doubled(times)
            for part in range(1, number):
                fillers[m_fillers, 0], fillers[m_fillers, 1] = low, high
                fillers[m_fillers, 2], fillers[m_fillers, 3] = parts[0], parts[part]
                times[m_fillers] = length
                m_fillers += 1
        for i in range(begin, end):
            length_to[near[i]] = np.inf
    return edges[:m_edges].copy(), squares[:m_edges].copy(), fillers[:m_fillers].copy(), times[:m_fillers].copy()


@kernel
def lune(
    starts: NDArray[np.int64], near: NDArray[Any], lengths: NDArray[np.float64], u: int, v: int,
    length_to: NDArray[np.float64], members: NDArray[np.int64], sides: NDArray[np.float64],
) -> int:  # fmt: skip
    """Fill ``members`` with the lune of uv and ``sides`` with the longer side to each; how many is returned.

    ``length_to`` has the lengths of the edges at u before uv, and infinity elsewhere.
    """
    k = 0
    for i in range(starts[v], starts[v + 1]):
        w = near[i]
        if w == u:
            break
        here = length_to[w]
        members[k], sides[k] = w, max(here, lengths[i])
        # without a branch, which would be guessed wrong half of the time
        k += here < np.inf
    return k


@kernel
def components(
    starts: NDArray[np.int64], neighbours: NDArray[Any], keys: NDArray[np.float64], near: NDArray[Any],
    lengths: NDArray[np.float64], members: NDArray[np.int64], k: int, queue: NDArray[np.int64],
    waiting: NDArray[np.float64], u: int, v: int, length: float, parts: NDArray[np.int64],
) -> int:  # fmt: skip
    """Flood the lune of uv, whose vertices are ``members[:k]``, from the first on, and count its components.

    ``waiting`` has at each of them the longer side to u and v, and -1 at all other vertices; at the end -1 at all.
    ``parts`` receives the vertex of each component whose longer side is shortest, in the order of the flood.
    """
    number = reached = sought = 0
    while reached < k:
        while waiting[members[sought]] < 0:
            sought += 1
        best = members[sought]
        longer = waiting[best]
        waiting[best] = -1
        queue[reached] = best
        at = reached
        reached += 1
        while at < reached < k:
            w = queue[at]
            at += 1
            fresh = reached
            if starts[w + 1] - starts[w] <= MUCH_LONGER * k:
                for i in range(starts[w], starts[w + 1]):
                    x, side = near[i], lengths[i]
                    if side > length:
                        break
                    queue[reached] = x
                    reached += (waiting[x] >= 0) & (side < length or precedes(side, w, x, length, u, v))
            else:
                for i in range(sought, k):
                    x = members[i]
                    queue[reached] = x
                    if waiting[x] >= 0:
                        reached += precedes(length_between(starts, neighbours, keys, w, x), w, x, length, u, v)
            for i in range(fresh, reached):
                x = queue[i]
                if waiting[x] < longer:
                    best, longer = x, waiting[x]
                waiting[x] = -1
        parts[number] = best
        number += 1
    return number
