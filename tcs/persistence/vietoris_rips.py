"""Vietoris-Rips persistence of a cloud or of a distance matrix: what is asked for, checked, and handed out."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from tcs.persistence.arguments import as_cloud, as_length, check
from tcs.persistence.barcode import Barcode
from tcs.persistence.cloud.lengths import longest_square, rounded
from tcs.persistence.compute.clock import Clock, Span
from tcs.persistence.compute.memory import forecast, require
from tcs.persistence.compute.team import Progress, Team
from tcs.persistence.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tcs.persistence.reduced.matrix import Pairs
    from tcs.persistence.voids.voids import Voids

# Above this dimension a grid no longer separates points, and blocks of matrix products find neighbours faster.
GRID_DIMENSION = 12
# Up to here a cloud in which nearly all pairs are edges is handled as a dense matrix, n^2 entries.
MOST_DENSE = 2**13


def rips(
    points: Any, *, threshold: float, max_dimension: int = 1, metric: str = "euclidean", threads: int | None = None,
    memory_limit: int | None = None, progress: Progress | None = None, span: Span | None = None,
    simplices: bool = False, cycles: bool = False, backend: str = "cpu",
) -> Barcode:  # fmt: skip
    """Persistent homology over Z/2 of the Vietoris-Rips filtration: a simplex appears at its longest edge.

    Exact, and equal bit for bit to Ripser and what descends from it: a length is rounded to float32, and an edge
    belongs to the complex when its length is at most the threshold, rounded likewise. The result does not depend on
    the order of the points, nor on the number of threads.

    Args:
        points: float array (n, d) of coordinates; or with ``metric="precomputed"`` a matrix of distances (n, n),
            dense or scipy sparse, in which a pair that is not stored is no edge. n = 0 gives empty bars.
        threshold: the longest edge, in the units of the coordinates; ``inf`` for all edges.
        max_dimension: of homology, 0, 1 or 2.
        metric: "euclidean", "cityblock", "chebyshev" or "precomputed".
        threads: how many to use; as many as there are processors for this process, if not given.
        memory_limit: in bytes; what is available, if not given.
        progress: called as ``progress(stage, done, total)``; a total of 0 is not known beforehand: kernels that are
            compiled, once on a machine.
        span: entered around each stage, ``with span("lune"): ...``, as tracers have it.
        simplices: also hand out the simplices at which bars begin and end: a vertex and an edge, an edge and a
            triangle. Their lengths do not depend on the order of the points, but among equals which it is does. In
            dimensions 0 and 1.
        cycles: also hand out a cycle for each bar in dimension 1, born with the bar and filled at its end. This takes
            a second reduction, in the slower direction. In dimensions 0 and 1.
        backend: "cpu"; "cuda" for the current GPU, which computes the same bars, to the bit, of clouds in dimensions
            0 and 1; or "auto" for the GPU where it can and there is one, else the CPU, with the reason in the log.
            Threads, memory limit and progress are the CPU's.

    Returns:
        A :class:`~tcs.persistence.barcode.Barcode`; its ``stages`` are the seconds of grid, lune, forest, push-down,
        sort and reduce, on a GPU between CUDA events.

    Raises:
        InputError: points, threshold, dimension or metric cannot be what was meant.
        MemoryForecastError: the work would need more memory than is allowed.
        DeviceError: the GPU was asked for by name, and there is none for this work; the message says why.

    Warns:
        SlowWarning: a cloud will have so many edges that it takes long.

    References:
        Reduced Vietoris-Rips complex: Koyama, Memoli, Robins and Turner, arXiv:2307.16333. Conventions of Ripser:
        Bauer, J. Appl. Comput. Topol. 5 (2021).
    """
    threshold = as_length(threshold)
    check(max_dimension, metric, threads, memory_limit, backend)
    if max_dimension > 1 and (simplices or cycles):
        asked = "simplices" if simplices else "cycles"
        raise InputError(f"{asked}: they are handed out in dimensions 0 and 1; leave it out, or set max_dimension=1")
    if metric == "euclidean":
        points = as_cloud(points)
        if len(points) == 0:
            return no_points(max_dimension, threshold)
    if backend != "cpu":
        from tcs.persistence.cuda.backend import bars_on_a_gpu

        found = bars_on_a_gpu(
            points, threshold, max_dimension, metric, span, simplices=simplices, cycles=cycles, strict=backend == "cuda"
        )  # fmt: skip
        if found is not None:
            bars, stages = found
            return Barcode(bars=tuple(bars), threshold=threshold, n_points=len(points), stages=stages)
    if metric == "euclidean":
        instead = "give fewer points or more memory, or let rips_in_tiles keep most of it on disk"
        require(forecast(*points.shape), memory_limit, f"{len(points):,} points", instead)
    clock = Clock(span)
    with Team(threads or len(os.sched_getaffinity(0)), progress) as team:
        with clock.stage("grid"):
            lunes = _lunes(points, threshold, metric, team, memory_limit, loops=max_dimension > 1)
        if lunes is None:
            return no_points(max_dimension, threshold)
        from tcs.persistence.reduced.matrix import reduce_lunes

        pairs = reduce_lunes(lunes, team, clock)
        voids = None
        if max_dimension > 1:
            from tcs.persistence.voids.voids import reduce_loops

            voids = reduce_loops(lunes, pairs, team, clock)
        return barcode_of(
            lunes, pairs, voids, threshold, max_dimension, team, clock, simplices=simplices, cycles=cycles
        )


def _lunes(points: Any, threshold: float, metric: str, team: Team, memory_limit: int | None, *, loops: bool) -> Any:
    """The filtration as one of the classes that find lunes, with their loops if wanted; None if there are no points."""
    from tcs.persistence.graph.expected import longest_that_matters, warn_of_many_edges
    from tcs.persistence.graph.graph import from_dense, from_points, from_sparse

    if metric == "precomputed":
        read = from_sparse if hasattr(points, "tocoo") else from_dense
        graph = read(points, threshold, memory_limit)
        return _graph_lunes(graph, loops=loops) if graph.n else None
    cloud = points if metric == "euclidean" else as_cloud(points)
    if len(cloud) == 0:
        return None
    by_cells = metric == "euclidean" and cloud.shape[1] <= GRID_DIMENSION
    if not by_cells or (len(cloud) <= MOST_DENSE and _all_near(cloud, threshold)):
        return _graph_lunes(from_points(cloud, threshold, metric, team, memory_limit), loops=loops)
    longest = longest_that_matters(cloud, longest_square(threshold))
    warn_of_many_edges(cloud, longest, team.threads, loops=loops, stacklevel=3)
    if loops:
        from tcs.persistence.voids.voids import EuclideanVoids

        return EuclideanVoids(cloud, longest, team)
    from tcs.persistence.cloud.euclidean import EuclideanLunes

    return EuclideanLunes(cloud, longest, team)


def _graph_lunes(graph: Any, *, loops: bool) -> Any:
    if loops:
        from tcs.persistence.voids.voids import GraphVoids

        return GraphVoids(graph)
    from tcs.persistence.graph.weighted import GraphLunes

    return GraphLunes(graph)


def _all_near(points: NDArray[np.float64], threshold: float) -> bool:
    """Whether the cloud is so small beside the threshold that a grid could not part it."""
    return bool((np.ptp(points, axis=0) < 2 * threshold).all())


def no_points(max_dimension: int, threshold: float) -> Barcode:
    """No bars in any dimension."""
    bars = tuple(np.empty((0, 2), dtype=np.float32) for _ in range(max_dimension + 1))
    return Barcode(bars=bars, threshold=float(threshold), n_points=0)


def barcode_of(
    lunes: Any, pairs: Pairs, voids: Voids | None, threshold: float, max_dimension: int, team: Team, clock: Clock, *,
    simplices: bool, cycles: bool,
) -> Barcode:  # fmt: skip
    """Bars in their order, and on request what they begin, end and go around with."""
    from tcs.persistence.reduced.bars import of_components, of_pairs

    length = rounded if lunes.squares else _narrowed
    with clock.stage("sort"):
        work: list[Any] = [lambda: of_components(lunes.n, length(pairs.lengths[pairs.in_forest]))]
        if max_dimension > 0:
            work.append(lambda: of_pairs(length(pairs.births), length(pairs.deaths), pairs.paired))
        if voids is not None:
            work.append(lambda: of_pairs(length(voids.births), length(voids.deaths), voids.paired))
        bars = team.run("sort", lambda each: each(), [(each,) for each in work])
        asked: dict[str, Any] = {}
        if simplices or cycles:
            asked = _asked(lunes, pairs, bars, length, simplices=simplices, cycles=cycles)
    return Barcode(bars=tuple(bars), threshold=threshold, n_points=lunes.n, stages=clock.stages, **asked)


def _asked(
    lunes: Any, pairs: Pairs, bars: list[NDArray[np.float32]], length: Any, *, simplices: bool, cycles: bool
) -> dict[str, Any]:
    """Simplices and cycles of the bars, in their order."""
    rows = np.empty(0, dtype=np.int64)
    if len(bars) > 1:
        births, deaths = length(pairs.births), np.append(length(pairs.deaths), np.float32(np.inf))[pairs.paired]
        rows = np.flatnonzero(births < deaths)
        rows = rows[np.lexsort((deaths[rows], births[rows]))]
    asked: dict[str, Any] = {}
    if simplices:
        from tcs.persistence.reduced.simplices import of_components, of_loops

        zeros = lunes.n - len(bars[0])
        begin, end = ([each[zeros:]] for each in of_components(lunes.n, pairs, lunes.order))
        if len(bars) > 1:
            edges, triangles = of_loops(pairs, lunes.order, rows)
            begin, end = [*begin, edges], [*end, triangles]
        asked |= {"birth_simplices": tuple(begin), "death_simplices": tuple(end)}
    if cycles:
        from tcs.persistence.reduced.cycles import representatives

        around = [[np.empty((0, 2), dtype=np.int64) for _ in range(len(bars[0]))]]
        if len(bars) > 1:
            around.append([lunes.order[edges] for edges in representatives(lunes.n, pairs, rows)])
        asked["cycles"] = tuple(around)
    return asked


def _narrowed(keys: NDArray[np.float64]) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):  # a length beyond float32 is infinite
        return keys.astype(np.float32)
