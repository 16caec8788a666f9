"""One number a process, in the unit that a gate asks for."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from harness.judging.stats import LEAST_SAMPLES, Interval, log_t_interval, process_statistic, t_interval
from harness.record import Record
from harness.wording import number

UNITS: dict[str, tuple[str, float]] = {
    "s": ("time", 1.0),
    "ms": ("time", 1e-3),
    "us": ("time", 1e-6),
    "µs": ("time", 1e-6),
    "ns": ("time", 1e-9),
    "min": ("time", 60.0),
    "h": ("time", 3600.0),
    "B": ("memory", 1.0),
    "bytes": ("memory", 1.0),
    "kB": ("memory", 1e3),
    "MB": ("memory", 1e6),
    "GB": ("memory", 1e9),
    "KiB": ("memory", 2.0**10),
    "MiB": ("memory", 2.0**20),
    "GiB": ("memory", 2.0**30),
    "": ("share", 1.0),
    "1": ("share", 1.0),
    "share": ("share", 1.0),
    "x": ("share", 1.0),
    "%": ("share", 0.01),
}
"""Unit to its dimension and its size in that dimension's base unit; a unit that is not here is its own."""


class NoQuantity(Exception):
    """A record does not hold the number that a gate asks for; the message is a phrase that says why.

    ``needs_samples``: with more samples it would.
    """

    def __init__(self, why: str, *, needs_samples: bool = False) -> None:
        self.needs_samples = needs_samples
        super().__init__(why)


def quantity(record: Record, metric: str, statistic: str, unit: str) -> float:
    """The number of one process.

    Args:
        metric: ``time`` or ``cpu`` (a statistic of the samples), ``memory`` or ``device_memory`` (peak),
            ``setup``, ``stage.<name>`` (median), ``distance`` (from the oracle), or the name of a metric.
        statistic: ``median``, ``p95`` or ``p99``, of ``time`` only.
        unit: that it is wanted in; the default ``s`` of a metric that is no time is read as its own unit.

    Raises:
        NoQuantity: there is no such number, too few samples for the quantile, or another dimension.
    """
    value, own = _raw(record, metric, statistic)
    if unit == "s" and UNITS.get(own, (own,))[0] != "time":
        return value
    return value * _factor(own, unit, metric)


def unit_of(record: Record, metric: str, unit: str) -> str:
    """The unit that :func:`quantity` answers in."""
    own = _raw(record, metric, "median")[1]
    return own if unit == "s" and UNITS.get(own, (own,))[0] != "time" else unit


def direction(record: Record, metric: str) -> str:
    """Whether ``lower`` or ``higher`` is better; all that the harness measures itself is better lower."""
    return str(record.metrics.get(metric, {}).get("direction", "lower"))


def interval(values: Sequence[float], metric: str, confidence: float) -> Interval | None:
    """The interval over processes: log-t for what is measured, t for a metric; None below two processes.

    Raises:
        NoQuantity: a time or a memory of zero.
    """
    if len(values) < 2:
        return None
    if not measured(metric):
        return t_interval(values, confidence)
    if min(values) <= 0:
        raise NoQuantity(f"a {metric} of {number(min(values))} is no measurement")
    return log_t_interval(values, confidence)


def measured(metric: str) -> bool:
    """Whether the harness measures it itself: then it is positive and its errors multiply."""
    return metric in ("time", "cpu", "memory", "device_memory", "setup") or metric.startswith("stage.")


def _raw(record: Record, metric: str, statistic: str) -> tuple[float, str]:
    if metric == "time":
        least = LEAST_SAMPLES[statistic]
        if len(record.samples) < least:
            why = f"{statistic} needs {least} samples a process, and a process has {len(record.samples)}"
            raise NoQuantity(why, needs_samples=True)
        if statistic != "median" and record.number > 1:
            raise NoQuantity(f"{statistic} of calls cannot be read off samples of {record.number} calls together")
        return process_statistic(record, statistic), "s"
    if statistic != "median":
        raise NoQuantity(f"{statistic} is a statistic of the samples of time, and {metric} has one value a process")
    if metric in record.metrics:
        return float(record.metrics[metric]["value"]), str(record.metrics[metric].get("unit", ""))
    found: float | None = None
    own = "s"
    if metric in ("memory", "device_memory"):
        found, own = record.memory.get("host_peak" if metric == "memory" else "device_peak"), "B"
    elif metric == "cpu":
        found = median(record.cpu) if record.cpu else None
    elif metric == "setup":
        found = record.setup
    elif metric.startswith("stage."):
        parts = record.stages.get(metric.removeprefix("stage."))
        found = median(parts) if parts else None
    elif metric == "distance":
        found, own = record.check.get("distance"), ""
    if found is None:
        known = ", ".join(sorted(record.metrics)) or "none"
        raise NoQuantity(f"no {metric} was recorded (metrics of this answer: {known})")
    return float(found), own


def _factor(own: str, unit: str, metric: str) -> float:
    if own == unit:
        return 1.0
    if own in UNITS and unit in UNITS and UNITS[own][0] == UNITS[unit][0]:
        return UNITS[own][1] / UNITS[unit][1]
    raise NoQuantity(f"{metric} is in {own or 'no unit'}, which cannot be compared with a bound in {unit or 'no unit'}")
