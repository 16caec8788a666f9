"""Points in cells: all neighbours of a point lie in the ranges of its cell, each once, for any cloud."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

pytest.importorskip("numba", reason="the engine's kernels are compiled by numba")

from clouds import SMALL
from tcs.persistence.cloud.cells import GRID_AXES, MOST_CELLS, Cells, Grid, bounds, lay_grid, sort_into_cells
from tcs.persistence.compute.team import Team


def cells_of(points: Any, longest: float, threads: int = 1) -> tuple[Cells, Grid]:
    cloud = np.ascontiguousarray(points, dtype=np.float64)
    with Team(threads) as team:
        grid = lay_grid(bounds(cloud, team), longest)
        return sort_into_cells(cloud, grid, team), grid


def check(points: Any, longest: float) -> tuple[Cells, Grid]:
    """What the class says of its fields, by trying all pairs."""
    cells, grid = cells_of(points, longest)
    n = len(points)
    assert sorted(cells.order.tolist()) == list(range(n))
    assert np.array_equal(cells.points, points[cells.order])
    assert cells.starts[0] == 0
    assert cells.starts[-1] == n
    assert (np.diff(cells.starts) > 0).all(), "a cell is empty"
    assert (
        cells.low.shape == cells.high.shape == (len(cells.starts) - 1, 3 ** max(0, min(GRID_AXES, points.shape[1]) - 1))
    )
    with np.errstate(over="ignore"):
        near = ((cells.points[:, None] - cells.points[None]) ** 2).sum(axis=-1) <= longest * longest
    for cell, (low, high) in enumerate(zip(cells.low.tolist(), cells.high.tolist(), strict=True)):
        around = [w for a, b in zip(low, high, strict=True) for w in range(a, b)]
        assert around == sorted(set(around)), "ranges overlap or fall"
        for v in range(cells.starts[cell], cells.starts[cell + 1]):
            missed = set(np.flatnonzero(near[v]).tolist()) - set(around)
            assert not missed, f"{missed} are near to {v} and in no range"
    assert cells.of_points().tolist() == [c for c, m in enumerate(np.diff(cells.starts)) for _ in range(m)]
    return cells, grid


@pytest.mark.parametrize("share", [0, 0.02, 0.1, 0.5, 1])
@pytest.mark.parametrize("name", SMALL)
def test_every_neighbour_is_in_a_range(name: str, share: float) -> None:
    """For lattices, whose points lie on the borders of cells, for clumps, and for tails far out."""
    points = SMALL[name]
    check(points, float(share * np.linalg.norm(np.ptp(points, axis=0))))


@settings(deadline=None)
@given(
    st.integers(0, 2**32), st.integers(1, 5), st.integers(1, 40), st.sampled_from([1e-300, 1e-9, 0.1, 1.0, 3.0, 1e9]),
    st.sampled_from([1e-30, 1.0, 1e12]),
)  # fmt: skip
def test_clouds_of_any_scale(seed: int, dimension: int, n: int, longest: float, scale: float) -> None:
    """Cells much larger than the cloud, or so small that their number is bounded instead."""
    rng = np.random.default_rng(seed)
    points = rng.integers(-2, 3, (n, dimension)) * scale + rng.choice([0, 1e-3]) * rng.normal(size=(n, dimension))
    check(points, longest)


def test_the_side_is_no_shorter_than_the_edge() -> None:
    """And no shorter than what a bounded number of cells along an axis allows."""
    points = np.array([[0.0, 0], [1, 7]])
    assert 1 < cells_of(points, 1.0)[1].side <= 1 + 2**-19
    assert cells_of(points, 0.0)[1].side == 7 / MOST_CELLS


def test_the_grid_lies_along_the_widest_axes() -> None:
    """Of six coordinates the three in which the cloud is widest part it; the widest first, the last is the row."""
    points = np.random.default_rng(0).random((50, 6)) * [1, 9, 2, 8, 3, 7]
    cells, grid = check(points, 0.5)
    assert grid.axes.tolist() == [1, 3, 5]
    assert len(cells.starts) > 40


def test_one_cell_for_equal_points() -> None:
    """A cloud without any width."""
    cells, _ = check(np.ones((5, 3)), 0.0)
    assert cells.starts.tolist() == [0, 5]
    assert cells.order.tolist() == list(range(5))


@pytest.mark.parametrize("threads", [2, 3])
def test_the_cells_do_not_depend_on_threads(threads: int) -> None:
    """More points than one part holds; every field has the same bytes."""
    points = np.random.default_rng(1).random((150_000, 3))
    (one, _), (other, _) = cells_of(points, 0.02), cells_of(points, 0.02, threads)
    for name in Cells._fields:
        assert np.array_equal(getattr(one, name), getattr(other, name)), name
