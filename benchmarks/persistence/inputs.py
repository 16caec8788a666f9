"""What a problem consists of, and what is refused before anyone is timed on it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Rips(NamedTuple):
    """A Vietoris-Rips problem: points (n, d) float64, edges up to the threshold included, H0 .. max_dimension.

    The threshold is the largest number that rounds to the same float32 as the one asked for. So an engine that
    compares float64 lengths, and one that rounds lengths and threshold to float32 as Ripser does, mean the same edges.
    """

    points: NDArray[np.float64]
    threshold: float
    max_dimension: int
    threads: int


def cloud(points: Any) -> NDArray[np.float64]:
    """Points as a contiguous float64 array of shape (n, d), n and d at least 1.

    Raises:
        ValueError: not two-dimensional, empty, not real numbers, NaN or infinite; the message says which and where.
    """
    found = np.asarray(points)
    if found.dtype.kind not in "fiu":
        raise ValueError(f"points: real numbers are needed, not {found.dtype}; convert them to float64")
    if found.ndim != 2:
        raise ValueError(
            f"points: a cloud has shape (n, d), not {found.shape}; write a cloud on a line as points.reshape(-1, 1)"
        )
    if found.shape[0] == 0 or found.shape[1] == 0:
        raise ValueError(f"points: a cloud of shape {found.shape} holds nothing; give at least one point")
    values = np.ascontiguousarray(found, dtype=np.float64)
    _finite("points", values)
    return values


def grid(values: Any) -> NDArray[np.float64]:
    """An image or a volume as a contiguous float64 array with 2 or 3 axes. Raises ValueError as :func:`cloud`."""
    found = np.asarray(values)
    if found.dtype.kind not in "fiu" or found.ndim not in (2, 3) or found.size == 0:
        raise ValueError(f"values: an image has 2 or 3 axes of real numbers, not shape {found.shape} of {found.dtype}")
    array = np.ascontiguousarray(found, dtype=np.float64)
    _finite("values", array)
    return array


def rips(inputs: Mapping[str, Any]) -> Rips:
    """Read and check the inputs of a Vietoris-Rips problem.

    Raises:
        ValueError: a cloud that :func:`cloud` refuses, a threshold that is not positive and finite, a dimension
            that is not a whole number from 0.
    """
    points = cloud(inputs["points"])
    return Rips(points, _threshold(inputs["threshold"]), _dimension(inputs["max_dimension"]), threads(inputs))


def threads(inputs: Mapping[str, Any]) -> int:
    """How many threads a player may use: at least 1."""
    return max(1, int(inputs.get("threads", 1) or 1))


def _threshold(value: Any) -> float:
    threshold = float(value)
    if math.isnan(threshold):
        raise ValueError("threshold: it is NaN; give the longest edge as a positive number")
    if math.isinf(threshold):
        raise ValueError("threshold: it is infinite; give the longest edge, at most the diameter of the cloud")
    if threshold <= 0:
        raise ValueError(f"threshold: {threshold} keeps no edge; give the longest edge as a positive number")
    return _widest(threshold)


def _widest(value: float) -> float:
    """The largest float64 that rounds to the same float32 as the value."""
    single = np.float32(value)
    halfway = (float(single) + float(np.nextafter(single, np.float32(np.inf)))) / 2
    return halfway if np.float32(halfway) == single else float(np.nextafter(halfway, 0.0))


def _dimension(value: Any) -> int:
    if isinstance(value, bool) or int(value) != value or value < 0:
        raise ValueError(f"max_dimension: the highest homology is a whole number from 0, not {value!r}")
    return int(value)


def _finite(name: str, values: NDArray[np.float64]) -> None:
    bad = ~np.isfinite(values)
    if bad.any():
        index = tuple(int(axis) for axis in np.argwhere(bad)[0])
        what = "NaN" if np.isnan(values[index]) else "infinite"
        raise ValueError(f"{name}: {int(bad.sum())} entries are not finite, first {index} ({what}); remove such rows")
