"""Many clouds at once have the bars that each has alone, to the bit."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra.numpy import arrays

pytest.importorskip("numba", reason="the engine's kernels are compiled by numba")

from clouds import SMALL
from reference import bars, lengths
from tcs.persistence import Barcode, rips, rips_batch
from tcs.persistence.errors import DeviceError, InputError, MemoryForecastError


def assert_same(found: list[Barcode], clouds: Any, threshold: float, max_dimension: int = 1) -> None:
    assert len(found) == len(clouds)
    for here, cloud in zip(found, clouds, strict=True):
        there = rips(cloud, threshold=threshold, max_dimension=max_dimension)
        assert here.n_points == len(cloud)
        assert here.threshold == threshold
        assert len(here.bars) == max_dimension + 1
        for d in range(max_dimension + 1):
            np.testing.assert_array_equal(here.bars[d], there.bars[d], err_msg=f"H{d}")
            assert here.bars[d].dtype == np.float32


@pytest.mark.parametrize("dimension", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("threshold", [0.0, 0.2, 0.5, math.inf])
def test_clouds_of_every_size(dimension: int, threshold: float) -> None:
    rng = np.random.default_rng(dimension)
    clouds = [rng.random((n, dimension)) + 10 * n for n in (50, 0, 1, 2, 120, 3, 0, 7)]
    assert_same(rips_batch(clouds, threshold=threshold), clouds, threshold)
    assert_same(rips_batch(clouds, threshold=threshold, max_dimension=0), clouds, threshold, 0)


def test_an_array_of_clouds_on_any_number_of_threads() -> None:
    clouds = np.random.default_rng(1).normal(size=(40, 60, 3))
    for threads in (1, 2, 3):
        assert_same(rips_batch(clouds, threshold=0.7, threads=threads), clouds, 0.7)


def test_the_textbook_on_small_clouds() -> None:
    """Clouds made to mislead, those of one dimension together, without a threshold."""
    for dimension in {points.shape[1] for points in SMALL.values()} - {12, 13, 20}:
        clouds = [points for points in SMALL.values() if points.shape[1] == dimension]
        for found, points in zip(rips_batch(clouds, threshold=math.inf), clouds, strict=True):
            for here, there in zip(found.bars, bars(lengths(points), math.inf), strict=True):
                np.testing.assert_array_equal(here, there)


@given(
    clouds=st.lists(
        arrays(np.int64, st.tuples(st.integers(0, 9), st.just(2)), elements=st.integers(-3, 3)), min_size=1, max_size=6
    ),
    threshold=st.sampled_from([0.0, 1.0, 1.5, 2.3, math.inf]),
)
@settings(deadline=None, max_examples=60)
def test_lattices_full_of_ties_and_duplicates(clouds: list[Any], threshold: float) -> None:
    assert_same(rips_batch(clouds, threshold=threshold), clouds, threshold)


def test_nothing_to_do() -> None:
    assert rips_batch([], threshold=1.0) == []
    found = rips_batch([np.empty((0, 3)), np.empty((0, 3))], threshold=1.0)
    assert [each.n_points for each in found] == [0, 0]


@pytest.mark.parametrize(
    ("clouds", "more", "words"),
    [
        ([np.zeros((2, 2)), np.zeros((2, 3))], {}, r"clouds\[1\]: has 3 coordinates and the first cloud 2"),
        ([np.zeros((2, 2)), [[0.0, math.nan]]], {}, r"clouds\[1\]: points: 1 of them are not finite"),
        ([np.zeros((2, 12))], {}, r"clouds: 12 coordinates are too many for a batch, up to 11"),
        ([np.zeros((2, 2))], {"max_dimension": 2}, r"batches are for dimensions 0 and 1"),
        ([np.zeros((2, 2))], {"backend": "tpu"}, r"backend: 'tpu'"),
        (np.zeros((3, 2)), {}, r"clouds\[0\]: points: a cloud has shape \(n, d\)"),
    ],
)
def test_what_cannot_be_meant(clouds: Any, more: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        rips_batch(clouds, threshold=1.0, **more)


def test_memory_is_forecast() -> None:
    with pytest.raises(MemoryForecastError, match="20 points"):
        rips_batch(np.zeros((2, 10, 2)), threshold=1.0, memory_limit=1)


def test_a_gpu_that_is_asked_for_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from tcs.persistence.cuda import backend

    monkeypatch.setitem(sys.modules, "cupy", None)
    backend.tried.cache_clear()
    with pytest.raises(DeviceError, match="CuPy"):
        rips_batch(np.zeros((2, 5, 2)), threshold=1.0, backend="cuda")
    backend.tried.cache_clear()
