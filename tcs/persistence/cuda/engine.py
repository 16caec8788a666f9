"""From points in the memory of the host to bars there, on a device."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from tcs.persistence.cuda.cells import sort_into_cells
from tcs.persistence.cuda.descent import push_down
from tcs.persistence.cuda.device import NONE, sums_from_zero
from tcs.persistence.cuda.forest import spanning_forest
from tcs.persistence.cuda.lunes import find_lunes
from tcs.persistence.cuda.reduction import key_loops
from tcs.persistence.cuda.tally import Tally
from tcs.persistence.reduced.bars import of_rising, unpacked

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tcs.persistence.compute.clock import Clock
    from tcs.persistence.cuda.device import Device
    from tcs.persistence.cuda.forest import Forest
    from tcs.persistence.cuda.lunes import Lunes

# Bytes of device memory for each point and each of its coordinates: keys twice and packed, order, cells with their
# ranges, found edges as they come and in order, forest, entries and their sums; and what a small cloud takes. Scratch
# for crowded points is not foreseen.
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
    _, forest, loops = _found(points, longest, max_dimension, device, clock)
    with clock.stage("sort"):
        loops.sort()
        ends, keys = _to_host([device.xp.sort(forest.ends), loops], device)
        device.tally.enter("sort", ends, keys, ends, keys)
    return [of_rising(len(points), ends.view(np.float32)), _bars_of_loops(keys)][: max_dimension + 1]


def bars_of_each(
    points: NDArray[np.float64], longest: float, cuts: NDArray[np.int64], max_dimension: int, device: Device,
    clock: Clock,
) -> list[list[NDArray[np.float32]]]:  # fmt: skip
    """Likewise of the clouds of which the points begin and end at ``cuts`` (m + 1,), also in the order of the cells."""
    lunes, forest, loops = _found(points, longest, max_dimension, device, clock)
    with clock.stage("sort"):
        xp = device.xp
        # edges are in the order of their smaller vertex, and so are those in the forest and the rows
        edges = lunes.row_starts[xp.asarray(cuts)]
        rows = sums_from_zero(forest.number != NONE, xp)[edges]
        ends, keys, edges, rows = _to_host([forest.ends, loops, edges, rows], device)
        device.tally.enter("sort", ends, keys, ends, keys)
    found = []
    for i, (first, last) in enumerate(itertools.pairwise(cuts.tolist())):
        of_forest = ends[edges[i] - rows[i] : edges[i + 1] - rows[i + 1]]
        of_loops = keys[rows[i] : rows[i + 1]] if max_dimension else keys[:0]
        bars = [of_rising(last - first, np.sort(of_forest).view(np.float32)), _bars_of_loops(np.sort(of_loops))]
        found.append(bars[: max_dimension + 1])
    return found


def _found(
    points: NDArray[np.float64], longest: float, max_dimension: int, device: Device, clock: Clock
) -> tuple[Lunes, Forest, Any]:
    """Edges, forest, and the bits of birth and death of each row's loop; none if only dimension 0 is asked for."""
    tally = device.tally = Tally(clock)
    with clock.stage("grid"):
        cells = sort_into_cells(device.xp.asarray(points), longest, device)
    tally.enter("grid", points, cells)
    with clock.stage("lune"):
        lunes = find_lunes(cells, device)
    tally.enter("lune", cells, lunes)
    with clock.stage("forest"):
        forest = spanning_forest(len(points), lunes, device)
    tally.enter("forest", lunes.edges, lunes.lengths, forest)
    if max_dimension == 0:
        return lunes, forest, device.xp.empty(0, np.uint64)
    with clock.stage("push-down"):
        columns = push_down(cells, lunes, forest, device)
    tally.enter("push-down", cells, lunes.edges, lunes.row_starts, lunes.fillers, forest.number, columns)
    with clock.stage("reduce"):
        loops = key_loops(forest.births, lunes.times, columns, device)
    tally.enter("reduce", forest.births, lunes.times, columns, loops)
    return lunes, forest, loops


def _to_host(arrays: list[Any], device: Device) -> list[NDArray[Any]]:
    """Copies of arrays, those of the largest entries first, in one transfer."""
    order = sorted(range(len(arrays)), key=lambda i: -arrays[i].itemsize)
    whole = device.to_host(device.xp.concatenate([arrays[i].view(np.uint8) for i in order]))
    found: list[Any] = [None] * len(arrays)
    first = 0
    for i in order:
        last = first + arrays[i].nbytes
        found[i] = whole[first:last].view(arrays[i].dtype)
        first = last
    return found


def _bars_of_loops(keys: NDArray[np.uint64]) -> NDArray[np.float32]:
    """Bars of sorted keys; those of loops that are filled at once, all bits set, come last."""
    return unpacked(keys[: np.searchsorted(keys, np.uint64(2**64 - 1))])
