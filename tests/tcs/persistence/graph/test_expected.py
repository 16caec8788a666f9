"""What is told before edges are found: how many there are, the longest that matters, and that it will take long."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist

pytest.importorskip("numba", reason="the engine's kernels are compiled by numba")

from clouds import SMALL, by_grid
from reference import lengths
from tcs.persistence import rips
from tcs.persistence.cloud.cells import LEAST_LONGEST
from tcs.persistence.errors import SlowWarning
from tcs.persistence.graph import expected
from tcs.persistence.graph.metrics import METRICS, key_of

INF = np.inf
SCIPY = {"euclidean": "sqeuclidean", "cityblock": "cityblock", "chebyshev": "chebyshev"}
_RNG = np.random.default_rng(3)
MANY = {
    "cube": _RNG.random((20_000, 3)),
    "clumps": _RNG.integers(0, 5, (20_000, 2)) + _RNG.normal(0, 0.03, (20_000, 2)),
    "copies": np.repeat(_RNG.random((500, 3)), 40, axis=0),
}


@pytest.mark.parametrize("metric", SCIPY)
@pytest.mark.parametrize("n", [0, 1, 2, 7, 200])
def test_the_edges_of_few_points_are_counted(metric: str, n: int) -> None:
    """Equality included: lattices have many lengths that are the threshold."""
    points = np.random.default_rng(n).integers(0, 6, (n, 5)).astype(float)
    keys = cdist(points, points, SCIPY[metric])[np.triu_indices(n, 1)]
    assert expected.expected_edges(points, 9.0, metric) == (keys <= 9).sum()


@pytest.mark.parametrize("cloud", MANY)
def test_the_edges_of_many_points_are_estimated(cloud: str) -> None:
    """From some hundred thousand of the pairs, to a fifth; where none is near none is expected, else all."""
    points = MANY[cloud]
    for radius in (0.1, 0.3):
        right = len(cKDTree(points).query_pairs(radius, output_type="ndarray"))
        assert abs(expected.expected_edges(points, radius**2) - right) < right / 5
    assert expected.expected_edges(points, 100.0) == 20_000 * 19_999 // 2
    assert expected.expected_edges(MANY["cube"], 1e-12) == 0


@settings(deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 30), st.integers(1, 4), st.sampled_from(list(SCIPY)), st.booleans())
def test_no_edge_is_left_out_below_the_radius_of_a_cone(
    seed: int, n: int, dimension: int, metric: str, ties: bool
) -> None:
    """What is kept of the threshold is the longest key of some point's, whatever the threshold was."""
    rng = np.random.default_rng(seed)
    points = rng.integers(0, 4, (n, dimension)).astype(float) if ties else rng.standard_cauchy((n, dimension))
    code = METRICS[metric]
    farthest = [max(key_of(points, a, b, code, (0,) * dimension) for b in range(n)) or LEAST_LONGEST for a in range(n)]
    assert expected.longest_that_matters(points, INF, metric) in farthest
    below = 0.9 * min(farthest)
    assert expected.longest_that_matters(points, below, metric) == below


@pytest.mark.parametrize("name", SMALL)
def test_at_infinity_clouds_have_the_bars_of_their_matrix(name: str) -> None:
    """In all dimensions, one component that stays and nothing else; by the grid, whose edges end at a cone."""
    points = SMALL[name]
    found = by_grid(points, INF, max_dimension=2, threads=2)
    right = rips(lengths(points), threshold=INF, metric="precomputed", max_dimension=2)
    for bars, others in zip(found.bars, right.bars, strict=True):
        np.testing.assert_array_equal(bars, others)
    assert [int(np.isinf(bars[:, 1]).sum()) for bars in found.bars] == [1, 0, 0]


@pytest.mark.peers
@pytest.mark.parametrize("kind", ["cube", "square", "lattice", "copies", "heavy tails"])
def test_at_infinity_ripser_finds_the_same(kind: str) -> None:
    """It is given all pairs; a thousand points, in H0 and H1."""
    ripser = pytest.importorskip("ripser", reason="ripser.py is the peer")
    rng = np.random.default_rng(8)
    points = {
        "cube": rng.random((1_000, 3)),
        "square": rng.random((1_500, 2)),
        "lattice": np.indices((10, 10, 10)).reshape(3, -1).T.astype(float),
        "copies": np.repeat(rng.random((300, 3)), 3, axis=0),
        "heavy tails": rng.standard_cauchy((1_000, 3)),
    }[kind]
    right = ripser.ripser(lengths(points), distance_matrix=True, maxdim=1)["dgms"]
    for bars, others in zip(by_grid(points, INF, threads=2).bars, right, strict=True):
        others = others.astype(np.float32)
        others = others[others[:, 0] < others[:, 1]]
        np.testing.assert_array_equal(bars, others[np.lexsort((others[:, 1], others[:, 0]))])


def test_points_that_are_all_the_same() -> None:
    """The radius of their cone is 0, by which nothing is divided."""
    found = by_grid(np.ones((100, 3)), INF, max_dimension=2)
    assert found.bars[0].tolist() == [[0, INF]]


def test_very_many_edges_are_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the work, at the line that asked for it: how many, how long, and what to do; not below the limit."""
    points = np.random.default_rng(0).random((2_000, 2))
    every = 2_000 * 1_999 // 2
    monkeypatch.setattr(expected, "MANY_EDGES", every // 4)
    monkeypatch.setattr(expected, "SECONDS_AN_EDGE", 7200 / every)
    monkeypatch.setattr(expected, "SECONDS_AN_EDGE_IN_H2", 1e6 * 7200 / every)
    with pytest.warns(SlowWarning, match=r"2,000 points will have some 1\.\de\+06 edges.* some \d\d minutes or more"):
        found = by_grid(points, INF, threads=1)
    assert len(found.bars) == 2
    monkeypatch.setattr(expected, "MANY_EDGES", 1000)
    with pytest.warns(SlowWarning, match=r"some \d+ days or more \(threads: 3\).*smaller threshold") as told:
        rips_of_many(points, threads=3)
    assert told[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        by_grid(points, 0.01)
        monkeypatch.setattr(expected, "MANY_EDGES", every)
        by_grid(points, INF)


def rips_of_many(points: Any, threads: int) -> Any:
    """H2 of all edges, asked for from this file."""
    from unittest.mock import patch

    from tcs.persistence import vietoris_rips

    with patch.object(vietoris_rips, "MOST_DENSE", 0):
        return rips(points[:400], threshold=INF, max_dimension=2, threads=threads)


def test_durations_in_words() -> None:
    """In the largest unit of which there are two."""
    words = {1.4: "1 seconds", 119: "119 seconds", 120: "2 minutes", 7199: "120 minutes", 7200: "2 hours"}
    for seconds, right in {**words, 2 * 86400: "2 days", 1e7: "116 days"}.items():
        assert expected.duration(seconds) == f"some {right}"


def test_a_sample_is_of_the_points_and_the_same_each_time() -> None:
    """Few points are all taken; of many no more than the coordinates of their pairs allow."""
    few = np.random.default_rng(0).random((expected.LEAST_SAMPLE, 1000))
    assert expected.sample_of(few) is few
    many = np.arange(3_000_000.0).reshape(-1, 3)
    sample = expected.sample_of(many)
    np.testing.assert_array_equal(sample, expected.sample_of(many))
    assert 0.9 * math.isqrt(2 * expected.COORDINATES // 3) < len(sample) < math.isqrt(2 * expected.COORDINATES // 3) + 1
    assert (sample[:, 0] % 3 == 0).all()
