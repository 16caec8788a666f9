"""Pooling is the last row or the mean, and an embedding is a slice of it with length 1."""

from __future__ import annotations

import numpy as np
import pytest

from tcs.embedder.errors import CacheError, InputError
from tcs.embedder.pooling import pool, shorten

OUTPUTS = np.array([[1.0, 2, 3], [3, 4, 12]])


def test_the_last_and_the_mean() -> None:
    """By hand, in float64 whatever the type of the outputs."""
    for kind in (np.float16, np.float32):
        assert pool(OUTPUTS.astype(kind), "last").tolist() == [3, 4, 12]
        assert pool(OUTPUTS.astype(kind), "mean").tolist() == [2, 3, 7.5]
        assert pool(OUTPUTS.astype(kind), "mean").dtype == np.float64


def test_a_mean_is_summed_and_kept_in_float64() -> None:
    """Sums beyond the end of float16 are none of its business, and neighbours have a mean between them."""
    assert pool(np.full((1000, 1), 60_000, np.float16), "mean").tolist() == [60_000]
    assert pool(np.array([[2048], [2050]], np.float16), "mean").tolist() == [2049]
    assert pool(np.array([[2**24], [2**24 + 2]], np.float32), "mean").tolist() == [2**24 + 1]


def test_slice_then_normalise() -> None:
    """Of (3, 4, 12) the first two make (0.6, 0.8); all three are divided by 13."""
    found = shorten(OUTPUTS[1], 2)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [0.6, 0.8], rtol=1e-7)
    np.testing.assert_allclose(shorten(OUTPUTS[1], 3), OUTPUTS[1] / 13, rtol=1e-7)


def test_numbers_far_from_one_keep_their_direction() -> None:
    """Squares of float32 at the ends of its range neither overflow nor vanish in float64."""
    for scale in (1e-38, 1e38):
        np.testing.assert_allclose(shorten(scale * OUTPUTS[1], 2), [0.6, 0.8], rtol=1e-7)


def test_what_has_no_direction() -> None:
    """Zeros, NaN, a dimension that there is not, and a pooling that nobody knows."""
    with pytest.raises(InputError, match=r"the first 2 coordinates of the output are all 0, so they have no direction"):
        shorten(np.array([0.0, 0, 1]), 2)
    for bad in (np.nan, np.inf):
        with pytest.raises(CacheError, match=r"the output holds NaN or infinity"):
            shorten(np.array([1.0, bad]), 2)
    for dimension in (0, 4):
        with pytest.raises(InputError, match=rf"dimension={dimension}: the model's output has 3; choose from 1 to 3"):
            shorten(OUTPUTS[0], dimension)
    with pytest.raises(InputError, match=r"pooling 'max' is not one of last, mean"):
        pool(OUTPUTS, "max")
