"""Bars of weighted graphs, against the textbook on small ones and against ripser.py on larger ones, bit for bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import sparse

pytest.importorskip("numba", reason="the engine's kernels are compiled by numba")

from graphs import WAYS, reduced
from reference import bars
from tcs.persistence.graph.graph import from_dense, from_points, from_sparse


def assert_equal(found: Any, expected: Any) -> None:
    for dimension, (here, there) in enumerate(zip(found, expected, strict=True)):
        assert here.dtype == np.float32
        np.testing.assert_array_equal(here, there, err_msg=f"H{dimension}")


def random_matrix(seed: int, n: int, values: int, missing: float) -> Any:
    """Symmetric weights, ties if ``values`` is small, a share of pairs never joined; no triangle inequality."""
    rng = np.random.default_rng(seed)
    upper = np.triu(rng.integers(0, values, (n, n)) / min(values, 1000), 1)
    upper[np.triu(rng.random((n, n)) < missing, 1)] = np.inf
    return upper + upper.T


def as_sparse(matrix: Any) -> Any:
    low, high = np.nonzero(np.triu(np.isfinite(matrix), 1))
    return sparse.coo_matrix((matrix[low, high], (low, high)), shape=matrix.shape)


@pytest.mark.parametrize("way", WAYS)
@settings(deadline=None, max_examples=100)
@given(
    st.integers(0, 2**32), st.integers(0, 12), st.sampled_from([1, 2, 4, 10**9]), st.sampled_from([0.0, 0.3, 0.7]),
    st.sampled_from([0.0, 0.4, 1.0, np.inf]),
)  # fmt: skip
def test_bars_of_any_weights_are_those_of_the_textbook(
    way: str, seed: int, n: int, values: int, missing: float, threshold: float
) -> None:
    """Zero lengths, ties, gaps, and a threshold between lengths, on a length, or none."""
    matrix = random_matrix(seed, n, values, missing)
    expected = bars(matrix, threshold)
    assert_equal(reduced(from_dense(matrix, threshold), way), expected)
    assert_equal(reduced(from_sparse(as_sparse(matrix), threshold), way), expected)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("n", [4, 5, 9, 16])
def test_a_cycle_graph_has_one_loop_that_nothing_closes(way: str, n: int) -> None:
    """n edges of length 1, no others: born at 1, never dead."""
    low = np.arange(n)
    matrix = sparse.coo_matrix((np.ones(n), (low, (low + 1) % n)), shape=(n, n))
    assert_equal(
        reduced(from_sparse(matrix, np.inf), way),
        [np.array([[0, 1]] * (n - 1) + [[0, np.inf]], np.float32), np.array([[1, np.inf]], np.float32)],
    )


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("n", "death"), [(12, 4), (13, 5), (30, 10)])
def test_the_loop_of_a_metric_cycle_dies_at_a_third(way: str, n: int, death: int) -> None:
    """Path lengths along a cycle of n edges: the loop lives from 1 to the ceiling of n / 3 (Adamaszek 2013)."""
    steps = np.abs(np.arange(n)[:, None] - np.arange(n)[None])
    found = reduced(from_dense(np.minimum(steps, n - steps), np.inf), way)
    np.testing.assert_array_equal(found[1], np.array([[1, death]], np.float32))


CLOUDS = {
    "circle": lambda rng: np.stack([np.cos(a := rng.uniform(0, 7, 150)), np.sin(a)], 1) + rng.normal(0, 0.1, (150, 2)),
    "high": lambda rng: rng.random((150, 30)),
    "lattice": lambda rng: rng.integers(0, 4, (150, 3)).astype(float),
    "duplicates": lambda rng: rng.random((40, 2))[rng.integers(0, 40, 150)],
    "collinear": lambda rng: rng.random((150, 1)) * [1.0, 2.0],
    "heavy tails": lambda rng: rng.standard_cauchy((150, 3)),
}


def ripser_bars(matrix: Any, threshold: float = np.inf) -> Any:
    """H0 and H1 of ripser.py, float32, sorted, without bars of length zero."""
    ripser = pytest.importorskip("ripser", reason="ripser.py is the peer")
    found = []
    for diagram in ripser.ripser(matrix, distance_matrix=True, maxdim=1, thresh=threshold)["dgms"]:
        rows = diagram.astype(np.float32)
        rows = rows[rows[:, 0] < rows[:, 1]]
        found.append(rows[np.lexsort(rows.T[::-1])])
    return found


@pytest.mark.peers
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("share", [0.05, 0.3, 1.0])
@pytest.mark.parametrize("cloud", CLOUDS)
def test_bars_of_clouds_are_those_of_ripser(way: str, share: float, cloud: str) -> None:
    """Dense and sparse matrices and the points themselves, at a threshold that is a distance, and at none."""
    points = CLOUDS[cloud](np.random.default_rng(7))
    squares = np.zeros((len(points), len(points)))
    for x in points.T:
        squares += (x[:, None] - x[None]) ** 2
    matrix = np.sqrt(squares)
    lengths = np.sort(matrix[np.triu_indices(len(points), 1)])
    threshold = np.inf if share == 1 else float(lengths[int(share * len(lengths))])
    inside = np.where(matrix.astype(np.float32) <= np.float32(threshold), matrix, np.inf)
    expected = ripser_bars(matrix, threshold)
    assert_equal(reduced(from_dense(matrix, threshold), way), expected)
    assert_equal(reduced(from_points(points, threshold), way), expected)
    assert_equal(reduced(from_sparse(as_sparse(inside), threshold), way), expected)
    assert_equal(ripser_bars(as_sparse(inside).tocsr(), threshold), expected)


@pytest.mark.peers
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("n", "values"), [(60, 10**9), (60, 6), (100, 2)])
def test_bars_of_larger_random_weights_are_those_of_ripser(way: str, n: int, values: int) -> None:
    """No triangle inequality: a dense matrix, and a sparse one with a third of its pairs."""
    matrix = random_matrix(n, n, values, 0.0)
    assert_equal(reduced(from_dense(matrix, np.inf), way), ripser_bars(matrix))
    gaps = random_matrix(n, n, values, 0.67)
    assert_equal(reduced(from_sparse(as_sparse(gaps), np.inf), way), ripser_bars(as_sparse(gaps).tocsr()))


@pytest.mark.parametrize("way", WAYS)
def test_the_order_of_vertices_and_the_number_of_threads_do_not_matter(way: str) -> None:
    """A permuted matrix full of ties has the same bars, on one thread and on three."""
    matrix = random_matrix(3, 80, 7, 0.4)
    expected = reduced(from_dense(matrix, np.inf), way)
    assert len(expected[1]) > 10
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(80)
        for threads in (1, 3):
            assert_equal(reduced(from_sparse(as_sparse(matrix[order][:, order]), 100.0), way, threads), expected)


@pytest.mark.parametrize("metric", ["euclidean", "cityblock", "chebyshev"])
@pytest.mark.parametrize("way", WAYS)
@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32), st.integers(2, 14), st.integers(1, 20), st.booleans())
def test_bars_of_points_are_those_of_the_textbook(
    metric: str, way: str, seed: int, n: int, dimension: int, lattice: bool
) -> None:
    """Any dimension and metric, lattices among them, at a threshold that is one of the distances."""
    rng = np.random.default_rng(seed)
    points = rng.integers(0, 3, (n, dimension)).astype(float) if lattice else rng.random((n, dimension))
    from reference import lengths

    matrix = lengths(points, metric)
    threshold = float(rng.choice(matrix.ravel()))
    assert_equal(reduced(from_points(points, threshold, metric), way), bars(matrix, threshold))
