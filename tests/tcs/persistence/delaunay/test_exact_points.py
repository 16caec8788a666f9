"""Points made fit for exact determinants: nothing that matters is lost, or it is refused."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("numba", reason="the kernels are compiled by numba")

from tcs.persistence.compute.team import Team
from tcs.persistence.delaunay.exact_points import GRID, exact_points
from tcs.persistence.errors import InputError


@pytest.mark.parametrize("scale", [1.0, 2.0**900, 2.0**-900])
def test_points_are_scaled_without_rounding(scale: float) -> None:
    """Multiplied by the power of two that is told, they are the points of the input again, each once."""
    cloud = np.random.default_rng(0).normal(size=(50, 3)) * scale
    found = exact_points(np.concatenate([cloud, cloud[:7]]), Team(1))
    assert 0.5 <= np.abs(found.points).max() < 1
    again = np.ldexp(found.points, found.exponent)
    assert np.array_equal(again[np.lexsort(again.T)], cloud[np.lexsort(cloud.T)])
    assert found.rounded == 0


def test_coordinates_in_which_all_are_equal_are_left_out() -> None:
    """A plane or a line along the axes has fewer coordinates; of equal points one is left, with one coordinate."""
    plane = np.array([[1.0, 7.0, 2.0], [1.5, 7.0, 3.0], [1.5, 7.0, 2.0]])
    assert exact_points(plane, Team(1)).points.shape == (3, 2)
    assert exact_points(np.full((4, 3), 0.1), Team(1)).points.shape == (1, 1)
    assert exact_points(np.zeros((4, 2)), Team(1)).points.tolist() == [[0.0]]


def test_both_zeros_are_one_point() -> None:
    """-0.0 and 0.0 are equal, so points that differ by them only are one."""
    assert len(exact_points(np.array([[0.0, 1.0], [-0.0, 1.0], [1.0, 0.5]]), Team(1)).points) == 2


def test_bits_that_do_not_matter_are_rounded() -> None:
    """Bits far below the smallest distance are dropped, counted, and accepted."""
    tiny = 1e-45
    found = exact_points(np.array([[1.0, 0.0], [0.0, tiny], [0.5, 0.5]]), Team(1))
    assert found.rounded == 1
    assert (np.ldexp(found.points, GRID) % 1 == 0).all()
    found.check(0.1)


def test_bits_that_matter_are_refused() -> None:
    """Points that rounding would make equal, or move by much beside their distance, are refused, with numbers."""
    with pytest.raises(InputError, match="1 of them have coordinates finer than"):
        exact_points(np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 1e-45]]), Team(1))
    with pytest.raises(InputError, match="3 of them have coordinates finer than"):
        exact_points(np.array([[1e300, 1.0], [0.0, 1e-20], [0.0, 2e-20]]), Team(1))
    found = exact_points(np.array([[1.0, 0.0], [0.0, 1.3e-30], [0.0, 1e-45]]), Team(1))
    with pytest.raises(InputError, match="some lie closer than"):
        found.check((1.3e-30 / 2) ** 2)
