"""The reduced complex of a weighted graph: distance matrices, other metrics, high dimensions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tcs.persistence.compute.team import Team, parts_of
from tcs.persistence.graph.descent import push_down
from tcs.persistence.graph.lunes import classify

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tcs.persistence.graph.graph import Graph

PART_COLUMNS = 2**12


class GraphLunes:
    """Lunes of the edges of a graph with at least one vertex."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.n = graph.n
        self.squares = graph.squares

    @property
    def order(self) -> NDArray[np.int64]:
        """The place in the input of each vertex."""
        return np.arange(self.n)

    def classify(self, team: Team) -> tuple[NDArray[Any], NDArray[np.float64], NDArray[Any], NDArray[np.float64]]:
        """Relative neighbours and fillers, as :func:`tcs.persistence.graph.lunes.classify` has them."""
        return classify(self.graph, team)

    def columns(
        self, edges: NDArray[Any], lengths: NDArray[np.float64], row_starts: NDArray[np.int64], number: NDArray[Any],
        fillers: NDArray[Any], team: Team,
    ) -> tuple[NDArray[Any], NDArray[np.int64]]:  # fmt: skip
        """Columns of the reduced boundary matrix, as :func:`.graph.descent.push_down` has them."""
        graph = self.graph
        entries, sizes = team.gather(
            "push-down",
            lambda first, last: push_down(
                graph.starts, graph.neighbours, graph.keys, edges, lengths, row_starts, number, fillers, first, last
            ),
            parts_of(len(fillers), PART_COLUMNS),
        )
        return entries, sizes
