"""The graph of a filtration: which pairs are edges, and what is left out because a cone closes everything."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import sparse

pytest.importorskip("numba", reason="the engine's kernels are compiled by numba")

from tcs.persistence.errors import InputError
from tcs.persistence.graph.graph import Graph, from_dense, from_points, from_sparse, longest_length, without_cone


def edges_of(graph: Graph) -> dict[tuple[int, int], float]:
    """Edges with their keys; rows rise, and both ends of an edge have it."""
    tails = np.repeat(np.arange(graph.n), np.diff(graph.starts))
    for v in range(graph.n):
        assert (np.diff(graph.neighbours[graph.starts[v] : graph.starts[v + 1]]) > 0).all()
    found = dict(zip(zip(tails.tolist(), graph.neighbours.tolist(), strict=True), graph.keys.tolist(), strict=True))
    assert all(found[v, u] == key and u != v for (u, v), key in found.items())
    return {(u, v): key for (u, v), key in found.items() if u < v}


def symmetric(values: Any) -> Any:
    upper = np.triu(np.asarray(values, dtype=np.float64), 1)
    return upper + upper.T


@pytest.mark.parametrize("threshold", [0.0, 1.0, 2.0, np.inf])
def test_sparse_and_dense_matrices_of_the_same_lengths_give_the_same_graph(threshold: float) -> None:
    """Edges up to the threshold, equality included; a sparse matrix without any is a graph without edges."""
    rng = np.random.default_rng(0)
    matrix = symmetric(rng.integers(0, 4, (20, 20)))
    low, high = np.triu_indices(20, 1)
    full = sparse.coo_matrix((matrix[low, high], (low, high)), shape=(20, 20))
    radius = matrix.max(axis=1).min()
    expected = {
        (u, v): matrix[u, v]
        for u, v in zip(low.tolist(), high.tolist(), strict=True)
        if matrix[u, v] <= min(threshold, radius)
    }
    for graph in (from_dense(matrix, threshold), from_sparse(full, threshold)):
        assert edges_of(graph) == expected
        assert not graph.squares
    assert edges_of(from_sparse(sparse.csr_matrix((3, 3)), threshold)) == {}


@pytest.mark.parametrize("n", [0, 1, 2])
def test_few_vertices(n: int) -> None:
    """No vertex, one, and two with an edge."""
    graphs = [
        from_dense(symmetric(np.ones((n, n))), 1.0), from_points(np.arange(n, dtype=float)[:, None], 1.0),
        from_points(np.arange(n, dtype=float)[:, None], 1.0, "cityblock"),
        from_sparse(sparse.coo_matrix(np.triu(np.ones((n, n)), 1)), 1.0),
    ]  # fmt: skip
    for graph in graphs:
        assert graph.n == n
        assert edges_of(graph) == ({(0, 1): 1.0} if n == 2 else {})


def test_infinity_in_a_dense_matrix_is_no_edge() -> None:
    """Not even without a threshold."""
    matrix = symmetric([[0, 1, np.inf], [0, 0, np.inf], [0, 0, 0]])
    assert edges_of(from_dense(matrix, np.inf)) == {(0, 1): 1.0}


def test_zeros_have_no_sign() -> None:
    """A zero with a sign is an edge of length zero like any other, whose bits sort before all others."""
    matrix = np.array([[-0.0, -0.0, 1.0], [0.0, 0.0, 1.0], [1.0, 1.0, -0.0]])
    pairs = sparse.coo_matrix((np.array([-0.0, 1.0, 1.0]), ([0, 0, 2], [1, 2, 1])))
    for graph in (from_dense(matrix, 1.0), from_sparse(pairs, 1.0)):
        assert edges_of(graph) == {(0, 1): 0.0, (0, 2): 1.0, (1, 2): 1.0}
        assert not np.signbit(graph.keys).any()


def test_an_edge_belongs_to_the_graph_when_its_float32_is_at_most_that_of_the_threshold() -> None:
    """0.1 as float32 is larger than 0.1, and what rounds to it is inside, as ripser has it."""
    near = np.array([0.1, np.float64(np.float32(0.1)), 0.1000000052, 0.1000000053, 0.1000000054, 0.1000000093])
    inside = {(0, v): d for v, d in enumerate(near.tolist(), 1) if np.float32(d) <= np.float32(0.1)}
    assert 0 < len(inside) < len(near)
    matrix = sparse.coo_matrix((near, (np.zeros(6, int), np.arange(1, 7))), shape=(8, 8))
    assert edges_of(from_sparse(matrix, 0.1)) == inside
    dense = np.full((8, 8), np.inf)
    np.fill_diagonal(dense, 0)
    dense[0, 1:7] = dense[1:7, 0] = near
    assert edges_of(from_dense(dense, 0.1)) == inside
    points = np.append(near, [0, 7.0])[:, None]
    pairs = edges_of(from_points(points, 0.1, "chebyshev"))
    assert {v + 1: d for (v, w), d in pairs.items() if w == 6} == {v: d for (_, v), d in inside.items()}


def test_a_length_half_way_between_two_float32_numbers_rounds_to_the_even_one() -> None:
    """1 + 2^-24 is an edge at threshold 1, 1 + 3 * 2^-24 is none at the odd number before it."""
    odd = 1 + 2.0**-23
    for half_way, threshold, inside in [(1 + 2.0**-24, 1.0, True), (1 + 3 * 2.0**-24, odd, False)]:
        matrix = symmetric([[0, half_way], [0, 0]])
        graphs = [
            from_dense(matrix, threshold), from_sparse(sparse.coo_matrix(matrix), threshold),
            from_points(np.array([[0.0], [half_way]]), threshold, "cityblock"),
        ]  # fmt: skip
        for graph in graphs:
            assert edges_of(graph) == ({(0, 1): half_way} if inside else {})


def test_edges_beyond_the_radius_of_a_cone_are_left_out() -> None:
    """The middle of a star of three is at 2 from all, so that longer edges between the others change nothing."""
    matrix = symmetric([[0, 1, 2, 2], [0, 0, 3, 2], [0, 0, 0, 2.5], [0, 0, 0, 0]])
    assert edges_of(from_dense(matrix, np.inf)) == {(0, 1): 1.0, (0, 2): 2.0, (0, 3): 2.0, (1, 3): 2.0}
    apart = sparse.block_diag([matrix, 0.0])
    assert len(edges_of(from_sparse(apart, np.inf))) == 6
    assert len(edges_of(from_sparse(sparse.coo_matrix(matrix), 2.5))) == 4


@settings(deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 12), st.integers(1, 5))
def test_the_cone_is_that_of_the_vertex_nearest_to_all(seed: int, n: int, values: int) -> None:
    """Of all vertices with all others as neighbours, the least of their longest edges bounds what is kept."""
    rng = np.random.default_rng(seed)
    matrix = symmetric(rng.integers(0, values, (n, n)))
    matrix[rng.random((n, n)) < 0.1] = np.inf
    matrix = np.maximum(matrix, matrix.T)
    np.fill_diagonal(matrix, 0)
    finite = np.where(np.isfinite(matrix), matrix, 0)
    low, high = np.nonzero(np.triu(np.isfinite(matrix), 1))
    graph = from_sparse(sparse.coo_matrix((finite[low, high], (low, high)), shape=(n, n)), np.inf)
    assert graph.keys.tolist() == without_cone(graph).keys.tolist()
    assert edges_of(graph) == edges_of(from_dense(matrix, np.inf))


@pytest.mark.parametrize(("metric", "squares"), [("euclidean", True), ("cityblock", False), ("chebyshev", False)])
def test_points_have_squares_as_keys_in_the_euclidean_metric_alone(metric: str, squares: bool) -> None:
    """3, 4, 5: lengths and squares by hand."""
    points = np.array([[0.0, 0.0], [3.0, 4.0], [3.0, 0.0]])
    length = {"euclidean": 25.0, "cityblock": 7.0, "chebyshev": 4.0}[metric]
    graph = from_points(points, 10, metric)
    assert graph.squares is squares
    kept = edges_of(graph)
    assert kept == {(0, 1): length, (0, 2): 9.0 if squares else 3.0, (1, 2): 16.0 if squares else 4.0} or (
        # the vertex in the middle is a cone from 4 on
        kept == {(0, 2): 9.0 if squares else 3.0, (1, 2): 16.0 if squares else 4.0}
    )


@pytest.mark.parametrize(
    ("points", "threshold", "metric", "message"),
    [
        (np.zeros(3), 1.0, "euclidean", r"shape \(n, d\) is needed, not float64 of shape \(3,\)"),
        (np.zeros((3, 2), dtype=np.float32), 1.0, "euclidean", "not float32"),
        (np.zeros((3, 2), dtype=complex), 1.0, "euclidean", "not complex128"),
        (np.array([[0.0, 1.0], [2.0, np.nan]]), 1.0, "euclidean", "coordinate 1 of point 1 is nan"),
        (np.array([[0.0, 1.0], [-np.inf, 2.0]]), 1.0, "euclidean", "coordinate 0 of point 1 is -inf"),
        (np.zeros((3, 2)), -1.0, "euclidean", "threshold: -1.0 is not a length"),
        (np.zeros((3, 2)), np.nan, "cityblock", "threshold: nan is not a length"),
        (np.zeros((3, 2)), "far", "cityblock", "threshold: 'far' is not a number"),
        (np.zeros((3, 2)), 1.0, "manhattan", "metric: 'manhattan' is not one of euclidean, cityblock, chebyshev"),
    ],
)
def test_points_that_cannot_be_meant_are_refused(points: Any, threshold: Any, metric: str, message: str) -> None:
    """The message names the argument and what was found."""
    with pytest.raises(InputError, match=message):
        from_points(points, threshold, metric)


@pytest.mark.parametrize("make", [from_dense, from_sparse])
def test_matrices_and_thresholds_that_cannot_be_meant_are_refused(make: Any) -> None:
    """Checks of the entries are reached, and thresholds are checked with them."""
    matrix = np.zeros((2, 2)) if make is from_dense else sparse.coo_matrix((2, 2))
    with pytest.raises(InputError, match="threshold: -1"):
        make(matrix, -1)
    with pytest.raises(InputError, match="square"):
        make(matrix[:1] if make is from_dense else sparse.coo_matrix((1, 2)), 1.0)


@settings(deadline=None)
@given(st.floats(0, allow_nan=False))
def test_the_longest_length_is_the_last_that_rounds_to_the_threshold(threshold: float) -> None:
    """The next float64 rounds to a larger float32, unless there is none."""
    longest = longest_length(threshold)
    with np.errstate(over="ignore"):
        bound = np.float32(threshold)
        assert np.float32(longest) <= bound or bound == np.inf
        assert np.isfinite(longest)
        if np.isfinite(bound):
            assert np.float32(np.nextafter(longest, np.inf)) > bound
        else:
            assert longest == np.finfo(np.float64).max


@pytest.mark.parametrize("threshold", [0.0, 1e-46, 1e-45, 1.0, 0.1, 1 / 3, 16777217.0, 3.4028234663852886e38])
def test_the_longest_length_at_chosen_thresholds(threshold: float) -> None:
    """Zero, the smallest numbers, ties between two float32 numbers, and the largest."""
    longest = longest_length(threshold)
    with np.errstate(over="ignore"):
        assert np.float32(longest) <= np.float32(threshold) < np.float32(np.nextafter(longest, np.inf))
