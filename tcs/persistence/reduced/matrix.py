"""The reduced boundary matrix: relative neighbours outside the spanning forest against fillers, and its pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from tcs.persistence.compute.kernels import kernel
from tcs.persistence.reduced.forest import spanning_forest
from tcs.persistence.reduced.reduction import pair

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tcs.persistence.compute.clock import Clock
    from tcs.persistence.compute.team import Team


# Blocks of the reduction for each thread, and their least size: in smaller ones many rows wait.
BLOCKS_A_THREAD = 4
LEAST_POINTS = 2**16


class Lunes(Protocol):
    """What a filtration has to tell: its lunes, and how boundaries are pushed down in it."""

    n: int

    def classify(self, team: Team) -> tuple[NDArray[Any], NDArray[np.float64], NDArray[Any], NDArray[np.float64]]:
        """Relative neighbours (m, 2) with lengths, and fillers (k, 4) with lengths."""

    def columns(
        self, edges: NDArray[Any], lengths: NDArray[np.float64], row_starts: NDArray[np.int64], number: NDArray[Any],
        fillers: NDArray[Any], team: Team,
    ) -> tuple[NDArray[Any], NDArray[np.int64]]:  # fmt: skip
        """Rows of all columns on end, and how many each column has."""


class Pairs(NamedTuple):
    """What the reduction found, all in the order in which the filtration told it.

    ``edges`` (m, 2) are the relative neighbours with ``lengths``, and ``in_forest`` tells which make the spanning
    forest. The others are the rows of the matrix, with ``births`` (r,); its columns are the ``fillers`` (k, 4) with
    ``deaths``. ``paired`` (r,) is the column that closes the loop of each row, or -1. ``entries`` are the rows of all
    columns on end, and ``sizes`` (k,) how many each column has.
    """

    edges: NDArray[Any]
    lengths: NDArray[np.float64]
    in_forest: NDArray[np.bool_]
    births: NDArray[np.float64]
    fillers: NDArray[Any]
    deaths: NDArray[np.float64]
    paired: NDArray[Any]
    entries: NDArray[Any]
    sizes: NDArray[np.int64]

    @property
    def tree(self) -> NDArray[Any]:
        """The edges (t, 2) of the spanning forest."""
        return self.edges[self.in_forest]

    @property
    def rows(self) -> NDArray[Any]:
        """The other edges (r, 2)."""
        return self.edges[~self.in_forest]


def reduce_lunes(lunes: Lunes, team: Team, clock: Clock) -> Pairs:
    """Find the pairs of a filtration in dimensions 0 and 1."""
    with clock.stage("lune"):
        edges, lengths, fillers, times = lunes.classify(team)
    with clock.stage("forest"):
        tree = spanning_forest(lunes.n, edges, lengths, team)
    with clock.stage("sort"):
        row_starts, (number, births) = team.run(
            "sort",
            lambda work, *given: work(*given),
            [(starts_of_rows, lunes.n, edges), (number_rows, tree, lengths, edges[:0, 0])],
        )
    with clock.stage("push-down"):
        entries, sizes = lunes.columns(edges, lengths, row_starts, number, fillers, team)
    with clock.stage("reduce"):
        size = max(LEAST_POINTS, -(-lunes.n // (BLOCKS_A_THREAD * team.threads)))
        borders = np.append(np.arange(0, lunes.n, size), lunes.n)
        cuts = cut(borders, row_starts, number, fillers, np.array([len(births), len(times)]))
        paired = pair(births, times, entries, sizes, team, cuts)
    return Pairs(edges, lengths, tree, births, fillers, times, paired, entries, sizes)


@kernel
def starts_of_rows(n: int, edges: NDArray[Any]) -> NDArray[np.int64]:
    """Where the edges of each smaller vertex begin (n + 1,), for edges sorted by it."""
    starts = np.zeros(n + 1, np.int64)
    for e in range(len(edges)):
        starts[edges[e, 0] + 1] += 1
    for v in range(n):
        starts[v + 1] += starts[v]
    return starts


@kernel
def number_rows(tree: NDArray[np.bool_], lengths: NDArray[np.float64], index: Any) -> Any:
    """The row of each edge, of the type of the empty array ``index``, or -1 in the forest; and lengths of the rows."""
    number, births = np.empty(len(tree), index.dtype), np.empty(len(tree) - tree.sum())
    row = 0
    for e in range(len(tree)):
        number[e] = -1
        if not tree[e]:
            number[e], births[row] = row, lengths[e]
            row += 1
    return number, births


@kernel
def cut(
    borders: NDArray[np.int64], row_starts: NDArray[np.int64], number: NDArray[Any], fillers: NDArray[Any],
    ends: NDArray[np.int64],
) -> NDArray[np.int64]:  # fmt: skip
    """The first row and the first column (b, 2) of which the smaller vertex is one of the borders, or comes after.

    Where fillers are not sorted by their smaller vertex, rising places of the columns.
    """
    cuts = np.empty((len(borders), 2), np.int64)
    cuts[:] = ends
    column = 0
    for i in range(len(borders) - 1):
        for e in range(row_starts[borders[i]], len(number)):
            if number[e] >= 0:
                cuts[i, 0] = number[e]
                break
        while column < len(fillers) and fillers[column, 0] < borders[i]:
            column += 1
        cuts[i, 1] = column
    return cuts
