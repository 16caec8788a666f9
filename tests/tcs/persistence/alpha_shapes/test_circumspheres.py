"""Smallest circumscribed spheres: held against linear systems solved in fractions."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings, strategies as st

from exact_spheres import barycentric, circumcentre, distance, exact

pytest.importorskip("numba", reason="the kernels are compiled by numba")

from tcs.persistence.alpha_shapes.circumspheres import (
    TOLERANCE,
    dot_sign,
    tetrahedron,
    triangle,
)
from tcs.persistence.compute.kernels import axes_of


def sphere(points: Any) -> tuple[Fraction, list[Fraction]] | None:
    """Squared radius and barycentric coordinates of the smallest sphere through points; None if they are flat."""
    weights, centre = barycentric(exact(points)), circumcentre(exact(points))
    if weights is None or centre is None:
        return None
    return distance(centre, exact(points)[0]), weights


@st.composite
def simplices(draw: Any, corners: int, dimension: int) -> Any:
    """Random, of a lattice, or flat but for a last bit up to a millionth."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    points = rng.random((corners, dimension))
    kind = draw(st.sampled_from(["random", "lattice", "flat", "thin"]))
    if kind == "lattice":
        return rng.integers(0, 3, (corners, dimension)) * draw(st.sampled_from([0.25, 0.1]))
    if kind == "flat":
        mix = rng.normal(size=corners - 1)
        points[-1] = (mix / mix.sum()) @ points[:-1]
        points[-1] += rng.normal(size=dimension) * 10.0 ** -draw(st.integers(6, 18))
    if kind == "thin":
        points *= 10.0 ** -rng.integers(0, 9, dimension)
    return points


@settings(max_examples=300, deadline=None)
@given(simplices(4, 3))
def test_tetrahedra_are_those_of_fractions(points: Any) -> None:
    """The squared radius is right to the tolerance, however flat; which corners lie inside is right, ties included."""
    right = sphere(points)
    assume(right is not None)
    assert right is not None
    found, corners = tetrahedron(points, 0, 1, 2, 3)
    assert abs(Fraction(float(found)) - right[0]) <= right[0] * Fraction(TOLERANCE)
    assert [bool(corners >> k & 1) for k in range(4)] == [weight <= 0 for weight in right[1]]


@pytest.mark.parametrize("dimension", [2, 3])
def test_triangles_are_those_of_fractions(dimension: int) -> None:
    """Likewise for triangles, in the plane and in space; angles at a corner are acute, right or obtuse exactly."""

    @settings(max_examples=200, deadline=None)
    @given(simplices(3, dimension))
    def check(points: Any) -> None:
        right = sphere(points)
        assume(right is not None)
        assert right is not None
        found = triangle(points, 0, 1, 2, axes_of(dimension))
        assert abs(Fraction(float(found)) - right[0]) <= right[0] * Fraction(TOLERANCE)
        for k, weight in enumerate(right[1]):
            i, j = (other for other in range(3) if other != k)
            assert dot_sign(points, k, i, j, axes_of(dimension)) == (weight > 0) - (weight < 0)

    check()


def test_known_spheres() -> None:
    """The corner of the unit cube has the cube's sphere, and the centre lies on its long facet's side only."""
    corner = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    assert tetrahedron(corner, 0, 1, 2, 3) == (0.75, 1)
    assert triangle(corner, 1, 2, 3, axes_of(3)) == pytest.approx(2 / 3, rel=1e-15)
    assert triangle(corner, 0, 1, 2, axes_of(3)) == 0.5
