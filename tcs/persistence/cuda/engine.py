"""From points in the memory of the host to bars there, on a device."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tcs.persistence.cuda.cells import sort_into_cells
from tcs.persistence.cuda.descent import push_down
from tcs.persistence.cuda.forest import spanning_forest
from tcs.persistence.cuda.lunes import find_lunes
from tcs.persistence.cuda.reduction import key_loops
from tcs.persistence.reduced.bars import of_rising, unpacked

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tcs.persistence.compute.clock import Clock
    from tcs.persistence.cuda.device import Device

# Bytes of device memory for each point and each of its coordinates: keys twice and packed, order, cells with their
# ranges, found edges as they come and in order, forest, entries and their sums. And what scratch may take beside.
BYTES_A_POINT, BYTES_A_COORDINATE, LITTLE = 360, 28, 64 * 2**20


def forecast(n: int, dimension: int) -> int:
    """Bytes of device memory that n points in so many coordinates will take, for an even cloud."""
    return n * (BYTES_A_POINT + BYTES_A_COORDINATE * dimension) + LITTLE


def bars_of(
    points: NDArray[np.float64], longest: float, max_dimension: int, device: Device, clock: Clock
) -> list[NDArray[np.float32]]:
    """Bars (m, 2) in dimension 0 and, if asked for, 1, in their order, bars of length zero left out.

    Args:
        points: float64 (n, d), n >= 1. ``longest``: the largest squared length of an edge.
    """
    n = len(points)
    with clock.stage("grid"):
        cells = sort_into_cells(device.xp.asarray(points), longest, device)
    with clock.stage("lune"):
        lunes = find_lunes(cells, device)
    with clock.stage("forest"):
        forest = spanning_forest(n, lunes, device)
    found: list[Any] = []
    if max_dimension > 0:
        with clock.stage("push-down"):
            columns = push_down(cells, lunes, forest, device)
        with clock.stage("reduce"):
            found.append(key_loops(forest.births, lunes.times, columns, device))
    with clock.stage("sort"):
        found.append(device.xp.sort(forest.ends))
        out = device.to_host(device.xp.concatenate([each.view(np.uint8) for each in found]))
    cut = len(out) - 4 * len(forest.ends)
    bars = [of_rising(n, out[cut:].view(np.float32))]
    if max_dimension > 0:
        keys = out[:cut].view(np.uint64)
        bars.append(unpacked(keys[: np.searchsorted(keys, np.uint64(2**64 - 1))]))
    return bars
