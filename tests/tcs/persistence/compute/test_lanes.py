"""Vectors of float32: each lane as numpy has it, to the bit, and words with a bit for each lane."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

pytest.importorskip("numba", reason="the engine's kernels are compiled by numba")

from tcs.persistence.compute.kernels import kernel
from tcs.persistence.compute.lanes import LANES, at_least, every, load, ones

NUMBERS = [0.0, -0.0, 1.0, np.nextafter(np.float32(1), np.float32(2)), -1.0, 3.5, np.inf, -np.inf, np.nan]


@kernel
def compared(values: Any, start: int, bound: Any) -> Any:
    """Bits of the entries that are at least the bound."""
    return at_least(load(values, start), every(bound))


@kernel
def reckoned(a: Any, b: Any, scale: Any, bound: Any) -> Any:
    """Bits of a * b - scale * a + b >= bound."""
    first, second = load(a, 0), load(b, 0)
    return at_least(first * second - every(scale) * first + second, every(bound))


def word(found: Any) -> int:
    """The bits of a row of booleans, the first one the lowest."""
    return sum(1 << i for i, bit in enumerate(found.tolist()) if bit)


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(NUMBERS), min_size=LANES + 5, max_size=LANES + 5), st.integers(0, 5),
    st.sampled_from(NUMBERS),
)  # fmt: skip
def test_lanes_are_compared_from_any_place_on(values: list[float], start: int, bound: float) -> None:
    """As IEEE has it: nothing is at least NaN, and zero is at least minus zero."""
    row = np.array(values, dtype=np.float32)
    assert compared(row, start, np.float32(bound)) == word(row[start : start + LANES] >= np.float32(bound))


@settings(deadline=None)
@given(st.integers(0, 2**32))
def test_each_operation_is_rounded(seed: int) -> None:
    """The bits of products and sums are those of float32, nothing contracted: bounds are results themselves."""
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(2, LANES)).astype(np.float32)
    scale = np.float32(rng.normal())
    right = a * b - scale * a + b
    for bound in (*right, *np.nextafter(right, np.float32(np.inf))):
        assert reckoned(a, b, scale, bound) == word(right >= bound)


def test_ones() -> None:
    """How many bits are set, that of the sign, too."""

    @kernel
    def count(number: int) -> Any:
        return ones(number)

    assert [count(number) for number in (0, 1, 0b1011, 2**63 - 1, -1)] == [0, 1, 3, 63, 64]
