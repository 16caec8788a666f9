"""What players on a GPU share: memory that is reserved before they are timed, and what is told of the GPU's work."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from benchmarks.persistence.players.steps import Answer, Solve
from harness.errors import Unavailable

if TYPE_CHECKING:
    from tcs.persistence.cuda.device import Gpu


class OnAGpu:
    """A timed computation on the current GPU, which afterwards tells what it took of the GPU.

    Making one reserves the memory for a cloud of n points in so many coordinates and computes once, so that kernels
    are compiled; whenever that, or a later call, has to ask the driver for more, it is counted.

    Args:
        work: the computation, without anything around it; ``timed``: the same as it is timed, with its answer.

    Raises:
        Unavailable: there is no GPU for this.
    """

    def __init__(self, n: int, dimension: int, work: Callable[[], Any], timed: Solve) -> None:
        from tcs.persistence import DeviceError, reserve_gpu
        from tcs.persistence.cuda.backend import open_gpu

        self.work, self.timed = work, timed
        try:
            self.reserved = reserve_gpu(n, dimension)
            self.gpu: Gpu = open_gpu(dimension)
            with self.gpu.allocations() as found:
                work()
        except DeviceError as error:
            raise Unavailable(str(error)) from None
        self.allocations = len(found)

    def __call__(self) -> Answer:
        """The answer."""
        return self.timed()

    def metrics(self) -> dict[str, dict[str, Any]]:
        """What one more call takes, beside the bandwidth that the device has just now; see docs/explanation/gpu.md."""
        with self.gpu.allocations() as found:
            self.work()
        tally, pool = self.gpu.tally, self.gpu.pool()
        seconds, bandwidth = tally.clock.read(), self.gpu.bandwidth()
        metrics = {
            "allocations_while_solving": _lower(self.allocations + len(found), "allocations"),
            "pool_reserved": _lower(self.reserved, "B"),
            "pool": _lower(pool, "B"),
            "transfers_to_host": _lower(len(tally.fetched), "transfers"),
            "bytes_before_bars": _lower(sum(tally.fetched[:-1]), "B"),
            "copy_bandwidth": _higher(bandwidth, "B/s"),
        }
        for stage, moved in tally.moved.items():
            metrics[f"bytes.{stage}"] = _lower(moved, "B")
            metrics[f"seconds.{stage}"] = _lower(seconds[stage], "s")
            metrics[f"bandwidth_share.{stage}"] = _higher(moved / seconds[stage] / bandwidth, "share")
        return metrics


def _lower(value: float, unit: str) -> dict[str, Any]:
    return {"value": value, "unit": unit, "direction": "lower"}


def _higher(value: float, unit: str) -> dict[str, Any]:
    return {"value": value, "unit": unit, "direction": "higher"}
