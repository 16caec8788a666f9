"""Representative cycles of the bars in dimension 1.

The boundary matrix is reduced in the homology direction (Edelsbrunner and Harer 2010, section VII.1), which is slower
than the transpose but leaves, for each filler that closes a loop, the loop as a sum of relative neighbours. Those that
were left out, the edges of the spanning forest, are put back: a cycle is the sum of the fundamental cycles of its
other edges.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tcs.persistence.compute.kernels import doubled, kernel
from tcs.persistence.compute.sorting import ordered

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tcs.persistence.reduced.matrix import Pairs


def representatives(n: int, pairs: Pairs, rows: NDArray[np.int64]) -> list[NDArray[Any]]:
    """For each of some rows of the reduced matrix the edges, vertices (k, 2), of a cycle that represents its class.

    It is born with the row and, if the row is paired, becomes a boundary with the column that is its partner.
    """
    by_birth, by_death = ordered(pairs.births), ordered(pairs.deaths)
    rank = np.empty(len(by_birth), dtype=pairs.entries.dtype)
    rank[by_birth] = np.arange(len(by_birth), dtype=rank.dtype)
    begins = np.append(0, np.cumsum(pairs.sizes))
    ranks, spans = reduced_columns(len(rank), rank[pairs.entries], begins, by_death)
    parent, depth = rooted(n, pairs.tree)
    found, cuts = fundamental_sums(rows, pairs.paired, by_birth[ranks], spans, pairs.rows, parent, depth)
    return np.split(found, cuts[1:-1]) if len(rows) else []


@kernel
def reduced_columns(
    n_rows: int, entries: NDArray[Any], begins: NDArray[np.int64], order: NDArray[np.int64]
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """The columns of the reduced matrix on end, each with falling rows, and where each begins and ends (k, 2).

    Args:
        entries, begins: rows of the columns, numbered in the order of the filtration, and where each column begins.
        order: the columns in that order.
    """
    owner = np.full(n_rows, -1, np.int64)
    out = np.empty(len(entries) + 16, entries.dtype)
    spans = np.zeros((len(order), 2), np.int64)
    current, spare = np.empty(64, entries.dtype), np.empty(64, entries.dtype)
    used = 0
    for column in order:
        m = begins[column + 1] - begins[column]
        while m > len(current):
            current, spare = doubled(current), doubled(spare)
        current[:m] = np.sort(entries[begins[column] : begins[column + 1]])[::-1]
        while m > 0 and owner[current[0]] >= 0:
            i, k = 0, 0
            j, stop = spans[owner[current[0]]]
            while m + stop - j > len(spare):
                current, spare = doubled(current), doubled(spare)
            while i < m or j < stop:
                if j == stop or (i < m and current[i] > out[j]):
                    spare[k] = current[i]
                    i += 1
                    k += 1
                elif i == m or out[j] > current[i]:
                    spare[k] = out[j]
                    j += 1
                    k += 1
                else:
                    i += 1
                    j += 1
            current, spare = spare, current
            m = k
        while used + m > len(out):
            out = doubled(out)
        out[used : used + m] = current[:m]
        if m > 0:
            owner[current[0]] = column
        spans[column, 0], spans[column, 1] = used, used + m
        used += m
    return out[:used], spans


@kernel
def rooted(n: int, tree: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """A parent for each vertex of a forest, itself for the roots, and how deep each lies."""
    starts = np.zeros(n + 1, np.int64)
    for e in range(len(tree)):
        starts[tree[e, 0] + 1] += 1
        starts[tree[e, 1] + 1] += 1
    for v in range(n):
        starts[v + 1] += starts[v]
    ends = np.empty(2 * len(tree), tree.dtype)
    place = starts[:-1].copy()
    for e in range(len(tree)):
        a, b = tree[e, 0], tree[e, 1]
        ends[place[a]], ends[place[b]] = b, a
        place[a] += 1
        place[b] += 1
    parent, depth = np.full(n, -1, tree.dtype), np.zeros(n, tree.dtype)
    queue = np.empty(n, tree.dtype)
    for first in range(n):
        if parent[first] >= 0:
            continue
        parent[first] = first
        queue[0] = first
        head, tail = 0, 1
        while head < tail:
            v = queue[head]
            head += 1
            for i in range(starts[v], starts[v + 1]):
                w = ends[i]
                if parent[w] < 0:
                    parent[w], depth[w] = v, depth[v] + 1
                    queue[tail] = w
                    tail += 1
    return parent, depth


@kernel
def fundamental_sums(
    rows: NDArray[np.int64], paired: NDArray[np.int64], loops: NDArray[Any], spans: NDArray[np.int64],
    vertices: NDArray[Any], parent: NDArray[Any], depth: NDArray[Any],
) -> tuple[NDArray[Any], NDArray[np.int64]]:  # fmt: skip
    """Edges of the cycles of some rows on end, (k, 2), and where each cycle begins."""
    odd = np.zeros(len(parent), np.bool_)  # whether the edge from a vertex to its parent is in the sum
    touched = np.empty(64, np.int64)
    out = np.empty((64, 2), vertices.dtype)
    cuts = np.zeros(len(rows) + 1, np.int64)
    used = 0
    alone = np.empty(1, loops.dtype)
    for i in range(len(rows)):
        alone[0] = rows[i]
        column = paired[rows[i]]
        members = alone if column < 0 else loops[spans[column, 0] : spans[column, 1]]
        m = 0
        for row in members:
            a, b = vertices[row, 0], vertices[row, 1]
            if used == len(out):
                out = doubled(out)
            out[used, 0], out[used, 1] = a, b
            used += 1
            while a != b:
                if depth[a] < depth[b]:
                    a, b = b, a
                if m == len(touched):
                    touched = doubled(touched)
                touched[m] = a
                m += 1
                odd[a] = not odd[a]
                a = parent[a]
        for t in range(m):
            v = touched[t]
            if odd[v]:
                odd[v] = False
                if used == len(out):
                    out = doubled(out)
                out[used, 0], out[used, 1] = v, parent[v]
                used += 1
        cuts[i + 1] = used
    return out[:used].copy(), cuts
