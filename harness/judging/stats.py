"""Intervals over processes: log-t for one player, Welch on logarithms for two, and what a time-out allows.

The process is the unit of replication: iterations inside one process share its memory layout, its place on
the machine and its moment, so that pooling them pretends to knowledge that is not there. Each process is
reduced to one number first (:func:`process_statistic`); everything here works on those numbers.
docs/explanation/statistics.md gives the reasons and the measured coverage.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median, variance

from harness.record import Record

LEAST_SAMPLES = {"median": 1, "p95": 20, "p99": 100}
"""Samples that one process needs for a statistic: below 1/(1 - q) the quantile is no more than the maximum."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """An estimate with its two-sided interval; ``n`` is the number of processes (of the side that has fewer)."""

    value: float
    low: float
    high: float
    n: int
    confidence: float


def geometric_mean(values: Sequence[float]) -> float:
    """Of positive numbers: the centre of every interval of a time or a ratio.

    >>> geometric_mean([1.0, 4.0])
    2.0
    """
    return math.exp(fmean(map(math.log, values)))


def log_t_interval(medians: Sequence[float], confidence: float = 0.95) -> Interval:
    """Student's t interval of the mean logarithm, carried back: the geometric mean of the processes.

    Times are positive and their errors multiply, hence logarithms.

    Args:
        medians: one positive number a process, at least two, in any unit.

    Raises:
        ValueError: fewer than two numbers, or one that is not positive and finite.
    """
    logs = _logs(medians)
    centre, half = fmean(logs), _t(len(logs) - 1, confidence) * math.sqrt(variance(logs) / len(logs))
    return _interval(centre, half, n=len(logs), confidence=confidence)


def t_interval(values: Sequence[float], confidence: float = 0.95) -> Interval:
    """Student's t interval of the mean, for metrics that may be zero or negative.

    Raises:
        ValueError: fewer than two numbers, or one that is not finite.
    """
    if len(values) < 2 or not all(math.isfinite(value) for value in values):
        raise ValueError(f"an interval needs at least two finite numbers, not {list(values)[:5]}")
    centre, half = fmean(values), _t(len(values) - 1, confidence) * math.sqrt(variance(values) / len(values))
    return Interval(value=centre, low=centre - half, high=centre + half, n=len(values), confidence=confidence)


def welch_log_ratio(over: Sequence[float], ours: Sequence[float], confidence: float = 0.95) -> Interval:
    """Interval of the ratio over / ours: 20 means that ``ours`` is twenty times smaller.

    Welch's t on logarithms with Satterthwaite's degrees of freedom (B. L. Welch, Biometrika 34, 1947,
    28-35): the two sides may have different spreads and different numbers of processes.

    Args:
        over, ours: one positive number a process, at least two on each side, in the same unit.

    Raises:
        ValueError: fewer than two numbers on a side, or one that is not positive and finite.
    """
    top, bottom = _logs(over), _logs(ours)
    a, b = variance(top) / len(top), variance(bottom) / len(bottom)
    freedom = (
        (a + b) ** 2 / (a**2 / (len(top) - 1) + b**2 / (len(bottom) - 1)) if a + b > 0 and a**2 + b**2 > 0 else 1.0
    )
    half = _t(freedom, confidence) * math.sqrt(a + b)
    return _interval(fmean(top) - fmean(bottom), half, n=min(len(top), len(bottom)), confidence=confidence)


def censored_ratio(limit_s: float, ours: Interval) -> float:
    """Lower bound of the ratio over / ours where ``over`` was stopped after ``limit_s`` seconds.

    Its true time is above the limit and ours is below the upper end of its interval; nothing more is known.

    >>> censored_ratio(60.0, Interval(value=2.0, low=1.5, high=3.0, n=8, confidence=0.95))
    20.0
    """
    return limit_s / ours.high


def clopper_pearson(k: int, n: int, confidence: float = 0.95) -> Interval:
    """Exact two-sided interval of a share k / n (Clopper and Pearson, Biometrika 26, 1934, 404-413).

    Raises:
        ValueError: unless 0 <= k <= n and n >= 1.
    """
    from scipy.special import betaincinv

    if not 0 <= k <= n or n < 1:
        raise ValueError(f"a share needs 0 <= k <= n and n >= 1, not {k} of {n}")
    tail = (1 - confidence) / 2
    low = 0.0 if k == 0 else float(betaincinv(k, n - k + 1, tail))
    high = 1.0 if k == n else float(betaincinv(k + 1, n - k, 1 - tail))
    return Interval(value=k / n, low=low, high=high, n=n, confidence=confidence)


def quantile(samples: Sequence[float], q: float) -> float:
    """The median-unbiased quantile, type 8 of Hyndman and Fan (The American Statistician 50, 1996, 361-365).

    >>> quantile([1.0, 2.0, 3.0], 0.5)
    2.0
    """
    ordered = sorted(samples)
    rank = min(max((len(ordered) + 1 / 3) * q + 1 / 3, 1.0), float(len(ordered)))
    below = int(rank)
    above = min(below + 1, len(ordered))
    return ordered[below - 1] + (rank - below) * (ordered[above - 1] - ordered[below - 1])


def process_statistic(record: Record, statistic: str = "median") -> float:
    """The one number that a process stands for: ``median``, ``p95`` or ``p99`` of its samples (seconds).

    Raises:
        ValueError: no samples, or another statistic. Whether there are enough samples for a quantile is
            the caller's question (:data:`LEAST_SAMPLES`).
    """
    if statistic not in LEAST_SAMPLES:
        raise ValueError(f"statistic {statistic!r} is not one of {', '.join(LEAST_SAMPLES)}")
    if not record.samples:
        raise ValueError(f"trial {record.trial} of {record.player} has no samples")
    return (
        float(median(record.samples)) if statistic == "median" else quantile(record.samples, int(statistic[1:]) / 100)
    )


def _logs(values: Sequence[float]) -> list[float]:
    if len(values) < 2 or not all(value > 0 and math.isfinite(value) for value in values):
        raise ValueError(f"an interval needs at least two positive finite numbers, not {list(values)[:5]}")
    return [math.log(value) for value in values]


def _t(freedom: float, confidence: float) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(freedom, (1 + confidence) / 2))


def _interval(centre: float, half: float, *, n: int, confidence: float) -> Interval:
    return Interval(
        value=math.exp(centre),
        low=math.exp(centre - half),
        high=math.exp(min(centre + half, 700.0)),
        n=n,
        confidence=confidence,
    )
