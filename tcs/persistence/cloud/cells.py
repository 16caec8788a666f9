"""Points sorted into the cells of a grid, so that all neighbours of a point lie in a few contiguous ranges.

The cells are cubes with a side of at least the longest edge, over at most three of the coordinates: those in which
the cloud is widest. Only cells that hold a point are kept, so a clustered cloud costs no more than an even one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tcs.persistence.compute.kernels import kernel
from tcs.persistence.compute.sorting import order_by, take

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tcs.persistence.compute.team import Team

# Cells along one axis; 3 axes of 20 bits, with a margin, fit a signed 64-bit key.
MOST_CELLS = 2**20
GRID_AXES = 3
PART = 2**16


class Cells(NamedTuple):
    """Points in the order of their cells.

    ``points`` is float64 of shape (n, d), ``order`` (n,) the place of each in the input. Cell c holds the points
    ``starts[c]`` to ``starts[c + 1]``. All points within the longest edge of these lie in the ranges ``low[c, r]`` to
    ``high[c, r]`` in rising order: rows of three cells on end, one row for each way to go down, stay or go up along
    all axes of the grid but the last. ``axes`` are these coordinates, ``corner`` the least value in each of all
    coordinates, ``side`` the length of a cell's side.
    """

    points: NDArray[np.float64]
    order: NDArray[Any]
    starts: NDArray[np.int64]
    low: NDArray[Any]
    high: NDArray[Any]
    corner: NDArray[np.float64]
    side: float
    axes: NDArray[np.int64]


def sort_into_cells(points: NDArray[np.float64], longest: float, team: Team) -> Cells:
    """Sort points, float64 of shape (n, d) with n >= 1, into cells whose side is at least ``longest``, a length."""
    n, dimension = points.shape
    parts = [(start, min(start + PART, n)) for start in range(0, n, PART)]
    boxes = np.array(team.run("cells", lambda a, b: box(points, a, b), parts))
    low, widths = boxes[:, 0].min(axis=0), boxes[:, 1].max(axis=0) - boxes[:, 0].min(axis=0)
    axes = np.sort(np.argsort(-widths, kind="stable")[: min(GRID_AXES, dimension)])
    # a little more than the longest edge, so that rounding never puts a neighbour two cells away
    side = max(longest * (1 + 2**-20), float(widths.max()) / MOST_CELLS, float(np.finfo(np.float64).tiny))
    strides = np.ones(len(axes) + 1, dtype=np.int64)
    for i in range(len(axes) - 1, -1, -1):
        # one empty cell before and one after, so that no row of neighbours wraps around
        strides[i] = strides[i + 1] * (int(widths[axes[i]] / side) + 3)
    keys = np.empty(n, dtype=np.int64)
    team.run("cells", lambda a, b: number_cells(points, a, b, low, side, axes, strides[1:], keys), parts)
    keys, order = order_by(keys, int(strides[0]), team)
    ordered = np.empty_like(points)
    team.run("cells", lambda a, b: take(points, order, a, b, ordered), parts)
    first = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    keys, starts = keys[first], np.append(first, n)
    rows = np.zeros(1, dtype=np.int64)
    for step in strides[1:-1]:
        rows = (rows[:, None] + step * np.array([-1, 0, 1])).ravel()
    spans = np.empty((2, len(keys), len(rows)), dtype=order.dtype)
    parts = [(start, min(start + PART, len(keys))) for start in range(0, len(keys), PART)]
    team.run("cells", lambda a, b: find_rows(keys, starts, np.sort(rows), a, b, *spans), parts)
    return Cells(ordered, order, starts, spans[0], spans[1], low, side, axes[:-1])


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
