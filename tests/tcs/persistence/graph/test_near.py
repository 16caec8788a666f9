"""Pairs of points within a distance: the same whichever way they are found."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

pytest.importorskip("numba", reason="the engine's kernels are compiled by numba")

from tcs.persistence.compute.team import Team
from tcs.persistence.graph import metrics, near

METRICS = list(metrics.METRICS)


def by_definition(points: Any, longest: float, metric: str) -> dict[tuple[int, int], float]:
    """Every pair within a distance, its key added up coordinate by coordinate."""
    found = {}
    for a in range(len(points)):
        for b in range(a + 1, len(points)):
            total = 0.0
            for x, y in zip(points[a].tolist(), points[b].tolist(), strict=True):
                apart = abs(x - y)
                apart = apart * apart if metric == "euclidean" else apart
                total = max(total, apart) if metric == "chebyshev" else total + apart
            if total <= longest:
                found[a, b] = total
    return found


def searched(points: Any, longest: float, metric: str, threads: int = 1) -> dict[tuple[int, int], float]:
    with Team(threads) as team:
        low, high, keys = near.near_pairs(points, longest, metric, np.empty(0, np.int32), team)
    assert low.dtype == high.dtype == np.int32
    found = dict(zip(zip(low.tolist(), high.tolist(), strict=True), keys.tolist(), strict=True))
    assert len(found) == len(keys)
    return found


def without_cone(pairs: dict[tuple[int, int], float], n: int) -> dict[tuple[int, int], float]:
    """Pairs up to the least radius of a cone, below which no search may stop."""
    largest = [max((k for p, k in pairs.items() if v in p), default=0.0) for v in range(n)]
    return {pair: key for pair, key in pairs.items() if key <= min(largest, default=0.0)}


CLOUDS = {
    "even": lambda rng, d: rng.random((90, d)),
    "lattice": lambda rng, d: rng.integers(0, 3, (90, d)).astype(float),
    "far away": lambda rng, d: 1e6 + rng.random((90, d)),
    "two far clumps": lambda rng, d: rng.random((90, d)) + 1e9 * (np.arange(90) % 2)[:, None],
    "scales": lambda rng, d: rng.normal(size=(90, d)) * 10.0 ** rng.integers(-12, 3, (90, 1)),
}


@pytest.mark.parametrize("route", ["tiles", "tree"])
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("dimension", [1, 3, 5, 40])
@pytest.mark.parametrize("cloud", CLOUDS)
def test_the_pairs_are_those_of_the_definition(
    route: str, metric: str, dimension: int, cloud: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keys are equal bit for bit, the threshold hits one of them exactly, and a call takes fewer points than all."""
    if route == "tree":
        monkeypatch.setattr(near, "TREE_POINTS", 0)
        monkeypatch.setattr(near, "TREE_DIMENSION", 100)
    points = CLOUDS[cloud](np.random.default_rng(dimension), dimension)
    every = by_definition(points, np.inf, metric)
    kept = sorted(without_cone(every, len(points)).values())
    for longest in (kept[len(kept) // 10], kept[len(kept) // 2], kept[-1]):
        assert searched(points, longest, metric) == {p: k for p, k in every.items() if k <= longest}


@pytest.mark.parametrize("route", ["tiles", "tree"])
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("exponent", [-540, -537, -530, -500, -450, -70, 70, 500])
def test_scaling_by_a_power_of_two_scales_the_keys(
    route: str, metric: str, exponent: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither large nor small coordinates lose a pair, down to where squares themselves are rounded."""
    if route == "tree":
        monkeypatch.setattr(near, "TREE_POINTS", 0)
    points = np.random.default_rng(0).random((40, 4))
    power = exponent * (1 + (metric == "euclidean"))
    every = by_definition(points, np.inf, metric)
    longest = sorted(every.values())[200]
    found = searched(np.ldexp(points, exponent), np.ldexp(longest, power), metric)
    if power < -1022:
        assert found == by_definition(np.ldexp(points, exponent), np.ldexp(longest, power), metric)
        assert found
    else:
        assert found == {p: np.ldexp(k, power) for p, k in every.items() if k <= longest}


@pytest.mark.parametrize("metric", METRICS)
def test_pairs_whose_key_overflows_are_no_pairs(metric: str) -> None:
    """Two clumps that are farther apart than numbers reach; no warning, and the near pairs are found."""
    points = np.array([[1e308, 0.0], [1e308, 1.0], [-1e308, 0.0], [-1e308, 2.0]])
    assert searched(points, np.finfo(np.float64).max, metric) == {
        (0, 1): 1.0, (2, 3): 4.0 if metric == "euclidean" else 2.0,
    }  # fmt: skip


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("n", [0, 1, 2, 3])
@pytest.mark.parametrize("dimension", [0, 1, 9])
def test_few_points_of_few_coordinates(metric: str, n: int, dimension: int) -> None:
    """No point, one, and points that all coincide."""
    pairs = {(a, b): 0.0 for a in range(n) for b in range(a + 1, n)}
    assert searched(np.ones((n, dimension)), 0.0, metric) == pairs


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("n", [near.LANES, near.LANES + 1, near.LANES + 2, near.TILE_COLUMNS + 1])
def test_no_point_is_lost_at_the_end_of_a_tile(metric: str, n: int) -> None:
    """One more point than fits, and the first and the last one coincide."""
    points = np.arange(n, dtype=float)[:, None] * [1.0, 0.0]
    points[-1] = 0
    pairs = {(v, v + 1): 1.0 for v in range(n - 2)} | {(0, n - 1): 0.0, (1, n - 1): 1.0}
    assert searched(points, 1.0, metric) == pairs


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 2**32), st.integers(2, 40), st.integers(1, 12), st.integers(-3, 3), st.sampled_from(METRICS),
    st.integers(1, 3),
)  # fmt: skip
def test_no_pair_is_lost_and_none_is_made_up(
    seed: int, n: int, dimension: int, skew: int, metric: str, threads: int
) -> None:
    """Coordinates of very different sizes, some rounded to coarse steps; any number of threads."""
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(n, dimension)) * 10.0 ** (skew * rng.integers(0, 3, dimension))
    points[: n // 2] = np.round(points[: n // 2], 1)
    every = by_definition(points, np.inf, metric)
    longest = float(rng.choice(sorted(without_cone(every, n).values())))
    assert searched(points, longest, metric, threads) == {p: k for p, k in every.items() if k <= longest}


@pytest.mark.parametrize("metric", METRICS)
def test_many_points_fill_several_tiles(metric: str) -> None:
    """More points than a tile has columns, by whole arrays of sums in the order of the coordinates."""
    points = np.random.default_rng(4).random((near.TILE_COLUMNS * 2 + 77, 6))
    keys = np.zeros((len(points), len(points)))
    for x in points.T:
        apart = np.abs(x[:, None] - x[None])
        keys = np.maximum(keys, apart) if metric == "chebyshev" else keys + apart ** (1 + (metric == "euclidean"))
    low, high = np.triu_indices(len(points), 1)
    lengths = keys[low, high]
    longest = np.partition(lengths, 20_000)[20_000]
    inside = lengths <= longest
    expected = zip(zip(low[inside].tolist(), high[inside].tolist(), strict=True), lengths[inside].tolist(), strict=True)
    assert searched(points, longest, metric, 2) == dict(expected)


def test_single_precision_is_taken_only_where_its_margin_is_small() -> None:
    """Pairs at a distance of 1e-3 in a cloud of size 1 are found among those that float32 could not tell apart."""
    rng = np.random.default_rng(3)
    points = np.repeat(rng.random((30, 50)), 3, axis=0) + rng.normal(0, 1e-4, (90, 50))
    longest = float(np.median(list(by_definition(points[:3], np.inf, "euclidean").values())))
    assert searched(points, longest, "euclidean") == by_definition(points, longest, "euclidean")
