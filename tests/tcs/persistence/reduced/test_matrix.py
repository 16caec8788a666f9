"""The pairs of a filtration: forest, rows, columns and their partners, counted and ordered as they say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba", reason="the engine's kernels are compiled by numba")

from clouds import SMALL, torus
from reference import bars, lengths
from tcs.persistence.cloud import euclidean
from tcs.persistence.cloud.euclidean import EuclideanLunes
from tcs.persistence.cloud.lengths import longest_square, rounded
from tcs.persistence.compute.clock import Clock
from tcs.persistence.compute.team import Team
from tcs.persistence.reduced import matrix


def pairs_of(points: Any, threshold: float, threads: int = 1) -> tuple[matrix.Pairs, EuclideanLunes, Clock]:
    clock = Clock()
    with Team(threads) as team:
        lunes = EuclideanLunes(points, longest_square(threshold), team)
        return matrix.reduce_lunes(lunes, team, clock), lunes, clock


@pytest.mark.parametrize("name", SMALL)
def test_every_pair_makes_a_bar_of_the_textbook(name: str) -> None:
    """Trees end components, rows open loops, columns close them; what is left is of length zero."""
    points = SMALL[name]
    distances = lengths(points)
    threshold = float(np.median(distances))
    pairs, lunes, _ = pairs_of(points, threshold)
    right = bars(distances, threshold)
    ends = np.sort(rounded(pairs.lengths[pairs.in_forest]))
    assert np.array_equal(ends[ends > 0], right[0][np.isfinite(right[0][:, 1]), 1])
    assert lunes.n - len(pairs.tree) == np.isinf(right[0][:, 1]).sum()
    closed = pairs.paired >= 0
    births, deaths = rounded(pairs.births), np.full(len(closed), np.inf, dtype=np.float32)
    deaths[closed] = rounded(pairs.deaths)[pairs.paired[closed]]
    found = np.stack([births, deaths], axis=1)[births < deaths]
    assert np.array_equal(found[np.lexsort(found.T[::-1])], right[1])


def test_the_form_of_the_pairs() -> None:
    """Counts add up, lengths are those of the edges, and a partner is no one else's."""
    pairs, lunes, clock = pairs_of(torus(3_000), 0.25)
    cloud = lunes.cells.points
    found = ((pairs.edges, pairs.lengths), (pairs.rows, pairs.births), (pairs.fillers, pairs.deaths))
    for edges, squares in found:
        x, y, z = ((cloud[edges[:, 0]] - cloud[edges[:, 1]]) ** 2).T
        assert np.array_equal(squares, (x + y) + z)
    assert len(pairs.tree) + len(pairs.rows) == len(pairs.edges)
    partners = pairs.paired[pairs.paired >= 0]
    assert len(set(partners.tolist())) == len(partners)
    assert (pairs.deaths[partners] >= pairs.births[pairs.paired >= 0]).all()
    assert len(pairs.sizes) == len(pairs.fillers)
    assert pairs.sizes.sum() == len(pairs.entries)
    # a loop is closed by edges that come before its end
    column_of = np.repeat(np.arange(len(pairs.fillers)), pairs.sizes)
    assert (pairs.births[pairs.entries] <= pairs.deaths[column_of]).all()
    assert list(clock.stages) == ["lune", "forest", "sort", "push-down", "reduce"]


@pytest.mark.parametrize(("threads", "part"), [(1, 5), (3, 7), (2, 10**6)])
def test_parts_and_threads_change_nothing(threads: int, part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """All arrays have the same bytes."""
    points = torus(1_000)
    right, _, _ = pairs_of(points, 0.4)
    monkeypatch.setattr(euclidean, "PART_COLUMNS", part)
    monkeypatch.setattr(matrix, "LEAST_POINTS", 100)
    found, _, _ = pairs_of(points, 0.4, threads)
    for name in matrix.Pairs._fields:
        assert np.array_equal(getattr(found, name), getattr(right, name)), name


def test_rows_begin_where_their_vertex_does() -> None:
    """Vertices without an edge begin where the next one does."""
    edges = np.array([[1, 2], [1, 4], [3, 4]], dtype=np.int32)
    assert matrix.starts_of_rows(5, edges).tolist() == [0, 0, 2, 2, 3, 3]


def test_rows_are_numbered() -> None:
    """In the order of the edges, those of the forest left out."""
    number, births = matrix.number_rows(
        np.array([True, False, False, True]), np.array([1.0, 4.0, 2.0, 3.0]), np.empty(0, dtype=np.int32)
    )
    assert number.tolist() == [-1, 0, 1, -1]
    assert number.dtype == np.int32
    assert births.tolist() == [4.0, 2.0]


def test_cuts_at_borders() -> None:
    """Rows and columns begin with the first one from a border on; behind the last of them is the end."""
    number = np.array([-1, 0, 1, -1, -1], dtype=np.int32)
    fillers = np.array([[0, 1, 2, 3], [2, 3, 0, 1], [2, 4, 0, 1]], dtype=np.int32)
    row_starts = np.array([0, 1, 1, 3, 4, 5])
    found = matrix.cut(np.array([0, 1, 2, 3, 5]), row_starts, number, fillers, np.array([2, 3]))
    assert found.tolist() == [[0, 0], [0, 1], [0, 1], [2, 3], [2, 3]]
