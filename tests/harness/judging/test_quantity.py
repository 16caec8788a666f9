"""The number of one process: where it comes from, in which unit, and when there is none."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st

from fabricate import record
from harness.judging.quantity import UNITS, NoQuantity, direction, interval, quantity, unit_of

ONE = record(
    samples=[0.1, 0.2, 0.3],
    cpu=[0.4, 0.5, 0.6],
    setup=2.0,
    memory={"host_peak": 2**30, "device_peak": 2**31},
    check={"ok": True, "distance": 0.25},
    metrics={
        "recall": {"value": 0.9, "unit": "", "direction": "higher"},
        "ttft": {"value": 12.0, "unit": "ms", "direction": "lower"},
        "score": {"value": 7.0, "unit": "points", "direction": "higher"},
    },
)


@pytest.mark.parametrize(
    ("metric", "unit", "expected"),
    [
        ("time", "s", 0.2),
        ("time", "ms", 200.0),
        ("cpu", "s", 0.5),
        ("setup", "ms", 2000.0),
        ("memory", "GiB", 1.0),
        ("memory", "MiB", 1024.0),
        ("device_memory", "GB", 2**31 / 1e9),
        ("stage.neighbours", "ms", 20.0),
        ("distance", "", 0.25),
        ("recall", "", 0.9),
        ("recall", "%", 90.0),
        ("recall", "s", 0.9),
        ("ttft", "s", 0.012),
        ("ttft", "ms", 12.0),
        ("score", "points", 7.0),
        ("score", "s", 7.0),
    ],
)
def test_known_numbers(metric: str, unit: str, expected: float) -> None:
    """Each quantity from its field, in the unit that is asked for; the default unit leaves a metric its own."""
    assert quantity(ONE, metric, "median", unit) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("metric", "statistic", "unit", "phrase"),
    [
        ("speed", "median", "s", "no speed was recorded .metrics of this answer: recall, score, ttft"),
        ("stage.reading", "median", "s", "no stage.reading"),
        ("time", "p99", "s", "p99 needs 100 samples a process, and a process has 3"),
        ("memory", "p99", "MiB", "memory has one value a process"),
        ("score", "median", "ms", "score is in points, which cannot be compared with a bound in ms"),
        ("time", "median", "GiB", "time is in s"),
        ("recall", "median", "ms", "recall is in no unit"),
    ],
)
def test_no_number(metric: str, statistic: str, unit: str, phrase: str) -> None:
    """The reason is a phrase for a verdict's sentence."""
    with pytest.raises(NoQuantity, match=phrase):
        quantity(ONE, metric, statistic, unit)


def test_a_quantile_of_calls_timed_together_is_none() -> None:
    """Means of many calls hide the slow ones."""
    with pytest.raises(NoQuantity, match="8 calls together"):
        quantity(record(samples=[0.1] * 100, number=8), "time", "p99", "s")


def test_units_and_directions() -> None:
    """What a report prints beside a number."""
    assert (unit_of(ONE, "time", "ms"), unit_of(ONE, "score", "s"), unit_of(ONE, "recall", "s")) == ("ms", "points", "")
    assert (direction(ONE, "recall"), direction(ONE, "time")) == ("higher", "lower")


def test_intervals() -> None:
    """Log-t for what is measured, t for a metric, none for one process, and no time of zero."""
    measured, metric = interval([1.0, 4.0], "time", 0.95), interval([1.0, 4.0], "recall", 0.95)
    assert measured is not None
    assert metric is not None
    assert measured.value == pytest.approx(2.0)
    assert metric.value == 2.5
    assert interval([1.0], "time", 0.95) is None
    with pytest.raises(NoQuantity, match="a time of 0 is no measurement"):
        interval([1.0, 0.0], "time", 0.95)


@given(st.sampled_from(sorted(UNITS)), st.sampled_from(sorted(UNITS)), st.floats(1e-3, 1e3))
def test_units_convert_there_and_back(one: str, other: str, value: float) -> None:
    """Within a dimension; across dimensions it is refused."""

    def of(amount: float, unit: str) -> Any:
        return record(metrics={"m": {"value": amount, "unit": unit}})

    if UNITS[one][0] != UNITS[other][0]:
        if other != "s":
            with pytest.raises(NoQuantity):
                quantity(of(value, one), "m", "median", other)
        return
    there = quantity(of(value, one), "m", "median", other)
    assert quantity(of(there, other), "m", "median", one) == pytest.approx(value)
