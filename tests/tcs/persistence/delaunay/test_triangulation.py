"""The Delaunay triangulation: empty spheres in whole numbers, qhull, and the same cells for any number of threads."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.spatial import ConvexHull, Delaunay

pytest.importorskip("numba", reason="the kernels are compiled by numba")

from tcs.persistence.compute.team import Team
from tcs.persistence.delaunay import builder as delaunay_builder
from tcs.persistence.delaunay.hilbert import along_curve
from tcs.persistence.delaunay.triangulation import Triangulation, triangulate, triangulate_plane


def lattice(side: int, dimension: int) -> Any:
    """All points of a lattice: each cube of them lies on one sphere."""
    return np.array(list(itertools.product(range(side), repeat=dimension)), dtype=float)


def on_curve(points: Any) -> Any:
    """Distinct points as the triangulation wants them, in [0, 1)."""
    points = np.unique(np.asarray(points, dtype=float), axis=0)
    points /= 2.0 ** np.ceil(np.log2(np.abs(points).max() + 1))
    return points[along_curve(points, Team(1))]


def exact_determinants(matrices: Any) -> Any:
    """Of whole numbers (m, k, k) as Python's, by Laplace expansion."""
    size = matrices.shape[-1]
    if size == 1:
        return matrices[:, 0, 0]
    return sum(
        (-1) ** k * matrices[:, 0, k] * exact_determinants(np.delete(matrices[:, 1:], k, axis=2)) for k in range(size)
    )


def assert_delaunay(points: Any, found: Triangulation) -> None:
    """Cells are not flat, fill the hull, hold no point within their spheres; neighbours share their facet.

    Points must be whole multiples of 2^-20: determinants are taken in Python's whole numbers.
    """
    cells, beyond = found
    n, d = points.shape
    whole = np.rint(points * 2**20).astype(np.int64).astype(object)
    corners = whole[cells]
    volumes = exact_determinants(corners[:, 1:] - corners[:, :1])
    assert (volumes != 0).all()
    assert len(np.unique(cells)) == n
    assert sum(abs(volumes)) / 2 ** (20 * d) == pytest.approx(ConvexHull(points).volume * [1, 1, 2, 6][d], rel=1e-9)
    for p in range(n):
        sides = corners - whole[p]
        lifted = np.concatenate([sides, (sides**2).sum(axis=2, keepdims=True)], axis=2)
        # positive inside, for cells of positive volume: the sign alternates with the dimension
        assert not (exact_determinants(lifted) * volumes * (-1) ** d > 0).any()
    for cell, k in itertools.product(range(len(cells)), range(d + 1)):
        other = beyond[cell, k]
        facet = set(np.delete(cells[cell], k).tolist())
        sharing = sum(facet <= set(row) for row in cells.tolist()) if len(cells) < 300 else 2 - (other < 0)
        assert sharing == (1 if other < 0 else 2)
        if other >= 0:
            assert facet <= set(cells[other].tolist())
            assert cell in beyond[other]


@pytest.mark.parametrize(
    "points",
    [
        lattice(5, 2), lattice(3, 3), lattice(4, 3), np.eye(3)[[0, 1, 2, 2]] + [[0], [0], [0], [1]],
        np.concatenate([lattice(3, 3) * 8, lattice(3, 3) + 7]), lattice(4, 3)[lattice(4, 3).sum(axis=1) % 2 == 0],
    ],
)  # fmt: skip
def test_lattices_have_right_cells(points: Any) -> None:
    """Many points on one sphere, on one plane and on one line: still a triangulation without flat cells."""
    points = on_curve(points)
    found = triangulate(points)
    assert found is not None
    assert_delaunay(points, found)


