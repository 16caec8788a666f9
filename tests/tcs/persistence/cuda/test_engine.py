"""The GPU engine on this machine: the very kernels, built for the CPU, against the textbook and the CPU engine."""

from __future__ import annotations

import tracemalloc
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra.numpy import arrays

pytest.importorskip("numba", reason="the engine's kernels are compiled by numba")

from battery import lengths_worth_a_look
from clouds import SMALL, by_grid, torus
from host_device import COMPILER, ClosedDevice, HostDevice
from reference import bars, lengths
from tcs.persistence import rips
from tcs.persistence.cloud.euclidean import EuclideanLunes
from tcs.persistence.cloud.lengths import longest_square
from tcs.persistence.compute.clock import Clock
from tcs.persistence.compute.team import Team
from tcs.persistence.cuda import descent, lunes
from tcs.persistence.cuda.cells import sort_into_cells
from tcs.persistence.cuda.engine import LITTLE, bars_of, forecast
from tcs.persistence.reduced.forest import spanning_forest as forest_on_the_cpu

if COMPILER is None:
    pytest.skip("g++, which builds the CUDA kernels for this machine, is not installed", allow_module_level=True)


def found_in(points: Any, threshold: float, **more: Any) -> list[Any]:
    """Bars of a cloud by the kernels of the GPU, on a device into whose memory the host cannot look."""
    points = np.ascontiguousarray(points, dtype=np.float64)
    device = ClosedDevice(points.shape[1], **more)
    return bars_of(points, longest_square(threshold), 1, device, Clock())


def assert_same(found: list[Any], right: Any) -> None:
    for d, (here, there) in enumerate(zip(found, right, strict=True)):
        np.testing.assert_array_equal(here, there, err_msg=f"H{d}")
        assert here.dtype == np.float32


@pytest.mark.parametrize("name", SMALL)
def test_the_textbook_on_small_clouds(name: str) -> None:
    distances = lengths(SMALL[name])
    for threshold in lengths_worth_a_look(distances):
        assert_same(found_in(SMALL[name], threshold), bars(distances, threshold))


@pytest.mark.parametrize(("threshold", "loops"), [(0.09997846186161041, (2_624, 160)), (0.17324486374855042, None)])
def test_the_torus_of_ten_thousand_points(threshold: float, loops: Any) -> None:
    points = torus(10_000)
    found = found_in(points, threshold)
    assert_same(found, rips(points, threshold=threshold).bars)
    if loops:
        assert (np.isfinite(found[1][:, 1]).sum(), np.isinf(found[1][:, 1]).sum()) == loops


@pytest.mark.parametrize("dimension", [1, 2, 3, 4, 7])
def test_dimensions(dimension: int) -> None:
    points = np.random.default_rng(dimension).normal(size=(300, dimension))
    for threshold in (0.5, 1.0):
        assert_same(found_in(points, threshold), by_grid(points, threshold).bars)


@given(
    points=arrays(np.int64, st.tuples(st.integers(1, 25), st.just(2)), elements=st.integers(0, 5)),
    threshold=st.sampled_from([0.0, 1.0, 1.5, 2.0, 2.3, 5.0, 8.0]),
)
@settings(deadline=None, max_examples=60)
def test_lattices_full_of_ties_and_duplicates(points: Any, threshold: float) -> None:
    assert_same(found_in(points, threshold), bars(lengths(points.astype(float)), threshold))


@pytest.mark.parametrize("scale", [2.0**-140, 2.0**-30, 1.0, 2.0**30])
def test_scratch_and_staging_that_are_too_small_are_made_larger(scale: float) -> None:
    """Room for three neighbours, one filler, four edges on the stack and one row; the same bars."""
    points = np.random.default_rng(3).normal(size=(200, 3)) * scale
    with (
        patch.object(lunes, "ROOM", 3), patch.object(lunes, "SPARE", 1), patch.object(lunes, "EDGES_A_POINT", 0),
        patch.object(lunes, "FILLERS_A_POINT", 0), patch.object(descent, "DEPTH", 4), patch.object(descent, "ROWS", 1),
        patch.object(descent, "ROWS_A_COLUMN", 0), patch("tcs.persistence.cuda.reduction.SUMS_AN_ENTRY", 0),
    ):  # fmt: skip
        found = found_in(points, 1.2 * scale)
    assert_same(found, by_grid(points, 1.2 * scale).bars)


@pytest.mark.parametrize(
    ("points", "threshold"), [(torus(5_000), 0.14), (np.random.default_rng(0).random((5_000, 3)), 0.148)]
)
def test_memory_is_forecast(points: Any, threshold: float) -> None:
    """What numpy takes in the place of CuPy, at a mean degree of 20 and 60; the sorts of a GPU take some more."""
    device, longest = HostDevice(3), longest_square(threshold)
    bars_of(points[:100], longest, 1, device, Clock())
    tracemalloc.start()
    bars_of(points, longest, 1, device, Clock())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 0.8 * (forecast(*points.shape) - LITTLE)


def test_the_complex_is_that_of_the_cpu() -> None:
    """The same order of points, relative neighbours, forest and lengths of fillers, not only the same bars."""
    points, longest = torus(2_000), longest_square(0.22)
    device, team = HostDevice(3), Team(1)
    cells = sort_into_cells(points, longest, device)
    there = EuclideanLunes(points, longest, team)
    np.testing.assert_array_equal(cells.points.T, there.cells.points)
    here = lunes.find_lunes(cells, device)
    edges, edge_lengths, fillers, times = there.classify(team)
    np.testing.assert_array_equal(here.edges, edges)
    np.testing.assert_array_equal(here.lengths, edge_lengths)
    np.testing.assert_array_equal(here.fillers[:, :2], fillers[:, :2])
    np.testing.assert_array_equal(here.times, times)
    from tcs.persistence.cuda.forest import spanning_forest

    taken = forest_on_the_cpu(len(points), edges, edge_lengths, team)
    np.testing.assert_array_equal(spanning_forest(len(points), here, device).number == 2**32 - 1, taken)


@pytest.mark.parametrize("seed", range(1, 6))
def test_any_interleaving_gives_the_same_bars(seed: int) -> None:
    points = torus(60)
    assert_same(found_in(points, 0.9, seed=seed), by_grid(points, 0.9).bars)
