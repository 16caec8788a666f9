"""The metrics of clouds, and the key by which each orders pairs of points: a squared length, or a length."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tcs.persistence.compute.kernels import kernel, squared

if TYPE_CHECKING:
    from numpy.typing import NDArray

# What a metric does with the differences of coordinates, which are added up in their order.
SQUARES, MAGNITUDES, LARGEST = 0, 1, 2
METRICS = {"euclidean": SQUARES, "cityblock": MAGNITUDES, "chebyshev": LARGEST}


@kernel
def key_of(points: NDArray[np.float64], a: int, b: int, code: int, axes: Any) -> float:
    """The key of a pair of points (n, d)."""
    if code == SQUARES:
        return squared(points, a, b, axes)
    total = 0.0
    for c in range(len(axes)):
        size = abs(points[a, c] - points[b, c])
        total = total + size if code == MAGNITUDES else max(total, size)
    return total


@kernel
def keys_of(
    points: NDArray[np.float64], first: NDArray[Any], second: NDArray[Any], code: int, axes: Any
) -> NDArray[np.float64]:
    """The keys of pairs of points."""
    keys = np.empty(len(first))
    for i in range(len(first)):
        keys[i] = key_of(points, first[i], second[i], code, axes)
    return keys
