"""Lengths of edges: the exact comparison of float64 squares behind bars that are float32.

Ripser compares lengths after rounding them to float32 (Bauer 2021, section 5). Any refinement of that order gives the
same bars of positive length, so edges are ordered by their float64 squared length, then by their vertices, and a
length is rounded only when it is handed out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def rounded(squares: NDArray[np.float64]) -> NDArray[np.float32]:
    """The float32 length of each float64 squared length."""
    lengths: NDArray[np.float32] = np.sqrt(squares).astype(np.float32)
    return lengths


def longest_square(threshold: float) -> float:
    """The largest float64 square whose root, rounded to float32, is at most the threshold, rounded to float32.

    Lengths beyond float32 have no bars, so they are not inside for any threshold. Found by bisection over the bits of
    non-negative numbers, whose order is that of the numbers.
    """
    with np.errstate(over="ignore"):
        bound = min(np.float32(threshold), np.finfo(np.float32).max)
    low, high = 0, int(np.float64(np.inf).view(np.int64))
    while high - low > 1:
        middle = (low + high) // 2
        square = np.int64(middle).view(np.float64)
        with np.errstate(over="ignore"):
            inside = np.float32(np.sqrt(square)) <= bound
        low, high = (middle, high) if inside else (low, middle)
    return float(np.int64(low).view(np.float64))
