"""The reduced complex of a Euclidean cloud, found cell by cell without keeping any list of neighbours."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from tcs.persistence.cloud.cells import Cells, sort_into_cells
from tcs.persistence.cloud.descent import push_down
from tcs.persistence.cloud.lunes import lunes
from tcs.persistence.compute.kernels import axes_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tcs.persistence.compute.team import Team

PART_POINTS = 2**13


class EuclideanLunes:
    """Lunes of the edges between points, up to a squared length.

    Args:
        points: float64 (n, d), n >= 1. ``longest``: the largest squared length of an edge.
    """

    squares = True

    def __init__(self, points: NDArray[np.float64], longest: float, team: Team) -> None:
        self.n, dimension = points.shape
        self.longest = longest
        self.axes = axes_of(dimension)
        self.index: NDArray[Any] = np.empty(0, dtype=np.int32 if self.n < 2**31 else np.int64)
        self.cells: Cells = sort_into_cells(points, math.sqrt(longest), team)
        self._cell_of = np.repeat(np.arange(len(self.cells.low), dtype=self.index.dtype), np.diff(self.cells.starts))

    @property
    def order(self) -> NDArray[Any]:
        """The place in the input of each vertex."""
        return self.cells.order

    def classify(self, team: Team) -> tuple[NDArray[Any], NDArray[np.float64], NDArray[Any], NDArray[np.float64]]:
        """Relative neighbours and fillers, as :func:`.cloud.lunes.lunes` has them, for all cells."""
        cells = self.cells
        # a power of two, so that scaling the cloud by one changes no bit of a result
        scale = 2.0 ** -math.frexp(math.sqrt(self.longest))[1] if self.longest > 0 else 1.0
        size = max(256, min(PART_POINTS, self.n // (4 * team.threads)))
        cuts = np.unique(np.append(np.searchsorted(cells.starts[:-1], np.arange(0, self.n, size)), len(cells.low)))
        found = team.run(
            "lunes",
            lambda first, last: lunes(
                cells.points, cells.starts, cells.low, cells.high, first, last, self.longest, scale, self.axes,
                self.index,
            ),
            [(int(a), int(b)) for a, b in itertools.pairwise(cuts)],
        )  # fmt: skip
        edges, lengths, fillers, times = (np.concatenate(each) for each in zip(*found, strict=True))
        return edges, lengths, fillers, times

    def columns(
        self, edges: NDArray[Any], lengths: NDArray[np.float64], row_starts: NDArray[np.int64], number: NDArray[Any],
        fillers: NDArray[Any], first: int, last: int,
    ) -> tuple[NDArray[Any], NDArray[np.int64]]:  # fmt: skip
        """Columns of the reduced boundary matrix, as :func:`tcs.persistence.cloud.descent.push_down` has them."""
        cells = self.cells
        found: tuple[NDArray[Any], NDArray[np.int64]] = push_down(
            cells.points, cells.low, cells.high, cells.corner, cells.side, cells.axes, self._cell_of, edges, row_starts,
            number, fillers, first, last, self.axes,
        )  # fmt: skip
        return found
