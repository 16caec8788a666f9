"""Wall, CPU and CUDA-event time, stages, and sampling until a process is warm."""

from __future__ import annotations

import gc
import math
import resource
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

STEADY = 0.1
SHORTEST_SAMPLE = 1e-3


class WallClock:
    """``time.perf_counter`` around the call."""

    name = "wall"

    def time(self, call: Callable[[], Any]) -> tuple[float, Any]:
        """Seconds that the call took, and what it returned."""
        start = time.perf_counter()
        value = call()
        return time.perf_counter() - start, value

    def now(self) -> float:
        """A point in time, seconds; for stages."""
        return time.perf_counter()


class CudaClock:
    """CUDA events on the current stream, recorded after the device is idle and synchronised at the end.

    The kernel time of the stream is what events give; host work between launches is part of it, since the
    second event is recorded after the call has returned (see cupy issue 7185 for what goes wrong without
    the synchronisation).
    """

    name = "cuda"

    def __init__(self) -> None:
        import cupy

        self._cuda = cupy.cuda
        self._start, self._end = cupy.cuda.Event(), cupy.cuda.Event()

    def time(self, call: Callable[[], Any]) -> tuple[float, Any]:
        """Seconds between the two events, and what the call returned."""
        self._cuda.Device().synchronize()
        self._start.record()
        value = call()
        self._end.record()
        self._end.synchronize()
        return self._cuda.get_elapsed_time(self._start, self._end) / 1e3, value

    def now(self) -> float:
        """A point in time, seconds, once all work on the device is done."""
        self._cuda.Device().synchronize()
        return time.perf_counter()

    def address(self) -> str:
        """Of the device on the PCI bus, for example ``0000:41:00.0``."""
        return str(self._cuda.Device().pci_bus_id)


class TorchClock:
    """The same as :class:`CudaClock`, by the CUDA events of torch, for an environment that has it and no cupy."""

    name = "cuda"

    def __init__(self) -> None:
        import torch

        self._cuda = torch.cuda
        self._start, self._end = (torch.cuda.Event(enable_timing=True) for _ in range(2))

    def time(self, call: Callable[[], Any]) -> tuple[float, Any]:
        """Seconds between the two events, and what the call returned."""
        self._cuda.synchronize()
        self._start.record()
        value = call()
        self._end.record()
        self._end.synchronize()
        return self._start.elapsed_time(self._end) / 1e3, value

    def now(self) -> float:
        """A point in time, seconds, once all work on the device is done."""
        self._cuda.synchronize()
        return time.perf_counter()

    def address(self) -> str:
        """Of the device on the PCI bus, for example ``00000000:41:00.0``."""
        found = self._cuda.get_device_properties(self._cuda.current_device())
        return f"{found.pci_domain_id:08x}:{found.pci_bus_id:02x}:{found.pci_device_id:02x}.0"


Clock = WallClock | CudaClock | TorchClock


def clock_for(device: str) -> Clock:
    """The clock that measures a player on this device: on a GPU by cupy's events, or by torch's where cupy is absent.

    Raises:
        ModuleNotFoundError: there is neither; it names cupy.
        Unavailable: the package is there, and sees no device.
    """
    if device != "cuda":
        return WallClock()
    from importlib.util import find_spec

    kind = TorchClock if find_spec("cupy") is None and find_spec("torch") is not None else CudaClock
    try:
        return kind()
    except ModuleNotFoundError:
        raise
    except Exception as error:
        from harness.errors import Unavailable

        raise Unavailable(f"no CUDA device can be timed: {type(error).__name__}: {error}") from error


@dataclass(slots=True)
class Stages:
    """Times named parts of a solve: ``with stages("neighbours"): ...``; a part may come several times."""

    clock: Clock
    current: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Time what stands inside the ``with``."""
        start = self.clock.now()
        try:
            yield
        finally:
            self.current[name] = self.current.get(name, 0.0) + self.clock.now() - start

    def take(self) -> dict[str, float]:
        """The seconds of each stage since the last call."""
        taken, self.current = self.current, {}
        return taken


@dataclass(slots=True, kw_only=True)
class Samples:
    """What :func:`sample` found; see :class:`harness.record.Record` for the fields."""

    warmup: list[float] = field(default_factory=list)
    samples: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    stages: dict[str, list[float]] = field(default_factory=dict)
    number: int = 1
    cold: bool = False


def sample(
    solve: Callable[[], Any],
    sampling: Mapping[str, float],
    *,
    clock: Clock,
    stages: Stages,
    starting: Callable[[], None] = lambda: None,
    seen: Callable[[Any], None] = lambda answer: None,
) -> Samples:
    """Call ``solve`` until it is warm, then until the budget is used up.

    Warm means that the last two calls differ by less than 10 %, or that ``max_warmup`` calls were made. A
    first call that takes longer than the whole budget is the one sample and is marked ``cold``. Calls
    shorter than 1 ms are timed in groups of ``number``. The garbage collector is off during a call.

    Args:
        sampling: ``budget_s``, ``min_samples``, ``max_samples``, ``max_warmup``.
        starting: called before each call. seen: called with each answer. Both are outside the timed region.
    """
    found = Samples()
    budget = sampling["budget_s"]

    def once(number: int) -> tuple[float, float, dict[str, float]]:
        gc.collect()
        starting()
        gc.disable()
        try:
            call = solve if number == 1 else _repeat(solve, number)
            stages.take()
            cpu = _cpu_seconds()
            seconds, answer = clock.time(call)
            cpu = _cpu_seconds() - cpu
        finally:
            gc.enable()
        parts = {name: value / number for name, value in stages.take().items()}
        seen(answer)
        return seconds / number, cpu / number, parts

    def keep(seconds: float, cpu: float, parts: dict[str, float]) -> None:
        found.samples.append(seconds)
        found.cpu.append(cpu)
        for name, value in parts.items():
            found.stages.setdefault(name, []).append(value)

    first = once(1)
    if first[0] > budget and sampling["min_samples"] <= 1:
        found.cold = True
        keep(*first)
        return found
    found.warmup.append(first[0])
    while len(found.warmup) < sampling["max_warmup"] and not _steady(found.warmup) and sum(found.warmup) < 2 * budget:
        found.warmup.append(once(1)[0])
    found.number = max(1, math.ceil(SHORTEST_SAMPLE / max(found.warmup[-1], 1e-9)))
    if found.number > 1:
        found.number = max(1, math.ceil(SHORTEST_SAMPLE / max(once(found.number)[0], 1e-9)))
    spent = 0.0
    while len(found.samples) < sampling["min_samples"] or (
        spent < budget and len(found.samples) < sampling["max_samples"]
    ):
        keep(*once(found.number))
        spent += found.samples[-1] * found.number
    return found


def _repeat(solve: Callable[[], Any], number: int) -> Callable[[], Any]:
    def call() -> Any:
        answer = None
        for _ in range(number):
            answer = solve()
        return answer

    return call


def _steady(times: list[float]) -> bool:
    return len(times) >= 2 and abs(times[-1] - times[-2]) <= STEADY * times[-2]


def _cpu_seconds() -> float:
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime
