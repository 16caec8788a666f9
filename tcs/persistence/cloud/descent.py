"""Boundaries of the triangles that fill loops, pushed down to the relative neighbourhood graph.

Each edge whose lune is not empty is homologous, within the complex of the edges before it, to the other two sides of
its triangle with any vertex of the lune: discrete Morse theory, with that triangle as the partner of the edge. The
sides are shorter, so replacing again and again ends at relative neighbours, of which those in the spanning forest
are dropped: a cycle is known from its other edges.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tcs.persistence.compute.kernels import doubled, inlined, kernel, squared, trailing_zeros
from tcs.persistence.compute.lanes import LANES, at_least, every, larger, least, load

if TYPE_CHECKING:
    from numpy.typing import NDArray


@kernel
def push_down(
    points: NDArray[np.float64], places: NDArray[np.float32], low: NDArray[Any], high: NDArray[Any],
    grid: NDArray[np.int64], cell_of: NDArray[Any], edges: NDArray[Any], row_starts: NDArray[np.int64],
    number: NDArray[Any], fillers: NDArray[Any], first: int, last: int, whole: int, end: int, axes: Any,
) -> Any:  # fmt: skip
    """Columns of the reduced boundary matrix for the fillers ``first`` to ``last``.

    Args:
        points, low, high: see :class:`.cloud.cells.Cells`. ``places``: see :attr:`.CellLunes.places`.
        grid: all axes of the grid but the last.
        cell_of: the cell of each point.
        edges: relative neighbours (m, 2), sorted. ``row_starts``: where those of each vertex begin.
        number: the row of each, or -1 for those in the spanning forest.
        fillers: u, v, and one vertex of two components of the lune of uv (k, 4).
        whole, end: all neighbours are there of the points ``whole`` to ``end``.

    Returns:
        Rows of all columns on end, and how many each column has: -1, and no rows, if it leaves these points.
    """
    entries = np.empty(4 * (last - first) + 16, number.dtype)
    sizes = np.empty(last - first, np.int64)
    total = 0
    stack = np.empty((64, 2), np.int64)
    gaps = np.zeros((2, low.shape[1]), np.float32)
    for f in range(first, last):
        u, v, w, x = fillers[f, 0], fillers[f, 1], fillers[f, 2], fillers[f, 3]
        stack[0, 0], stack[0, 1], stack[1, 0], stack[1, 1] = u, w, v, w
        stack[2, 0], stack[2, 1], stack[3, 0], stack[3, 1] = u, x, v, x
        depth = 4
        begin = total
        while depth > 0:
            depth -= 1
            a, b = min(stack[depth, 0], stack[depth, 1]), max(stack[depth, 0], stack[depth, 1])
            place = -1
            for e in range(row_starts[a], row_starts[a + 1]):
                if edges[e, 1] == b:
                    place = e
                    break
            if place >= 0:
                if number[place] >= 0:
                    total = toggle(entries, begin, total, number[place])
                    if total == len(entries):
                        entries = doubled(entries)
                continue
            if a < whole or a >= end:
                total, depth = begin, -1
                break
            third = nearest_in_lune(points, places, low, high, grid, cell_of[a], gaps, a, b, axes)
            if third < 0:
                # without this a fault in any kernel before would show as a loop that eats all memory
                raise ArithmeticError("an edge has an empty lune and is no relative neighbour; please report this")
            if depth + 2 > len(stack):
                stack = doubled(stack)
            stack[depth, 0], stack[depth, 1] = a, third
            stack[depth + 1, 0], stack[depth + 1, 1] = b, third
            depth += 2
        sizes[f - first] = total - begin if depth == 0 else -1
    return entries[:total].copy(), sizes


@kernel
def toggle(entries: NDArray[Any], begin: int, end: int, row: int) -> int:
    """Add a row to a column over Z/2, which is ``entries[begin:end]``; its new end is returned."""
    for i in range(begin, end):
        if entries[i] == row:
            entries[i] = entries[end - 1]
            return end - 1
    entries[end] = row
    return end + 1


@inlined
def nearest_in_lune(
    points: NDArray[np.float64], places: NDArray[np.float32], low: NDArray[Any], high: NDArray[Any],
    grid: NDArray[np.int64], cell: int, gaps: NDArray[np.float32], a: int, b: int, axes: Any,
) -> int:  # fmt: skip
    """A vertex of the lune of ab, a < b, whose longer side to a and b is about the shortest; -1 if the lune is empty.

    It is always the same for the same points.

    Args:
        places: see :attr:`.CellLunes.places`. ``low``, ``high``: the ranges of points around ``cell``, that
            of a. ``gaps``: room for two numbers a range.
    """
    likely = likely_in_lune(places, low, high, grid, cell, gaps, a, b, axes)
    if likely < 0 or not strictly_in_lune(points, a, b, likely, axes):
        likely = nearest_of_all(points, low, high, cell, a, b, axes)
    return likely


@kernel
def strictly_in_lune(points: NDArray[np.float64], a: int, b: int, w: int, axes: Any) -> bool:
    """Whether both other sides of the triangle abw are shorter than ab."""
    length = squared(points, a, b, axes)
    return max(squared(points, a, w, axes), squared(points, b, w, axes)) < length


@kernel
def nearest_of_all(
    points: NDArray[np.float64], low: NDArray[Any], high: NDArray[Any], cell: int, a: int, b: int, axes: Any
) -> int:
    """The vertex of the lune of ab, a < b, whose longer side to a and b is shortest; -1 if the lune is empty."""
    length = squared(points, a, b, axes)
    best, longest = -1, length
    for r in range(low.shape[1]):
        for w in range(low[cell, r], high[cell, r]):
            # for a and b themselves it is the length of the edge, which is never shorter
            sides = max(squared(points, a, w, axes), squared(points, b, w, axes))
            best = w if sides < longest else best
            longest = min(sides, longest)
    if best >= 0:
        return best
    # a side as long as the edge comes before it when, at their common vertex, its other end does
    for r in range(low.shape[1]):
        for w in range(low[cell, r], high[cell, r]):
            here, there = squared(points, a, w, axes), squared(points, b, w, axes)
            if (here < length or (here == length and w < b)) and (there < length or (there == length and w < a)):
                return w
    return -1


@inlined
def likely_in_lune(
    places: NDArray[np.float32], low: NDArray[Any], high: NDArray[Any], grid: NDArray[np.int64], cell: int,
    gaps: NDArray[np.float32], a: int, b: int, axes: Any,
) -> int:  # fmt: skip
    """The vertex in or behind the ranges around a cell whose longer side to a and b is shortest in float32.

    It is -1 if no such side is shorter than ab. The range in the middle comes first, since what it holds shows that
    most others are too far.
    """
    bound = np.float32(0)
    for c in range(len(axes)):
        difference = places[c, a] - places[c, b]
        bound += difference * difference
    gaps_to_rows(places, a, b, grid, gaps)
    best = -1
    ranges = low.shape[1]
    for step in range(ranges):
        r = step + ranges // 2
        if r >= ranges:
            r -= ranges
        if gaps[0, r] > bound:
            continue
        for start in range(low[cell, r], high[cell, r], LANES):
            of_lanes = load(places[0], start)
            to_a, to_b = of_lanes - every(places[0, a]), of_lanes - every(places[0, b])
            here, there = to_a * to_a, to_b * to_b
            for c in range(1, len(axes)):
                of_lanes = load(places[c], start)
                to_a, to_b = of_lanes - every(places[c, a]), of_lanes - every(places[c, b])
                here, there = here + to_a * to_a, there + to_b * to_b
            sides = larger(here, there)
            shortest = least(sides)
            if shortest < bound:
                bound = shortest
                best = start + trailing_zeros(at_least(every(shortest), sides))
    return best


@inlined
def gaps_to_rows(
    places: NDArray[np.float32], a: int, b: int, grid: NDArray[np.int64], gaps: NDArray[np.float32]
) -> None:
    """Fill in, ``gaps[0]``, how far from one of a and b each row of cells around that of a is, squared, about."""
    gaps[0, 0] = gaps[1, 0] = np.float32(0)
    number = 1
    for axis in grid:
        first = np.floor(places[axis, a]) - np.float32(1)
        for end in range(2):
            place = places[axis, b if end else a] - first
            for r in range(number - 1, -1, -1):
                base = gaps[end, r]
                for step in range(3):
                    gap = max(np.float32(0), np.float32(step) - place, place - np.float32(step + 1))
                    gaps[end, 3 * r + step] = base + gap * gap
        number *= 3
    for r in range(number):
        gaps[0, r] = max(gaps[0, r], gaps[1, r])
