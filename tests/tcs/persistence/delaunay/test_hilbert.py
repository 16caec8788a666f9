"""The Hilbert curve: a path through all cells of a grid, and an order that only depends on the points."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

pytest.importorskip("numba", reason="the kernels are compiled by numba")

from tcs.persistence.compute.team import Team
from tcs.persistence.delaunay.hilbert import MANY, along_curve


@pytest.mark.parametrize("dimension", [2, 3])
def test_the_curve_goes_from_cell_to_neighbouring_cell(dimension: int) -> None:
    """On a grid of 8 cells a side each step leads to a cell that shares a facet with the last."""
    grid = np.array(list(itertools.product(range(8), repeat=dimension)), dtype=float)
    steps = np.abs(np.diff(grid[along_curve(grid, Team(1))], axis=0)).sum(axis=1)
    assert (steps == 1).all()


def clumps(dimension: int, seed: int) -> Any:
    """Points of very different spacing, some of them equal: more in one cell than are sorted at once."""
    rng = np.random.default_rng(seed)
    parts = [rng.random((40, dimension)) * 10.0**-scale for scale in (0, 5, 9, 14)]
    same = np.ones((MANY + 10, dimension))
    return np.concatenate([*parts, parts[2][:20], same, -same])


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 3), st.integers(0, 10**6))
def test_the_order_depends_on_the_points_alone(dimension: int, seed: int) -> None:
    """Shuffled, the points come out the same, each once, equal ones beside each other; also with two threads."""
    points = clumps(dimension, seed)
    shuffled = np.random.default_rng(seed).permutation(points)
    order = along_curve(points, Team(1))
    assert np.array_equal(np.sort(order), np.arange(len(points)))
    with Team(2) as team:
        assert np.array_equal(points[order], shuffled[along_curve(shuffled, team)])
    changes = 1 + (np.diff(points[order], axis=0) != 0).any(axis=1).sum()
    assert changes == len(np.unique(points, axis=0))
