"""Pairs of vertices: sorted by counting, put into rows, rows sorted by length, lengths looked up."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

pytest.importorskip("numba", reason="the engine's kernels are compiled by numba")

from tcs.persistence.graph.pairs import FEW, both_ways, index_type, length_between, sort_rows, sorted_pairs


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), max_size=60))
def test_pairs_are_sorted_by_both_vertices_and_equal_ones_keep_their_order(pairs: list[tuple[int, int]]) -> None:
    """The order is that of numpy's lexsort, which is stable, and everything moves along."""
    low, high = np.array(pairs, dtype=np.int32).reshape(-1, 2).T.copy()
    keys, flipped = np.arange(len(low), dtype=np.float64), np.arange(len(low)) % 3 == 0
    order = np.lexsort((high, low))
    found = sorted_pairs(9, low, high, keys, flipped)
    for values, expected in zip(found, (low, high, keys, flipped), strict=True):
        np.testing.assert_array_equal(values, expected[order])


def test_every_edge_stands_in_the_rows_of_both_ends_which_rise() -> None:
    """Rows are those of the symmetric matrix of the edges."""
    rng = np.random.default_rng(0)
    matrix = np.triu(rng.random((12, 12)) * (rng.random((12, 12)) < 0.4), 1)
    low, high = np.nonzero(matrix)
    starts, neighbours, keys = both_ways(12, low.astype(np.int32), high.astype(np.int32), matrix[low, high])
    full = matrix + matrix.T
    for v in range(12):
        row = slice(starts[v], starts[v + 1])
        np.testing.assert_array_equal(neighbours[row], np.flatnonzero(full[v]))
        np.testing.assert_array_equal(keys[row], full[v][full[v] > 0])


@pytest.mark.parametrize("spread", ["even", "ties", "one value", "one far", "tiny", "huge"])
@pytest.mark.parametrize("size", [0, 1, FEW, FEW + 1, 600])
def test_rows_are_sorted_by_length_and_ties_keep_their_order(spread: str, size: int) -> None:
    """Whatever the spread, each row is in the stable order of its lengths, and other rows are left alone."""
    rng = np.random.default_rng(size)
    lengths = rng.random(2 * size)
    lengths = {
        "even": lengths,
        "ties": np.floor(5 * lengths),
        "one value": np.full(2 * size, 0.25),
        "one far": np.where(np.arange(2 * size) % size == 3, 1e300, lengths) if size else lengths,
        "tiny": lengths * 1e-320,
        "huge": lengths * 1e308,
    }[spread]
    starts = np.array([0, size, 2 * size])
    vertices, sorted_lengths = np.arange(2 * size, dtype=np.int32), lengths.copy()
    sort_rows(starts, vertices, sorted_lengths, 1, 2)
    order = np.append(np.arange(size), size + np.argsort(lengths[size:], kind="stable"))
    np.testing.assert_array_equal(vertices, order)
    np.testing.assert_array_equal(sorted_lengths, lengths[order])


def test_a_length_is_found_in_the_row_of_either_end_and_others_are_infinite() -> None:
    """Every pair of a small graph is looked up."""
    low, high, keys = np.array([0, 0, 2], np.int32), np.array([1, 4, 4], np.int32), np.array([0.0, 2.5, 1.5])
    starts, neighbours, lengths = both_ways(5, low, high, keys)
    expected = np.full((5, 5), np.inf)
    expected[low, high] = expected[high, low] = keys
    found = [[length_between(starts, neighbours, lengths, a, b) for b in range(5)] for a in range(5)]
    np.testing.assert_array_equal(found, expected)


def test_vertices_are_numbered_with_32_bits_as_long_as_they_fit() -> None:
    """2^31 vertices have numbers up to 2^31 - 1, one more has not."""
    assert index_type(2**31 - 1) is np.int32
    assert index_type(2**32) is np.int64
