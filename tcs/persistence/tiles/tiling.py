"""The reduced complex of a cloud on disk, found tile by tile.

Lunes of a tile's points lie within one layer of cells around it. Pushing down may lead further; a column that leaves
the tile is tried again with twice the layers around it.
"""

from __future__ import annotations

import itertools
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from typing import TYPE_CHECKING, Any

import numpy as np

from tcs.persistence.compute.team import Team
from tcs.persistence.errors import PersistenceError, WorkerError
from tcs.persistence.tiles.tile import Arrays, Rows, Tile, find_columns, find_lunes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tcs.persistence.tiles.folder import Folder
    from tcs.persistence.tiles.layers import Layers

# Layers around a tile in which columns are pushed down at first.
LAYERS_AROUND = 3
# Tiles that wait at workers or are worked on, at most.
UNDER_WAY = 32


def lunes_of(tile: int) -> str:
    """The name under which the lunes of a tile are kept."""
    return f"lunes-{tile:06}"


class TiledLunes:
    """Lunes of the edges between points on disk.

    Args:
        layers: the sorted points. ``most``: points of a tile.
        folder: where results of tiles are kept.
        executor: where tiles are worked on, each in one thread; here, one after the other by all threads, if None.
    """

    squares = True

    def __init__(self, layers: Layers, most: int, folder: Folder, executor: Executor | None) -> None:
        self.n = layers.n
        self._layers, self._folder, self._executor = layers, folder, executor
        self._tiles = layers.cut(most)
        self._index: Any = np.int32 if self.n < 2**31 else np.int64

    @property
    def order(self) -> NDArray[Any]:
        """The place in the input of each vertex."""
        return self._layers.order.read(0, self.n).ravel()

    def classify(self, team: Team) -> tuple[NDArray[Any], NDArray[np.float64], NDArray[Any], NDArray[np.float64]]:
        """Relative neighbours and fillers, as :func:`.cloud.lunes.lunes` has them, of all tiles."""
        names = {i: lunes_of(i) for i in range(len(self._tiles))}
        self._work("lunes", find_lunes, names, lambda i: (self._tile(i, 1), self._index), team)
        edges, lengths, fillers, times = (
            np.concatenate([self._folder.load(name, key)[key] for name in names.values()])
            for key in ("edges", "lengths", "fillers", "times")
        )
        return edges, lengths, fillers, times

    def columns(
        self, edges: NDArray[Any], lengths: NDArray[np.float64], row_starts: NDArray[np.int64], number: NDArray[Any],
        fillers: NDArray[Any], team: Team,
    ) -> tuple[NDArray[Any], NDArray[np.int64]]:  # fmt: skip
        """Columns of the reduced boundary matrix, as :func:`.cloud.descent.push_down` has them."""

        def job(i: int) -> tuple[Tile, Rows, NDArray[Any]]:
            tile = self._tile(i, around)
            left = own[i][sizes[i] < 0]
            a, b = tile.offset, tile.offset + len(tile.points)
            first, last = row_starts[a], row_starts[b]
            rows = Rows(_within(edges[first:last], a), row_starts[a : b + 1] - first, number[first:last])
            return tile, rows, _within(left, a)

        starts = self._layers.starts
        borders = np.searchsorted(fillers[:, 0], [starts[a] for a, _ in self._tiles] + [self.n])
        own = [fillers[a:b] for a, b in itertools.pairwise(borders)]
        entries = [np.empty(0, dtype=number.dtype)] * len(own)
        sizes = [np.full(len(each), -1) for each in own]
        around, left = LAYERS_AROUND, list(range(len(own)))
        while left:
            names = {i: f"columns-{i:06}-{around}" for i in left}
            self._work("push-down", find_columns, names, job, team)
            for i in left:
                found = self._folder.load(names[i], "entries", "sizes")
                entries[i], sizes[i] = filled_in(entries[i], sizes[i], found["entries"], found["sizes"])
            left = [i for i in left if (sizes[i] < 0).any()]
            around *= 2
        return np.concatenate(entries), np.concatenate(sizes)

    def _work(
        self, stage: str, work: Callable[..., Arrays], names: dict[int, str], given: Callable[[int], tuple[Any, ...]],
        team: Team,
    ) -> None:  # fmt: skip
        """Save ``work(*given(i))`` under the name of tile i, for all that are not saved yet."""
        left = [i for i, name in names.items() if not self._folder.has(name)]
        team.tell(stage, len(names) - len(left), len(names))
        with Team(team.threads) as here:
            finished = (
                (work(*given(i), here) for i in left)
                if self._executor is None
                else results(self._executor, work, map(given, left))
            )
            for done, (i, arrays) in enumerate(zip(left, finished, strict=True)):
                self._folder.save(names[i], **arrays)
                team.tell(stage, len(names) - len(left) + done + 1, len(names))

    def _tile(self, i: int, around: int) -> Tile:
        starts = self._layers.starts
        first, last = self._tiles[i]
        low, high = max(first - around, 0), min(last + around, len(starts) - 1)
        a, b = int(starts[low]), int(starts[high])
        # at the end of the cloud there is nothing beyond
        whole = (
            0 if low == 0 else int(starts[low + 1]) - a,
            b - a if high == len(starts) - 1 else int(starts[high - 1]) - a,
        )
        core = (int(starts[first]) - a, int(starts[last]) - a)
        return Tile(self._layers.points.read(a, b), a, core, whole, self._layers.grid, self._layers.longest)


def results(executor: Executor, work: Callable[..., Arrays], given: Iterator[tuple[Any, ...]]) -> Iterator[Arrays]:
    """Results of ``work(*each)`` in their order, of which only so many are under way at once.

    Raises:
        WorkerError: an executor or one of its workers failed.
    """
    waiting: deque[Future[Arrays]] = deque()
    try:
        for each in given:
            with warnings.catch_warnings():
                # Dask's advice to load data on the workers: a tile has to be sent once
                warnings.filterwarnings("ignore", "Sending large graph")
                waiting.append(executor.submit(work, *each))
            if len(waiting) == UNDER_WAY:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except (PersistenceError, ArithmeticError):
        raise
    except Exception as error:
        raise WorkerError(
            f"a worker failed on a tile: {type(error).__name__}: {error}; tiles that are done are kept in the folder, "
            "so name it again to go on"
        ) from error
    finally:
        for future in waiting:
            future.cancel()


def filled_in(
    entries: NDArray[Any], sizes: NDArray[np.int64], new_entries: NDArray[Any], new_sizes: NDArray[np.int64]
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Columns on end, those of size -1 replaced by new ones; a new one may again have that size, and no entries."""
    missing = sizes < 0
    joined = sizes.copy()
    joined[missing] = new_sizes
    new = np.repeat(missing, np.maximum(joined, 0))
    out = np.empty(len(new), dtype=entries.dtype)
    out[new], out[~new] = new_entries, entries
    return out, joined


def _within(vertices: NDArray[Any], offset: int) -> NDArray[Any]:
    """Numbers within a tile."""
    found: NDArray[Any] = (vertices - vertices.dtype.type(offset)).astype(np.int32, copy=False)
    return found
