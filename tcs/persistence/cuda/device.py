"""What the stages need of a device: arrays in its memory, kernels launched on it, and times of its own clock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from tcs.persistence.compute.clock import Clock, Span
from tcs.persistence.cuda.source import arguments, kernels, options, source
from tcs.persistence.cuda.tally import Tally

if TYPE_CHECKING:
    from numpy.typing import NDArray

THREADS = 256
# Warps of a block in launches of whole warps, each with memory of its own.
WARPS = 4
LANES = 32
# What stands for no vertex, row or edge in the kernels.
NONE = 2**32 - 1
# Blocks in flight on a multiprocessor for which a launch is made.
BLOCKS = 16
# Shared memory of a block without asking for more; scratch that does not fit lies in the device's memory, so much.
SHARED, MOST_SCRATCH = 48 * 2**10, 2**30
# Bytes that are copied to measure the bandwidth of the device's memory, at most, and how often: far more than its
# caches hold, and long beside the launch of a copy.
COPIED, COPIES = 2**30, 10


class Device(Protocol):
    """A GPU, or what stands in for one in the tests."""

    tally: Tally

    @property
    def xp(self) -> Any:
        """Arrays in the memory of the device, by the names of numpy."""

    @property
    def most_warps(self) -> int:
        """So many warps are busy at once in a launch of whole warps."""

    def launch(self, name: str, work: int, *values: Any) -> None:
        """Run a kernel with a thread for each piece of work, as far as threads go."""

    def launch_warps(self, name: str, scratch: Scratch, *values: Any) -> None:
        """Run a kernel with as many warps as there is scratch for."""

    def to_host(self, array: Any) -> NDArray[Any]:
        """A copy in the memory of the host, once all work before is done; the only way out of the device."""

    def clock(self, span: Span | None) -> Clock:
        """A clock for stages on this device."""


class Scratch:
    """Memory of the warps of a launch: shared where it fits, else in the device's memory.

    Args:
        bytes_a_warp: a multiple of 8. ``count``: pieces of work, one at a time for a warp.
    """

    def __init__(self, bytes_a_warp: int, count: int, device: Device) -> None:
        self.bytes = bytes_a_warp
        fits = WARPS * bytes_a_warp <= SHARED
        most = device.most_warps if fits else min(device.most_warps, max(WARPS, MOST_SCRATCH // bytes_a_warp))
        self.blocks = -(-min(count, most) // WARPS)
        self.shared = WARPS * bytes_a_warp if fits else 0
        self.memory = None if fits else device.xp.empty(self.blocks * WARPS * bytes_a_warp, np.uint8)


def running_sums(values: Any, xp: Any) -> Any:
    """Sums of the first 1, 2, ... values (n,), as uint32."""
    return xp.cumsum(values, dtype=np.uint32)


def last_of(sums: Any, device: Device) -> int:
    """The last of the sums (n,), 0 if there is none."""
    return int(device.to_host(sums[-1:]).sum())


def sums_from_zero(values: Any, xp: Any, dtype: Any = np.uint32) -> Any:
    """Sums of the first 0, 1, 2, ... values (n + 1,)."""
    sums = xp.zeros(len(values) + 1, dtype)
    sums[1:] = xp.cumsum(values, dtype=dtype)
    return sums


class Gpu:
    """The current GPU, by CuPy, with kernels for clouds of one dimension.

    Raises:
        Exception: whatever CuPy raises where there is no CuPy, no driver or no GPU.
    """

    def __init__(self, dimension: int) -> None:
        import cupy

        self.xp = cupy
        module = cupy.RawModule(code=source(), options=options(dimension))
        self._kernels = {name: module.get_function(name) for name in kernels()}
        self._processors = int(cupy.cuda.Device().attributes["MultiProcessorCount"])
        self.most_warps = WARPS * BLOCKS * self._processors
        self.tally = Tally(Clock())

    def launch(self, name: str, work: int, *values: Any) -> None:
        """Run a kernel with a thread for each piece of work, as far as threads go."""
        if work:
            blocks = min(-(-work // THREADS), BLOCKS * self._processors)
            self._kernels[name]((blocks,), (THREADS,), tuple(arguments(name, values)))

    def launch_warps(self, name: str, scratch: Scratch, *values: Any) -> None:
        """Run a kernel with as many warps as there is scratch for."""
        sizes = (scratch.blocks,), (WARPS * LANES,)
        self._kernels[name](*sizes, tuple(arguments(name, values)), shared_mem=scratch.shared)

    def to_host(self, array: Any) -> NDArray[Any]:
        """A copy in the memory of the host, once all work before is done; the only way out of the device."""
        self.tally.fetched.append(int(array.nbytes))
        found: NDArray[Any] = self.xp.asnumpy(array)
        return found

    def clock(self, span: Span | None) -> Clock:
        """A clock for stages, by CUDA events."""
        return EventClock(self.xp.cuda, span)

    def name(self) -> str:
        """What the driver calls it."""
        found = self.xp.cuda.runtime.getDeviceProperties(self.xp.cuda.Device().id)["name"]
        return str(found.decode())

    def free(self) -> int:
        """Bytes of the device's memory that can still be taken, those that the pool holds in reserve among them."""
        free, _ = self.xp.cuda.Device().mem_info
        return int(free) + int(self.xp.get_default_memory_pool().free_bytes())

    def pool(self) -> int:
        """Bytes that CuPy's pool holds, in use or in reserve."""
        return int(self.xp.get_default_memory_pool().total_bytes())

    def reserve(self, size: int) -> None:
        """Let CuPy's pool hold so many bytes in one piece, from which it cuts what it is asked for.

        Raises:
            MemoryError: the driver has no piece of that size.
        """
        whole = self.xp.empty(size, np.uint8)
        del whole  # back into the pool

    @contextmanager
    def allocations(self) -> Iterator[list[int]]:
        """The bytes of each piece that CuPy's pool has to ask the driver for inside: calls of cudaMalloc."""
        found: list[int] = []
        asked = {"name": "tcs", "alloc_preprocess": lambda _, mem_size, **more: found.append(int(mem_size))}
        with type("Allocations", (self.xp.cuda.MemoryHook,), asked)():
            yield found

    def bandwidth(self) -> float:
        """Bytes a second that a copy within the device's memory reads and writes, the best of several."""
        begin, end = self.xp.cuda.Event(), self.xp.cuda.Event()
        of = self.xp.zeros(min(COPIED, self.free() // 4), np.uint8)
        to = self.xp.empty_like(of)
        times = []
        for _ in range(COPIES):
            begin.record()
            self.xp.copyto(to, of)
            end.record()
            end.synchronize()
            times.append(self.xp.cuda.get_elapsed_time(begin, end) / 1e3)
        return float(2 * of.nbytes / min(times))


class EventClock(Clock):
    """Time by stage between CUDA events, which nothing waits for before all stages are over."""

    def __init__(self, cuda: Any, span: Span | None) -> None:
        super().__init__(span)
        self._cuda = cuda
        self._events: list[tuple[str, Any, Any]] = []

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time that the device spends inside to a stage."""
        begin, end = self._cuda.Event(), self._cuda.Event()
        begin.record()
        with self._span(name):
            yield
        end.record()
        self._events.append((name, begin, end))

    def read(self) -> dict[str, float]:
        """Seconds by stage, once the device has done all of them."""
        for name, begin, end in self._events:
            end.synchronize()
            self.stages[name] = self.stages.get(name, 0.0) + self._cuda.get_elapsed_time(begin, end) / 1e3
        self._events.clear()
        return self.stages
