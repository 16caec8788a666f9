"""Which device computes: the GPU, if there is one that passes a trial, or the CPU, and why."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from tcs.persistence.barcode import Barcode
from tcs.persistence.cloud.lengths import longest_square
from tcs.persistence.compute.clock import Clock
from tcs.persistence.cuda.device import Gpu
from tcs.persistence.cuda.engine import bars_of, bars_of_each, forecast
from tcs.persistence.errors import DeviceError, InputError
from tcs.persistence.graph.expected import longest_that_matters

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tcs.persistence.compute.clock import Span
    from tcs.persistence.cuda.device import Device

Result = TypeVar("Result")
# Cells along a grid part so many coordinates, and edges are numbered by 32 bits.
MOST_DIMENSION, MOST_POINTS = 12, 2**30
MIB = 2**20
# Steps between the points of the trial, on a torus, and for one, two and three coordinates a threshold with the first
# digits of the digest of the bars, which the textbook's reduction has found.
STEPS = np.array([0.8191725133961645, 0.6710436067037893, 0.5497004779019703])
TRIALS = {1: (0.004, "9f2d31b97b3f"), 2: (0.12, "609c571ec4f1"), 3: (0.25, "de657a86754e")}
INSTALL = "pip install 'tcs-harness[gpu]', or [gpu12] for a driver of CUDA 12"
_log = logging.getLogger("tcs.persistence")


def open_gpu(dimension: int) -> Gpu:
    """The current GPU, ready for clouds of so many coordinates, after a trial.

    Raises:
        DeviceError: it says why there is none, or that it gives a wrong answer.
    """
    found = tried(dimension)
    if isinstance(found, DeviceError):
        raise found
    return found


@functools.cache
def tried(dimension: int) -> Gpu | DeviceError:
    """The GPU, or why there is none; looked for once in a process."""
    try:
        device = Gpu(dimension)
    except ModuleNotFoundError as error:
        return DeviceError(f"CuPy, by which GPUs are used, is not installed ({error.name}); {INSTALL}")
    except Exception as error:  # noqa: BLE001 - whatever CuPy, the driver and the compiler of kernels raise
        return DeviceError(
            f"no GPU can be used: {type(error).__name__}: {error}; nvidia-smi tells whether there is one, and a driver"
        )
    try:
        try_out(dimension, device)
    except DeviceError as error:
        return error
    except Exception as error:  # noqa: BLE001
        return DeviceError(f"a trial on the GPU failed: {type(error).__name__}: {error}")
    return device


def reserve_gpu(n: int, dimension: int) -> int:
    """Take the memory that n points in so many coordinates will need from the driver, before the work and in one piece.

    CuPy's pool keeps it for this process, so that :func:`tcs.persistence.rips` with ``backend="cuda"`` need not wait
    for the driver. Of clouds that :func:`tcs.persistence.rips_batch` is given, n is the number of points in all, and
    there is one more coordinate. ``cupy.get_default_memory_pool().free_all_blocks()`` gives it back.

    Returns:
        Bytes that the pool now holds.

    Raises:
        InputError: no cloud that a GPU computes has that size.
        DeviceError: there is no GPU, or it has not so much free.
    """
    if not (0 <= n <= MOST_POINTS and 1 <= dimension <= MOST_DIMENSION):
        most = f"up to {MOST_POINTS:,} points in 1 to {MOST_DIMENSION} coordinates"
        raise InputError(f"n={n}, dimension={dimension}: a GPU computes clouds of {most}")
    device = open_gpu(dimension)
    _require_room(n, dimension, device)
    try:
        device.reserve(forecast(n, dimension))
    except MemoryError as error:
        raise DeviceError(f"{n:,} points: their memory cannot be reserved in one piece ({error})") from error
    return device.pool()


def try_out(dimension: int, device: Device) -> None:
    """Compute the bars of a small cloud by all kernels.

    Raises:
        DeviceError: they are wrong.
    """
    threshold, right = TRIALS[min(3, dimension)]
    points = np.zeros((300, dimension))
    points[:, :3] = np.arange(1, 301)[:, None] * STEPS[: min(3, dimension)] % 1
    bars = bars_of(points, longest_square(threshold), 1, device, Clock())
    found = Barcode(bars=tuple(bars), threshold=threshold, n_points=len(points))
    if found.digest()[: len(right)] != right:
        raise DeviceError(
            f"a trial on the GPU gave wrong bars: {found}, digest {found.digest()[: len(right)]}, not {right}"
        )


def unsupported(points: Any, max_dimension: int, metric: str, *, simplices: bool, cycles: bool) -> str:
    """What of a computation a GPU cannot do; empty if it can."""
    if metric != "euclidean":
        return f"metric={metric!r}: a GPU computes clouds with the Euclidean metric"
    if max_dimension > 1:
        return f"max_dimension={max_dimension}: a GPU computes dimensions 0 and 1"
    if simplices or cycles:
        return "simplices and cycles are found on the CPU only"
    n, dimension = points.shape
    if dimension > MOST_DIMENSION:
        return f"{dimension} coordinates: a GPU computes clouds of up to {MOST_DIMENSION}"
    if n > MOST_POINTS:
        return f"{n:,} points: a GPU numbers up to {MOST_POINTS:,}"
    return ""


def bars_on_a_gpu(
    points: Any, threshold: float, max_dimension: int, metric: str, span: Span | None, *, simplices: bool,
    cycles: bool, strict: bool,
) -> tuple[list[NDArray[np.float32]], dict[str, float]] | None:  # fmt: skip
    """Bars and stages of what :func:`tcs.persistence.rips` is asked; None, with the reason in the log, for the CPU.

    Raises:
        DeviceError: strict, and there is no GPU for it.
    """

    def work(device: Gpu) -> tuple[list[NDArray[np.float32]], dict[str, float]]:
        clock = device.clock(span)
        longest = longest_that_matters(points, longest_square(threshold))
        return bars_of(points, longest, max_dimension, device, clock), clock.read()

    return _on_a_gpu(
        points, unsupported(points, max_dimension, metric, simplices=simplices, cycles=cycles), work, strict
    )


def bars_of_each_on_a_gpu(
    points: NDArray[np.float64], longest: float, cuts: NDArray[np.int64], max_dimension: int, *, strict: bool
) -> list[list[NDArray[np.float32]]] | None:
    """Bars of each cloud of what :func:`tcs.persistence.rips_batch` is asked; likewise."""

    def work(device: Gpu) -> list[list[NDArray[np.float32]]]:
        return bars_of_each(points, longest, cuts, max_dimension, device, device.clock(None))

    refused = unsupported(points, max_dimension, "euclidean", simplices=False, cycles=False)
    return _on_a_gpu(points, refused, work, strict)


def _on_a_gpu(points: Any, refused: str, work: Callable[[Gpu], Result], strict: bool) -> Result | None:
    """What the work gives on the GPU; None if there is none for it."""
    try:
        if refused:
            raise DeviceError(refused)
        n, dimension = points.shape
        device = open_gpu(dimension)
        _require_room(n, dimension, device)
        try:
            return work(device)
        except MemoryError as error:
            raise DeviceError(f"{len(points):,} points: the memory of the device was used up ({error})") from error
    except DeviceError as error:
        if strict:
            raise DeviceError(f"backend='cuda': {error}; backend='cpu' computes the same bars") from error
        log_once(str(error))
        return None


def _require_room(n: int, dimension: int, device: Gpu) -> None:
    needed, free = forecast(n, dimension), device.free()
    if needed > free:
        raise DeviceError(
            f"{n:,} points: about {needed // MIB:,} MiB of device memory will be needed, "
            f"{(needed - free) // MIB + 1:,} MiB more than are free"
        )


@functools.cache
def log_once(reason: str) -> None:
    """Say why the CPU computes, once for each reason."""
    _log.warning("backend='auto': computed on the CPU: %s", reason)
