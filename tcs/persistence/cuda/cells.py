"""Points sorted into cells on the device; see :mod:`tcs.persistence.cloud.cells`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tcs.persistence.cloud.cells import lay_grid, no_longer_than
from tcs.persistence.cuda.device import last_of, running_sums

if TYPE_CHECKING:
    from tcs.persistence.cuda.device import Device


class Cells(NamedTuple):
    """Points in the order of their cells: ``points`` float64 and ``places`` float32, in sides of a cell (d, n).

    ``cell_of`` (n,) is the cell of each point; all points within the longest edge of those in cell c lie in the
    ranges ``low[c, r]`` to ``high[c, r]``. ``axes`` are those of the grid but the last, ``longest`` the largest
    squared length of an edge.
    """

    points: Any
    places: Any
    cell_of: Any
    low: Any
    high: Any
    axes: Any
    longest: float

    @property
    def n(self) -> int:
        """How many points there are."""
        return int(self.points.shape[1])


def sort_into_cells(points: Any, longest: float, device: Device) -> Cells:
    """Sort points (n, d) on the device, n >= 1; ``longest`` is the largest squared length of an edge."""
    xp, (n, dimension) = device.xp, points.shape
    # coordinate by coordinate: CuPy reduces a whole array by all of the device, and an axis by a few blocks
    columns = xp.ascontiguousarray(points.T)
    ends = [end for column in columns for end in (column.min(), column.max())]
    corners = device.to_host(xp.stack(ends)).reshape(dimension, 2).T.copy()
    longest = no_longer_than(corners, longest)
    grid = lay_grid(corners, math.sqrt(longest))
    corner = xp.asarray(grid.corner)
    keys = xp.empty(n, np.uint64)
    axes, strides = (xp.asarray(each.astype(np.uint64)) for each in (grid.axes, grid.strides[1:]))
    device.launch("number_cells", n, columns, n, corner, grid.side, axes, strides, len(grid.axes), keys)
    keys, order = order_by(keys, int(grid.strides[0]), device)
    ordered, places = xp.empty((dimension, n), np.float64), xp.empty((dimension, n), np.float32)
    device.launch("put_in_order", n, columns, order, n, corner, grid.side, ordered, places)
    begins = xp.empty(n, np.uint32)
    device.launch("mark_cells", n, keys, n, begins)
    sums = running_sums(begins, xp)
    cells = last_of(sums, device)
    cell_of, cell_keys, starts = xp.empty(n, np.uint32), xp.empty(cells, np.uint64), xp.empty(cells + 1, np.uint32)
    device.launch("cut_cells", n, keys, sums, n, cell_of, cell_keys, starts, cells)
    # a negative number wraps around, and back when it is added
    rows = xp.asarray(grid.rows().view(np.uint64))
    low, high = xp.empty((cells, len(rows)), np.uint32), xp.empty((cells, len(rows)), np.uint32)
    device.launch("find_rows", cells * len(rows), cell_keys, starts, cells, rows, len(rows), low, high)
    return Cells(ordered, places, cell_of, low, high, axes[:-1].copy(), longest)


def order_by(keys: Any, top: int, device: Device) -> tuple[Any, Any]:
    """Keys (n,) from 0 to below ``top`` in rising order, and the place of each before; equal keys keep their order."""
    xp, n = device.xp, len(keys)
    bits = max(1, (n - 1).bit_length())
    if (top - 1).bit_length() + bits > 64:
        order = xp.argsort(keys, kind="stable")
        return keys[order], order.astype(np.uint32)
    packed = keys << np.uint64(bits) | xp.arange(n, dtype=np.uint64)
    packed.sort()
    return packed >> np.uint64(bits), (packed & np.uint64((1 << bits) - 1)).astype(np.uint32)
