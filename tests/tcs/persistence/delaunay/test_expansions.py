"""Exact arithmetic: held against fractions, which are exact by construction."""

from __future__ import annotations

import itertools
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

pytest.importorskip("numba", reason="the kernels are compiled by numba")

from tcs.persistence.delaunay import expansions

# Whole multiples of 2^-140 below 1, as the points are: dense ones, few bits far apart, and zero.
NUMBERS = st.one_of(
    st.floats(-1, 1, width=32).filter(lambda x: x == 0 or abs(x) > 2.0**-80),
    st.builds(lambda m, e: m * 2.0**-e, st.integers(-(2**53), 2**53), st.integers(53, 140)),
    st.just(0.0),
)


def value(expansion: Any) -> Fraction:
    """What an expansion stands for."""
    return sum((Fraction(float(part)) for part in expansion), Fraction(0))


def well_formed(expansion: Any) -> bool:
    """Whether parts are not zero, rise in magnitude, and share no bits: each is below the last bit of the next."""
    for low, high in itertools.pairwise(expansion):
        mantissa, exponent = np.frexp(high)
        bits = int(abs(mantissa) * 2**53)
        if abs(low) >= np.ldexp(1.0, exponent - 53) * (bits & -bits):
            return False
    return bool((np.asarray(expansion) != 0).all())


@settings(max_examples=200, deadline=None)
@given(NUMBERS, NUMBERS, NUMBERS, NUMBERS)
def test_sums_and_products_are_exact(a: float, b: float, c: float, d: float) -> None:
    """(a - b)(c - d) + (a - c), as an expansion, is what it is in fractions; no parts overlap."""
    first, second = expansions.difference(a, b), expansions.difference(c, d)
    product = expansions.times(first, second)
    total = expansions.plus(product, expansions.difference(a, c))
    right = (Fraction(a) - Fraction(b)) * (Fraction(c) - Fraction(d))
    assert value(product) == right
    assert value(total) == right + Fraction(a) - Fraction(c)
    assert well_formed(product)
    assert well_formed(total)
    assert expansions.sign(total) == (value(total) > 0) - (value(total) < 0)
    assert value(expansions.minus(total, total)) == 0


@settings(max_examples=100, deadline=None)
@given(st.lists(NUMBERS, min_size=1, max_size=12))
def test_a_long_sum_is_exact_and_rounds_to_its_neighbour(numbers: list[float]) -> None:
    """Numbers that cancel leave exactly what they leave; the nearest float64 is off by one last place at most."""
    total = expansions.nothing()
    for number in numbers:
        total = expansions.plus(total, expansions.difference(number, 0.0))
    right = sum(map(Fraction, numbers), Fraction(0))
    assert value(total) == right
    assert abs(Fraction(float(expansions.nearest(total))) - right) <= abs(right) * Fraction(2, 2**53)


def test_zero_has_no_parts() -> None:
    """The sign of what cancels wholly is 0, not that of a rounding error."""
    third = expansions.difference(1 / 3, 0.0)
    assert len(expansions.minus(expansions.times(third, third), expansions.times(third, third))) == 0
    assert expansions.sign(expansions.nothing()) == 0
