"""Alpha persistence of a cloud in the plane or in space: what is asked for, checked, and handed out."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tcs.persistence.arguments import require_room
from tcs.persistence.barcode import Barcode
from tcs.persistence.compute.clock import Clock, Span
from tcs.persistence.compute.memory import require
from tcs.persistence.compute.team import Progress, Team
from tcs.persistence.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Bytes for each point at the peak, for cells of evenly spread points: see `alpha_forecast`.
BYTES_A_POINT = {2: 450, 3: 1600}
# Relative to its death; twice what a value may be off.
SHORTEST = 2.0**-36


class Diagrams(NamedTuple):
    """Alpha persistence in float64: for each dimension bars (m, 2), sorted; how many points; seconds by stage."""

    bars: tuple[NDArray[np.float64], ...]
    n_points: int
    stages: dict[str, float]


def alpha(
    points: Any, *, squared: bool = True, threads: int | None = None, memory_limit: int | None = None,
    progress: Progress | None = None, span: Span | None = None,
) -> Barcode:  # fmt: skip
    """Persistent homology over Z/2 of the alpha complex, in all dimensions: exact up to the rounding of values.

    A simplex of the Delaunay triangulation appears with the smallest sphere through its vertices that holds no other
    point. Values are squared radii, as in GUDHI's ``AlphaComplex``; ``squared=False`` gives radii, as its
    ``output_squared_values=False``. Which simplices there are and which come first is decided without rounding;
    values are right to 1e-11 relative, mostly to 1e-15, and then rounded to float32. The result does not depend on
    the order of the points, nor on the number of threads. Equal points count as one.

    Args:
        points: real numbers of shape (n, 2) or (n, 3). n = 0 gives empty bars.
        squared: squared radii (units squared), or radii (units of the points).
        threads: how many to use; as many as there are processors for this process, if not given.
        memory_limit: in bytes; what is available, if not given.
        progress: called as ``progress(stage, done, total)``.
        span: entered around each stage, ``with span("delaunay"): ...``, as tracers have it.

    Returns:
        A :class:`~tcs.persistence.barcode.Barcode` with dimensions 0 to d - 1; its threshold is inf, and ``stages``
        are the seconds of curve, delaunay, values, edges, dual, forest, sort, push-down and reduce.

    Raises:
        InputError: not such points, or distances among them that float64 or float32 cannot hold; see
            :func:`alpha_diagrams`.
        MemoryForecastError: the work would need more memory than is allowed.

    References:
        Edelsbrunner and Muecke, Three-dimensional alpha shapes, 1994. Pairs without bars: Bauer and Edelsbrunner,
        The Morse theory of Cech and Delaunay complexes, 2017. The triangulation:
        :mod:`.delaunay.insertion`, :mod:`.delaunay.predicates`.

    Example:
        >>> alpha([[0, 0], [0, 2], [2, 0], [2, 2]]).bars[1]
        array([[1., 2.]], dtype=float32)
    """
    found = alpha_diagrams(
        points, squared=squared, threads=threads, memory_limit=memory_limit, progress=progress, span=span
    )
    bars = tuple(_narrowed(rows) for rows in found.bars)
    return Barcode(bars=bars, threshold=float("inf"), n_points=found.n_points, stages=found.stages)


def alpha_diagrams(
    points: Any, *, squared: bool = True, threads: int | None = None, memory_limit: int | None = None,
    progress: Progress | None = None, span: Span | None = None,
) -> Diagrams:  # fmt: skip
    """As :func:`alpha`, with bars in float64.

    Bars no longer than 2^-36 of their death (radii: half as much) are left out: rounding may have made them.

    Raises:
        InputError: another shape or dtype, NaN or infinite numbers; integers that float64 cannot hold; points so
            close to each other, beside the largest coordinate, that determinants would not be exact; radii beyond
            the range of float64.
        MemoryForecastError: the work would need more memory than is allowed.

    Example:
        >>> alpha_diagrams([[0, 0], [0, 2], [2, 0]], squared=False).bars[0][:, 1].tolist()
        [1.0, 1.0, inf]
    """
    cloud = _cloud(points)
    _check_threads(threads)
    n, dimension = cloud.shape
    clock = Clock(span)
    if n == 0:
        return Diagrams(tuple(np.empty((0, 2)) for _ in range(dimension)), 0, clock.stages)
    require(alpha_forecast(n, dimension), memory_limit, f"{n:,} points")
    from tcs.persistence.alpha_shapes.bars import bars_of
    from tcs.persistence.delaunay.exact_points import exact_points

    with Team(threads or len(os.sched_getaffinity(0)), progress) as team:
        with clock.stage("curve"):
            exact = exact_points(cloud, team)
        found = bars_of(exact.points, team, clock, memory_limit)
    exact.check(found[0][:, 1].min())
    with clock.stage("sort"):
        bars = [_in_units(rows, exact.exponent, squared=squared) for rows in found]
    bars.extend(np.empty((0, 2)) for _ in range(dimension - len(bars)))
    return Diagrams(tuple(bars), n, clock.stages)


def alpha_forecast(n: int, dimension: int) -> int:
    """Bytes that :func:`alpha` takes for n points beyond the input itself, if they are spread evenly.

    Clouds with more cells a point take more; a triangulation of space may have n^2 / 2 cells at the worst.
    """
    return n * BYTES_A_POINT.get(dimension, 0) + 16 * 2**20


def _in_units(rows: NDArray[np.float64], exponent: int, *, squared: bool) -> NDArray[np.float64]:
    """Bars that are longer than rounding may make them, sorted, in units of the input; in those of kernels before."""
    rows = rows[rows[:, 0] < rows[:, 1] * (1 - SHORTEST)]
    with np.errstate(over="ignore", under="ignore"):
        values = np.ldexp(rows, 2 * exponent) if squared else np.ldexp(np.sqrt(rows), exponent)
    lost = (np.isinf(values) & np.isfinite(rows)) | ((values < np.finfo(np.float64).tiny) & (rows > 0))
    if lost.any():
        advice = "pass squared=False, or scale the points" if squared else "scale the points"
        raise InputError(f"points: {'squared ' * squared}radii are beyond the range of float64; {advice}")
    again = values[1:, 0] == values[:-1, 0]
    if (again & (values[1:, 1] < values[:-1, 1])).any():
        values = values[np.lexsort((values[:, 1], values[:, 0]))]
    return values


def _narrowed(rows: NDArray[np.float64]) -> NDArray[np.float32]:
    """Bars rounded to float32, without those of length zero, sorted."""
    with np.errstate(over="ignore"):
        bars = rows.astype(np.float32)
    if (np.isinf(bars) & np.isfinite(rows)).any() or ((bars == 0) & (rows > 0)).any():
        raise InputError("points: values are beyond the range of float32; scale the points, or call alpha_diagrams")
    from tcs.persistence.reduced.bars import in_order

    return in_order(bars)


def _check_threads(threads: Any) -> None:
    if threads is not None and (isinstance(threads, bool) or not isinstance(threads, int) or threads < 1):
        raise InputError(f"threads: {threads!r}; give a whole number from 1")


def _cloud(points: Any) -> NDArray[np.float64]:
    """Points as a contiguous float64 array of shape (n, 2) or (n, 3)."""
    try:
        found = np.asarray(points)
    except ValueError as error:
        raise InputError(f"points: no array: {error}; give rows of two or three numbers") from None
    if found.dtype.kind not in "fiu":
        raise InputError(f"points: real numbers are needed, not {found.dtype}; convert them to float64")
    if found.ndim != 2 or found.shape[1] not in (2, 3):
        raise InputError(
            f"points: shape {found.shape}; alpha complexes are of points in the plane or in space, (n, 2) or (n, 3)"
        )
    if found.dtype.kind in "iu" and found.size and max(abs(int(found.max())), abs(int(found.min()))) > 2**53:
        raise InputError("points: integers above 2^53 are not exact in float64; subtract a common offset from them")
    require_room(found)
    cloud = np.ascontiguousarray(found, dtype=np.float64)
    bad = ~np.isfinite(cloud).all(axis=1)
    if bad.any():
        raise InputError(
            f"points: {int(bad.sum())} of them are not finite, first number {int(bad.argmax())}; remove such rows"
        )
    return cloud
