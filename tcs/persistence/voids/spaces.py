"""Where lengths and lunes come from, for kernels that are the same for points and for graphs.

A kernel is given one of the two records here and calls :func:`between` and :func:`lune_of`; the compiler puts in
what belongs to the type of the record.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

import numpy as np
from numba import extending

from tcs.persistence.cloud.descent import nearest_in_lune
from tcs.persistence.compute.kernels import doubled, kernel, squared
from tcs.persistence.graph.pairs import length_between

if TYPE_CHECKING:
    from numpy.typing import NDArray

Function = TypeVar("Function", bound=Callable[..., Any])


class Cloud(NamedTuple):
    """Points in cells, as :class:`.cloud.cells.Cells` has them, in a :class:`.cloud.cells.Grid`.

    ``places``: see :attr:`.CellLunes.places`. ``grid`` are all axes of the grid but the last, and ``cell_of`` (n,) is
    the cell of each point. ``axes``: see
    :func:`.axes_of`. ``squares`` and ``gaps`` are room for two numbers a row of cells, so each thread needs a record of
    its own.
    """

    points: NDArray[np.float64]
    places: NDArray[np.float32]
    low: NDArray[Any]
    high: NDArray[Any]
    corner: NDArray[np.float64]
    side: float
    grid: NDArray[np.int64]
    cell_of: NDArray[Any]
    axes: Any
    squares: NDArray[np.float64]
    gaps: NDArray[np.float32]


class Web(NamedTuple):
    """A weighted graph, as :class:`.graph.Graph` has it."""

    starts: NDArray[np.int64]
    neighbours: NDArray[Any]
    keys: NDArray[np.float64]


def between(space: Any, a: int, b: int) -> float:
    """The key of the edge ab: its squared length, or what else orders edges; infinity if there is none.

    Raises:
        NotImplementedError: it was called from Python, not from a kernel.
    """
    raise NotImplementedError


def nearest_of(space: Any, a: int, b: int, length: float) -> int:
    """A vertex of the lune of the edge ab, a < b, of this length, always the same one; or -1 if the lune is empty.

    Raises:
        NotImplementedError: it was called from Python, not from a kernel.
    """
    raise NotImplementedError


def lune_of(space: Any, a: int, b: int, length: float, members: NDArray[np.int64]) -> Any:
    """The lune of the edge ab, a < b, of this length: how many vertices, and them in rising order.

    The array of them is ``members`` or a larger one.

    Raises:
        NotImplementedError: it was called from Python, not from a kernel.
    """
    raise NotImplementedError


def _for_types_of(function: Callable[..., Any]) -> Callable[[Function], Function]:
    return cast("Callable[[Function], Function]", extending.overload(function))


@_for_types_of(between)
def _between(space: Any, a: Any, b: Any) -> Callable[..., Any]:
    def in_cloud(space: Any, a: Any, b: Any) -> Any:
        return squared(space.points, a, b, space.axes)

    def in_web(space: Any, a: Any, b: Any) -> Any:
        return length_between(space.starts, space.neighbours, space.keys, a, b)

    return in_cloud if space.instance_class is Cloud else in_web


@_for_types_of(nearest_of)
def _nearest_of(space: Any, a: int, b: int, length: float) -> Callable[..., Any]:
    return nearest_in_cloud if space.instance_class is Cloud else nearest_in_web


@_for_types_of(lune_of)
def _lune_of(space: Any, a: int, b: int, length: float, members: Any) -> Callable[..., Any]:
    return lune_in_cloud if space.instance_class is Cloud else lune_in_web


def nearest_in_cloud(space: Any, a: int, b: int, length: float) -> int:
    """:func:`nearest_of` from the points in and around the cell of a."""
    return nearest_in_lune(
        space.points, space.places, space.low, space.high, space.grid, space.cell_of[a], space.gaps, a, b, space.axes
    )  # fmt: skip


@kernel
def squares_to_rows(
    points: NDArray[np.float64], a: int, b: int, corner: NDArray[np.float64], side: float, grid: NDArray[np.int64],
    squares: NDArray[np.float64],
) -> None:  # fmt: skip
    """Fill in how far, squared and at least, points a and b (2, rows) are from each row of cells around that of a."""
    squares[0, 0] = squares[1, 0] = 0.0
    number = 1
    for axis in grid:
        first = np.floor((points[a, axis] - corner[axis]) / side) - 1
        for end in range(2):
            place = (points[b if end else a, axis] - corner[axis]) / side - first
            for r in range(number - 1, -1, -1):
                base = squares[end, r]
                for step in range(3):
                    # a little less, for rounding
                    gap = max(0.0, step - place - 2**-30, place - step - 1 - 2**-30) * side
                    squares[end, 3 * r + step] = base + gap * gap
        number *= 3
    for r in range(number):
        squares[0, r] = max(squares[0, r], squares[1, r])


def nearest_in_web(space: Any, a: int, b: int, length: float) -> int:
    """:func:`nearest_of` from the rows of a and b."""
    neighbours, keys = space.neighbours, space.keys
    best, longest = -1, np.inf
    j, end = space.starts[b], space.starts[b + 1]
    for i in range(space.starts[a], space.starts[a + 1]):
        w, here = neighbours[i], keys[i]
        if here > length or here >= longest:
            # it is not in the lune, or its longer side is not shorter
            continue
        while j < end and neighbours[j] < w:
            j += 1
        if j == end:
            break
        there = keys[j] if neighbours[j] == w else np.inf
        longer = max(here, there)
        if longer < longest and (here < length or w < b) and (there < length or (there == length and w < a)):
            best, longest = w, longer
    return best


def lune_in_cloud(space: Any, a: int, b: int, length: float, members: Any) -> Any:
    """:func:`lune_of` from the points in and around the cell of a."""
    points, axes, cell = space.points, space.axes, space.cell_of[a]
    squares_to_rows(points, a, b, space.corner, space.side, space.grid, space.squares)
    k = 0
    for r in range(space.low.shape[1]):
        if space.squares[0, r] > length:
            continue
        for w in range(space.low[cell, r], space.high[cell, r]):
            here = squared(points, a, w, axes)
            if here > length or w in (a, b):
                continue
            there = squared(points, b, w, axes)
            # on a tie the order of edges at a common vertex is that of their other ends
            if (here < length or w < b) and (there < length or (there == length and w < a)):
                if k == len(members):
                    members = doubled(members)
                members[k] = w
                k += 1
    return k, members


def lune_in_web(space: Any, a: int, b: int, length: float, members: Any) -> Any:
    """:func:`lune_of` from the rows of a and b."""
    neighbours, keys = space.neighbours, space.keys
    j, end = space.starts[b], space.starts[b + 1]
    k = 0
    for i in range(space.starts[a], space.starts[a + 1]):
        w, here = neighbours[i], keys[i]
        while j < end and neighbours[j] < w:
            j += 1
        if j == end:
            break
        if neighbours[j] != w:
            continue
        there = keys[j]
        if (here < length or (here == length and w < b)) and (there < length or (there == length and w < a)):
            if k == len(members):
                members = doubled(members)
            members[k] = w
            k += 1
    return k, members
