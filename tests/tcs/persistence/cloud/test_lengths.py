"""Lengths: which squares are edges is decided to the last bit, and lengths are rounded once."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given, strategies as st

from tcs.persistence.cloud.lengths import longest_square, rounded

LARGEST = float(np.finfo(np.float32).max)


def length(square: float) -> np.float32:
    with np.errstate(over="ignore"):
        return np.float32(math.sqrt(square))


@given(st.floats(0, 1e38))
@example(0.0)
@example(1.0)
@example(0.1)
@example(5e-324)
@example(1e-45)
@example(LARGEST)
def test_the_largest_square_is_inside_and_the_next_is_not(threshold: float) -> None:
    """One unit in the last place of a float64 square parts edges from others."""
    square = longest_square(threshold)
    assert length(square) <= np.float32(threshold)
    assert length(float(np.nextafter(square, np.inf))) > np.float32(threshold)


def test_the_border_of_one() -> None:
    """The root may be as large as 1 + 2^-24, half-way to the next float32, which is rounded to the even 1."""
    assert longest_square(1.0) == 1 + 2**-23 + 17 * 2**-52
    assert math.sqrt(longest_square(1.0)) == 1 + 2**-24


@pytest.mark.parametrize("threshold", [math.inf, 1e39, 1e300, LARGEST])
def test_lengths_beyond_float32_are_never_inside(threshold: float) -> None:
    """However large the threshold, a length that a bar could not express makes no edge; and no warning is given."""
    square = longest_square(threshold)
    assert length(square) == LARGEST
    assert np.isinf(length(float(np.nextafter(square, np.inf))))


def test_squares_of_zero_length() -> None:
    """At threshold 0 lengths that are rounded to 0 are edges."""
    assert 0 < longest_square(0.0) < 1e-89
    assert longest_square(-0.0) == longest_square(0.0)


def test_rounding() -> None:
    """The root is taken in float64 and rounded once."""
    squares = np.array([0.0, 1.0, 2.0, 1 + 2**-23 + 17 * 2**-52, 1e-90, 1e76])
    found = rounded(squares)
    assert found.dtype == np.float32
    assert found.tolist() == [float(np.float32(math.sqrt(square))) for square in squares]
    assert found[3] == 1
