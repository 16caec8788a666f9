"""Where lengths and lunes come from, for kernels that are the same for points and for graphs.

A kernel is given one of the two records here and calls :func:`between` and :func:`lune_of`; the compiler puts in
what belongs to the type of the record.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

import numpy as np
from numba import extending

from tcs.persistence.cloud.descent import nearest_in_lune, squares_to_rows
from tcs.persistence.compute.kernels import doubled, squared
from tcs.persistence.graph.pairs import length_between

if TYPE_CHECKING:
    from numpy.typing import NDArray

Function = TypeVar("Function", bound=Callable[..., Any])


class Cloud(NamedTuple):
    """Points in cells, as :class:`.cloud.cells.Cells` has them, whose ``axes`` are ``grid`` here.

    ``cell_of`` (n,) is the cell of each point. ``axes``: see :func:`.axes_of`. ``gaps`` is room
    for two numbers a row of cells, so each thread needs a record of its own.
    """

    points: NDArray[np.float64]
    low: NDArray[Any]
    high: NDArray[Any]
    corner: NDArray[np.float64]
    side: float
    grid: NDArray[np.int64]
    cell_of: NDArray[Any]
    axes: Any
    gaps: NDArray[np.float64]


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
    """The vertex of the lune of the edge ab, a < b, of this length, whose longer side to a and b is shortest; or -1.

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
    squares_to_rows(space.points, a, b, space.corner, space.side, space.grid, space.gaps)
    return nearest_in_lune(space.points, space.low, space.high, space.cell_of[a], space.gaps, a, b, space.axes)


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
    squares_to_rows(points, a, b, space.corner, space.side, space.grid, space.gaps)
    k = 0
    for r in range(space.low.shape[1]):
        if space.gaps[0, r] > length:
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
