"""Minimum spanning forest of the relative neighbourhood graph, which holds that of all edges: H0 of the filtration.

Blocks of points are worked on side by side. Within a block an edge is taken as in Kruskal's algorithm when it is the
shortest way out of one of the two trees that it joins (Boruvka's condition), which a block can tell as long as no
edge across its border is shorter. What a block cannot tell is left, with the edges across, to one pass at the end.
The order of edges is total, so the forest does not depend on the blocks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tcs.persistence.compute.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tcs.persistence.compute.team import Team

BLOCK_POINTS = 2**15
OPEN, TREE, CYCLE = 0, 1, 2


def spanning_forest(n: int, edges: NDArray[Any], lengths: NDArray[np.float64], team: Team) -> NDArray[np.bool_]:
    """Which edges belong to the minimum spanning forest.

    Args:
        edges: vertices (m, 2), the smaller first, sorted by it and then by length.
        lengths: squared lengths (m,). Ties are broken by the place of the edge.
    """
    parent = np.arange(n, dtype=edges.dtype)
    state = np.zeros(len(edges), dtype=np.uint8)
    borders = list(range(0, n, BLOCK_POINTS)) + [n]
    cuts = np.searchsorted(edges[:, 0], borders)
    # the shortest edge across a border at each tree, by its root; len(edges) means none
    across = np.full(n, len(edges), dtype=np.int64)
    blocks = list(zip(borders[:-1], borders[1:], cuts[:-1], cuts[1:], strict=True))
    if len(blocks) > 1:
        for _, end, first, last in blocks:
            mark_across(edges, lengths, first, last, end, across)
    team.run(
        "forest",
        lambda end, first, last: grow_in_block(
            edges, lengths, ordered(lengths[first:last]) + first, end, parent, across, state
        ),
        [(end, first, last) for _, end, first, last in blocks],
    )
    left = np.flatnonzero(state == OPEN)
    grow(edges, left[ordered(lengths[left])], parent, state)
    found: NDArray[np.bool_] = state == TREE
    return found


def ordered(lengths: NDArray[np.float64]) -> NDArray[np.int64]:
    """Places sorted by length, equal lengths by place."""
    order: NDArray[np.int64] = np.argsort(lengths)
    settle_ties(lengths, order)
    return order


@kernel
def settle_ties(lengths: NDArray[np.float64], order: NDArray[np.int64]) -> None:
    """Sort the places within each run of equal lengths."""
    start = 0
    for i in range(1, len(order) + 1):
        if i == len(order) or lengths[order[i]] != lengths[order[start]]:
            if i - start > 1:
                order[start:i] = np.sort(order[start:i])
            start = i


@kernel
def root(parent: NDArray[Any], node: int) -> int:
    """The root of a node, halving the way there."""
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = parent[node]
    return node


@kernel
def mark_across(
    edges: NDArray[Any], lengths: NDArray[np.float64], first: int, last: int, end: int, across: NDArray[np.int64]
) -> None:
    """Note at both ends of the edges that leave a block, which ends before point ``end``, the shortest of them."""
    for e in range(first, last):
        if edges[e, 1] >= end:
            for side in range(2):
                node = edges[e, side]
                if not shorter(lengths, across[node], e):
                    across[node] = e


@kernel
def shorter(lengths: NDArray[np.float64], a: int, b: int) -> bool:
    """Whether edge a comes before edge b; the place behind the last edge comes after all."""
    if a == len(lengths) or b == len(lengths):
        return a < b
    return lengths[a] < lengths[b] or (lengths[a] == lengths[b] and a < b)


@kernel
def grow_in_block(
    edges: NDArray[Any], lengths: NDArray[np.float64], order: NDArray[np.int64], end: int, parent: NDArray[Any],
    across: NDArray[np.int64], state: NDArray[np.uint8],
) -> None:  # fmt: skip
    """Take or drop the edges within a block, in their order; those that it cannot tell about stay open."""
    for e in order:
        if edges[e, 1] >= end:
            continue
        a, b = root(parent, edges[e, 0]), root(parent, edges[e, 1])
        if a == b:
            state[e] = CYCLE
        elif shorter(lengths, e, across[a]) or shorter(lengths, e, across[b]):
            state[e] = TREE
            parent[b] = a
            if shorter(lengths, across[b], across[a]):
                across[a] = across[b]


@kernel
def grow(edges: NDArray[Any], order: NDArray[np.int64], parent: NDArray[Any], state: NDArray[np.uint8]) -> None:
    """Kruskal's algorithm on the edges in ``order``."""
    for e in order:
        a, b = root(parent, edges[e, 0]), root(parent, edges[e, 1])
        if a == b:
            state[e] = CYCLE
        else:
            state[e] = TREE
            parent[b] = a
