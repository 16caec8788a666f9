"""What a record tells beside times and answers: readings of the GPU, and metrics that a player has of itself.

A measurement is never lost for it: what cannot be had is left out, and the log says why.
"""

from __future__ import annotations

import math
import sys
import traceback
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from harness.trials.clock import Clock, WallClock

Metrics = dict[str, dict[str, Any]]


def on_the_gpu(clock: Clock) -> AbstractContextManager[Metrics]:
    """Readings of the GPU that a clock times, while the ``with`` lasts; see :mod:`harness.machine.nvml`."""
    if isinstance(clock, WallClock):
        return nullcontext({})
    from harness.machine import nvml

    try:
        return nvml.watched(nvml.Gpu(clock.address()))
    except Exception as error:  # noqa: BLE001 - the edge: whatever torch, cupy and a driver raise
        print(f"load and power of the GPU are not told: {type(error).__name__}: {error}", file=sys.stderr)
        return nullcontext({})


def of_the_player(solve: Any) -> Metrics:
    """What ``solve.metrics()`` gives, where there is such a thing: name to ``value``, ``unit`` and ``direction``."""
    try:
        found: Metrics = getattr(solve, "metrics", dict)()
        for name, metric in found.items():
            if not math.isfinite(metric["value"]) or metric["direction"] not in ("lower", "higher"):
                raise ValueError(f"the metric {name!r} is {metric}: a number and whether lower or higher is better")
        return {str(name): {**metric, "value": float(metric["value"])} for name, metric in found.items()}
    except Exception:  # noqa: BLE001 - the edge: the times and the answers stand without it
        traceback.print_exc()
        return {}