@settings(max_examples=100, deadline=None)
@given(st.integers(2, 3), st.integers(4, 40), st.integers(1, 6), st.integers(0, 10**6))
def test_small_clouds_of_whole_numbers_have_right_cells(dimension: int, n: int, side: int, seed: int) -> None:
    """Whatever lies on a line, a plane or a sphere by chance; None exactly where all points lie on one hyperplane."""
    numbers = np.random.default_rng(seed).integers(0, side + 1, (n, dimension))
    points = on_curve(numbers) if numbers.any() else np.zeros((1, dimension))
    found = triangulate(points)
    spanned = np.linalg.matrix_rank(points[1:] - points[0]) if len(points) > 1 else 0
    assert (found is None) == (spanned < dimension)
    if found is not None:
        assert_delaunay(points, found)


@pytest.mark.parametrize("dimension", [2, 3])
@pytest.mark.parametrize("shape", ["uniform", "normal", "clumps"])
def test_cells_are_those_of_qhull(dimension: int, shape: str) -> None:
    """In general position there is one triangulation, and it is found."""
    rng = np.random.default_rng(5)
    points = rng.random((3000, dimension)) if shape == "uniform" else rng.normal(size=(3000, dimension))
    if shape == "clumps":
        points *= 10.0 ** -rng.integers(0, 4, 3000)[:, None]
    points = points[along_curve(points, Team(1))]
    found = triangulate(points)
    assert found is not None
    right = np.sort(Delaunay(points).simplices, axis=1)
    assert np.array_equal(found.cells, right[np.lexsort(right.T[::-1])])


@pytest.mark.parametrize("dimension", [2, 3])
@pytest.mark.parametrize("shape", ["uniform", "lattice", "clumps"])
def test_threads_do_not_change_the_cells(dimension: int, shape: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ranges of points side by side, their borders later, with rows that run out again and again: the same cells."""
    rng = np.random.default_rng(2)
    points = rng.random((4000, dimension))
    if shape == "clumps":
        points *= 10.0 ** -rng.integers(0, 4, 4000)[:, None]
    if shape == "lattice":
        points = lattice({2: 60, 3: 15}[dimension], dimension) / 64
    points = points[along_curve(points, Team(1))]
    alone = triangulate(points)
    assert alone is not None
    monkeypatch.setattr(delaunay_builder, "PART_POINTS", 100)
    monkeypatch.setattr(delaunay_builder, "ROWS", {2: 0.05, 3: 0.05})
    monkeypatch.setattr(delaunay_builder, "STRIDE", 64)
    told: list[tuple[int, int]] = []
    for threads in (2, 5):
        found = triangulate(points, threads, lambda done, total: told.append((done, total)))
        assert found is not None
        assert np.array_equal(found.cells, alone.cells)
        assert np.array_equal(found.beyond, alone.beyond)
    assert told[-1] == (len(points), len(points))


def test_points_of_a_plane_in_space_have_its_triangulation() -> None:
    """A slanted plane gives the cells of the same points in its own coordinates; a line gives none."""
    flat = np.random.default_rng(3).integers(0, 2**20, (400, 2)) / 2.0**22
    slanted = np.column_stack([flat, flat.sum(axis=1) * 0.5])
    assert triangulate(slanted) is None
    found = triangulate_plane(slanted)
    assert found is not None
    # circles of the slanted plane are ellipses of the other: stretched back, qhull sees the same circles
    across, along = flat[:, 0] - flat[:, 1], flat.sum(axis=1) * np.sqrt(1.5)
    right = np.sort(Delaunay(np.column_stack([across, along])).simplices, axis=1)
    assert np.array_equal(found.cells, right[np.lexsort(right.T[::-1])])
    assert triangulate_plane(np.arange(5.0)[:, None] / 8 * [1, 2, 3]) is None


def test_an_interrupt_ends_the_work() -> None:
    """Whoever raises in the progress callback is heard at once, and no thread goes on."""

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    points = np.random.default_rng(0).random((3000, 3))
    with pytest.raises(KeyboardInterrupt):
        triangulate(points[along_curve(points, Team(1))], 2, stop)
