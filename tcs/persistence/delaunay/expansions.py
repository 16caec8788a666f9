"""Exact sums and products of float64 numbers, as expansions: what decides when rounding could change a sign.

An expansion is an array of non-zero numbers of rising magnitude whose bits do not overlap and whose exact sum is the
value; zero has none (Shewchuk, Adaptive precision floating-point arithmetic, 1997). Exact as long as no product of
the last bits underflows and none of the first overflows; :mod:`.delaunay.exact_points` sees to that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tcs.persistence.compute.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

SPLITTER = 2.0**27 + 1


@kernel
def product_error(a: float, b: float, rounded: float) -> float:
    """What rounding took from the product of a and b (Dekker 1971)."""
    big = SPLITTER * a
    a_high = big - (big - a)
    a_low = a - a_high
    big = SPLITTER * b
    b_high = big - (big - b)
    b_low = b - b_high
    return a_low * b_low - (((rounded - a_high * b_high) - a_low * b_high) - a_high * b_low)


@kernel
def grow(values: NDArray[np.float64], size: int, number: float) -> int:
    """Add a number to the expansion ``values[:size]``, in place; its new size is returned."""
    rest = number
    kept = 0
    for i in range(size):
        other = values[i]
        total = rest + other
        part = total - rest
        error = (rest - (total - part)) + (other - part)
        if error != 0.0:
            values[kept] = error
            kept += 1
        rest = total
    if rest != 0.0:
        values[kept] = rest
        kept += 1
    return kept


@kernel
def difference(a: float, b: float) -> Any:
    """The expansion of a - b."""
    values = np.empty(2)
    values[0] = a
    size = 0 if a == 0.0 else 1
    return values[: grow(values, size, -b)]


@kernel
def plus(a: NDArray[np.float64], b: NDArray[np.float64]) -> Any:
    """The sum of two expansions."""
    values = np.empty(len(a) + len(b))
    size = len(a)
    values[:size] = a
    for number in b:
        size = grow(values, size, number)
    return values[:size]


@kernel
def minus(a: NDArray[np.float64], b: NDArray[np.float64]) -> Any:
    """The difference of two expansions."""
    values = np.empty(len(a) + len(b))
    size = len(a)
    values[:size] = a
    for number in b:
        size = grow(values, size, -number)
    return values[:size]


@kernel
def times(a: NDArray[np.float64], b: NDArray[np.float64]) -> Any:
    """The product of two expansions."""
    values = np.empty(2 * len(a) * len(b))
    size = 0
    for x in a:
        for y in b:
            rounded = x * y
            error = product_error(x, y, rounded)
            if error != 0.0:
                size = grow(values, size, error)
            size = grow(values, size, rounded)
    return values[:size]


@kernel
def sign(a: NDArray[np.float64]) -> int:
    """-1, 0 or 1: the largest part decides."""
    if len(a) == 0:
        return 0
    return 1 if a[-1] > 0.0 else -1


@kernel
def nearest(a: NDArray[np.float64]) -> float:
    """The value to within one unit in the last place."""
    total = 0.0
    for number in a:
        total += number
    return total


@kernel
def nothing() -> Any:
    """The expansion of zero."""
    return np.empty(0)
