"""The reduced boundary matrix: relative neighbours outside the spanning forest against fillers, and its pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from tcs.persistence.compute.kernels import kernel
from tcs.persistence.reduced.forest import ordered, spanning_forest
from tcs.persistence.reduced.reduction import pair

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tcs.persistence.compute.clock import Clock
    from tcs.persistence.compute.team import Team


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
    """What the reduction found, in the order of the filtration.

    ``tree`` (t, 2) are the edges of the spanning forest and ``tree_lengths`` their lengths, in no order. ``rows``
    (r, 2) are the other relative neighbours with ``births``; ``columns`` (k, 4) the fillers with ``deaths``.
    ``paired`` (r,) is the column that closes the loop of each row, or -1. ``entries`` and ``ends`` are the matrix.
    """

    tree: NDArray[Any]
    tree_lengths: NDArray[np.float64]
    rows: NDArray[Any]
    births: NDArray[np.float64]
    columns: NDArray[Any]
    deaths: NDArray[np.float64]
    paired: NDArray[np.int64]
    entries: NDArray[Any]
    ends: NDArray[np.int64]


def reduce_lunes(lunes: Lunes, team: Team, clock: Clock) -> Pairs:
    """Find the pairs of a filtration in dimensions 0 and 1."""
    with clock.stage("lune"):
        edges, lengths, fillers, times = lunes.classify(team)
    with clock.stage("forest"):
        tree = spanning_forest(lunes.n, edges, lengths, team)
    with clock.stage("sort"):
        others = np.flatnonzero(~tree)
        by_length, in_order, row_starts = team.run(
            "sort",
            lambda work, *given: work(*given),
            [(ordered, lengths[others]), (ordered, times), (starts_of_rows, lunes.n, edges)],
        )
        others = others[by_length]
        number = np.full(len(edges), -1, dtype=edges.dtype)
        number[others] = np.arange(len(others), dtype=edges.dtype)
    with clock.stage("push-down"):
        entries, sizes = lunes.columns(edges, lengths, row_starts, number, fillers, team)
    with clock.stage("sort"):
        begins = np.append(0, np.cumsum(sizes))
        ends = np.append(0, np.cumsum(sizes[in_order]))
        entries = rearranged(entries, begins, in_order, ends)
    with clock.stage("reduce"):
        team.tell("reduce", 0, 1)
        paired = pair(len(others), len(fillers), entries, ends)
        team.tell("reduce", 1, 1)
        kept = np.flatnonzero(tree)
        # several times as fast as indexing rows
        parts = [edges.take(kept, axis=0), edges.take(others, axis=0), fillers.take(in_order, axis=0)]
    return Pairs(parts[0], lengths[kept], parts[1], lengths[others], parts[2], times[in_order], paired, entries, ends)


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
def rearranged(
    entries: NDArray[Any], begins: NDArray[np.int64], order: NDArray[np.int64], ends: NDArray[np.int64]
) -> NDArray[Any]:
    """Columns that lie on end in one order, in another one."""
    out = np.empty_like(entries)
    for column in range(len(order)):
        begin = begins[order[column]]
        for i in range(ends[column], ends[column + 1]):
            out[i] = entries[begin + i - ends[column]]
    return out
