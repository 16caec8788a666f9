"""Intervals hold what they promise: known values, symmetries, and their coverage in a seeded simulation."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy
import pytest
from hypothesis import given, strategies as st
from scipy import stats as scipy_stats

from fabricate import record
from harness.judging.stats import (
    Interval,
    censored_ratio,
    clopper_pearson,
    log_t_interval,
    process_statistic,
    quantile,
    t_interval,
    welch_log_ratio,
)

times = st.floats(min_value=1e-6, max_value=1e6)
processes = st.lists(times, min_size=2, max_size=12)


def test_log_t_interval_of_known_numbers() -> None:
    """Of e^-1, 1, e: mean log 0, standard error 1/sqrt(3), t(2) at 95 % 4.302653."""
    found = log_t_interval([math.exp(-1), 1.0, math.e])
    half = 4.302653 / math.sqrt(3)
    assert found.n == 3
    assert found.value == pytest.approx(1.0)
    assert found.low == pytest.approx(math.exp(-half), rel=1e-6)
    assert found.high == pytest.approx(math.exp(half), rel=1e-6)


def test_welch_matches_scipy() -> None:
    """The interval of the difference of logarithms is scipy's Welch interval."""
    over, ours = [2.0, 2.3, 1.9, 2.1, 2.6], [0.5, 0.52, 0.49]
    theirs = scipy_stats.ttest_ind(numpy.log(over), numpy.log(ours), equal_var=False).confidence_interval(0.9)
    found = welch_log_ratio(over, ours, 0.9)
    assert found.low == pytest.approx(math.exp(theirs.low))
    assert found.high == pytest.approx(math.exp(theirs.high))
    assert found.n == 3


def test_clopper_pearson_of_known_numbers() -> None:
    """The rule of three, and 5 of 100 as in every table."""
    none = clopper_pearson(0, 100)
    assert none.low == 0.0
    assert none.high == pytest.approx(1 - 0.025 ** (1 / 100))
    some = clopper_pearson(5, 100)
    assert some.low == pytest.approx(0.01643, abs=1e-5)
    assert some.high == pytest.approx(0.11283, abs=1e-5)
    assert clopper_pearson(7, 7).high == 1.0
    with pytest.raises(ValueError, match="8 of 7"):
        clopper_pearson(8, 7)


def test_quantile_is_type_8() -> None:
    """Known from Hyndman and Fan's formula, and equal to numpy's median_unbiased."""
    samples = [float(x) for x in range(1, 101)]
    assert quantile(samples, 0.99) == pytest.approx((100 + 1 / 3) * 0.99 + 1 / 3)
    assert quantile([3.0], 0.99) == 3.0


@given(st.lists(times, min_size=1, max_size=40), st.sampled_from([0.5, 0.95, 0.99]))
def test_quantile_matches_numpy(samples: list[float], q: float) -> None:
    """The same as numpy for any samples."""
    assert quantile(samples, q) == pytest.approx(float(numpy.quantile(samples, q, method="median_unbiased")))


def test_process_statistic() -> None:
    """One number a process; a process without samples has none."""
    one = record(samples=[3.0, 1.0, 2.0])
    assert process_statistic(one) == 2.0
    assert process_statistic(one, "p99") == 3.0
    with pytest.raises(ValueError, match="no samples"):
        process_statistic(record(samples=[]))
    with pytest.raises(ValueError, match="p90"):
        process_statistic(one, "p90")


@pytest.mark.parametrize("bad", [[1.0], [], [1.0, 0.0], [1.0, -1.0], [1.0, math.inf], [1.0, math.nan]])
def test_what_has_no_interval_is_refused(bad: list[float]) -> None:
    """One process, or a time that is none, is an error and never a number."""
    with pytest.raises(ValueError, match="at least two"):
        log_t_interval(bad)
    with pytest.raises(ValueError, match="at least two"):
        welch_log_ratio([1.0, 2.0], bad)


