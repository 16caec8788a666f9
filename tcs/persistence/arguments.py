"""What a computation is given, checked: what cannot be meant is refused in a sentence that names the next step."""

from __future__ import annotations

import difflib
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from tcs.persistence.compute.memory import require
from tcs.persistence.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_POINTS = 2**32
# Beyond this squares of lengths overflow, and long before it lengths are beyond float32.
LARGEST_COORDINATE = 2.0**500
METRICS = ("euclidean", "cityblock", "chebyshev", "precomputed")
HIGHEST = 2
BACKENDS = ("cpu", "cuda", "auto")


def as_length(threshold: Any) -> float:
    """A threshold as a number from 0, inf among them."""
    is_number = isinstance(threshold, (int, float, np.integer, np.floating)) and not isinstance(threshold, bool)
    if not is_number or not threshold >= 0:
        raise InputError(f"threshold: {threshold!r} is no length; give a number from 0, or inf for all edges")
    try:
        return float(threshold)
    except OverflowError:
        return math.inf


def check(max_dimension: Any, metric: Any, threads: Any, memory_limit: Any, backend: Any = "cpu") -> None:
    """Refuse what cannot be computed, naming what can."""
    if not is_whole(max_dimension) or not 0 <= max_dimension <= HIGHEST:
        raise InputError(
            f"max_dimension: {max_dimension!r} is not computed here; give 0, 1 or {HIGHEST}, and for more use "
            "giotto-ph or GUDHI (pip install giotto-ph, gudhi)"
        )
    if metric not in METRICS:
        near = difflib.get_close_matches(str(metric), METRICS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else 'for another one pass distances, as metric="precomputed"'
        raise InputError(f"metric: {metric!r} is none of {', '.join(METRICS)}; {hint}")
    if threads is not None and (not is_whole(threads) or threads < 1):
        raise InputError(f"threads: {threads!r}; give a whole number from 1")
    if memory_limit is not None and (not is_whole(memory_limit) or memory_limit < 0):
        raise InputError(f"memory_limit: {memory_limit!r}; give a whole number of bytes, such as 4 * 2**30")
    if backend not in BACKENDS:
        raise InputError(f"backend: {backend!r} is none of {', '.join(BACKENDS)}")


def is_whole(number: Any) -> bool:
    """Whether it is an integer, and no bool."""
    return isinstance(number, (int, np.integer)) and not isinstance(number, bool)


def as_cloud(points: Any, first: int = 0) -> NDArray[np.float64]:
    """Points as a contiguous float64 array (n, d), d >= 1; ``first`` is the number of the first of them."""
    if hasattr(points, "tocoo"):
        raise InputError('points: a sparse matrix holds distances; pass metric="precomputed"')
    if isinstance(points, np.ma.MaskedArray):
        raise InputError("points: masked arrays are not read; leave masked points out, and pass the rest as an array")
    try:
        found = np.asarray(points)
    except ValueError as error:
        raise InputError(f"points: {error}; give rows of one length each") from None
    if found.dtype.kind not in "fiu":
        raise InputError(f"points: real numbers are needed, not {found.dtype}; convert them to float64")
    if found.ndim != 2 or found.shape[1] == 0:
        raise InputError(
            f"points: a cloud has shape (n, d), not {found.shape}; write a cloud on a line as points.reshape(-1, 1)"
        )
    if len(found) >= MOST_POINTS:
        raise InputError(f"points: {len(found):,} are more than indices here can number ({MOST_POINTS:,}); give fewer")
    require_room(found)
    with np.errstate(over="ignore"):
        cloud = np.ascontiguousarray(found, dtype=np.float64)
    # where there is NaN the extremes are NaN, too
    largest = float(np.abs([cloud.min(initial=0.0), cloud.max(initial=0.0)]).max())
    if largest <= LARGEST_COORDINATE:
        return cloud
    bad = ~np.isfinite(cloud).all(axis=1)
    if bad.any():
        raise InputError(
            f"points: {int(bad.sum())} of them are not finite, first number {first + int(bad.argmax())}; "
            "remove such rows"
        )
    raise InputError(f"points: a coordinate of size {largest:.3g} is too large for its square; scale the cloud down")


def require_room(points: NDArray[Any]) -> None:
    """Refuse a cloud that must be copied to be contiguous float64, if no such copy fits into memory."""
    if points.dtype != np.float64 or not points.flags.c_contiguous:
        require(8 * points.size, None, f"{len(points):,} points, copied as float64")
