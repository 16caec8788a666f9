"""The reference is right where the answer is known by hand; what it judges rests on it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from reference import bars, lengths, rips_bars

INF = np.inf
ROOT2 = float(np.float32(np.sqrt(2)))
SQUARE = [[0, 0], [1, 0], [1, 1], [0, 1]]


def as_lists(found: Any) -> Any:
    assert [rows.dtype for rows in found] == [np.float32, np.float32]
    return [rows.tolist() for rows in found]


@pytest.mark.parametrize(
    ("points", "threshold", "right"),
    [
        (np.empty((0, 2)), INF, [[], []]),
        ([[5.0]], INF, [[[0, INF]], []]),
        ([[0.0], [2.0]], INF, [[[0, 2], [0, INF]], []]),
        ([[0.0], [2.0]], 1.9, [[[0, INF], [0, INF]], []]),
        (SQUARE, INF, [[[0, 1]] * 3 + [[0, INF]], [[1, ROOT2]]]),
        (SQUARE, 1.2, [[[0, 1]] * 3 + [[0, INF]], [[1, INF]]]),
        (SQUARE * 2, INF, [[[0, 1]] * 3 + [[0, INF]], [[1, ROOT2]]]),
        (np.concatenate([np.eye(3), -np.eye(3)]), INF, [[[0, ROOT2]] * 5 + [[0, INF]], []]),
    ],
    ids=["none", "one", "two", "two apart", "square", "open square", "square twice", "octahedron"],
)
def test_bars_known_by_hand(points: Any, threshold: float, right: Any) -> None:
    """A loop of four sides dies at its diagonal; eight triangles leave no loop on an octahedron."""
    assert as_lists(rips_bars(points, threshold)) == right


def test_a_graph_without_triangle_inequality() -> None:
    """A cycle of five edges with one chord: two loops, of which the triangle is filled as soon as it is there."""
    weights = np.full((5, 5), INF)
    np.fill_diagonal(weights, 0)
    for u, v, weight in [(0, 1, 1), (1, 2, 1), (2, 3, 2), (3, 4, 1), (0, 4, 3), (0, 2, 9)]:
        weights[u, v] = weights[v, u] = weight
    assert as_lists(bars(weights)) == [[[0, 1]] * 3 + [[0, 2], [0, INF]], [[3, INF]]]
    assert as_lists(bars(weights, 2)) == [[[0, 1]] * 3 + [[0, 2], [0, INF]], []]


def test_lengths_are_rounded_before_they_are_compared() -> None:
    """Three points whose distances differ in float64 only make no bar of their own, and the threshold is rounded."""
    points = [[0.0], [0.1], [0.2 + 1e-12]]
    assert as_lists(rips_bars(points, 0.1)) == [[[0, float(np.float32(0.1))]] * 2 + [[0, INF]], []]


@pytest.mark.parametrize(("metric", "right"), [("euclidean", 5), ("cityblock", 7), ("chebyshev", 4)])
def test_lengths_of_three_metrics(metric: str, right: float) -> None:
    """The triangle with sides 3, 4 and 5."""
    assert lengths([[1, 1], [4, 5]], metric).tolist() == [[0, right], [right, 0]]
