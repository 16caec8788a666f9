"""The push-down of fillers on the device; see :mod:`tcs.persistence.cloud.descent`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tcs.persistence.cuda.device import NONE, Scratch

if TYPE_CHECKING:
    from tcs.persistence.cuda.cells import Cells
    from tcs.persistence.cuda.device import Device
    from tcs.persistence.cuda.forest import Forest
    from tcs.persistence.cuda.lunes import Lunes

# Edges that wait and rows of a column for which there is room at first, and rows a column in all.
DEPTH, ROWS = 64, 32
ROWS_A_COLUMN = 6


class Columns(NamedTuple):
    """Columns of the reduced matrix: the rows ``entries[begins[f] : begins[f] + sizes[f]]`` of filler f."""

    entries: Any
    begins: Any
    sizes: Any


def push_down(cells: Cells, lunes: Lunes, forest: Forest, device: Device) -> Columns:
    """The columns of all fillers.

    Raises:
        ArithmeticError: an edge has an empty lune and is no relative neighbour, which no input should lead to.
    """
    xp, k = device.xp, len(lunes.fillers)
    begins, sizes = xp.empty(k, np.uint64), xp.empty(k, np.uint32)
    most = ROWS_A_COLUMN * k + 64
    while True:
        entries = None  # before others are made
        entries = xp.empty(most, np.uint32)
        needed = _stage(cells, lunes, forest, Columns(entries, begins, sizes), device)
        if needed <= most:
            return Columns(entries[:needed], begins, sizes)
        most = needed


def _stage(cells: Cells, lunes: Lunes, forest: Forest, columns: Columns, device: Device) -> int:
    """Write down all columns; how many entries there are, also beyond the room for them."""
    xp = device.xp
    depth, most = DEPTH, ROWS
    fillers, count = None, len(columns.sizes)
    total = 0
    while count > 0:
        state = xp.asarray(np.array([total, 0, 0], np.uint64))
        scratch = Scratch(4 * (2 * depth + most), count, device)
        device.launch_warps(
            "push_down", scratch, cells.points, cells.places, cells.n, cells.cell_of, cells.low, cells.high,
            cells.low.shape[1], cells.axes, len(cells.axes), lunes.row_starts, lunes.edges, forest.number,
            lunes.fillers, fillers, count, scratch.memory, scratch.bytes, depth, most, columns.entries,
            len(columns.entries), state, columns.begins, columns.sizes,
        )  # fmt: skip
        total, count, broken = device.to_host(state).tolist()
        if broken:
            raise ArithmeticError("an edge has an empty lune and is no relative neighbour; please report this")
        if count:
            fillers, depth, most = xp.flatnonzero(columns.sizes == NONE).astype(np.uint32), 8 * depth, 8 * most
    return total
