"""Loops of an alpha complex in space: edges outside of the spanning tree against the triangles that fill loops.

An edge whose smallest sphere is not empty has the value of a triangle, its filler; discrete Morse theory pairs the
two without a bar, and the edge may be replaced by the other two sides of its filler. That ends at edges with an empty
sphere, of which those in the spanning tree are dropped: a cycle is known from its other edges. What remains is a
small matrix, which is reduced (:mod:`.reduced.reduction`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tcs.persistence.alpha_shapes.filtration import corner_towards
from tcs.persistence.cloud.descent import toggle
from tcs.persistence.compute.kernels import doubled, kernel
from tcs.persistence.compute.sorting import ordered
from tcs.persistence.delaunay.arithmetic import whole
from tcs.persistence.reduced.forest import spanning_forest
from tcs.persistence.reduced.reduction import pair

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tcs.persistence.alpha_shapes.dual import Dual
    from tcs.persistence.compute.clock import Clock
    from tcs.persistence.compute.team import Team
    from tcs.persistence.delaunay.triangulation import Triangulation

PART_TRIANGLES = 2**14
# Codes of edges: the row from 0 on, TREE, or FILLER - (name of the triangle).
TREE, FILLER = -1, -2


class Edges(NamedTuple):
    """Edges of a triangulation of space.

    ``short`` (m, 2) have an empty smallest sphere, or lost their filler to another edge; ``lengths`` (m,) are their
    values. The others are ``long`` (k, 2), with the name of their fillers (k,), no two the same.
    """

    short: NDArray[Any]
    lengths: NDArray[np.float64]
    long: NDArray[Any]
    fillers: NDArray[np.int64]


def settled(
    found: Edges, facets: NDArray[np.float64], beyond: NDArray[Any]
) -> tuple[Edges, NDArray[np.bool_]]:  # fmt: skip
    """Edges of which no two have one filler, and which facets are fillers, by both sides (m, 4)."""
    taken = np.zeros(beyond.shape, dtype=np.bool_)
    chosen = choose(found.fillers, beyond, taken)
    if chosen.all():
        return found, taken
    lengths = np.append(found.lengths, facets.ravel()[found.fillers[~chosen]])
    short = np.concatenate([found.short, found.long[~chosen]])
    return Edges(short, lengths, found.long[chosen], found.fillers[chosen]), taken


def loops(
    n: int, triangulation: Triangulation, edges: Edges, dual: Dual, team: Team, clock: Clock
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Deaths of components (n - 1,), and bars of loops (m, 2), for n points."""
    with clock.stage("forest"):
        short, lengths = by_vertex(n, edges.short, edges.lengths)
        tree = spanning_forest(n, short, lengths, team)
    with clock.stage("sort"):
        rows = np.flatnonzero(~tree)
        codes = np.full(len(short), TREE)
        codes[rows] = np.arange(len(rows))
        both = np.concatenate([short, edges.long])
        starts, others, codes = rows_of(n, both, np.append(codes, FILLER - edges.fillers))
    with clock.stage("push-down"):
        k = len(dual.names)
        entries, sizes = team.gather(
            "push-down",
            lambda a, b: push_down(triangulation.cells, starts, others, codes, dual.names, a, b),
            [(first, min(first + PART_TRIANGLES, k)) for first in range(0, max(k, 1), PART_TRIANGLES)],
        )
    with clock.stage("reduce"):
        births = lengths[rows]
        deaths = dual.values[pair(births, dual.values, entries, sizes, team)]
    with clock.stage("sort"):
        rising = ordered(births)
        return lengths[tree], np.stack([births[rising], deaths[rising]], axis=1)


@kernel
def choose(fillers: NDArray[np.int64], beyond: NDArray[Any], taken: NDArray[np.bool_]) -> Any:
    """Which edges keep their filler: the first of those that have the same. Fillers are marked on both sides."""
    chosen = np.empty(len(fillers), np.bool_)
    for e in range(len(fillers)):
        cell, k = fillers[e] // 4, fillers[e] % 4
        chosen[e] = not taken[cell, k]
        taken[cell, k] = True
        other = whole(beyond[cell, k])
        if other >= 0:
            taken[other, corner_towards(beyond, other, cell)] = True
    return chosen


@kernel
def by_vertex(n: int, edges: NDArray[Any], lengths: NDArray[np.float64]) -> Any:
    """Edges and their lengths in the order of the smaller vertex."""
    place = np.zeros(n + 1, np.int64)
    for e in range(len(edges)):
        place[edges[e, 0] + 1] += 1
    for v in range(n):
        place[v + 1] += place[v]
    in_order, values = np.empty_like(edges), np.empty_like(lengths)
    for e in range(len(edges)):
        at = place[edges[e, 0]]
        place[edges[e, 0]] += 1
        in_order[at, 0], in_order[at, 1], values[at] = edges[e, 0], edges[e, 1], lengths[e]
    return in_order, values


@kernel
def rows_of(n: int, edges: NDArray[Any], codes: NDArray[np.int64]) -> Any:
    """Where the edges of each smaller vertex begin (n + 1,), their larger vertices, and their codes."""
    starts = np.zeros(n + 1, np.int64)
    for e in range(len(edges)):
        starts[edges[e, 0] + 1] += 1
    for v in range(n):
        starts[v + 1] += starts[v]
    place = starts[:-1].copy()
    others, in_order = np.empty(len(edges), edges.dtype), np.empty(len(edges), np.int64)
    for e in range(len(edges)):
        at = place[edges[e, 0]]
        place[edges[e, 0]] += 1
        others[at], in_order[at] = edges[e, 1], codes[e]
    return starts, others, in_order


@kernel
def push_down(
    cells: NDArray[Any], starts: NDArray[np.int64], others: NDArray[Any], codes: NDArray[np.int64],
    triangles: NDArray[np.int64], first: int, last: int,
) -> Any:  # fmt: skip
    """Columns of the reduced boundary matrix for the triangles ``first`` to ``last``, given by their names.

    Args:
        starts, others, codes: all edges, see :func:`rows_of`.

    Returns:
        Rows of all columns on end, and how many each column has.
    """
    entries, sizes = np.empty(4 * (last - first) + 64, cells.dtype), np.empty(last - first, np.int64)
    pending = np.empty(64, np.int64)
    total = 0
    for t in range(first, last):
        begin = total
        name = triangles[t]
        waiting = 0
        while True:
            cell, k = name // 4, name % 4
            # the vertices of the triangle are in rising order, as those of the cell are
            u, v, w = cells[cell, 1 if k == 0 else 0], cells[cell, 2 if k <= 1 else 1], cells[cell, 2 if k == 3 else 3]
            while total + 3 > len(entries):
                entries = doubled(entries)
            while waiting + 3 > len(pending):
                pending = doubled(pending)
            for side in range(3):
                a, b = (v if side == 2 else u), (v if side == 0 else w)
                e = starts[a]
                while others[e] != b:
                    e += 1
                if codes[e] >= 0:
                    total = toggle(entries, begin, total, codes[e])
                elif codes[e] != TREE:
                    waiting = toggle(pending, 0, waiting, e)
            if waiting == 0:
                break
            # adding the boundary of its filler takes the last edge away
            name = FILLER - codes[pending[waiting - 1]]
        sizes[t - first] = total - begin
    return entries[:total].copy(), sizes
