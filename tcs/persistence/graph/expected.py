"""What a cloud will cost, told before its edges are found: how many there are, the longest that matters, the time."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from tcs.persistence.cloud.cells import LEAST_LONGEST
from tcs.persistence.compute.kernels import axes_of, kernel
from tcs.persistence.errors import SlowWarning
from tcs.persistence.graph.metrics import METRICS, key_of, keys_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Points of a sample, at least, and what its pairs have of coordinates, at most, if more points are taken.
LEAST_SAMPLE, COORDINATES = 256, 2**20
# More edges are warned of.
MANY_EDGES = 250_000_000
# Of one thread, for an edge of an even cloud in two or three dimensions, when nearly all pairs are edges.
SECONDS_AN_EDGE, SECONDS_AN_EDGE_IN_H2 = 1e-7, 5e-7


def expected_edges(points: NDArray[np.float64], longest: float, metric: str = "euclidean") -> int:
    """How many pairs of points, float64 (n, d), have a key up to ``longest``: from a sample of the points, if many."""
    n, dimension = points.shape
    sample = sample_of(points)
    m = len(sample)
    if m < 2:
        return 0
    found = near_among(sample, longest, METRICS[metric], axes_of(dimension))
    count: int = round(found * (n * (n - 1)) / (m * (m - 1)))
    return count


def longest_that_matters(points: NDArray[np.float64], longest: float, metric: str = "euclidean") -> float:
    """The largest key of an edge that can change homology, and at most ``longest``.

    From the length on at which one point is joined to all others the complex is a cone, and nothing is born or dies:
    the enclosing radius of Ripser (Bauer, J. Appl. Comput. Topol. 5 (2021)), here of the point nearest to the middle
    of the cloud instead of the best one, which would take all pairs. Looked for only where the threshold is so long
    that there may be such a point.

    Args:
        points: float64 (n, d), n >= 1. ``longest``: squared length for "euclidean", length for other metrics.
    """
    sample = sample_of(points)
    half = float((sample.max(axis=0) / 2 - sample.min(axis=0) / 2).max())
    # no point is nearer than that to both ends of the widest side; a little less, for rounding
    if longest < (half * half if metric == "euclidean" else half) * (1 - 2.0**-40):
        return longest
    middle = points.min(axis=0) / 2 + points.max(axis=0) / 2
    centre = int(np.abs(points - middle).max(axis=1).argmin())
    ends = np.arange(len(points))
    keys = keys_of(points, np.full_like(ends, centre), ends, METRICS[metric], axes_of(points.shape[1]))
    return min(longest, max(float(keys.max()), LEAST_LONGEST))


def warn_of_many_edges(
    points: NDArray[np.float64], longest: float, threads: int, *, loops: bool, stacklevel: int
) -> None:
    """Say with a :class:`.SlowWarning` how long a cloud will take, at least, if it has very many edges."""
    n = len(points)
    if n * (n - 1) // 2 <= MANY_EDGES:
        return
    edges = expected_edges(points, longest)
    if edges > MANY_EDGES:
        time = duration(edges * (SECONDS_AN_EDGE_IN_H2 if loops else SECONDS_AN_EDGE) / threads)
        warnings.warn(
            f"threshold: {n:,} points will have some {edges:.2g} edges, which will take {time} or more "
            f"(threads: {threads}); give a smaller threshold or fewer points, or watch it with progress=",
            SlowWarning,
            stacklevel=stacklevel + 1,
        )


def duration(seconds: float) -> str:
    """A time in words, in the largest unit of which there are two."""
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"some {seconds / size:.0f} {unit}"
    return f"some {seconds:.0f} seconds"


def sample_of(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Some of the points (n, d), drawn with a fixed seed, or all if they are few."""
    n, dimension = points.shape
    most = max(LEAST_SAMPLE, math.isqrt(2 * COORDINATES // dimension))
    return points if n <= most else points[np.unique(np.random.default_rng(0).integers(0, n, most))]


@kernel
def near_among(points: NDArray[np.float64], longest: float, code: int, axes: Any) -> int:
    """How many pairs of points have a key up to ``longest``."""
    count = 0
    for a in range(len(points)):
        for b in range(a):
            count += key_of(points, a, b, code, axes) <= longest
    return count
