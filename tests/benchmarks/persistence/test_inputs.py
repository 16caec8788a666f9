"""What makes no sense is refused before anyone is timed, by name and with the next step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchmarks.persistence import inputs

GOOD = {"points": np.zeros((3, 2)), "threshold": 1.0, "max_dimension": 1}


def test_good_inputs_are_read_as_they_are() -> None:
    """float64, contiguous, one thread unless told otherwise."""
    task = inputs.rips({**GOOD, "points": np.asfortranarray(np.ones((3, 2), dtype=np.float32)), "threads": 2})
    assert task.points.dtype == np.float64
    assert task.points.flags.c_contiguous
    assert (task.max_dimension, task.threads) == (1, 2)
    assert inputs.rips(GOOD).threads == 1


@pytest.mark.parametrize("threshold", [1.0, 0.1, 0.010415755212306976, 3e-5, 1e30])
def test_a_threshold_means_the_same_in_float32_and_float64(threshold: float) -> None:
    """It is the largest float64 that rounds to the float32 of what was asked for, whichever way a tie is rounded."""
    widest = inputs.rips({**GOOD, "threshold": threshold}).threshold
    assert np.float32(widest) == np.float32(threshold) < np.float32(np.nextafter(widest, np.inf))
    assert inputs.rips({**GOOD, "threshold": widest}).threshold == widest


@pytest.mark.parametrize(
    ("points", "says"),
    [
        (np.zeros(5), r"shape \(n, d\), not \(5,\); write a cloud on a line as points.reshape\(-1, 1\)"),
        (np.zeros((0, 3)), r"shape \(0, 3\) holds nothing; give at least one point"),
        (np.zeros((3, 0)), r"shape \(3, 0\) holds nothing"),
        (np.array([[0.0, 1], [np.nan, 2]]), r"1 entries are not finite, first \(1, 0\) \(NaN\); remove such rows"),
        (np.array([[0.0, -np.inf]]), r"first \(0, 1\) \(infinite\)"),
        (np.zeros((2, 2), dtype=complex), "real numbers are needed, not complex128"),
        (np.array([["a", "b"]]), "real numbers are needed"),
        (np.array([[True, False]]), "real numbers are needed"),
    ],
)
def test_a_bad_cloud_is_refused(points: Any, says: str) -> None:
    """NaN, infinities, empty and one-dimensional clouds, and what is no number."""
    with pytest.raises(ValueError, match=f"^points: .*{says}"):
        inputs.rips({**GOOD, "points": points})


@pytest.mark.parametrize(
    ("threshold", "says"),
    [(0.0, "keeps no edge"), (-1, "keeps no edge"), (float("nan"), "it is NaN"), (float("inf"), "it is infinite")],
)
def test_a_bad_threshold_is_refused(threshold: float, says: str) -> None:
    """Zero, negative, NaN and infinite thresholds."""
    with pytest.raises(ValueError, match=f"^threshold: .*{says}.*; give the longest edge"):
        inputs.rips({**GOOD, "threshold": threshold})


@pytest.mark.parametrize("value", [-1, 1.5, True])
def test_a_bad_dimension_is_refused(value: Any) -> None:
    """The highest homology is a whole number from 0."""
    with pytest.raises(ValueError, match=r"^max_dimension: "):
        inputs.rips({**GOOD, "max_dimension": value})


@pytest.mark.parametrize(
    "values", [np.zeros(3), np.zeros((0, 2)), np.zeros((2, 2, 2, 2)), np.full((2, 2), np.inf), np.array([["a"]])]
)
def test_a_bad_image_is_refused(values: Any) -> None:
    """Two or three axes of finite real numbers."""
    with pytest.raises(ValueError, match=r"^values: "):
        inputs.grid(values)
