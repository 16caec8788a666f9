"""The lunes of all edges on the device; see :mod:`tcs.persistence.cloud.lunes`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tcs.persistence.cloud.lunes import scale_of
from tcs.persistence.cuda.device import NONE, Scratch, sums_from_zero

if TYPE_CHECKING:
    from tcs.persistence.cuda.cells import Cells
    from tcs.persistence.cuda.device import Device

# Neighbours and fillers of a point for which there is room at first, and edges and fillers a point in all.
ROOM, SPARE = 96, 24
EDGES_A_POINT, FILLERS_A_POINT = 3, 2


class Lunes(NamedTuple):
    """Relative neighbours (m, 2) sorted by (u, length), with squared lengths, and where those of each u begin.

    Fillers are (k, 4): u, v, and one vertex of two components of the lune of uv; ``times`` their squared lengths.
    """

    edges: Any
    lengths: Any
    row_starts: Any
    fillers: Any
    times: Any


def find_lunes(cells: Cells, device: Device) -> Lunes:
    """Classify all edges of a cloud in cells."""
    xp, n = device.xp, cells.n
    found, begins = xp.empty((2, n), np.uint32), xp.empty((n, 2), np.uint64)
    most = (EDGES_A_POINT * n + 64, FILLERS_A_POINT * n + 64)
    while True:
        edges = lengths = fillers = times = None  # before others are made
        edges, lengths = xp.empty(most[0], np.uint32), xp.empty(most[0])
        fillers, times = xp.empty((most[1], 3), np.uint32), xp.empty(most[1])
        m, k = _stage(cells, (edges, lengths), (fillers, times), begins, found, device)
        if m <= most[0] and k <= most[1]:
            break
        most = (max(m, most[0]), max(k, most[1]))
    if max(m, k) >= NONE:
        raise MemoryError(f"{max(m, k):,} edges are more than can be numbered on a GPU")
    row_starts, starts = (sums_from_zero(each, xp) for each in found)
    to_edges, to_lengths = xp.empty((m, 2), np.uint32), xp.empty(m)
    device.launch("gather_edges", 2 * n, n, begins, found, edges, lengths, row_starts, to_edges, to_lengths)
    to_fillers, to_times = xp.empty((k, 4), np.uint32), xp.empty(k)
    device.launch("gather_fillers", n, n, begins, found, fillers, times, starts, to_fillers, to_times)
    return Lunes(to_edges, to_lengths, row_starts, to_fillers, to_times)


def _stage(
    cells: Cells, edges: tuple[Any, Any], fillers: tuple[Any, Any], begins: Any, found: Any, device: Device
) -> tuple[int, int]:
    """Edges and fillers of all points, in no order; how many there are of both, also beyond the room for them."""
    xp, n = device.xp, cells.n
    room, spare = ROOM, SPARE
    points, count = None, n
    totals = [0, 0]
    while count > 0:
        scratch = Scratch(_bytes(room, spare, len(cells.points)), count, device)
        cursors = xp.asarray(np.array([*totals, 0, 0, 0], np.uint64))
        crowded = xp.empty(count, np.uint32)
        device.launch_warps(
            "lunes", scratch, cells.points, n, cells.cell_of, cells.low, cells.high, cells.low.shape[1],
            cells.longest, scale_of(cells.longest), points, count, scratch.memory, scratch.bytes, room, spare,
            *edges, len(edges[0]), *fillers, len(fillers[0]), cursors, begins, found, crowded,
        )  # fmt: skip
        *totals, count, neighbours, filled = device.to_host(cursors).tolist()
        points, room, spare = crowded, max(room, neighbours), max(spare, filled)
    return totals[0], totals[1]


def _bytes(room: int, spare: int, dimension: int) -> int:
    """The size of ``Scratch`` in kernels/lunes.cu, in whole words of 8 bytes."""
    return -(-(room * (2 * 8 + 5 * 4 + 4 * dimension) + spare * 3 * 4) // 8) * 8