def test_equal_processes_give_an_interval_of_no_width() -> None:
    """No spread is no error (a deterministic metric, a memory peak)."""
    assert log_t_interval([2.0, 2.0, 2.0]).high == pytest.approx(2.0)
    assert t_interval([0.0, 0.0]).low == 0.0
    assert welch_log_ratio([4.0] * 3, [2.0] * 3).low == pytest.approx(2.0)


@given(processes, st.floats(min_value=1e-3, max_value=1e3))
def test_log_t_interval_follows_the_unit(medians: list[float], unit: float) -> None:
    """Measured in another unit, the interval is the same one; and it holds its own estimate."""
    one, other = log_t_interval(medians), log_t_interval([unit * value for value in medians])
    assert one.low <= one.value * (1 + 1e-12)
    assert one.value <= one.high * (1 + 1e-12)
    assert other.value == pytest.approx(unit * one.value, rel=1e-6)
    if one.high < 1e200:
        assert other.low == pytest.approx(unit * one.low, rel=1e-4)
        assert other.high == pytest.approx(unit * one.high, rel=1e-4)


@given(processes, processes)
def test_ratio_turned_around_is_the_inverse(over: list[float], ours: list[float]) -> None:
    """a/b and b/a are one statement."""
    one, other = welch_log_ratio(over, ours), welch_log_ratio(ours, over)
    assert math.log(one.value) == pytest.approx(-math.log(other.value), abs=1e-6)
    if one.high < 1e200 and other.high < 1e200:
        assert math.log(one.low) == pytest.approx(-math.log(other.high), rel=1e-4, abs=1e-6)


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_clopper_pearson_holds_its_share(counts: tuple[int, int]) -> None:
    """Bounds lie in [0, 1] around k/n and mirror for n - k."""
    k, n = counts
    found, mirrored = clopper_pearson(k, n), clopper_pearson(n - k, n)
    assert 0 <= found.low <= k / n <= found.high <= 1
    assert found.low == pytest.approx(1 - mirrored.high, abs=1e-9)


def test_censored_ratio_takes_the_slow_end() -> None:
    """A peer stopped at 60 s, ours at most 3 s: at least 20."""
    assert censored_ratio(60.0, Interval(value=2.0, low=1.5, high=3.0, n=8, confidence=0.95)) == 20.0


def test_coverage_of_log_t_and_of_pooling() -> None:
    """5 processes x 20 iterations, 5 % between and 2 % within: pooling covers some 40 %, log-t 95 %."""
    generator = numpy.random.default_rng(0)
    repeats = 1500
    between = generator.normal(0, 0.05, (repeats, 5, 1))
    samples = numpy.exp(between + generator.normal(0, 0.02, (repeats, 5, 20)))
    found = [log_t_interval([float(x) for x in row]) for row in numpy.median(samples, axis=2)]
    covered = float(numpy.mean([one.low <= 1 <= one.high for one in found]))
    assert 0.93 < covered < 0.97

    pooled = samples.reshape(repeats, 100)
    hits = 0
    for row in pooled[:500]:
        medians = numpy.median(row[generator.integers(0, 100, (200, 100))], axis=1)
        low, high = numpy.quantile(medians, [0.025, 0.975])
        hits += low <= 1 <= high
    assert 0.30 < hits / 500 < 0.50


def test_coverage_of_the_ratio_with_unequal_sides() -> None:
    """Welch holds 95 % where one side has 3 noisy processes and the other 8 quiet ones."""
    generator = numpy.random.default_rng(1)
    over, ours = (
        numpy.exp(generator.normal(math.log(20), 0.1, (2000, 3))),
        numpy.exp(generator.normal(0, 0.02, (2000, 8))),
    )
    hits = [welch_log_ratio(a.tolist(), b.tolist()) for a, b in zip(over, ours, strict=True)]
    assert 0.93 < float(numpy.mean([one.low <= 20 <= one.high for one in hits])) < 0.97


def test_import_is_light() -> None:
    """Importing the module loads neither scipy nor numpy: the parent of a timed child stays lean."""
    code = (
        "import sys; from harness.judging import gates, stats; "
        "print(sorted({'numpy', 'scipy', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
