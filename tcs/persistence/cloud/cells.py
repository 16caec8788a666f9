"""Points sorted into the cells of a grid, so that all neighbours of a point lie in a few contiguous ranges.

The cells are cubes with a side of at least the longest edge, over at most three of the coordinates: those in which
the cloud is widest. Only cells that hold a point are kept, so a clustered cloud costs no more than an even one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tcs.persistence.compute.kernels import kernel, room
from tcs.persistence.compute.sorting import order_by, take
from tcs.persistence.compute.team import Team, parts_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Cells along one axis; 3 axes of 20 bits, with a margin, fit a signed 64-bit key.
MOST_CELLS = 2**20
GRID_AXES = 3
PART = 2**16
CROWD = 2**10
# Not 0, by which squares would be divided.
LEAST_LONGEST = 1e-300


class Cells(NamedTuple):
    """Points in the order of their cells.

    ``points`` is float64 of shape (n, d), ``order`` (n,) the place of each in the input. Cell c holds the points
    ``starts[c]`` to ``starts[c + 1]``. All points within the longest edge of these lie in the ranges ``low[c, r]`` to
    ``high[c, r]`` in rising order: rows of three cells on end, one row for each way to go down, stay or go up along
    all axes of the grid but the last.
    """

    points: NDArray[np.float64]
    order: NDArray[Any]
    starts: NDArray[np.int64]
    low: NDArray[Any]
    high: NDArray[Any]

    def of_points(self) -> NDArray[Any]:
        """The cell of each point (n,)."""
        return np.repeat(np.arange(len(self.low), dtype=self.order.dtype), np.diff(self.starts))


class Grid(NamedTuple):
    """Where cells lie: ``side`` long each way, along ``axes`` (the widest of the cloud, the widest first).

    ``corner`` (d,) is the least value of all coordinates. The key of a cell is the sum of its places along the axes
    times ``strides[1:]``; all keys are below ``strides[0]``.
    """

    corner: NDArray[np.float64]
    side: float
    axes: NDArray[np.int64]
    strides: NDArray[np.int64]

    def rows(self) -> NDArray[np.int64]:
        """What is added to the key of a cell for each row of three cells around it, in rising order."""
        rows = np.zeros(1, dtype=np.int64)
        for step in self.strides[1:-1]:
            rows = (rows[:, None] + step * np.array([-1, 0, 1])).ravel()
        return np.sort(rows)


def bounds(points: NDArray[np.float64], team: Team) -> NDArray[np.float64]:
    """Smallest and largest coordinates (2, d) of points (n, d), n >= 1."""
    boxes = np.array(team.run("cells", lambda a, b: box(points, a, b), parts_of(len(points), PART)))
    return np.array([boxes[:, 0].min(axis=0), boxes[:, 1].max(axis=0)])


def no_longer_than(corners: NDArray[np.float64], longest: float) -> float:
    """The largest squared length of an edge, which is no longer than any can be between two corners.

    float32 has no digits for lengths far below the longest.
    """
    widths = corners[1] - corners[0]
    return min(longest, max(float((widths * widths).sum()) * (1 + 2**-40), LEAST_LONGEST))


def lay_grid(corners: NDArray[np.float64], longest: float) -> Grid:
    """A grid for points between two corners (2, d), whose cells have a side of at least ``longest``, a length."""
    widths = corners[1] - corners[0]
    axes = np.argsort(-widths, kind="stable")[: min(GRID_AXES, len(widths))]
    # a little more than the longest edge, so that rounding never puts a neighbour two cells away
    side = max(longest * (1 + 2**-20), float(widths.max()) / MOST_CELLS, float(np.finfo(np.float64).tiny))
    strides = np.ones(len(axes) + 1, dtype=np.int64)
    for i in range(len(axes) - 1, -1, -1):
        # one empty cell before and one after, so that no row of neighbours wraps around
        strides[i] = strides[i + 1] * (int(widths[axes[i]] / side) + 3)
    return Grid(corners[0], side, axes, strides)


def keys_of(points: NDArray[np.float64], grid: Grid, team: Team) -> NDArray[np.int64]:
    """The key of the cell of each point."""
    keys = room(len(points), np.int64)
    corner, side, axes, strides = grid
    team.run(
        "cells",
        lambda a, b: number_cells(points, a, b, corner, side, axes, strides[1:], keys),
        parts_of(len(points), PART),
    )
    return keys


def sort_into_cells(points: NDArray[np.float64], grid: Grid, team: Team) -> Cells:
    """Sort points (n, d), n >= 1, by the key of their cell, and then by their place in the input."""
    keys, order = order_by(keys_of(points, grid, team), int(grid.strides[0]), team)
    ordered = room(points.shape, points.dtype)
    team.run("cells", lambda a, b: take(points, order, a, b, ordered), parts_of(len(points), PART))
    return cut_into_cells(ordered, order, keys, grid, team)


def cut_into_cells(
    points: NDArray[np.float64], order: NDArray[Any], keys: NDArray[np.int64], grid: Grid, team: Team
) -> Cells:
    """The cells of points that are sorted by their keys."""
    begins = np.concatenate([[True], keys[1:] != keys[:-1]])
    # a crowded cell is taken as several, so that threads can share it and tell how far they are
    begins[::CROWD] = True
    first = np.flatnonzero(begins)
    keys, starts = keys[first], np.append(first, len(points))
    rows = grid.rows()
    spans = room((2, len(keys), len(rows)), order.dtype)
    team.run("cells", lambda a, b: find_rows(keys, starts, rows, a, b, *spans), parts_of(len(keys), PART))
    return Cells(points, order, starts, spans[0], spans[1])


@kernel
def find_rows(
    keys: NDArray[np.int64], starts: NDArray[np.int64], rows: NDArray[np.int64], first: int, last: int,
    low: NDArray[Any], high: NDArray[Any],
) -> None:  # fmt: skip
    """Fill in the ranges of points around the cells ``first`` to ``last``.

    The key of a cell plus that of a row is the middle one of three keys on end. As cells rise so do their rows, so
    each row's place is moved on from that of the cell before.
    """
    for r in range(len(rows)):
        at = np.searchsorted(keys, keys[first] + rows[r] - 1)
        for cell in range(first, last):
            target = keys[cell] + rows[r] - 1
            while at < len(keys) and keys[at] < target:
                at += 1
            end = at
            while end < len(keys) and keys[end] <= target + 2:
                end += 1
            low[cell, r], high[cell, r] = starts[at], starts[end]


@kernel
def box(points: NDArray[np.float64], first: int, last: int) -> NDArray[np.float64]:
    """Smallest and largest coordinates (2, d) of some points."""
    corners = np.empty((2, points.shape[1]))
    corners[0], corners[1] = points[first], points[first]
    for i in range(first + 1, last):
        for c in range(points.shape[1]):
            corners[0, c] = min(corners[0, c], points[i, c])
            corners[1, c] = max(corners[1, c], points[i, c])
    return corners


@kernel
def number_cells(
    points: NDArray[np.float64], first: int, last: int, low: NDArray[np.float64], side: float,
    axes: NDArray[np.int64], strides: NDArray[np.int64], keys: NDArray[np.int64],
) -> None:  # fmt: skip
    """The key of the cell of each of some points."""
    for i in range(first, last):
        key = 0
        for a in range(len(axes)):
            key += (np.int64((points[i, axes[a]] - low[axes[a]]) / side) + 1) * strides[a]
        keys[i] = key


@kernel
def put_in_sides(
    points: NDArray[np.float64], corner: NDArray[np.float64], side: float, to: NDArray[np.float32]
) -> None:
    """Fill in the coordinates (d, n) of the points in sides of a cell from a corner."""
    for i in range(len(points)):
        for c in range(points.shape[1]):
            to[c, i] = (points[i, c] - corner[c]) / side
