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

# Larger blocks leave fewer edges to the last pass, smaller ones stay in a cache and give every thread some.
BLOCK_POINTS = 2**17
LEAST_POINTS = 2**15
OPEN, TREE, CYCLE = 0, 1, 2
# Of 32 bits.
DIGITS = 3
DIGIT_BITS = 11
DIGIT = (1 << DIGIT_BITS) - 1
# Up to so many places are sorted by insertion.
FEW = 32


def spanning_forest(n: int, edges: NDArray[Any], lengths: NDArray[np.float64], team: Team) -> NDArray[np.bool_]:
    """Which edges belong to the minimum spanning forest.

    Args:
        edges: vertices (m, 2), the smaller first, sorted by it and then by length.
        lengths: squared lengths (m,). Ties are broken by the place of the edge.
    """
    parent = np.arange(n, dtype=edges.dtype)
    state = np.zeros(len(edges), dtype=np.uint8)
    size = min(BLOCK_POINTS, max(LEAST_POINTS, n // (4 * team.threads)))
    borders = list(range(0, n, size)) + [n]
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


@kernel
def ordered(lengths: NDArray[np.float64]) -> NDArray[np.int64]:
    """Places (m,) sorted by length, not negative, equal lengths by place.

    A radix sort by the upper half of their bits, which rise with the lengths; what agrees in it is settled after.
    """
    bits = lengths.view(np.uint64)
    keys, order = np.empty(len(bits), np.uint32), np.arange(len(bits))
    to_keys, to_order = np.empty_like(keys), np.empty_like(order)
    counts = np.zeros((DIGITS, 1 << DIGIT_BITS), np.int64)
    for i in range(len(bits)):
        keys[i] = bits[i] >> np.uint64(31)
        for digit in range(DIGITS):
            counts[digit, (keys[i] >> (DIGIT_BITS * digit)) & DIGIT] += 1
    for digit in range(DIGITS):
        if counts[digit].max() == len(bits):
            continue
        slots = np.cumsum(counts[digit]) - counts[digit]
        for i in range(len(bits)):
            slot = slots[(keys[i] >> (DIGIT_BITS * digit)) & DIGIT]
            slots[(keys[i] >> (DIGIT_BITS * digit)) & DIGIT] += 1
            to_keys[slot], to_order[slot] = keys[i], order[i]
        keys, to_keys, order, to_order = to_keys, keys, to_order, order
    start = 0
    for i in range(1, len(bits) + 1):
        if i == len(bits) or keys[i] != keys[start]:
            if i - start > 1:
                settle(lengths, order[start:i])
            start = i
    return order


@kernel
def settle(lengths: NDArray[np.float64], order: NDArray[np.int64]) -> None:
    """Sort rising places by their lengths; most runs are of one length, or short."""
    unsorted = 0
    for i in range(1, len(order)):
        unsorted += lengths[order[i]] < lengths[order[i - 1]]
    if unsorted and len(order) > FEW:
        order[:] = order[np.argsort(lengths[order], kind="mergesort")]
    elif unsorted:
        for i in range(1, len(order)):
            place, j = order[i], i
            while j > 0 and lengths[order[j - 1]] > lengths[place]:
                order[j] = order[j - 1]
                j -= 1
            order[j] = place


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
