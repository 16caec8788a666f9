"""All pairs of points within a distance, and the minimum spanning forest of the graph that they make."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Above this dimension a k-d tree visits nearly every pair, and blocks of a matrix product are faster.
TREE_DIMENSION = 12


class Pairs(NamedTuple):
    """Edges of a neighbourhood graph: ``i < j`` (each pair once) and the float64 length of each."""

    i: NDArray[np.int32]
    j: NDArray[np.int32]
    lengths: NDArray[np.float64]


def neighbours(points: NDArray[np.float64], threshold: float) -> Pairs:
    """All pairs whose float64 Euclidean distance is at most ``threshold``.

    The distance of a pair is the correctly rounded root of its squared coordinate differences, added up in the
    order of the coordinates. Candidates are taken from a slightly larger radius and cut by that length: scipy's
    tree compares squares, and loses a pair at exactly sqrt(3).
    """
    slack = threshold * (1 + 1e-9)
    if points.shape[1] <= TREE_DIMENSION:
        from scipy.spatial import cKDTree

        found = cKDTree(points).query_pairs(slack, output_type="ndarray").astype(np.int32)
        i, j = np.ascontiguousarray(found[:, 0]), np.ascontiguousarray(found[:, 1])
    else:
        i, j = _by_blocks(points, slack)
    lengths = _lengths(points, i, j)
    inside = lengths <= threshold
    if inside.all():
        return Pairs(i, j, lengths)
    return Pairs(i[inside], j[inside], lengths[inside])


def spanning_forest(n: int, pairs: Pairs) -> tuple[NDArray[np.float64], int]:
    """Sorted edge lengths of a minimum spanning forest, and the number of its components.

    The finite deaths in H0 are exactly these lengths, zeros included (Kruskal's algorithm is the reduction of the
    boundary matrix in dimension 0), whichever forest is taken among ties.
    """
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import minimum_spanning_tree

    # scipy reads a stored zero as no edge, so coinciding points get the smallest normal number instead
    least = np.finfo(np.float64).tiny
    graph = csr_matrix((np.maximum(pairs.lengths, least), (pairs.i, pairs.j)), shape=(n, n))
    lengths = np.sort(minimum_spanning_tree(graph, overwrite=True).data)
    lengths[lengths <= least] = 0.0
    return lengths, n - len(lengths)


def cloud_forest(points: NDArray[np.float64], threshold: float) -> tuple[NDArray[np.float64], int]:
    """What :func:`spanning_forest` finds for the pairs within the threshold, without a list of all of them.

    Every edge that Kruskal's algorithm takes after those within a shorter reach joins two of the trees that it has
    by then. With one large tree, an end of it lies outside of that: so only the few points outside are looked up
    to the threshold. Where there is no large tree, all pairs are listed. Up to ``TREE_DIMENSION`` dimensions.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    n = len(points)
    search = cKDTree(points)
    # the seventh neighbour: a mean degree of seven connects most of a cloud in the plane, and in more dimensions
    sample = points[:: max(1, n // 1000)]
    near = neighbours(points, min(threshold, float(np.median(search.query(sample, k=[min(8, n)])[0]))))
    joined = coo_matrix((np.ones(len(near.i), dtype=np.int8), (near.i, near.j)), shape=(n, n))
    trees, tree_of = connected_components(joined, directed=False)
    outside = np.flatnonzero(tree_of != np.bincount(tree_of).argmax())
    if len(outside) > n // 4:
        return spanning_forest(n, neighbours(points, threshold))
    lengths, _ = spanning_forest(n, near)
    if not len(outside):
        return lengths, trees
    around = search.query_ball_point(points[outside], threshold * (1 + 1e-9))
    i = np.repeat(outside, [len(found) for found in around]).astype(np.int32)
    j = np.concatenate(around).astype(np.int32)
    apart = _lengths(points, i, j)
    low, high = np.minimum(tree_of[i], tree_of[j]), np.maximum(tree_of[i], tree_of[j])
    order = np.lexsort((apart, high, low))
    order = order[(apart[order] <= threshold) & (low[order] != high[order])]
    # the shortest edge between two trees is the first of its run
    first = np.ones(len(order), dtype=bool)
    first[1:] = (np.diff(low[order]) != 0) | (np.diff(high[order]) != 0)
    taken = order[first]
    joins, components = spanning_forest(trees, Pairs(low[taken], high[taken], apart[taken]))
    return np.sort(np.concatenate([lengths, joins])), components


def _lengths(points: NDArray[np.float64], i: NDArray[np.int32], j: NDArray[np.int32]) -> NDArray[np.float64]:
    squares = np.zeros(len(i))
    for coordinate in np.ascontiguousarray(points.T):
        difference = coordinate[i]
        difference -= coordinate[j]
        difference *= difference
        squares += difference
    return np.sqrt(squares)


def _by_blocks(points: NDArray[np.float64], radius: float) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Candidates from |x|^2 + |y|^2 - 2 x.y, with a margin for what that identity loses to cancellation."""
    n, dimension = points.shape
    centred = points - points.mean(axis=0)
    norms = np.einsum("ij,ij->i", centred, centred)
    margin = 8 * np.finfo(np.float64).eps * (dimension + 4) * float(norms.max(initial=0.0))
    bound = radius * radius + margin
    size = max(1, 2**22 // max(n, 1))
    rows, columns = [], []
    for start in range(0, n, size):
        block = centred[start : start + size]
        squares = norms[start : start + size, None] + norms[None, start:] - 2 * (block @ centred[start:].T)
        found_i, found_j = np.nonzero(squares <= bound)
        upper = found_i < found_j
        rows.append((found_i[upper] + start).astype(np.int32))
        columns.append((found_j[upper] + start).astype(np.int32))
    return np.concatenate(rows), np.concatenate(columns)
