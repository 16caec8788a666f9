"""What the GPU's face asks of CuPy, by a fake of it: transfers, memory, events."""

from __future__ import annotations

import sys
import types
from typing import Any

import numpy as np
import pytest

from tcs.persistence.compute.clock import Clock
from tcs.persistence.cuda.device import COPIES, EventClock, Gpu
from tcs.persistence.cuda.source import kernels
from tcs.persistence.cuda.tally import Tally

GIB = 2**30


class Hook:
    """CuPy's hooks of memory, entered under their names; the base class does nothing."""

    entered: dict[str, Any] = {}

    def __enter__(self) -> Hook:
        assert self.name not in Hook.entered
        Hook.entered[self.name] = self
        return self

    def __exit__(self, *error: object) -> None:
        del Hook.entered[self.name]

    name = "MemoryHook"

    def alloc_preprocess(self, **more: int) -> None: ...


class Pool:
    """CuPy's pool: a piece that is given back is cut up for whoever asks for less; else the driver is asked."""

    def __init__(self) -> None:
        self.free = self.total = 0

    def take(self, size: int) -> None:
        if size <= self.free:
            self.free -= size
            return
        for hook in Hook.entered.values():
            hook.alloc_preprocess(device_id=0, mem_size=size)
        self.total += size

    def free_bytes(self) -> int:
        return self.free

    def total_bytes(self) -> int:
        return self.total


class Array(np.ndarray):
    """An array whose memory is the pool's."""

    def __del__(self) -> None:
        if self.base is None:
            CuPy.pool.free += self.nbytes


class Event:
    """An event, which is recorded at the time that the device has come to."""

    at = 0.0

    def record(self) -> None:
        self.at = CuPy.now

    def synchronize(self) -> None: ...


class CuPy(types.ModuleType):
    """What of CuPy the GPU's face uses; copies take 2 ms, the first one 5."""

    pool = Pool()
    now = 0.0
    copied: list[int] = []

    def __init__(self) -> None:
        super().__init__("cupy")
        device = types.SimpleNamespace(id=0, attributes={"MultiProcessorCount": 3}, mem_info=(8 * GIB, 16 * GIB))
        self.cuda = types.SimpleNamespace(
            Device=lambda: device, Event=Event, MemoryHook=Hook,
            get_elapsed_time=lambda begin, end: end.at - begin.at,
            runtime=types.SimpleNamespace(getDeviceProperties=lambda which: {"name": b"NVIDIA Fake"}),
        )  # fmt: skip
        self.asnumpy = np.array
        self.launched: list[tuple[str, Any, Any, Any]] = []

    def RawModule(self, code: str, options: tuple[str, ...]) -> Any:
        assert "-fmad=false" in options

        def function(name: str) -> Any:
            return lambda grid, block, args, **more: self.launched.append((name, grid, block, more))

        return types.SimpleNamespace(get_function=function)

    def get_default_memory_pool(self) -> Pool:
        return self.pool

    def empty(self, size: int, dtype: Any) -> Array:
        self.pool.take(size * np.dtype(dtype).itemsize)
        return Array(size, dtype)

    zeros = empty

    def empty_like(self, other: Array) -> Array:
        return self.empty(other.size, other.dtype)

    def copyto(self, to: Array, of: Array) -> None:
        assert to is not of
        CuPy.now += 2.0 if CuPy.copied else 5.0
        CuPy.copied.append(of.nbytes)


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Gpu:
    monkeypatch.setattr(CuPy, "pool", Pool())
    monkeypatch.setattr(CuPy, "copied", [])
    monkeypatch.setitem(sys.modules, "cupy", CuPy())
    return Gpu(3)


def test_every_transfer_is_entered(gpu: Gpu) -> None:
    gpu.tally = Tally(Clock())
    assert gpu.to_host(np.arange(3, dtype=np.uint32)).tolist() == [0, 1, 2]
    gpu.to_host(np.zeros(0))
    assert gpu.tally.fetched == [12, 0]


def test_what_is_reserved_is_cut_up_and_the_driver_is_not_asked(gpu: Gpu) -> None:
    with gpu.allocations() as asked:
        gpu.reserve(1000)
        gpu.reserve(1000)
        kept = [gpu.xp.empty(n, np.uint8) for n in (300, 600)]
        assert asked == [1000]
        assert gpu.pool() == 1000
        kept.append(gpu.xp.empty(200, np.uint8))
    gpu.xp.empty(5000, np.uint8)
    assert asked == [1000, 200]
    assert Hook.entered == {}


def test_allocations_are_no_longer_counted_after_an_error(gpu: Gpu) -> None:
    with pytest.raises(MemoryError), gpu.allocations():
        raise MemoryError
    assert Hook.entered == {}


def test_bandwidth_is_that_of_the_best_copy(gpu: Gpu) -> None:
    """A GiB read and written in 2 ms; of the memory that is free, no more than half is taken for it."""
    assert gpu.bandwidth() == pytest.approx(2 * GIB / 2e-3)
    assert CuPy.copied == [GIB] * COPIES


def test_free_memory_is_what_the_driver_and_the_pool_have(gpu: Gpu) -> None:
    gpu.reserve(GIB)
    assert gpu.free() == 9 * GIB
    assert gpu.name() == "NVIDIA Fake"


def test_a_launch_fills_the_device_and_no_more(gpu: Gpu) -> None:
    name = next(name for name, parameters in kernels().items() if name == "invert")
    order, inverse = np.arange(5, dtype=np.uint32), np.empty(5, np.uint32)
    for work in (0, 1, 257, 10**9):
        gpu.launch(name, work, work, order, inverse)
    assert [grid for _, grid, _, _ in gpu.xp.launched] == [(1,), (2,), (3 * 16,)]


def test_stages_are_read_from_events_once_all_are_over() -> None:
    """A fake of CuPy's events, which count what is recorded, 1 ms apart."""
    recorded = []

    class Event:
        def record(self) -> None:
            recorded.append(self)

        def synchronize(self) -> None: ...

    class Cuda:
        @staticmethod
        def get_elapsed_time(begin: Event, end: Event) -> float:
            return float(recorded.index(end) - recorded.index(begin))

    Cuda.Event = Event  # type: ignore[attr-defined]
    clock = EventClock(Cuda, None)
    for name in ("grid", "lune", "grid"):
        with clock.stage(name):
            pass
    assert clock.stages == {}
    assert clock.read() == pytest.approx({"grid": 0.002, "lune": 0.001})
    assert clock.read() == pytest.approx({"grid": 0.002, "lune": 0.001})
