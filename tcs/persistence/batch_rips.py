"""Vietoris-Rips persistence of many clouds at once: as one cloud, in which they lie side by side and far apart."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from tcs.persistence.arguments import as_cloud, as_length, check
from tcs.persistence.barcode import Barcode
from tcs.persistence.cloud.lengths import longest_square, rounded
from tcs.persistence.compute.clock import Clock
from tcs.persistence.compute.memory import forecast, require
from tcs.persistence.compute.team import Progress, Team
from tcs.persistence.errors import InputError
from tcs.persistence.vietoris_rips import GRID_DIMENSION, no_points

if TYPE_CHECKING:
    from numpy.typing import NDArray


def rips_batch(
    clouds: Iterable[Any], *, threshold: float, max_dimension: int = 1, threads: int | None = None,
    memory_limit: int | None = None, progress: Progress | None = None, backend: str = "cpu",
) -> list[Barcode]:  # fmt: skip
    """The bars of :func:`tcs.persistence.rips` of each of many clouds, bit for bit, in one computation.

    For clouds that are so small that a call for each would mostly be the cost of a call: of some thousand points or
    fewer. They are given one more coordinate, which tells them apart and adds nothing to a distance within a cloud.

    Args:
        clouds: float arrays (n, d), all with the same d, up to 11; an array (m, n, d) is m of them. n may be 0.
        threshold: the longest edge, in the units of the coordinates; ``inf`` for all edges.
        max_dimension: of homology, 0 or 1.
        threads, memory_limit, progress, backend: as in :func:`tcs.persistence.rips`.

    Returns:
        A :class:`~tcs.persistence.barcode.Barcode` for each cloud, in their order.

    Raises:
        InputError: an argument cannot be what was meant; of a cloud, with its place before it.
        MemoryForecastError: the work would need more memory than is allowed.
        DeviceError: the GPU was asked for by name, and there is none for this work.
    """
    threshold = as_length(threshold)
    check(max_dimension, "euclidean", threads, memory_limit, backend)
    if max_dimension > 1:
        raise InputError("max_dimension: batches are for dimensions 0 and 1; use rips for dimension 2")
    parts = _as_clouds(clouds)
    sizes = [len(part) for part in parts]
    if sum(sizes) == 0:
        return [no_points(max_dimension, threshold) for _ in parts]
    points, longest = side_by_side(parts, longest_square(threshold))
    ends = np.concatenate([[0], np.cumsum(sizes)])
    found = None
    if backend != "cpu":
        from tcs.persistence.cuda.backend import bars_of_each_on_a_gpu

        found = bars_of_each_on_a_gpu(points, longest, ends, max_dimension, strict=backend == "cuda")
    if found is None:
        require(forecast(*points.shape), memory_limit, f"{len(points):,} points", "give fewer clouds or more memory")
        with Team(threads or len(os.sched_getaffinity(0)), progress) as team:
            found = bars_of_each(points, longest, ends, max_dimension, team)
    return [
        Barcode(bars=tuple(bars), threshold=threshold, n_points=size) for bars, size in zip(found, sizes, strict=True)
    ]


def _as_clouds(clouds: Iterable[Any]) -> list[NDArray[np.float64]]:
    parts: list[NDArray[np.float64]] = []
    for place, cloud in enumerate(clouds):
        try:
            parts.append(as_cloud(cloud))
        except InputError as error:
            raise InputError(f"clouds[{place}]: {error}") from error
        if parts[-1].shape[1] != parts[0].shape[1]:
            raise InputError(
                f"clouds[{place}]: has {parts[-1].shape[1]} coordinates and the first cloud {parts[0].shape[1]}; "
                "give clouds with as many coordinates each"
            )
    if parts and parts[0].shape[1] >= GRID_DIMENSION:
        raise InputError(
            f"clouds: {parts[0].shape[1]} coordinates are too many for a batch, up to {GRID_DIMENSION - 1} can be; "
            "call rips for each"
        )
    return parts


def side_by_side(parts: list[NDArray[np.float64]], longest: float) -> tuple[NDArray[np.float64], float]:
    """Clouds as one (n, d + 1), further apart from each other than any is wide, and the largest square of an edge.

    The last coordinate is by far the widest, so that the order of cells is, first of all, that of the clouds.
    """
    whole = np.concatenate(parts)
    diagonal = float(np.linalg.norm(np.ptp(whole, axis=0)))
    gap = 2 * diagonal or 1.0
    which = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    # longer than any edge within a cloud, shorter than the gap
    return np.column_stack([whole, which * gap]), min(longest, 2 * diagonal * diagonal)


def bars_of_each(
    points: NDArray[np.float64], longest: float, ends: NDArray[np.int64], max_dimension: int, team: Team
) -> list[list[NDArray[np.float32]]]:
    """Bars in each dimension of the clouds of which the points begin and end at ``ends`` (m + 1,)."""
    from tcs.persistence.cloud.euclidean import EuclideanLunes
    from tcs.persistence.reduced.bars import of_components, of_pairs
    from tcs.persistence.reduced.matrix import reduce_lunes

    pairs = reduce_lunes(EuclideanLunes(points, longest, team), team, Clock())
    # edges are in the order of their smaller vertex, and vertices in that of the clouds
    cuts = np.searchsorted(pairs.edges[:, 0], ends)
    in_forest = np.concatenate([[0], np.cumsum(pairs.in_forest)])[cuts]
    lengths = rounded(pairs.lengths[pairs.in_forest])
    births, deaths = rounded(pairs.births), rounded(pairs.deaths)
    found = []
    for i, (first, last) in enumerate(itertools.pairwise(ends.tolist())):
        bars = [of_components(last - first, lengths[in_forest[i] : in_forest[i + 1]])]
        if max_dimension > 0:
            rows = slice(cuts[i] - in_forest[i], cuts[i + 1] - in_forest[i + 1])
            bars.append(of_pairs(births[rows], deaths, pairs.paired[rows]))
        found.append(bars)
    return found
