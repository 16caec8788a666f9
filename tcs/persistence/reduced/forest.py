"""Minimum spanning forest of the relative neighbourhood graph, which holds that of all edges: H0 of the filtration.

Boruvka's algorithm: the shortest way out of a tree belongs to the forest; trees are joined by these ways, all edges
within one tree are dropped, and so on. Blocks of points are worked on side by side first, each by the edges within it,
until the shortest way out of every tree leads across the border; the trees are then put together. Edges are always
taken in their own order, which is one in space, so that little memory is in use at any time. The order by length is
total, so the forest does not depend on the blocks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tcs.persistence.compute.kernels import kernel, room
from tcs.persistence.compute.sorting import earlier
from tcs.persistence.compute.team import Team, parts_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Larger blocks leave fewer edges across their borders, smaller ones stay in a cache and give every thread some.
BLOCK_POINTS = 2**17
LEAST_POINTS = 2**12


def spanning_forest(n: int, edges: NDArray[Any], lengths: NDArray[np.float64], team: Team) -> NDArray[np.bool_]:
    """Which edges belong to the minimum spanning forest.

    Args:
        edges: vertices (m, 2), the smaller first, sorted by it and then by length.
        lengths: squared lengths (m,). Ties are broken by the place of the edge.
    """
    taken = np.zeros(len(edges), dtype=np.bool_)
    size = min(BLOCK_POINTS, max(LEAST_POINTS, n // (4 * team.threads)))
    blocks = [(a, b, first_from(edges, a), first_from(edges, b)) for a, b in parts_of(n, size)]
    # the shortest edge across a border at each point; len(edges) means none
    across = room(n, np.int32 if len(edges) < 2**31 else np.int64)
    across[:] = len(edges)
    for _, end, first, last in blocks:
        mark_across(edges, lengths, first, last, end, across)
    trees = room(n, edges.dtype)
    left = team.run(
        "forest",
        lambda begin, end, first, last: join_in_block(
            edges, lengths, first, last, begin, across[begin:end], trees[begin:end], taken
        ),
        blocks,
    )
    # also where there is one block, of which nothing is left: the first call loads all kernels then, however small
    join_blocks(edges, lengths, np.concatenate(left), trees, taken)
    return taken


@kernel
def first_from(edges: NDArray[Any], point: int) -> int:
    """The place of the first edge whose smaller vertex is this point, or comes after."""
    low, high = 0, len(edges)
    while low < high:
        middle = (low + high) // 2
        if edges[middle, 0] < point:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def mark_across(
    edges: NDArray[Any], lengths: NDArray[np.float64], first: int, last: int, end: int, across: NDArray[Any]
) -> None:
    """Note at both ends of the edges that leave a block, which ends before point ``end``, the shortest of them."""
    for e in range(first, last):
        if edges[e, 1] >= end:
            for side in range(2):
                node = edges[e, side]
                if across[node] == len(lengths) or earlier(lengths, e, across[node]):
                    across[node] = e


@kernel
def join_in_block(
    edges: NDArray[Any], lengths: NDArray[np.float64], first: int, last: int, begin: int, across: NDArray[Any],
    trees: NDArray[Any], taken: NDArray[np.bool_],
) -> NDArray[np.int64]:  # fmt: skip
    """Grow the trees of a block, which begins at point ``begin`` and has the edges ``first`` to ``last``.

    Args:
        across: the shortest edge across the border at each point of the block.
        trees: receives a point of the tree in which each point of the block lies.

    Returns:
        The edges across the border at the end of the block, and those between its trees, in rising order.
    """
    n = len(across)
    places, ends = np.empty(last - first, np.int64), np.empty((last - first, 2), trees.dtype)
    left = np.empty(last - first, np.int64)
    m = k = 0
    for e in range(first, last):
        if edges[e, 1] < begin + n:
            places[m], ends[m, 0], ends[m, 1] = e, edges[e, 0] - begin, edges[e, 1] - begin
            m += 1
    for i in range(n):
        trees[i] = i
    m = join(ends[:m], places[:m], lengths, across.copy(), trees, taken)
    # merge what is left with the edges across
    i = 0
    for e in range(first, last):
        within = i < m and places[i] == e
        i += within
        if within or edges[e, 1] >= begin + n:
            left[k] = e
            k += 1
    for point in range(n):
        trees[point] += begin
    return left[:k].copy()


@kernel
def join_blocks(
    edges: NDArray[Any], lengths: NDArray[np.float64], left: NDArray[np.int64], trees: NDArray[Any],
    taken: NDArray[np.bool_],
) -> None:  # fmt: skip
    """Grow the trees of all blocks, by the edges that are left of them."""
    ends = np.empty((len(left), 2), trees.dtype)
    number = np.full(len(trees), -1, trees.dtype)
    k = 0
    for i in range(len(left)):
        for side in range(2):
            tree = trees[edges[left[i], side]]
            if number[tree] < 0:
                number[tree] = k
                k += 1
            ends[i, side] = number[tree]
    join(ends, left, lengths, np.full(k, len(lengths)), np.arange(k).astype(trees.dtype), taken)


@kernel
def join(
    ends: NDArray[Any], places: NDArray[np.int64], lengths: NDArray[np.float64], outer: NDArray[Any],
    trees: NDArray[Any], taken: NDArray[np.bool_],
) -> int:  # fmt: skip
    """Join trees by their shortest ways out, until all of these are outer edges.

    Args:
        ends: the trees, numbered from 0, that each edge joins (m, 2). ``places`` (m,): which edges these are, in
            rising order.
        outer: the shortest edge out of each tree (k,) that is not one of these; len(lengths) means none.
        trees: what lies in tree i on entry has the number of its tree at the end.
        taken: set for the edges that join trees.

    Returns:
        How many edges are still between two trees; these come first in ``places``.
    """
    m, k = len(places), len(outer)
    shortest, least = np.empty(k, np.int64), np.empty(k)
    way, parent = np.empty(k, np.int64), np.empty(k, trees.dtype)
    number = np.empty(k, trees.dtype)
    joined = True
    while joined and m > 0:
        for tree in range(k):
            shortest[tree], way[tree], parent[tree] = outer[tree], -1, tree
            least[tree] = lengths[outer[tree]] if outer[tree] < len(lengths) else np.inf
        for i in range(m):
            length = lengths[places[i]]
            for side in range(2):
                tree = ends[i, side]
                if length < least[tree] or (length == least[tree] and places[i] < shortest[tree]):
                    shortest[tree], least[tree], way[tree] = places[i], length, i
        joined = False
        for tree in range(k):
            if way[tree] >= 0:
                a, b = root(parent, ends[way[tree], 0]), root(parent, ends[way[tree], 1])
                if a != b:
                    parent[b] = a
                    taken[shortest[tree]] = joined = True
        if joined:
            k = renumber(parent[:k], number, outer, lengths)
            for i in range(len(trees)):
                trees[i] = number[trees[i]]
            kept = 0
            for i in range(m):
                a, b = number[ends[i, 0]], number[ends[i, 1]]
                ends[kept, 0], ends[kept, 1], places[kept] = a, b, places[i]
                kept += a != b
            m = kept
    return m


@kernel
def renumber(parent: NDArray[Any], number: NDArray[Any], outer: NDArray[Any], lengths: NDArray[np.float64]) -> int:
    """Number the trees that are left, in the order in which they begin; how many is returned.

    Args:
        parent: a tree, of which each is a part now. ``number``: receives the new number of each.
        outer: the shortest outer edge of each tree; those of the new trees at the end.
    """
    number[: len(parent)] = -1
    k = 0
    for tree in range(len(parent)):
        top = root(parent, tree)
        if number[top] < 0:
            number[top] = k
            outer[k] = outer[tree]
            k += 1
        elif outer[tree] < len(lengths):
            new = number[top]
            if outer[new] == len(lengths) or earlier(lengths, outer[tree], outer[new]):
                outer[new] = outer[tree]
        number[tree] = number[top]
    return k


@kernel
def root(parent: NDArray[Any], node: int) -> int:
    """The root of a node, halving the way there."""
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = parent[node]
    return node
