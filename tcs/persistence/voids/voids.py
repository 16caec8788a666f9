"""H2 of a Vietoris-Rips filtration by the same reduction as H1: fillers that end no loop against loops of lunes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from tcs.persistence.cloud.euclidean import EuclideanLunes
from tcs.persistence.compute.team import Team, parts_of
from tcs.persistence.graph.weighted import GraphLunes
from tcs.persistence.reduced.matrix import starts_of_rows
from tcs.persistence.reduced.reduction import pair
from tcs.persistence.voids.graph_loops import find_loops
from tcs.persistence.voids.lune_loops import lunes_and_loops
from tcs.persistence.voids.spaces import Cloud, Web
from tcs.persistence.voids.triangles import push_down

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tcs.persistence.compute.clock import Clock
    from tcs.persistence.reduced.matrix import Pairs

PART_COLUMNS = 2**10


class Loops(NamedTuple):
    """A basis of the loops of all lunes.

    ``bases`` (l, 2) are the edges of the lunes and ``ages`` (l,) their lengths; ``walks`` are the vertices of all
    loops on end, and ``begins`` (l + 1,) where each begins.
    """

    bases: NDArray[Any]
    ages: NDArray[np.float64]
    begins: NDArray[np.int64]
    walks: NDArray[Any]


class HasLoops(Protocol):
    """A filtration that has found the loops of its lunes."""

    n: int
    loops: Loops

    def space(self) -> Any:
        """One of the records of :mod:`.voids.spaces`, for one thread."""


class Voids(NamedTuple):
    """What the reduction found in dimension 2, in no order.

    ``births`` (r,) are the lengths at which voids open and ``deaths`` (l,) those at which loops of lunes fill some.
    ``paired`` (r,) is the place among the latter that fills each void, or -1.
    """

    births: NDArray[np.float64]
    deaths: NDArray[np.float64]
    paired: NDArray[np.int64]


class EuclideanVoids(EuclideanLunes):
    """Lunes of the edges between points, with their loops; see :class:`.EuclideanLunes`."""

    loops: Loops

    def classify(self, team: Team) -> tuple[NDArray[Any], NDArray[np.float64], NDArray[Any], NDArray[np.float64]]:
        """Relative neighbours and fillers; the loops are kept."""
        edges, lengths, fillers, times, bases, ages, sizes, walks = self.over_cells(lunes_and_loops, team)
        self.loops = Loops(bases, ages, np.append(0, np.cumsum(sizes)), walks)
        return edges, lengths, fillers, times

    def space(self) -> Cloud:
        """The points, for one thread."""
        cells, grid = self.cells, self.grid
        return Cloud(
            cells.points, self.places, cells.low, cells.high, grid.corner, grid.side, grid.axes[:-1], self._cell_of,
            self.axes, np.zeros((2, cells.low.shape[1])), np.zeros((2, cells.low.shape[1]), np.float32),
        )  # fmt: skip


class GraphVoids(GraphLunes):
    """Lunes of the edges of a graph, with their loops; see :class:`tcs.persistence.graph.weighted.GraphLunes`."""

    loops: Loops

    def classify(self, team: Team) -> tuple[NDArray[Any], NDArray[np.float64], NDArray[Any], NDArray[np.float64]]:
        """Relative neighbours and fillers, the latter by their vertices; the loops are kept."""
        edges, lengths, fillers, times = super().classify(team)
        by_edge = np.lexsort((fillers[:, 1], fillers[:, 0]))
        bases, ages, sizes, walks = find_loops(self.graph, team)
        self.loops = Loops(bases, ages, np.append(0, np.cumsum(sizes)), walks)
        return edges, lengths, fillers[by_edge], times[by_edge]

    def space(self) -> Web:
        """The graph, for kernels."""
        return Web(self.graph.starts, self.graph.neighbours, self.graph.keys)


def reduce_loops(lunes: HasLoops, pairs: Pairs, team: Team, clock: Clock) -> Voids:
    """Find the pairs of a filtration in dimension 2, from those in dimension 1."""
    loops = lunes.loops
    with clock.stage("sort"):
        opens = np.ones(len(pairs.fillers), dtype=np.bool_)
        opens[pairs.paired[pairs.paired >= 0]] = False
        births = pairs.deaths[opens]
        number = np.where(opens, np.cumsum(opens) - 1, -1).astype(pairs.fillers.dtype)
        filler_starts = starts_of_rows(lunes.n, pairs.fillers)
    with clock.stage("push-down"):
        entries, sizes = team.gather(
            "push-down",
            lambda first, last: push_down(
                lunes.space(), pairs.fillers, filler_starts, number, loops.bases, loops.begins, loops.walks, first, last
            ),
            parts_of(len(loops.ages), PART_COLUMNS),
        )
    with clock.stage("reduce"):
        paired = pair(births, loops.ages, entries, sizes, team)
    return Voids(births, loops.ages, paired)
