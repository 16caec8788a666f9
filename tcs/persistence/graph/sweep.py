"""The lunes of all edges of a dense graph: edges enter in their order, and rows are sets of bits.

When an edge's turn comes, its lune is what the rows of its ends have in common, and two vertices of the lune are
joined if one has its bit in the other's row: no length is looked at again. 64 vertices are met at once, so an edge
costs n / 64 steps for each row that it takes to flood the lune.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from tcs.persistence.compute.kernels import doubled, kernel, trailing_zeros
from tcs.persistence.compute.sorting import order_by
from tcs.persistence.graph.pairs import length_between

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tcs.persistence.compute.team import Team
    from tcs.persistence.graph.graph import Graph

WORD = 64
ONE = np.uint64(1)
# Edges of one call.
PART_EDGES = 2**16
# Bytes that rows of bits may take in any case, and bytes of a graph for each end of an edge.
LITTLE, BYTES_AN_END = 2**26, 12


def is_dense(graph: Graph, threads: int) -> bool:
    """Whether rows of bits are worth while: a few words for each neighbour, and no more memory than the graph has."""
    n, ends = graph.n, len(graph.keys)
    return n * n <= 3 * WORD * ends and n * n // 8 * threads <= max(LITTLE, BYTES_AN_END * ends)


def sweep(graph: Graph, team: Team) -> tuple[NDArray[Any], NDArray[np.float64], NDArray[Any], NDArray[np.float64]]:
    """Relative neighbours and fillers of a graph; arguments and results as :func:`.graph_lunes.classify` has them.

    Each thread keeps rows of its own, n^2 / 8 bytes, and brings them up to date before each part that it works on.
    """
    n = graph.n
    tails, heads, keys = edges_in_order(graph, team)
    spare: list[tuple[NDArray[np.uint64], int]] = []

    def work(first: int, last: int) -> Any:
        try:
            rows, entered = spare.pop()
        except IndexError:
            entered = len(keys) + 1
        # parts begin in their order, as a rule, so that free rows hold no edge of a later one
        if entered > first:
            rows, entered = np.zeros((n, -(-n // WORD)), np.uint64), 0
        enter(rows, tails, heads, entered, first)
        found = lunes_in_order(rows, tails, heads, keys, first, last, graph.starts, graph.neighbours, graph.keys)
        spare.append((rows, last))
        return found

    cuts = [*range(0, max(1, len(keys)), PART_EDGES), len(keys)]
    edges, lengths, fillers, times = team.gather("lunes", work, list(pairwise(cuts)))
    by_tail = np.argsort(edges[:, 0], kind="stable")
    return edges[by_tail], lengths[by_tail], fillers, times


def edges_in_order(graph: Graph, team: Team) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.float64]]:
    """Each edge once, in the order of (key, smaller vertex, larger vertex): the two, and the key."""
    tails, heads, keys = upper(graph.starts, graph.neighbours, graph.keys)
    if not len(keys):
        return tails, heads, keys
    # floats without a sign have the order of their bits
    bits = keys.view(np.int64)
    least = int(bits.min())
    bits, order = order_by(bits - least, int(bits.max()) - least + 1, team)
    bits += least
    return tails[order], heads[order], bits.view(np.float64)


@kernel
def upper(starts: NDArray[np.int64], neighbours: NDArray[Any], keys: NDArray[np.float64]) -> Any:
    """Each edge once, in the order of (smaller vertex, larger vertex): the two, and the key."""
    m = len(keys) // 2
    tails, heads, lengths = np.empty(m, neighbours.dtype), np.empty(m, neighbours.dtype), np.empty(m)
    at = 0
    for u in range(len(starts) - 1):
        for i in range(starts[u], starts[u + 1]):
            if neighbours[i] > u:
                tails[at], heads[at], lengths[at] = u, neighbours[i], keys[i]
                at += 1
    return tails, heads, lengths


@kernel
def enter(bits: NDArray[np.uint64], tails: NDArray[Any], heads: NDArray[Any], first: int, last: int) -> None:
    """Set the bits of the edges ``first`` to ``last`` in the rows of both ends."""
    for e in range(first, last):
        u, v = tails[e], heads[e]
        bits[u, v // WORD] |= ONE << np.uint64(v % WORD)
        bits[v, u // WORD] |= ONE << np.uint64(u % WORD)


@kernel
def lunes_in_order(
    bits: NDArray[np.uint64], tails: NDArray[Any], heads: NDArray[Any], keys: NDArray[np.float64], first: int,
    last: int, starts: NDArray[np.int64], neighbours: NDArray[Any], graph_keys: NDArray[np.float64],
) -> Any:  # fmt: skip
    """Classify the edges ``first`` to ``last`` in their order, and enter them.

    Args:
        bits: rows (n, words) with the edges before ``first``.
        tails, heads, keys: all edges in their order, the smaller vertex first.
        starts, neighbours, graph_keys: the graph.

    Returns:
        As :func:`.cloud.lunes.lunes`, but in the order of edges.
    """
    words = bits.shape[1]
    lune, left, wave = np.empty(words, np.uint64), np.empty(words, np.uint64), np.empty(words, np.uint64)
    edges, lengths = np.empty((64, 2), tails.dtype), np.empty(64)
    fillers, times = np.empty((64, 4), tails.dtype), np.empty(64)
    parts = np.empty(64, np.int64)
    m_edges = m_fillers = 0
    for e in range(first, last):
        u, v = tails[e], heads[e]
        some = np.uint64(0)
        for i in range(words):
            lune[i] = bits[u, i] & bits[v, i]
            some |= lune[i]
        if some == 0:
            if m_edges == len(edges):
                edges, lengths = doubled(edges), doubled(lengths)
            edges[m_edges, 0], edges[m_edges, 1] = u, v
            lengths[m_edges] = keys[e]
            m_edges += 1
        else:
            left[:] = lune
            if flood(bits, left, wave):
                number = 0
                shortest, nearest = np.inf, 0
                left_over = True
                while True:
                    if number == len(parts):
                        parts = doubled(parts)
                    parts[number], longer = shortest_sides(lune, left, u, v, starts, neighbours, graph_keys)
                    if longer < shortest:
                        shortest, nearest = longer, number
                    number += 1
                    if not left_over:
                        break
                    lune[:] = left
                    left_over = flood(bits, left, wave)
                parts[0], parts[nearest] = parts[nearest], parts[0]
                while m_fillers + number > len(fillers):
                    fillers, times = doubled(fillers), doubled(times)
                for part in range(1, number):
                    fillers[m_fillers, 0], fillers[m_fillers, 1] = u, v
                    fillers[m_fillers, 2], fillers[m_fillers, 3] = parts[0], parts[part]
                    times[m_fillers] = keys[e]
                    m_fillers += 1
        enter(bits, tails, heads, e, e + 1)
    return edges[:m_edges].copy(), lengths[:m_edges].copy(), fillers[:m_fillers].copy(), times[:m_fillers].copy()


@kernel
def flood(bits: NDArray[np.uint64], left: NDArray[np.uint64], wave: NDArray[np.uint64]) -> bool:
    """Take the component of its first vertex out of the set ``left``; whether any vertex remains is returned."""
    words = len(left)
    wave[:] = np.uint64(0)
    at = 0
    while left[at] == 0:
        at += 1
    x = WORD * at + lowest(left[at])
    left[at] &= left[at] - ONE
    while True:
        remaining = np.uint64(0)
        for i in range(words):
            fresh = left[i] & bits[x, i]
            wave[i] |= fresh
            left[i] ^= fresh
            remaining |= left[i]
        if remaining == 0:
            return False
        at = 0
        while at < words and wave[at] == 0:
            at += 1
        if at == words:
            return True
        x = WORD * at + lowest(wave[at])
        wave[at] &= wave[at] - ONE


@kernel
def lowest(word: np.uint64) -> int:
    """The place of the lowest bit of a word that is not 0."""
    return trailing_zeros(int(np.int64(word)))


@kernel
def shortest_sides(
    lune: NDArray[np.uint64], left: NDArray[np.uint64], u: int, v: int, starts: NDArray[np.int64],
    neighbours: NDArray[Any], keys: NDArray[np.float64],
) -> tuple[int, float]:  # fmt: skip
    """Of the vertices in ``lune`` that are not in ``left``, that whose longer side to u and v is shortest, and it."""
    best, longest = -1, np.inf
    for i in range(len(lune)):
        word = lune[i] & ~left[i]
        while word != 0:
            x = WORD * i + lowest(word)
            word &= word - ONE
            sides = max(length_between(starts, neighbours, keys, u, x), length_between(starts, neighbours, keys, v, x))
            if sides < longest:
                best, longest = x, sides
    return best, longest
