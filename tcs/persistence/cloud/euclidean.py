"""The reduced complex of a Euclidean cloud, found cell by cell without keeping any list of neighbours."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from tcs.persistence.cloud.cells import Cells, Grid, bounds, lay_grid, no_longer_than, put_in_sides, sort_into_cells
from tcs.persistence.cloud.descent import push_down
from tcs.persistence.cloud.lunes import lunes, scale_of
from tcs.persistence.compute.kernels import axes_of, room
from tcs.persistence.compute.lanes import LANES
from tcs.persistence.compute.team import Team, parts_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Points of a part: more where there are many, so that fewer pieces are joined.
PART_POINTS, MOST_POINTS, PARTS = 2**13, 2**15, 2**8
PART_COLUMNS = 2**12


class CellLunes:
    """Lunes of the edges between points in cells, up to a squared length.

    Args:
        cells: all the points, or those of one tile and around it. ``grid``: where they lie.
        longest: the largest squared length of an edge.
        core: edges are told whose smaller vertex is one of the points from the first to before the second of these
            two, which are the borders of cells; all neighbours of these points are there. All points, if not given.
        whole: likewise those points of which all neighbours are there.
    """

    squares = True

    def __init__(
        self, cells: Cells, grid: Grid, longest: float, core: tuple[int, int] | None = None,
        whole: tuple[int, int] | None = None,
    ) -> None:  # fmt: skip
        self.cells, self.grid, self.longest = cells, grid, longest
        self.n, dimension = cells.points.shape
        self.axes = axes_of(dimension)
        self.index: NDArray[Any] = np.empty(0, dtype=np.int32 if self.n < 2**31 else np.int64)
        self._core, self._whole = core or (0, self.n), whole or (0, self.n)
        self._cell_of = cells.of_points()

    @property
    def order(self) -> NDArray[Any]:
        """The place in the input of each vertex."""
        return self.cells.order

    @functools.cached_property
    def places(self) -> NDArray[np.float32]:
        """The coordinates (d, n + LANES) of the points, in sides of a cell from the corner of the grid, inf behind."""
        points, grid = self.cells.points, self.grid
        found = room((points.shape[1], self.n + LANES), np.float32)
        found[:, self.n :] = np.inf
        put_in_sides(points, grid.corner, grid.side, found)
        return found

    def classify(self, team: Team) -> tuple[NDArray[Any], NDArray[np.float64], NDArray[Any], NDArray[np.float64]]:
        """Relative neighbours and fillers, as :func:`.cloud.lunes.lunes` has them, for all cells of the core."""
        edges, lengths, fillers, times = self.over_cells(lunes, team)
        return edges, lengths, fillers, times

    def over_cells(self, kernel: Callable[..., Any], team: Team) -> list[NDArray[Any]]:
        """The arrays of a kernel that takes what :func:`.cloud.lunes.lunes` takes, those of all parts joined."""
        cells, (first, last) = self.cells, self._core
        most = min(MOST_POINTS, max(PART_POINTS, (last - first) // PARTS))
        size = max(256, min(most, (last - first) // (4 * team.threads)))
        cuts = np.unique(np.searchsorted(cells.starts, np.append(np.arange(first, last, size), last)))
        return team.gather(
            "lunes",
            lambda first, last: kernel(
                cells.points, cells.starts, cells.low, cells.high, first, last, self.longest, scale_of(self.longest),
                self.axes, self.index,
            ),
            [(int(a), int(b)) for a, b in itertools.pairwise(cuts)],
        )  # fmt: skip

    def columns(
        self, edges: NDArray[Any], lengths: NDArray[np.float64], row_starts: NDArray[np.int64], number: NDArray[Any],
        fillers: NDArray[Any], team: Team,
    ) -> tuple[NDArray[Any], NDArray[np.int64]]:  # fmt: skip
        """Columns of the reduced boundary matrix, as :func:`.cloud.descent.push_down` has them."""
        cells, grid, (whole, end) = self.cells, self.grid, self._whole
        places = self.places
        entries, sizes = team.gather(
            "push-down",
            lambda first, last: push_down(
                cells.points, places, cells.low, cells.high, grid.axes[:-1], self._cell_of, edges, row_starts, number,
                fillers, first, last, whole, end, self.axes,
            ),
            parts_of(len(fillers), PART_COLUMNS),
        )  # fmt: skip
        return entries, sizes


class EuclideanLunes(CellLunes):
    """Lunes of the edges between points, up to a squared length.

    Args:
        points: float64 (n, d), n >= 1. ``longest``: the largest squared length of an edge.
    """

    def __init__(self, points: NDArray[np.float64], longest: float, team: Team) -> None:
        corners = bounds(points, team)
        longest = no_longer_than(corners, longest)
        grid = lay_grid(corners, math.sqrt(longest))
        super().__init__(sort_into_cells(points, grid, team), grid, longest)
