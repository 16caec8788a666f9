"""Values of the alpha filtration: held against the smallest empty spheres, found among all in fractions."""

from __future__ import annotations

import itertools
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from exact_spheres import circumcentre, distance, exact

pytest.importorskip("numba", reason="the kernels are compiled by numba")

from tcs.persistence.alpha_shapes.filtration import (
    cell_values,
    edge_values,
    facet_name,
    facet_values,
)
from tcs.persistence.compute.kernels import axes_of
from tcs.persistence.compute.team import Team
from tcs.persistence.delaunay.hilbert import along_curve
from tcs.persistence.delaunay.triangulation import Triangulation, triangulate


def empty_spheres(points: Any) -> dict[tuple[int, ...], Fraction]:
    """The squared radius of the smallest sphere through each simplex with no point inside, for those that have one.

    It is the smallest circumscribed sphere of the simplex or of one that contains it.
    """
    n, d = points.shape
    corner = exact(points)
    least: dict[tuple[int, ...], Fraction] = {}
    for size in range(1, d + 2):
        for corners in itertools.combinations(range(n), size):
            centre = circumcentre([corner[c] for c in corners])
            if centre is None:
                continue
            square = distance(centre, corner[corners[0]])
            if all(distance(centre, point) >= square for point in corner):
                for part in itertools.chain.from_iterable(
                    itertools.combinations(corners, k) for k in range(1, size + 1)
                ):
                    least[part] = min(least.get(part, square), square)
    return least


def filtration(points: Any) -> tuple[Triangulation, dict[tuple[int, ...], float]]:
    """All values that the kernels give, by vertices; in space edges may have theirs from their filler."""
    found = triangulate(points)
    assert found is not None
    cells, beyond = found
    m, corners = cells.shape
    axes = axes_of(corners - 1)
    values, inside, facets = np.empty(m), np.empty(m, dtype=np.uint8), np.empty((m, corners))
    # in parts, as threads do it
    for first in range(0, m, 3):
        cell_values(points, cells, first, min(first + 3, m), values, inside, axes)
    for first in range(0, m, 3):
        facet_values(points, cells, beyond, first, min(first + 3, m), values, inside, facets, axes)
    of: dict[tuple[int, ...], float] = {}
    for cell in range(m):
        of[tuple(cells[cell].tolist())] = values[cell]
        for k in range(corners):
            facet = tuple(np.delete(cells[cell], k).tolist())
            assert of.setdefault(facet, facets[cell, k]) == facets[cell, k]
    if corners == 4:
        for first in range(0, m, 3):
            parts = edge_values(points, cells, beyond, first, min(first + 3, m), facets, axes)
            edges = [tuple(row) for row in np.concatenate([parts[0], parts[2]]).tolist()]
            fillers = [facets[name // 4, name % 4] for name in parts[3]]
            for name in parts[3]:
                assert facet_name(beyond, name // 4, name % 4) == name
            for edge, value in zip(edges, [*parts[1].tolist(), *fillers], strict=True):
                assert edge not in of, "an edge belongs to one cell"
                of[edge] = value
    return found, of


@pytest.mark.parametrize("dimension", [2, 3])
def test_values_are_those_of_the_smallest_empty_spheres(dimension: int) -> None:
    """Every simplex of the triangulation, each once, with its value; points on spheres and right angles included."""

    @settings(max_examples=25, deadline=None)
    @given(st.integers(dimension + 1, 9), st.sampled_from(["random", "lattice", "tenths"]), st.integers(0, 10**6))
    def check(n: int, kind: str, seed: int) -> None:
        rng = np.random.default_rng(seed)
        points: Any = rng.random((n, dimension))
        if kind != "random":
            points = rng.integers(0, 3, (n, dimension)) * {"lattice": 0.25, "tenths": 0.1}[kind]
        points = np.unique(points, axis=0)
        points = points[along_curve(points, Team(1))]
        if len(points) <= dimension or np.linalg.matrix_rank(points[1:] - points[0]) < dimension:
            return
        found, values = filtration(points)
        right = empty_spheres(points)
        lowest = 2
        for size in range(lowest, dimension + 2):
            simplices = {part for row in found.cells.tolist() for part in itertools.combinations(row, size)}
            assert simplices == {simplex for simplex in values if len(simplex) == size}
        for simplex, value in values.items():
            assert value == pytest.approx(float(right[simplex]), rel=1e-11)
            # exactly: a filtration has no simplex before its faces
            for face in itertools.combinations(simplex, len(simplex) - 1):
                assert values.get(face, 0.0) <= value

    check()
