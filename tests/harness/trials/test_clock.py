"""Sampling: warm-up, budget, groups of short calls, stages; and the CUDA clock against a fake device."""

from __future__ import annotations

import gc
import importlib.machinery
import sys
import types
from collections.abc import Iterator
from typing import Any

import pytest

from harness.errors import Unavailable
from harness.trials import worker
from harness.trials.clock import CudaClock, Stages, TorchClock, WallClock, clock_for, sample


@pytest.fixture(autouse=True)
def _only_what_the_test_makes_is_collected() -> Iterator[None]:
    """Garbage is collected before each sample, and all that other tests left would be looked through each time."""
    gc.freeze()
    yield
    gc.unfreeze()


class FakeClock(WallClock):
    """Time that only the calls themselves move."""

    def __init__(self) -> None:
        self.at = 0.0

    def time(self, call: Any) -> tuple[float, Any]:
        start = self.at
        value = call()
        return self.at - start, value

    def now(self) -> float:
        return self.at


def sampling(**changes: float) -> dict[str, float]:
    return {"budget_s": 1.0, "min_samples": 1, "max_samples": 30, "max_warmup": 5, **changes}


def test_warm_up_ends_when_two_calls_agree() -> None:
    """The slow first calls are warm-up; sampling begins once two in a row differ by less than 10 %."""
    clock, times = FakeClock(), iter([0.5, 0.2, 0.1, 0.1, *[0.1] * 100])

    def solve() -> None:
        clock.at += next(times)

    found = sample(solve, sampling(), clock=clock, stages=Stages(clock))
    assert found.warmup == pytest.approx([0.5, 0.2, 0.1, 0.1])
    assert found.samples == pytest.approx([0.1] * len(found.samples))
    assert 10 <= len(found.samples) <= 11
    assert len(found.cpu) == len(found.samples)


def test_a_long_first_call_is_the_one_sample() -> None:
    """A call longer than the whole budget is not repeated, and the record says that it was cold."""
    clock, calls = FakeClock(), []

    def solve() -> None:
        calls.append(1)
        clock.at += 20.0

    found = sample(solve, sampling(), clock=clock, stages=Stages(clock))
    assert (found.samples, found.warmup, found.cold, len(calls)) == ([20.0], [], True, 1)


def test_min_samples_holds_even_over_the_budget() -> None:
    """min_samples is a promise: the first call is then warm-up."""
    clock = FakeClock()

    def solve() -> None:
        clock.at += 20.0

    found = sample(solve, sampling(min_samples=2), clock=clock, stages=Stages(clock))
    assert found.samples == pytest.approx([20.0, 20.0])
    assert not found.cold


def test_short_calls_are_timed_in_groups() -> None:
    """Calls of 10 us are timed a hundred or so at a time, and the sample is the time of one."""
    clock = FakeClock()

    def solve() -> None:
        clock.at += 1e-5

    found = sample(solve, sampling(max_samples=3), clock=clock, stages=Stages(clock))
    assert found.number == pytest.approx(100, abs=1)
    assert found.samples == pytest.approx([1e-5] * 3)


def test_stages_add_up_within_a_sample() -> None:
    """A stage entered twice in one call is summed; each sample has its own figure."""
    clock = FakeClock()
    stages = Stages(clock)

    def solve() -> str:
        for _ in range(2):
            with stages("sort"):
                clock.at += 0.1
        clock.at += 0.05
        return "answer"

    seen: list[Any] = []
    found = sample(solve, sampling(max_samples=4), clock=clock, stages=stages, seen=seen.append)
    assert found.stages["sort"] == pytest.approx([0.2] * len(found.samples))
    assert set(seen) == {"answer"}


def test_the_cuda_clock_synchronises(monkeypatch: pytest.MonkeyPatch) -> None:
    """Device idle before the first event, the second event waited for, milliseconds turned into seconds."""
    log: list[str] = []

    class Event:
        def record(self) -> None:
            log.append("record")

        def synchronize(self) -> None:
            log.append("wait")

    class Device:
        def synchronize(self) -> None:
            log.append("idle")

    cupy = types.ModuleType("cupy")
    cupy.__spec__ = importlib.machinery.ModuleSpec("cupy", None)
    fake = types.SimpleNamespace(Event=Event, Device=Device, get_elapsed_time=lambda a, b: 250.0)
    cupy.cuda = fake  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    clock = clock_for("cuda")
    assert isinstance(clock, CudaClock)

    def call() -> int:
        log.append("call")
        return 7

    assert clock.time(call) == (0.25, 7)
    assert log == ["idle", "record", "call", "record", "wait"]


def only(monkeypatch: pytest.MonkeyPatch, name: str, cuda: object) -> types.ModuleType:
    """A made-up package with this ``cuda``, in an environment that has neither cupy nor torch but it."""
    module = types.ModuleType(name)
    module.__spec__ = importlib.machinery.ModuleSpec(name, None)
    module.cuda = cuda  # type: ignore[attr-defined]
    for other in {"cupy", "torch"} - {name}:
        monkeypatch.setitem(sys.modules, other, None)
    monkeypatch.setitem(sys.modules, name, module)
    return module


def test_torch_times_where_there_is_no_cupy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same order of steps, by torch's own events."""
    log: list[str] = []

    class Event:
        def __init__(self, *, enable_timing: bool) -> None:
            assert enable_timing

        def record(self) -> None:
            log.append("record")

        def synchronize(self) -> None:
            log.append("wait")

        def elapsed_time(self, end: Event) -> float:
            return 250.0

    only(monkeypatch, "torch", types.SimpleNamespace(Event=Event, synchronize=lambda: log.append("idle")))
    clock = clock_for("cuda")
    assert isinstance(clock, TorchClock)
    assert clock.time(lambda: log.append("call")) == (0.25, None)
    assert log == ["idle", "record", "call", "record", "wait"]
    assert clock.now() > 0
    assert log[-1] == "idle"


def test_without_a_device_a_player_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    """torch without CUDA raises when an event is made: that is no error of the player."""

    def event(**_: object) -> None:
        raise RuntimeError("Tried to instantiate dummy base class Event")

    only(monkeypatch, "torch", types.SimpleNamespace(Event=event))
    with pytest.raises(Unavailable, match="no CUDA device can be timed: RuntimeError: Tried"):
        clock_for("cuda")


def test_the_peak_on_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """What torch held at most, or what cupy's pool took; nothing for a player on the CPU or without either."""
    only(monkeypatch, "torch", types.SimpleNamespace(max_memory_allocated=lambda: 7))
    assert worker._device_peak({"device": "cuda"}) == 7
    assert worker._device_peak({"device": "cpu"}) is None
    cupy = only(monkeypatch, "cupy", None)
    cupy.get_default_memory_pool = lambda: types.SimpleNamespace(total_bytes=lambda: 5)  # type: ignore[attr-defined]
    assert worker._device_peak({"device": "cuda"}) == 5
    monkeypatch.setitem(sys.modules, "cupy", None)
    assert worker._device_peak({"device": "cuda"}) is None
