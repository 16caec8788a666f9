"""One tile: the points of a few layers of cells and of some layers around them, and what is found in it.

All that a tile needs is in it, so that it can be worked on in another process, or on another machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tcs.persistence.cloud.cells import Grid, cut_into_cells, keys_of
from tcs.persistence.cloud.euclidean import CellLunes
from tcs.persistence.compute.team import Team

if TYPE_CHECKING:
    from numpy.typing import NDArray

Arrays = dict[str, "NDArray[Any]"]


class Tile(NamedTuple):
    """Sorted points, of which the first has number ``offset`` in the whole cloud.

    ``core`` are the first of the tile's own points and the one behind the last, ``whole`` likewise those of which all
    neighbours are here.
    """

    points: NDArray[np.float64]
    offset: int
    core: tuple[int, int]
    whole: tuple[int, int]
    grid: Grid
    longest: float

    def lunes(self, team: Team) -> CellLunes:
        """The points in their cells."""
        nowhere = np.empty(0, dtype=np.int32 if len(self.points) < 2**31 else np.int64)
        cells = cut_into_cells(self.points, nowhere, keys_of(self.points, self.grid, team), self.grid, team)
        return CellLunes(cells, self.grid, self.longest, self.core, self.whole)


class Rows(NamedTuple):
    """Relative neighbours of the points of a tile, by numbers within it, as the whole reduced matrix has them.

    ``edges`` (m, 2) begin at ``starts`` for each smaller vertex; ``number`` is the row of each, or -1 in the forest.
    """

    edges: NDArray[Any]
    starts: NDArray[np.int64]
    number: NDArray[Any]


def find_lunes(tile: Tile, index: Any, team: Team | None = None) -> Arrays:
    """Relative neighbours and fillers of the tile's own points, as :func:`.cloud.lunes.lunes` has them.

    Vertices are of type ``index``, with their numbers in the whole cloud.
    """
    team = team or Team(1)
    edges, lengths, fillers, times = tile.lunes(team).classify(team)
    return {
        "edges": edges.astype(index) + index(tile.offset),
        "lengths": lengths,
        "fillers": fillers.astype(index) + index(tile.offset),
        "times": times,
    }


def find_columns(tile: Tile, rows: Rows, fillers: NDArray[Any], team: Team | None = None) -> Arrays:
    """Columns of fillers, which have numbers within the tile; a column that leaves the tile has the size -1."""
    team = team or Team(1)
    entries, sizes = tile.lunes(team).columns(*rows[:1], np.empty(0), *rows[1:], fillers, team)
    return {"entries": entries, "sizes": sizes}
