"""Boundaries pushed down among points: what comes out differs from what went in by triangles that came before."""

from __future__ import annotations

import itertools
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

pytest.importorskip("numba", reason="the engine's kernels are compiled by numba")

from clouds import SMALL
from tcs.persistence.cloud import euclidean
from tcs.persistence.cloud.descent import nearest_in_lune, toggle
from tcs.persistence.cloud.euclidean import EuclideanLunes
from tcs.persistence.compute.kernels import kernel
from tcs.persistence.compute.team import Team


def columns(points: Any, longest: float, part: int = 10**6) -> Any:
    """The columns of all fillers as sets of edges, no edge left out; with the fillers and the squares of all edges."""
    with Team(1) as team:
        lunes = EuclideanLunes(np.ascontiguousarray(points, dtype=np.float64), longest, team)
        edges, lengths, fillers, _ = lunes.classify(team)
    row_starts = np.searchsorted(edges[:, 0], np.arange(lunes.n + 1))
    number = np.arange(len(edges), dtype=np.int32)
    found = []
    with patch.object(euclidean, "PART_COLUMNS", part), Team(1) as team:
        entries, sizes = lunes.columns(edges, lengths, row_starts, number, fillers, team)
    assert len(sizes) == len(fillers)
    for rows in np.split(entries, np.cumsum(sizes))[:-1]:
        assert len(set(rows.tolist())) == len(rows), "a row stands twice in a column"
        found.append({tuple(edge) for edge in edges[rows].tolist()})
    total = np.zeros((lunes.n, lunes.n))
    for x in lunes.cells.points.T:
        total += (x[:, None] - x[None]) ** 2
    squares = {e: total[e] for e in itertools.combinations(range(lunes.n), 2) if total[e] <= longest}
    return found, fillers.tolist(), squares


def bounds(chain: set[tuple[int, int]], before: dict[tuple[int, int], int]) -> bool:
    """Whether a chain of edges is a sum of triangles of the edges in ``before``: elimination on whole numbers' bits."""
    vertices = sorted({v for edge in before for v in edge})
    basis: dict[int, int] = {}

    def rest(bits: int) -> int:
        while bits and bits.bit_length() in basis:
            bits ^= basis[bits.bit_length()]
        return bits

    for triangle in itertools.combinations(vertices, 3):
        sides = list(itertools.combinations(triangle, 2))
        if all(side in before for side in sides) and (bits := rest(sum(1 << before[side] for side in sides))):
            basis[bits.bit_length()] = bits
    return all(edge in before for edge in chain) and not rest(sum(1 << before[edge] for edge in chain))


def check(points: Any, longest: float, part: int = 10**6) -> int:
    found, fillers, squares = columns(points, longest, part)
    assert len(found) == len(fillers)
    order = sorted(squares, key=lambda edge: (squares[edge], edge))
    for column, (u, v, w, x) in zip(found, fillers, strict=True):
        before = {edge: place for place, edge in enumerate(order[: order.index((u, v))])}
        sides = {(min(a, b), max(a, b)) for a in (u, v) for b in (w, x)}
        assert bounds(column ^ sides, before)
    return len(found)


@pytest.mark.parametrize("name", ["octahedron", "nearly equilateral", "even", "duplicates", "clusters", "heavy tails"])
def test_small_clouds(name: str) -> None:
    """Each column is homologous to the sides of its two triangles, in the complex of the edges before theirs."""
    check(SMALL[name], 2.0)


def test_there_is_something_to_push_down() -> None:
    """The loops of a lattice are filled at the diagonals of its squares."""
    assert check(np.indices((4, 4, 2)).reshape(3, -1).T.astype(float), 2.0, part=5) == 33


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32), st.integers(1, 6), st.integers(4, 13), st.sampled_from([2, 3, 10**6]), st.integers(1, 5))
def test_clouds_with_and_without_ties(seed: int, dimension: int, n: int, values: int, part: int) -> None:
    """In any dimension, in calls for a few fillers each."""
    points = np.random.default_rng(seed).integers(0, values, (n, dimension)).astype(float)
    check(points, float((np.ptp(points, axis=0) ** 2).sum()), part)


def test_a_side_that_takes_many_steps() -> None:
    """A long edge is cut near its far end, over and over, so that more steps wait than there was room for.

    The sides of any two triangles on a line cancel edge by edge.
    """
    points = np.append(-(2.0 ** np.arange(80, -1, -1)), 0.0).reshape(-1, 1)
    last = len(points) - 1
    with Team(1) as team:
        lunes = EuclideanLunes(points, 4.0**80, team)
        edges, lengths, fillers, _ = lunes.classify(team)
        assert lunes.order.tolist() == list(range(last + 1))
        assert edges.tolist() == [[v, v + 1] for v in range(last)]
        assert len(fillers) == 0
        made_up = np.array([[0, last, 1, last - 1]], dtype=np.int32)
        row_starts = np.searchsorted(edges[:, 0], np.arange(last + 2))
        found, sizes = lunes.columns(edges, lengths, row_starts, np.arange(last, dtype=np.int32), made_up, team)
    assert sizes.tolist() == [0]
    assert len(found) == 0


def test_a_row_added_twice_is_gone() -> None:
    """Addition over Z/2, only within the column."""
    entries = np.array([7, 1, 2, 3, 0], dtype=np.int32)
    assert toggle(entries, 1, 4, 7) == 5
    assert entries.tolist() == [7, 1, 2, 3, 7]
    assert toggle(entries, 1, 5, 2) == 4
    assert sorted(entries[1:4].tolist()) == [1, 3, 7]


@settings(deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([0.0, 1e-15, 1e-9, 1e-7, 1.0]), st.sampled_from([0.0, 1e3]))
def test_a_vertex_is_in_the_lune_where_float32_cannot_tell(seed: int, noise: float, away: float) -> None:
    """Among sides or coordinates that agree in float32 it is one of the lune, and there is one if that has any."""
    rng = np.random.default_rng(seed)
    angles = np.append([0, np.pi / 3], rng.uniform(-1, 2, 8))
    points = np.stack([np.cos(angles), np.sin(angles), np.zeros(10)], axis=1)
    points = np.concatenate([[[0.0, 0, 0]], points]) + away + noise * rng.normal(size=(11, 3))
    with Team(1) as team:
        lunes = EuclideanLunes(points, 9.0, team)
    cells, n = lunes.cells, lunes.n
    total = np.zeros((n, n))
    for x in cells.points.T:
        total += (x[:, None] - x[None]) ** 2
    gaps = np.zeros((2, cells.low.shape[1]), np.float32)
    cell_of = cells.of_points()
    for a, b in itertools.combinations(range(n), 2):
        found = chosen(
            cells.points, lunes.places, cells.low, cells.high, lunes.grid.axes[:-1], cell_of[a], gaps, a, b, lunes.axes
        )
        length = (total[a, b], a, b)
        lune = {
            w for w in set(range(n)) - {a, b}
            if (total[a, w], min(a, w), max(a, w)) < length and (total[b, w], min(b, w), max(b, w)) < length
        }  # fmt: skip
        assert found in lune if lune else found == -1


@kernel
def chosen(
    points: Any, places: Any, low: Any, high: Any, grid: Any, cell: int, gaps: Any, a: int, b: int, axes: Any
) -> int:
    """What push-down takes for the edge ab."""
    return nearest_in_lune(points, places, low, high, grid, cell, gaps, a, b, axes)
