"""The textbook reduction gives the homology that one can compute by hand."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.persistence import workloads
from benchmarks.persistence.barcode import as_answer, canonical, counts
from benchmarks.persistence.oracle import reduce, rips

SQRT2 = float(np.sqrt(2))


def test_the_corners_of_a_square() -> None:
    """Three deaths at 1, one loop from 1 to the diagonal."""
    low, loops = rips(np.array([[0.0, 0], [1, 0], [1, 1], [0, 1]]), 2.0, 1)
    assert sorted(map(tuple, low)) == [(0, 1), (0, 1), (0, 1), (0, np.inf)]
    assert loops.tolist() == [[1.0, SQRT2]]


def test_the_corners_of_an_octahedron_bound_a_void() -> None:
    """H2 is born with the triangles at sqrt 2 and dies at 2, when the poles meet."""
    points = np.concatenate([np.eye(3), -np.eye(3)])
    bars = rips(points, 3.0, 2)
    assert bars[2].tolist() == [[pytest.approx(SQRT2), 2.0]]
    assert rips(points, 1.5, 2)[2].tolist() == [[pytest.approx(SQRT2), np.inf]]


def test_a_hollow_triangle_keeps_its_loop() -> None:
    """A complex that is given simplex by simplex."""
    hollow = {(0,): 0.0, (1,): 0.0, (2,): 0.0, (0, 1): 1.0, (0, 2): 2.0, (1, 2): 3.0}
    assert reduce(hollow, 1)[1].tolist() == [[3.0, np.inf]]
    assert reduce({**hollow, (0, 1, 2): 4.0}, 1)[1].tolist() == [[3.0, 4.0]]


def test_one_point_and_coinciding_points() -> None:
    """One essential class; bars of length zero are left out."""
    assert [bars.tolist() for bars in rips(np.zeros((1, 2)), 1.0, 1)] == [[[0.0, np.inf]], []]
    assert rips(np.zeros((4, 2)), 1.0, 1)[0].tolist() == [[0.0, np.inf]]


def test_a_small_grid_has_a_loop_a_square() -> None:
    """(side - 1) ** 2 loops from 1 to sqrt 2."""
    bars = canonical(as_answer(rips(workloads.lattice(4), 1.5, 1)), 1)
    assert counts(bars) == {"finite": {"0": 15, "1": 9}, "essential": {"0": 1, "1": 0}}
