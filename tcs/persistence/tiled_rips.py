"""Vietoris-Rips persistence of a cloud that is larger than memory, in tiles on disk, and on workers if any."""

from __future__ import annotations

import os
import tempfile
from concurrent.futures import Executor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tcs.persistence.arguments import as_cloud, as_length, check, is_whole
from tcs.persistence.barcode import Barcode
from tcs.persistence.cloud.lengths import longest_square
from tcs.persistence.compute.clock import Clock, Span
from tcs.persistence.compute.memory import require
from tcs.persistence.compute.team import Progress, Team
from tcs.persistence.errors import InputError
from tcs.persistence.vietoris_rips import GRID_DIMENSION, barcode_of, no_points

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TILE_POINTS = 2**20
# Of the reduced complex: relative neighbours, fillers, forest, columns and their reduction.
BYTES_A_POINT = 140
# Of a tile: its points and those around them, keys, cells, and what is found in it.
BYTES_A_TILE_POINT = 300
DISK_BYTES_A_POINT = 70


def rips_in_tiles(
    points: Any, *, threshold: float, max_dimension: int = 1, folder: str | os.PathLike[str] | None = None,
    tile_points: int = TILE_POINTS, executor: Executor | None = None, threads: int | None = None,
    memory_limit: int | None = None, progress: Progress | None = None, span: Span | None = None,
) -> Barcode:  # fmt: skip
    """The bars of :func:`tcs.persistence.rips`, bit for bit, without ever holding the cloud or its edges in memory.

    The points are sorted on disk by layers of a grid. Lunes are found, and boundaries pushed down, tile by tile: a
    few layers and a halo of others around them. In memory are one tile, the relative neighbours and the reduced
    matrix, some 140 bytes a point.

    Args:
        points: array (n, d) of coordinates, d <= 12, read in slices of rows, so that it may be a memory map.
        threshold: the longest edge, in the units of the coordinates.
        max_dimension: of homology, 0 or 1.
        folder: where points and results of tiles are kept, some 70 bytes a point. If it holds those of the same
            computation, that is gone on with. A temporary folder, if not given.
        tile_points: how many points a tile has at most, unless a single layer has more.
        executor: where tiles are worked on, each in one thread: for Dask, ``client.get_executor()``; for processes,
            ``concurrent.futures.ProcessPoolExecutor``. Here, one after the other by all threads, if not given.
        threads, memory_limit, progress, span: as in :func:`tcs.persistence.rips`.

    Returns:
        A :class:`~tcs.persistence.barcode.Barcode`.

    Raises:
        InputError: an argument cannot be what was meant.
        MemoryForecastError: the reduced complex, or a tile, would need more memory than is allowed.
        FolderError: the folder cannot be used, holds something else, or the disk is full; name it again to go on.
        WorkerError: a worker failed; name the folder again to go on.

    References:
        Lunes are local: Koyama, Memoli, Robins and Turner, arXiv:2307.16333. Distributed persistence by columns of
        blocks: Bauer, Kerber and Reininghaus, ALENEX 2014.
    """
    threshold = as_length(threshold)
    check(max_dimension, "euclidean", threads, memory_limit)
    if max_dimension > 1:
        raise InputError("max_dimension: tiles are for dimensions 0 and 1; use rips for dimension 2")
    if not is_whole(tile_points) or tile_points < 1:
        raise InputError(f"tile_points: {tile_points!r}; give a whole number from 1")
    if len(getattr(points, "shape", ())) != 2:
        points = as_cloud(points)
    n, dimension = len(points), as_cloud(points[:1]).shape[1]
    if dimension > GRID_DIMENSION:
        raise InputError(f"points: {dimension} coordinates cannot be tiled, up to {GRID_DIMENSION} can; use rips")
    if n == 0:
        return no_points(max_dimension, threshold)
    require(n * BYTES_A_POINT + min(n, 2 * tile_points) * BYTES_A_TILE_POINT, memory_limit, f"{n:,} points in tiles")
    clock = Clock(span)
    with tempfile.TemporaryDirectory(prefix="tcs-tiles-") as scratch:
        team = Team(threads or len(os.sched_getaffinity(0)), progress)
        with team:
            path = Path(scratch if folder is None else folder)
            longest = longest_square(threshold)
            lunes = _lunes(points, dimension, longest, path, tile_points, executor, team, clock)
            from tcs.persistence.reduced.matrix import reduce_lunes

            pairs = reduce_lunes(lunes, team, clock)
            return barcode_of(lunes, pairs, None, threshold, max_dimension, team, clock, simplices=False, cycles=False)


def _lunes(
    points: Any, dimension: int, longest: float, path: Path, tile_points: int, executor: Executor | None, team: Team,
    clock: Clock,
) -> Any:  # fmt: skip
    """The points sorted into tiles on disk."""
    from tcs.persistence.tiles.folder import Folder
    from tcs.persistence.tiles.layers import sort_into_layers
    from tcs.persistence.tiles.tiling import TiledLunes

    def read(first: int, last: int) -> NDArray[np.float64]:
        return as_cloud(points[first:last], first)

    folder = Folder(path)
    shape = (len(points), dimension)
    with clock.stage("grid"), Team(team.threads) as quiet:
        folder.need(len(points) * (8 * dimension + DISK_BYTES_A_POINT))
        layers = sort_into_layers(read, shape, longest, folder, tile_points, team.tell, quiet)
    return TiledLunes(layers, tile_points, folder, executor)
