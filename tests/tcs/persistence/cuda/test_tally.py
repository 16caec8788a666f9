"""What leaves the device, and the bytes of its stages: counted where they pass, and as many as the arrays have."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("numba", reason="the engine's kernels are compiled by numba")

from clouds import torus
from host_device import COMPILER, ClosedDevice, HostDevice
from tcs.persistence import rips
from tcs.persistence.batch_rips import side_by_side
from tcs.persistence.cloud.lengths import longest_square
from tcs.persistence.compute.clock import Clock
from tcs.persistence.cuda.engine import bars_of, bars_of_each
from tcs.persistence.cuda.tally import Tally, bytes_of

if COMPILER is None:
    pytest.skip("g++, which builds the CUDA kernels for this machine, is not installed", allow_module_level=True)

STAGES = ["grid", "lune", "forest", "push-down", "reduce", "sort"]


def test_nothing_of_a_batch_leaves_the_device_but_by_a_transfer() -> None:
    clouds = [np.random.default_rng(n).random((n, 2)) for n in (40, 1, 60)]
    points, longest = side_by_side(clouds, longest_square(0.4))
    found = bars_of_each(points, longest, np.array([0, 40, 41, 101]), 1, ClosedDevice(3), Clock())
    for bars, cloud in zip(found, clouds, strict=True):
        for here, there in zip(bars, rips(cloud, threshold=0.4).bars, strict=True):
            np.testing.assert_array_equal(here, there)


def test_the_closed_device_notices() -> None:
    device = ClosedDevice(3)
    held = device.xp.arange(3)
    for look in (int, bool, list):
        with pytest.raises(AssertionError, match="a value leaves the device"):
            look(held[:1])
    for mix in (np.add, lambda one, other: device.xp.stack([one, other])):
        with pytest.raises(AssertionError, match="an array of the host"):
            mix(held, np.arange(3))


@pytest.mark.parametrize("n", [500, 5_000])
def test_only_counts_leave_the_device_before_the_bars(n: int) -> None:
    """Fewer words than there are points, however many there are; then the bars, in one transfer."""
    points, device = torus(n), HostDevice(3)
    bars = bars_of(points, longest_square(12 / n**0.5), 1, device, Clock())
    *counts, last = device.tally.fetched
    assert max(counts) <= 2 * 3 * 8
    assert sum(counts) < 2_000
    ends, loops = len(bars[0]) - np.isinf(bars[0][:, 1]).sum(), len(bars[1])
    assert last >= 4 * ends + 8 * loops


def test_every_stage_enters_what_it_takes_and_leaves() -> None:
    points, device, clock = torus(1_000), HostDevice(3), Clock()
    bars_of(points, longest_square(0.3), 1, device, clock)
    tally = device.tally
    assert list(tally.moved) == STAGES == list(clock.stages)
    assert tally.clock is clock
    # the points themselves, in both orders, and once more in float32
    assert tally.moved["grid"] > points.nbytes * 5 // 2
    assert all(tally.moved.values())
    bars_of(points, longest_square(0.3), 0, device, Clock())
    assert list(device.tally.moved) == ["grid", "lune", "forest", "sort"]
    assert device.tally.moved["lune"] == tally.moved["lune"]


def test_bytes_of_tuples() -> None:
    tally = Tally(Clock())
    tally.enter("a", np.zeros(3), (np.zeros(2, np.uint8), 5, (np.zeros(1),)), 7.5)
    tally.enter("a", np.zeros(1))
    assert tally.moved == {"a": 24 + 2 + 8 + 8}
    assert bytes_of(3) == 0
