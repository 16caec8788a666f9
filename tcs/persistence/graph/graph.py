"""The graph whose flag complexes make a Vietoris-Rips filtration: from a sparse or dense matrix, or from points.

An edge is there when its length, rounded to float32, is at most the threshold, rounded to float32, which is ripser's
convention. Edges longer than the whole of some vertex's row, if that row has all others, are left out: from that
length on the complex is a cone, and nothing is born or dies (the enclosing radius of Ripser, Bauer 2021). This needs
no triangle inequality.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tcs.persistence.cloud.lengths import longest_square
from tcs.persistence.compute.memory import forecast_graph, require
from tcs.persistence.compute.team import Team
from tcs.persistence.errors import InputError
from tcs.persistence.graph.entries import dense_entries, rows_within, sparse_pairs
from tcs.persistence.graph.expected import expected_edges, longest_that_matters
from tcs.persistence.graph.metrics import METRICS
from tcs.persistence.graph.near import near_pairs
from tcs.persistence.graph.pairs import both_ways, index_type, sorted_pairs

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Graph(NamedTuple):
    """A weighted graph, each edge in the rows of both of its vertices.

    ``neighbours[starts[v] : starts[v + 1]]`` are the neighbours of vertex v in rising order, int32 (int64 from 2^31
    vertices on), and ``keys``, float64, the lengths of the edges to them: squared, if ``squares`` is true.
    """

    starts: NDArray[np.int64]
    neighbours: NDArray[Any]
    keys: NDArray[np.float64]
    squares: bool

    @property
    def n(self) -> int:
        """Number of vertices."""
        return len(self.starts) - 1


def from_sparse(matrix: Any, threshold: float, memory_limit: int | None = None) -> Graph:
    """The graph of a scipy sparse distance matrix, in which what is not stored is no edge.

    Args:
        matrix: (n, n), any scipy sparse format but BSR; real numbers. Each pair is stored once, in either triangle,
            or twice with the same value. A stored zero is an edge of length zero. The triangle inequality need not
            hold.
        threshold: length of the longest edge; infinity for all.
        memory_limit: in bytes; what is available, if not given.

    Raises:
        InputError: the matrix is not sparse or not square; it holds NaN, infinite, negative or complex values, a
            diagonal other than zero, two different values for a pair, or an entry twice; the threshold is negative
            or NaN.
        MemoryForecastError: the graph and what is made of it would need more memory.
    """
    bound = longest_length(threshold)
    low, high, keys = sparse_pairs(matrix, memory_limit)
    inside = keys <= bound
    if not inside.all():
        low, high, keys = low[inside], high[inside], keys[inside]
    return from_pairs(matrix.shape[0], low, high, keys, squares=False)


def from_dense(matrix: Any, threshold: float, memory_limit: int | None = None) -> Graph:
    """The graph of a dense distance matrix.

    Args:
        matrix: (n, n), symmetric, its diagonal zero; infinity where two vertices are never joined. The triangle
            inequality need not hold.
        threshold: length of the longest edge; infinity for all.
        memory_limit: in bytes; what is available, if not given.

    Raises:
        InputError: the matrix is not square or not symmetric; it holds NaN, negative or complex values, or a
            diagonal other than zero; the threshold is negative or NaN.
        MemoryForecastError: the graph and what is made of it would need more memory.
    """
    bound = longest_length(threshold)
    values, radius = dense_entries(matrix, memory_limit)
    bound = min(bound, radius)
    n = len(values)
    edges = (int(np.count_nonzero(values <= bound)) - n) // 2
    require(forecast_graph(n, edges), memory_limit, f"matrix: {n:,} points, {edges:,} edges")
    starts, neighbours, keys = rows_within(values, bound, np.empty(0, index_type(len(values))))
    return Graph(starts, neighbours, keys, squares=False)


def from_points(
    points: NDArray[np.float64], threshold: float, metric: str = "euclidean", team: Team | None = None,
    memory_limit: int | None = None,
) -> Graph:  # fmt: skip
    """The graph of all pairs of points within a distance.

    Args:
        points: float64 (n, d).
        threshold: length of the longest edge; infinity for all.
        metric: "euclidean", "cityblock" or "chebyshev". Keys are squared lengths for the first, lengths otherwise;
            coordinates are added up in their order.
        team: threads to work with; one if left out.
        memory_limit: in bytes; what is available, if not given.

    Raises:
        InputError: the points are not a table of finite float64 numbers; the threshold is negative or NaN; there is
            no such metric.
        MemoryForecastError: the graph and what is made of it would need more memory.
    """
    if metric not in METRICS:
        raise InputError(f"metric: {metric!r} is not one of {', '.join(METRICS)}; for another pass a matrix of lengths")
    bound = longest_length(threshold)
    points = np.asarray(points)
    if points.ndim != 2 or points.dtype != np.float64:
        raise InputError(f"points: float64 of shape (n, d) is needed, not {points.dtype} of shape {points.shape}")
    if not np.isfinite(points).all():
        row, column = np.argwhere(~np.isfinite(points))[0]
        raise InputError(f"points: coordinate {column} of point {row} is {points[row, column]}; drop or repair it")
    squares = metric == "euclidean"
    n, dimension = points.shape
    longest = longest_square(threshold) if squares else bound
    if n > 1:
        longest = longest_that_matters(points, longest, metric)
        edges = expected_edges(points, longest, metric)
        require(forecast_graph(n, edges, dimension), memory_limit, f"{n:,} points, {edges:,} edges expected")
    index = np.empty(0, index_type(n))
    low, high, keys = near_pairs(np.ascontiguousarray(points), longest, metric, index, team or Team(1))
    low, high, keys, _ = sorted_pairs(n, low, high, keys, np.empty(0, np.bool_))
    return from_pairs(n, low, high, keys, squares=squares)


def from_pairs(n: int, low: NDArray[Any], high: NDArray[Any], keys: NDArray[np.float64], *, squares: bool) -> Graph:
    """The graph of n vertices and of pairs that are sorted by (low, high), low < high, without its cone."""
    starts, neighbours, lengths = both_ways(n, low, high, keys)
    return without_cone(Graph(starts, neighbours, lengths, squares))


def longest_length(threshold: float) -> float:
    """The largest finite float64 that, rounded to float32, is at most the threshold, rounded to float32.

    Raises:
        InputError: the threshold is negative, NaN, or no number.
    """
    try:
        value = float(threshold)
    except (TypeError, ValueError):
        raise InputError(f"threshold: {threshold!r} is not a number; pass the longest length, or infinity") from None
    if not value >= 0:
        raise InputError(f"threshold: {value} is not a length; pass a number of at least 0, or infinity")
    with np.errstate(over="ignore"):
        bound = np.float32(value)
        if np.isinf(bound):
            return float(np.finfo(np.float64).max)
        # float32 rounds to even half-way to the next number, so half-way is inside for every other number
        middle = (float(bound) + min(float(np.nextafter(bound, np.float32(np.inf))), 2.0**128)) / 2
        return middle if np.float32(middle) <= bound else float(np.nextafter(middle, 0))


def without_cone(graph: Graph) -> Graph:
    """The graph without the edges that are longer than some vertex's edges to all others."""
    full = np.flatnonzero(np.diff(graph.starts) == graph.n - 1)
    if graph.n < 2 or not len(full):
        return graph
    radius = min(graph.keys[graph.starts[v] : graph.starts[v + 1]].max() for v in full)
    inside = graph.keys <= radius
    if inside.all():
        return graph
    starts = np.concatenate([[0], np.cumsum(inside)])[graph.starts]
    return Graph(starts, graph.neighbours[inside], graph.keys[inside], graph.squares)
