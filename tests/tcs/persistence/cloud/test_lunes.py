"""Relative neighbours and fillers, against lunes by their definition: every pair tried, ties in the total order."""

from __future__ import annotations

import itertools
from collections import defaultdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

pytest.importorskip("numba", reason="the engine's kernels are compiled by numba")

from clouds import SMALL, torus
from graphs import by_definition
from tcs.persistence.cloud import euclidean
from tcs.persistence.cloud.euclidean import EuclideanLunes
from tcs.persistence.cloud.lunes import RANKED
from tcs.persistence.compute.lanes import LANES
from tcs.persistence.compute.team import Team


def squares_between(points: Any, longest: float) -> dict[tuple[int, int], float]:
    """The square of each edge, added up in the order of the coordinates."""
    total = np.zeros((len(points), len(points)))
    for x in points.T:
        total += (x[:, None] - x[None]) ** 2
    return {(u, v): total[u, v] for u, v in itertools.combinations(range(len(points)), 2) if total[u, v] <= longest}


def check(points: Any, longest: float, threads: int = 1) -> Any:
    """What the function says that it returns; vertices are numbered in the order of the cells."""
    with Team(threads) as team:
        found = EuclideanLunes(np.ascontiguousarray(points, dtype=np.float64), longest, team)
        edges, lengths, fillers, times = found.classify(team)
    cloud = found.cells.points
    squares = squares_between(cloud, longest)
    pieces = by_definition(squares)
    assert edges.dtype == fillers.dtype == np.int32
    pairs = [tuple(edge) for edge in edges.tolist()]
    assert set(pairs) == {edge for edge, parts in pieces.items() if not parts}
    assert lengths.tolist() == [squares[edge] for edge in pairs]
    rank = [(u, length) for (u, _), length in zip(pairs, lengths.tolist(), strict=True)]
    assert rank == sorted(rank), "not sorted by (u, length)"
    assert len(set(pairs)) == len(pairs)
    of_edge = defaultdict(list)
    for (u, v, w, x), time in zip(fillers.tolist(), times.tolist(), strict=True):
        assert time == squares[u, v]
        of_edge[u, v].append((w, x))
    assert of_edge.keys() == {edge for edge, parts in pieces.items() if len(parts) > 1}

    def sides(edge: tuple[int, int], w: int) -> float:
        return max(squares[min(end, w), max(end, w)] for end in edge)

    for edge, found_pairs in of_edge.items():
        parts = pieces[edge]
        (first,) = {w for w, _ in found_pairs}
        chosen = [first] + [x for _, x in found_pairs]
        assert sorted(next(i for i, part in enumerate(parts) if w in part) for w in chosen) == list(range(len(parts)))
        for w in chosen:
            part = next(part for part in parts if w in part)
            assert sides(edge, w) == min(sides(edge, other) for other in part)
        assert sides(edge, first) == min(sides(edge, w) for w in chosen)
    return edges, lengths, fillers, times


@pytest.mark.parametrize("share", [0.2, 0.5, 1])
@pytest.mark.parametrize("name", SMALL)
def test_small_clouds(name: str, share: float) -> None:
    """Exact ties, ties but for the eighth digit, duplicates, clumps and tails, at lengths that are there."""
    squares = sorted(squares_between(SMALL[name], np.inf).values())
    check(SMALL[name], squares[int(share * (len(squares) - 1))])


@settings(deadline=None, max_examples=150)
@given(
    st.integers(0, 2**32), st.integers(1, 6), st.integers(1, 16), st.integers(1, 4),
    st.sampled_from([0, 1e-12, 1e-8, 1e-7, 1e-4, 1]), st.sampled_from([1e-9, 1 / 3, 1e6]),
)  # fmt: skip
def test_lattices_that_are_nearly_exact(
    seed: int, dimension: int, n: int, values: int, noise: float, scale: float
) -> None:
    """Noise from none to as much as the lattice: float32 doubts, float64 decides."""
    rng = np.random.default_rng(seed)
    points = scale * (rng.integers(0, values, (n, dimension)) + noise * rng.normal(size=(n, dimension)))
    squares = squares_between(points, np.inf)
    check(points, float(rng.choice(list(squares.values()))) if squares else 1.0)


@pytest.mark.parametrize("kind", ["even", "plane", "lattice", "shell", "one length"])
def test_many_neighbours(kind: str) -> None:
    """More than are ranked by counting, in several blocks, in buckets that are even, crowded, or one."""
    rng = np.random.default_rng(3)
    n = 3 * RANKED
    points = {
        "even": rng.random((n, 3)),
        "plane": np.column_stack([rng.random((n, 2)), np.zeros(n)]),
        "lattice": np.indices((5, 5, 5)).reshape(3, -1).T.astype(np.float64),
        "shell": (directions := rng.normal(size=(n, 3))) / np.linalg.norm(directions, axis=1)[:, None],
        # unit vectors along n axes would be needed for all lengths to be equal; here all but a few are duplicates
        "one length": np.repeat(np.eye(3), RANKED, axis=0),
    }[kind]
    assert len(points) - 1 > max(RANKED, 2 * LANES)
    check(points, 12.0 if kind == "lattice" else 4.0)


def test_lengths_of_every_size() -> None:
    """Edges a millionth as long as the longest, for which float32 would have no margin."""
    rng = np.random.default_rng(4)
    clump = 1e-7 * rng.integers(0, 4, (30, 3))
    check(np.concatenate([clump, rng.random((20, 3)), clump + [0.5, 0, 0]]), 3.0)


def test_no_edges_and_one_point() -> None:
    """Empty arrays of the right shapes."""
    for points in (np.zeros((1, 3)), np.arange(6.0).reshape(2, 3)):
        edges, lengths, fillers, times = check(points, 1.0)
        assert (edges.shape, lengths.shape, fillers.shape, times.shape) == ((0, 2), (0,), (0, 4), (0,))


def test_parts_and_threads_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Arrays have the same bytes, in the same order, from one part and from many, on one thread and on three."""
    points = torus(4_000)
    found = []
    for size, threads in ((10**6, 1), (300, 1), (300, 3)):
        monkeypatch.setattr(euclidean, "PART_POINTS", size)
        with Team(threads) as team:
            found.append(EuclideanLunes(points, 0.04, team).classify(team))
    for other in found[1:]:
        assert all(np.array_equal(one, two) for one, two in zip(found[0], other, strict=True))


@pytest.mark.parametrize("name", [*SMALL, "one point", "equal points"])
def test_a_threshold_beyond_the_cloud_leaves_float32_its_digits(name: str) -> None:
    """Lengths are scaled by the longest that can be, so none is too short to be settled in float32 for that alone."""
    points = {"one point": np.zeros((1, 3)), "equal points": np.ones((70, 3))}.get(name, SMALL.get(name))
    assert points is not None
    with Team(1) as team:
        found, right = (EuclideanLunes(points, longest, team) for longest in (1e70, 1e7))
        farthest = max(squares_between(points, np.inf).values(), default=0.0)
        assert farthest <= found.longest <= max(3.001 * farthest, 1e-299)
        for one, other in zip(found.classify(team), right.classify(team), strict=True):
            assert np.array_equal(one, other)
