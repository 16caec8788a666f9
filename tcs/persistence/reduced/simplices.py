"""The simplices at which bars begin and end, in the numbering of the input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tcs.persistence.compute.kernels import kernel
from tcs.persistence.compute.sorting import ordered
from tcs.persistence.reduced.forest import root

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tcs.persistence.reduced.matrix import Pairs


def of_components(n: int, pairs: Pairs, order: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For the edges of the spanning forest, shortest first, then for the components that remain: the vertex whose
    component ends, and the edge that ends it.

    All vertices are born at once, so of two components the one whose smallest number in the input is larger ends.

    Returns:
        Vertices (n, 1) and edges (n, 2); the last ones, of the components that remain, are -1.
    """
    tree = pairs.tree[ordered(pairs.lengths[pairs.in_forest])]
    births = np.full((n, 1), -1, dtype=np.int64)
    deaths = np.full((n, 2), -1, dtype=np.int64)
    deaths[: len(tree)] = np.sort(order[tree], axis=1)
    elders = ended(n, tree, order.astype(np.int64))
    births[: len(tree), 0] = elders
    births[len(tree) :, 0] = np.setdiff1d(np.arange(n), elders, assume_unique=True)
    return births, deaths


@kernel
def ended(n: int, tree: NDArray[Any], order: NDArray[np.int64]) -> NDArray[np.int64]:
    """The number in the input of the vertex whose component ends with each edge of a forest, in the order given."""
    parent = np.arange(n)
    out = np.empty(len(tree), np.int64)
    for e in range(len(tree)):
        a, b = root(parent, tree[e, 0]), root(parent, tree[e, 1])
        if order[a] > order[b]:
            a, b = b, a
        parent[b] = a
        out[e] = order[b]
    return out


def of_loops(pairs: Pairs, order: NDArray[Any], rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For some rows of the reduced matrix the edge (k, 2) that opens a loop and the triangle (k, 3) that closes it.

    The triangle is the longest edge with a vertex of a component of its lune; -1 where the loop stays open.
    """
    births = np.sort(order[pairs.rows[rows]], axis=1).astype(np.int64)
    columns = pairs.paired[rows]
    deaths = np.full((len(rows), 3), -1, dtype=np.int64)
    ends = columns >= 0
    deaths[ends] = np.sort(order[pairs.fillers[columns[ends]][:, [0, 1, 3]]], axis=1)
    return births, deaths
