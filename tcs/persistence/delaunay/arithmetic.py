"""Two arithmetics in which a formula can be written once: of double-doubles, and exact.

A kernel that is handed :data:`DOUBLES` computes with pairs of float64, the second the rounding error of the first: 106
bits, some thirty times slower than float64 (Dekker 1971). One that is handed :func:`.expansions.nothing` computes with
expansions, without any error, and some hundred times slower again. Differences of coordinates have no error in
either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import types
from numba.extending import overload

from tcs.persistence.compute.kernels import kernel
from tcs.persistence.delaunay import expansions

if TYPE_CHECKING:
    from numpy.typing import NDArray

DOUBLES = (0.0, 0.0)
# A bound on the rounding errors of float64, times this, is one on those of double-doubles, with room to spare.
DOUBLES_BOUND = 2.0**-46


@kernel
def two_sum(a: float, b: float) -> Any:
    """The rounded sum of two numbers and its error (Knuth)."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


@kernel
def two_product(a: float, b: float) -> Any:
    """The rounded product of two numbers and its error."""
    total = a * b
    return total, expansions.product_error(a, b, total)


@kernel
def doubles_plus(a: Any, b: Any) -> Any:
    """The sum of two double-doubles."""
    high, error = two_sum(a[0], b[0])
    low, rest = two_sum(a[1], b[1])
    high, error = two_sum(high, error + low)
    return two_sum(high, error + rest)


@kernel
def doubles_times(a: Any, b: Any) -> Any:
    """The product of two double-doubles."""
    high, error = two_product(a[0], b[0])
    return two_sum(high, error + (a[0] * b[1] + a[1] * b[0]))


def difference(a: float, b: float, like: Any) -> Any:
    """a - b, without error, in the arithmetic of ``like``."""
    raise NotImplementedError("for compiled code only")


def plus(a: Any, b: Any) -> Any:
    """a + b."""
    raise NotImplementedError("for compiled code only")


def minus(a: Any, b: Any) -> Any:
    """a - b."""
    raise NotImplementedError("for compiled code only")


def times(a: Any, b: Any) -> Any:
    """a * b."""
    raise NotImplementedError("for compiled code only")


def nearest(a: Any) -> Any:
    """The float64 number next to a, or its neighbour."""
    raise NotImplementedError("for compiled code only")


@overload(difference, strict=False)
def _difference(a: Any, b: Any, like: Any) -> Any:
    if isinstance(like, types.Array):
        return lambda a, b, like: expansions.difference(a, b)
    return lambda a, b, like: two_sum(a, -b)


@overload(plus, strict=False)
def _plus(a: Any, b: Any) -> Any:
    if isinstance(a, types.Array):
        return lambda a, b: expansions.plus(a, b)  # noqa: PLW0108 - the compiler reads its source
    return lambda a, b: doubles_plus(a, b)  # noqa: PLW0108 - likewise


@overload(minus, strict=False)
def _minus(a: Any, b: Any) -> Any:
    if isinstance(a, types.Array):
        return lambda a, b: expansions.minus(a, b)  # noqa: PLW0108 - likewise
    return lambda a, b: doubles_plus(a, (-b[0], -b[1]))


@overload(times, strict=False)
def _times(a: Any, b: Any) -> Any:
    if isinstance(a, types.Array):
        return lambda a, b: expansions.times(a, b)  # noqa: PLW0108 - likewise
    return lambda a, b: doubles_times(a, b)  # noqa: PLW0108 - likewise


@overload(nearest, strict=False)
def _nearest(a: Any) -> Any:
    if isinstance(a, types.Array):
        return lambda a: expansions.nearest(a)  # noqa: PLW0108 - likewise
    return lambda a: a[0]


@kernel
def whole(number: Any) -> int:
    """A number as a 64-bit integer: kernels that call each other are then compiled for one type only."""
    return int(np.int64(number))


@kernel
def on_grid(points: NDArray[np.float64], corners: Any, bits: int, axes: Any) -> bool:
    """Whether the points are so near to each other, on a grid of powers of two, that differences have ``bits`` bits.

    A formula of degree k in the differences then has no rounding error in float64, if k ``bits`` and the logarithm
    of the number of its products are at most 53.
    """
    widest = 0.0
    for corner in corners:
        for c in range(len(axes)):
            widest = max(widest, abs(points[corner, c] - points[corners[0], c]))
    # twice, since differences between two others may be as long
    unit = 2.0 ** (np.ceil(np.log2(widest)) + 1.0 - bits)
    shift = 1.5 * 2.0**52 * unit
    for corner in corners:
        for c in range(len(axes)):
            if (points[corner, c] + shift) - shift != points[corner, c]:
                return False
    return True
