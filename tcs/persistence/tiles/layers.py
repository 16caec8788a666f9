"""Points sorted on disk by the cells of a grid, chunk by chunk; a layer of cells is a range of the sorted points.

The order is that of :func:`.cloud.cells.sort_into_cells`: by the key of the cell, then by place in the input. Chunks
are dealt to bins of whole layers, in the order of the input, and each bin is sorted in memory.
"""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tcs.persistence.cloud.cells import Grid, bounds, keys_of, lay_grid, no_longer_than
from tcs.persistence.compute.sorting import order_by, take
from tcs.persistence.compute.team import Progress, Team, parts_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tcs.persistence.tiles.folder import Folder, Rows

CHUNK = 2**21
TAKE = 2**16
NAME = "layers"
# The extent and the digest, the layers, the bins, and the order in each bin.
PASSES = 4
# Reads rows ``first`` to ``last`` of the input as a float64 array.
Read = Callable[[int, int], "NDArray[np.float64]"]


class Layers(NamedTuple):
    """Sorted points on disk: layer l of the grid holds those from ``starts[l]`` to ``starts[l + 1]``.

    ``order`` has the place of each in the input. ``longest`` is the largest squared length of an edge.
    """

    points: Rows
    order: Rows
    starts: NDArray[np.int64]
    grid: Grid
    longest: float

    @property
    def n(self) -> int:
        """How many points there are."""
        return int(self.starts[-1])

    def cut(self, most: int) -> list[tuple[int, int]]:
        """Ranges of layers that hold at most so many points each; a layer that holds more is a range of its own."""
        cuts = [0]
        while cuts[-1] < len(self.starts) - 1:
            last = int(np.searchsorted(self.starts, self.starts[cuts[-1]] + most, side="right")) - 1
            cuts.append(max(last, cuts[-1] + 1))
        return [(a, b) for a, b in itertools.pairwise(cuts) if self.starts[a] < self.starts[b]]


def sort_into_layers(
    read: Read, shape: tuple[int, int], longest: float, folder: Folder, most: int, tell: Progress, team: Team
) -> Layers:
    """Sort points into a folder, unless they lie there already.

    Args:
        read: reads the input. ``shape``: (n, d), n >= 1.
        longest: the largest squared length of an edge.
        most: how many points may be in memory at once for sorting, or those of one layer.
        tell: called as ``tell("grid", points done, points to do)``.

    Raises:
        FolderError: the folder cannot be used, or holds something else.
    """
    n = shape[0]

    def chunks(passes: int) -> Iterator[tuple[int, NDArray[np.float64]]]:
        for first, last in parts_of(n, CHUNK):
            yield first, read(first, last)
            tell("grid", passes * n + last, PASSES * n)

    digest, corners = hashlib.sha256(), []
    for _, chunk in chunks(0):
        digest.update(chunk.data)
        corners.append(bounds(chunk, team))
    corner = np.array([np.min([c[0] for c in corners], axis=0), np.max([c[1] for c in corners], axis=0)])
    longest = no_longer_than(corner, longest)
    grid = lay_grid(corner, math.sqrt(longest))
    folder.agree({"shape": list(shape), "longest": longest.hex(), "most": most, "sha256": digest.hexdigest()})
    if folder.has(NAME):
        return layers_in(folder)
    starts = np.zeros(grid.strides[0] // grid.strides[1] + 1, dtype=np.int64)
    for _, chunk in chunks(1):
        starts[1:] += np.bincount(keys_of(chunk, grid, team) // grid.strides[1], minlength=len(starts) - 1)
    layers = _layers(folder, np.cumsum(starts), grid, longest)
    bins = layers.cut(most)
    _deal(chunks(2), layers, bins, team)
    for a, b in bins:
        _sort(layers, int(layers.starts[a]), int(layers.starts[b]), team)
        tell("grid", (PASSES - 1) * n + int(layers.starts[b]), PASSES * n)
    side, reach = np.array(grid.side), np.array(longest)
    folder.save(
        NAME, starts=layers.starts, longest=reach, corner=grid.corner, side=side, axes=grid.axes, strides=grid.strides
    )
    return layers


def layers_in(folder: Folder) -> Layers:
    """The sorted points that lie in a folder."""
    found = folder.load(NAME, "starts", "longest", "corner", "side", "axes", "strides")
    grid = Grid(found["corner"], float(found["side"]), found["axes"], found["strides"])
    return _layers(folder, found["starts"], grid, float(found["longest"]))


def _layers(folder: Folder, starts: NDArray[np.int64], grid: Grid, longest: float) -> Layers:
    points = folder.rows("points", np.float64, len(grid.corner))
    order = folder.rows("order", np.int32 if starts[-1] < 2**31 else np.int64, 1)
    return Layers(points, order, starts, grid, longest)


def _deal(
    chunks: Iterator[tuple[int, NDArray[np.float64]]], layers: Layers, bins: list[tuple[int, int]], team: Team
) -> None:
    """Write points behind those that their bin already holds."""
    bin_of = np.repeat(np.arange(len(bins) + 1), np.diff([0] + [b for _, b in bins] + [len(layers.starts) - 1]))
    ends = np.array([layers.starts[a] for a, _ in bins])
    for first, chunk in chunks:
        bins_of_points = bin_of[keys_of(chunk, layers.grid, team) // layers.grid.strides[1]]
        numbers, places = order_by(bins_of_points, len(bins), team)
        dealt = _taken(chunk, places, team)
        borders = np.searchsorted(numbers, np.arange(len(bins) + 1))
        for number, (a, b) in enumerate(itertools.pairwise(borders)):
            if a < b:
                layers.points.write(int(ends[number]), dealt[a:b])
                layers.order.write(int(ends[number]), places[a:b].astype(np.int64) + first)
                ends[number] += b - a


def _sort(layers: Layers, first: int, last: int, team: Team) -> None:
    """Sort the points of one bin, which lie in the order of the input."""
    points = layers.points.read(first, last)
    keys = keys_of(points, layers.grid, team)
    least = int(keys.min())
    _, places = order_by(keys - least, int(keys.max()) - least + 1, team)
    layers.points.write(first, _taken(points, places, team))
    layers.order.write(first, layers.order.read(first, last)[places])


def _taken(points: NDArray[np.float64], places: NDArray[Any], team: Team) -> NDArray[np.float64]:
    out = np.empty_like(points)
    team.run("sort", lambda a, b: take(points, places, a, b, out), parts_of(len(points), TAKE))
    return out
