"""The loops that the lunes of a graph's edges have: what H2 needs besides :mod:`.graph.lunes`."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from tcs.persistence.compute.kernels import doubled, kernel, precedes
from tcs.persistence.graph.pairs import MUCH_LONGER, length_between
from tcs.persistence.graph.sweep import edges_in_order, enter, is_dense
from tcs.persistence.voids.link_loops import loops
from tcs.persistence.voids.links import ONE, WORD, collapse, fill, has_centre, is_centre, size_of
from tcs.persistence.voids.spaces import Web, lune_of, nearest_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tcs.persistence.compute.team import Team
    from tcs.persistence.graph.graph import Graph

# The shortest loop has so many vertices.
SHORTEST_LOOP = 4
# Edges of one call.
PART_EDGES = 2**14


def find_loops(graph: Graph, team: Team) -> Any:
    """Loops of all lunes, as :func:`tcs.persistence.voids.lune_loops.lunes_and_loops` has them, by (key, u, v)."""
    n = graph.n
    tails, heads, keys = edges_in_order(graph, team)
    cuts = [*range(0, max(1, len(keys)), PART_EDGES), len(keys)]
    if not is_dense(graph, team.threads):
        return team.gather(
            "loops",
            lambda first, last: loops_of_edges(
                graph.starts, graph.neighbours, graph.keys, tails[first:last], heads[first:last], keys[first:last]
            ),
            list(pairwise(cuts)),
        )
    spare: list[tuple[NDArray[np.uint64], int]] = []

    def work(first: int, last: int) -> Any:
        try:
            bits, entered = spare.pop()
        except IndexError:
            entered = len(keys) + 1
        # parts begin in their order, as a rule, so that free rows hold no edge of a later one
        if entered > first:
            bits, entered = rows_of_vertices(n), 0
        enter(bits, tails, heads, entered, first)
        found = loops_in_order(bits, tails, heads, keys, first, last)
        spare.append((bits, last))
        return found

    return team.gather("loops", work, list(pairwise(cuts)))


@kernel
def rows_of_vertices(n: int) -> NDArray[np.uint64]:
    """Rows of bits (n, words) in which each vertex has itself."""
    rows = np.zeros((n, (n + WORD - 1) // WORD), np.uint64)
    for v in range(n):
        rows[v, v // WORD] = ONE << np.uint64(v % WORD)
    return rows


@kernel
def loops_in_order(
    bits: NDArray[np.uint64], tails: NDArray[Any], heads: NDArray[Any], keys: NDArray[np.float64], first: int,
    last: int,
) -> Any:  # fmt: skip
    """Find the loops of the lunes of the edges ``first`` to ``last``, which enter one after the other.

    Args:
        bits: rows (n, words) with each vertex itself and its edges before ``first``.
        tails, heads, keys: all edges in their order, the smaller vertex first.
    """
    words = bits.shape[1]
    lune, waiting, common = np.empty(words, np.uint64), np.empty(words, np.uint64), np.empty(words, np.uint64)
    bases, ages, sizes = np.empty((64, 2), tails.dtype), np.empty(64), np.empty(64, np.int64)
    walks = np.empty(256, tails.dtype)
    m = total = 0
    for e in range(first, last):
        u, v = tails[e], heads[e]
        for i in range(words):
            lune[i] = bits[u, i] & bits[v, i]
        if size_of(lune) >= SHORTEST_LOOP and not has_centre(bits, lune) and collapse(bits, lune, waiting, common):
            found, begins = loops(bits, lune)
            bases, ages, sizes, walks = with_room(bases, ages, sizes, walks, m + len(begins), total + len(found))
            m, total = note(bases, ages, sizes, walks, m, total, u, v, keys[e], found, begins)
        enter(bits, tails, heads, e, e + 1)
    return bases[:m].copy(), ages[:m].copy(), sizes[:m].copy(), walks[:total].copy()


@kernel
def with_room(
    bases: NDArray[Any], ages: NDArray[np.float64], sizes: NDArray[np.int64], walks: NDArray[Any], m: int, total: int
) -> Any:
    """The four arrays of loops, with room for m loops and for the vertices of all."""
    while m > len(ages):
        bases, ages, sizes = doubled(bases), doubled(ages), doubled(sizes)
    while total > len(walks):
        walks = doubled(walks)
    return bases, ages, sizes, walks


@kernel
def note(
    bases: NDArray[Any], ages: NDArray[np.float64], sizes: NDArray[np.int64], walks: NDArray[Any], m: int, total: int,
    u: int, v: int, length: float, found: NDArray[Any], begins: NDArray[np.int64],
) -> tuple[int, int]:  # fmt: skip
    """Write the loops of the lune of uv behind the m loops so far; how many they are then, with all vertices."""
    for i in range(len(begins) - 1):
        bases[m, 0], bases[m, 1] = u, v
        ages[m], sizes[m] = length, begins[i + 1] - begins[i]
        m += 1
    for i in range(len(found)):
        walks[total] = found[i]
        total += 1
    return m, total


@kernel
def loops_of_edges(
    starts: NDArray[np.int64], neighbours: NDArray[Any], keys: NDArray[np.float64], tails: NDArray[Any],
    heads: NDArray[Any], lengths: NDArray[np.float64],
) -> Any:  # fmt: skip
    """Find the loops of the lunes of some edges, the smaller vertex first, from the rows of a graph."""
    members = np.empty(64, np.int64)
    closed, left = np.empty((0, 1), np.uint64), np.empty(1, np.uint64)
    waiting, common = np.empty(1, np.uint64), np.empty(1, np.uint64)
    bases, ages, sizes = np.empty((64, 2), tails.dtype), np.empty(64), np.empty(64, np.int64)
    walks = np.empty(256, tails.dtype)
    m = total = 0
    web = Web(starts, neighbours, keys)
    for e in range(len(tails)):
        u, v, length = tails[e], heads[e], lengths[e]
        k, members = lune_of(web, u, v, length, members)
        if k < SHORTEST_LOOP:
            continue
        words = (k + WORD - 1) // WORD
        if k > len(closed) or words != closed.shape[1]:
            closed, left = np.empty((2 * k, words), np.uint64), np.empty(words, np.uint64)
            waiting, common = np.empty(words, np.uint64), np.empty(words, np.uint64)
        fill(left, k)
        # the vertex nearest to both ends is most likely joined to all others
        middle: Any = np.searchsorted(members[:k], nearest_of(web, u, v, length))
        join(starts, neighbours, keys, members, k, middle, u, v, length, closed)
        if is_centre(closed, left, middle):
            continue
        for i in range(k):
            join(starts, neighbours, keys, members, k, i, u, v, length, closed)
        if has_centre(closed, left) or not collapse(closed, left, waiting, common):
            continue
        found, begins = loops(closed, left)
        for i in range(len(found)):
            found[i] = members[found[i]]
        bases, ages, sizes, walks = with_room(bases, ages, sizes, walks, m + len(begins), total + len(found))
        m, total = note(bases, ages, sizes, walks, m, total, u, v, length, found, begins)
    return bases[:m].copy(), ages[:m].copy(), sizes[:m].copy(), walks[:total].copy()


@kernel
def join(
    starts: NDArray[np.int64], neighbours: NDArray[Any], keys: NDArray[np.float64], members: NDArray[np.int64], k: int,
    i: int, u: int, v: int, length: float, closed: NDArray[np.uint64],
) -> None:  # fmt: skip
    """Write the row of member i of the lune of uv into a table of bits, as :mod:`.voids.links` has them."""
    w = members[i]
    closed[i] = np.uint64(0)
    closed[i, i // WORD] |= ONE << np.uint64(i % WORD)
    at, end = starts[w], starts[w + 1]
    search = end - at > MUCH_LONGER * k
    for j in range(k):
        x = members[j]
        if search:
            side = length_between(starts, neighbours, keys, w, x)
        else:
            while at < end and neighbours[at] < x:
                at += 1
            side = keys[at] if at < end and neighbours[at] == x else np.inf
        if precedes(side, w, x, length, u, v):
            closed[i, j // WORD] |= ONE << np.uint64(j % WORD)
