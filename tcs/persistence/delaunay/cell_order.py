"""Cells of a triangulation in an order of their own, whatever order they were made in."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from tcs.persistence.compute.kernels import doubled, kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tcs.persistence.compute.team import Team

PART_POINTS = 2**14


def in_order(rows: NDArray[Any], n: int, team: Team) -> tuple[NDArray[Any], NDArray[Any]]:
    """Cells without ghost, each and all in rising order of vertices, and the cells beyond their facets, -1 outside.

    Args:
        rows: cells as :mod:`.delaunay.insertion` has them, (k, 2 d + 2), with vertices below n.
    """
    corners = rows.shape[1] // 2
    starts, sources = by_first_vertex(rows, n, corners)
    m = int(starts[n])
    cells, corner = np.empty((m, corners), dtype=rows.dtype), np.empty((m, corners), dtype=np.int8)
    target = np.full(len(rows), -1, dtype=rows.dtype)
    cuts = [*range(0, n, PART_POINTS), n]
    parts = list(pairwise(cuts))
    team.run("order", lambda a, b: sort_cells(rows, starts, sources, cells, corner, target, a, b), parts)
    beyond = np.empty_like(cells)
    team.run("order", lambda a, b: cells_beyond(rows, sources, corner, target, beyond, starts[a], starts[b]), parts)
    return cells, beyond


@kernel
def by_first_vertex(rows: NDArray[Any], n: int, corners: int) -> Any:
    """Where the cells of each smallest vertex begin (n + 1,), and which rows they are."""
    lowest = np.empty(len(rows), rows.dtype)
    starts = np.zeros(n + 1, np.int64)
    for row in range(len(rows)):
        low = rows[row, 0]
        for k in range(1, corners):
            low = min(low, rows[row, k])
        lowest[row] = low
        if low >= 0:
            starts[low + 1] += 1
    for v in range(n):
        starts[v + 1] += starts[v]
    place = starts[:-1].copy()
    sources = np.empty(starts[n], rows.dtype)
    for row in range(len(rows)):
        if lowest[row] >= 0:
            sources[place[lowest[row]]] = row
            place[lowest[row]] += 1
    return starts, sources


@kernel
def sort_cells(
    rows: NDArray[Any], starts: NDArray[np.int64], sources: NDArray[Any], cells: NDArray[Any],
    corner: NDArray[np.int8], target: NDArray[Any], first: int, last: int,
) -> None:  # fmt: skip
    """Sort the cells with smallest vertices ``first`` to ``last``; ``corner`` tells where in its row a vertex was."""
    corners = cells.shape[1]
    held, places = np.empty((64, 2 * corners), np.int64), np.empty(64, np.int64)
    for v in range(first, last):
        begin, size = starts[v], starts[v + 1] - starts[v]
        while size > len(held):
            held, places = doubled(held), doubled(places)
        for i in range(size):
            row = sources[begin + i]
            # the vertices in rising order, each with its place behind them
            for k in range(corners):
                j = k
                while j > 0 and held[i, j - 1] > rows[row, k]:
                    held[i, j], held[i, corners + j] = held[i, j - 1], held[i, corners + j - 1]
                    j -= 1
                held[i, j], held[i, corners + j] = rows[row, k], k
            j = i
            while j > 0 and follows(held, places[j - 1], i, corners):
                places[j] = places[j - 1]
                j -= 1
            places[j] = i
        for i in range(size):
            for k in range(corners):
                cells[begin + i, k] = held[places[i], k]
                corner[begin + i, k] = held[places[i], corners + k]
            places[i] = sources[begin + places[i]]
        for i in range(size):
            sources[begin + i] = places[i]
            target[places[i]] = begin + i


@kernel
def follows(held: NDArray[np.int64], a: int, b: int, corners: int) -> bool:
    """Whether cell a comes after cell b, which has the same smallest vertex."""
    for k in range(1, corners):
        if held[a, k] != held[b, k]:
            return bool(held[a, k] > held[b, k])
    return False


@kernel
def cells_beyond(
    rows: NDArray[Any], sources: NDArray[Any], corner: NDArray[np.int8], target: NDArray[Any], beyond: NDArray[Any],
    first: int, last: int,
) -> None:  # fmt: skip
    """Neighbours of the sorted cells ``first`` to ``last``; rows with a ghost have no ``target``."""
    corners = beyond.shape[1]
    for at in range(first, last):
        for k in range(corners):
            beyond[at, k] = target[rows[sources[at], corners + corner[at, k]]]
