"""Orientation and spheres: held against determinants of fractions, near and on the degenerate."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

pytest.importorskip("numba", reason="the kernels are compiled by numba")

from tcs.persistence.compute.kernels import axes_of
from tcs.persistence.delaunay import expansions
from tcs.persistence.delaunay.predicates import in_sphere, side, sphere_value


def determinant(rows: list[list[Fraction]]) -> Fraction:
    """By expansion along the first row."""
    if len(rows) == 1:
        return rows[0][0]
    minors = (determinant([row[:k] + row[k + 1 :] for row in rows[1:]]) for k in range(len(rows)))
    terms = ((-1) ** k * rows[0][k] * minor for k, minor in enumerate(minors))
    return sum(terms, Fraction(0))


def sign(number: Fraction) -> int:
    return (number > 0) - (number < 0)


def orientation(points: Any) -> int:
    """Of d + 1 points, in fractions."""
    rows = [[Fraction(float(x)) for x in row] for row in points]
    return sign(determinant([[a - b for a, b in zip(row, rows[0], strict=True)] for row in rows[1:]]))


def inside(points: Any, corners: list[int], p: int, *, lifted: bool) -> int:
    """Whether p lies in the sphere through the corners (1), on it (0) or outside (-1).

    Args:
        lifted: give each point a height of 10^-100 times that of the next, which stand for infinitesimal ones.
    """
    exact = [[Fraction(float(x)) for x in row] for row in points]
    heights = [Fraction(int(lifted), 10 ** (100 * (len(points) - i))) for i in range(len(points))]
    rows = []
    for corner in corners:
        row = [a - b for a, b in zip(exact[corner], exact[p], strict=True)]
        rows.append([*row, sum((x * x for x in row), heights[corner] - heights[p])])
    # the sign of the paraboloid's determinant depends on the dimension and on the orientation of the corners
    return sign(determinant(rows)) * orientation(points[corners]) * (1 if len(exact[p]) == 2 else -1)


def clouds(dimension: int, n: int) -> st.SearchStrategy[Any]:
    """n points: of a small lattice, of one that float64 cannot hold, or of either with the last bits shaken."""

    def build(numbers: list[int], step: float, shaken: list[int], shift: int) -> Any:
        grid = np.array(numbers, dtype=float).reshape(n, dimension) * step
        where = np.array(shaken, dtype=float).reshape(n, dimension)
        return np.ldexp(grid + where * np.spacing(np.abs(grid).max() or 1.0), -shift)

    size = n * dimension
    return st.builds(
        build, st.lists(st.integers(0, 3), min_size=size, max_size=size), st.sampled_from([0.125, 0.1, 1 / 7]),
        st.one_of(st.just([0] * size), st.lists(st.integers(-1, 1), min_size=size, max_size=size)),
        st.sampled_from([0, 30]),
    )  # fmt: skip


@pytest.mark.parametrize("dimension", [2, 3])
def test_sides_are_those_of_fractions(dimension: int) -> None:
    """Replacing any corner by a point gives the sign of the exact determinant, also where float64 gives another."""
    cells = np.arange(dimension + 1, dtype=np.int32)[None]

    @settings(max_examples=150, deadline=None)
    @given(clouds(dimension, dimension + 2))
    def check(points: Any) -> None:
        p = dimension + 1
        for k in range(dimension + 1):
            corners = points[: dimension + 1].copy()
            corners[k] = points[p]
            assert side(points, cells, 0, k, p, axes_of(dimension)) == orientation(corners)

    check()


@pytest.mark.parametrize("dimension", [2, 3])
def test_spheres_are_those_of_fractions(dimension: int) -> None:
    """A point lies inside as the exact determinant says; on the sphere the heights decide, whatever its number is."""

    @settings(max_examples=200, deadline=None)
    @given(clouds(dimension, dimension + 2), st.permutations(range(dimension + 2)))
    def check(points: Any, numbers: list[int]) -> None:
        *corners, p = numbers
        turn = orientation(points[corners])
        # a flat cell has no sphere, and a triangulation no second point at a corner
        if turn == 0 or (points[corners] == points[p]).all(axis=1).any():
            return
        if turn < 0:
            corners[:2] = corners[1::-1]
        cells = np.array([corners], dtype=np.int32)
        a, b, c, d = [*corners, corners[-1]][:4]
        exact = sphere_value(points, a, b, c, d, p, expansions.nothing(), axes_of(dimension))
        assert expansions.sign(exact) == inside(points, corners, p, lifted=False)
        assert in_sphere(points, cells, 0, p, axes_of(dimension)) == (inside(points, corners, p, lifted=True) > 0)

    check()
