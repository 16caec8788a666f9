"""Values of the alpha filtration: the squared radius of the smallest empty sphere through a simplex.

That is the smallest sphere through its vertices if no other point lies inside, which the vertices of its cofaces
tell; else the least value of its cofaces (Edelsbrunner and Muecke 1994). A point on the sphere counts as inside: the
coface then has the same sphere, and gets the same bits. Values never fall from a face to its coface.

Facets are named by a cell and the corner opposite, as ``cell * corners + corner``, of the smaller cell of the two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tcs.persistence.alpha_shapes.circumspheres import dot_sign, tetrahedron, triangle
from tcs.persistence.compute.kernels import doubled, kernel, squared
from tcs.persistence.delaunay.arithmetic import whole

if TYPE_CHECKING:
    from numpy.typing import NDArray


@kernel
def cell_values(
    points: NDArray[np.float64], cells: NDArray[Any], first: int, last: int, values: NDArray[np.float64],
    inside: NDArray[np.uint8], axes: Any,
) -> None:  # fmt: skip
    """Squared radii of the cells ``first`` to ``last``, and which corners lie within the sphere of their facets."""
    for cell in range(first, last):
        u, v, w = whole(cells[cell, 0]), whole(cells[cell, 1]), whole(cells[cell, 2])
        if cells.shape[1] == 4:
            values[cell], inside[cell] = tetrahedron(points, u, v, w, whole(cells[cell, 3]))
        else:
            values[cell] = triangle(points, u, v, w, axes)
            inside[cell] = (
                (dot_sign(points, u, v, w, axes) <= 0)
                | (dot_sign(points, v, u, w, axes) <= 0) << 1
                | (dot_sign(points, w, u, v, axes) <= 0) << 2
            )


@kernel
def facet_values(
    points: NDArray[np.float64], cells: NDArray[Any], beyond: NDArray[Any], first: int, last: int,
    values: NDArray[np.float64], inside: NDArray[np.uint8], facets: NDArray[np.float64], axes: Any,
) -> None:  # fmt: skip
    """Values of the facets of the cells ``first`` to ``last``, written on both sides of each, (m, d + 1)."""
    for cell in range(first, last):
        for k in range(cells.shape[1]):
            other = whole(beyond[cell, k])
            if 0 <= other < cell:
                continue
            value = values[cell]
            empty = inside[cell] >> k & 1 == 0
            back = -1
            if other >= 0:
                back = corner_towards(beyond, other, cell)
                value = min(value, values[other])
                empty = empty and inside[other] >> back & 1 == 0
            if empty:
                u, v = whole(cells[cell, 1 if k == 0 else 0]), whole(cells[cell, 2 if k <= 1 else 1])
                if cells.shape[1] == 4:
                    value = min(value, triangle(points, u, v, whole(cells[cell, 2 if k == 3 else 3]), axes))
                else:
                    value = min(value, 0.25 * squared(points, u, v, axes))
            facets[cell, k] = value
            if other >= 0:
                facets[other, back] = value


@kernel
def corner_towards(beyond: NDArray[Any], cell: int, other: int) -> int:
    """The corner of a cell that is opposite to the facet that it shares with another."""
    for k in range(beyond.shape[1]):
        if beyond[cell, k] == other:
            return k
    return -1


@kernel
def facet_name(beyond: NDArray[Any], cell: int, k: int) -> int:
    """The number of the facet of a cell opposite to corner k, the same from both sides."""
    other = whole(beyond[cell, k])
    if 0 <= other < cell:
        return int(other * beyond.shape[1] + corner_towards(beyond, other, cell))
    return int(cell * beyond.shape[1] + k)


@kernel
def edge_values(
    points: NDArray[np.float64], cells: NDArray[Any], beyond: NDArray[Any], first: int, last: int,
    facets: NDArray[np.float64], axes: Any,
) -> Any:  # fmt: skip
    """Edges of a triangulation of space that have the cells ``first`` to ``last`` as their first.

    Returns:
        Edges whose smallest sphere is empty: vertices (m, 2) and values (m,). All others: vertices (k, 2), and which
        of the triangles around has the least value, the smaller name on a tie (k,); theirs is the edge's value.
    """
    short, lengths = np.empty((64, 2), cells.dtype), np.empty(64)
    long, fillers = np.empty((64, 2), cells.dtype), np.empty(64, np.int64)
    n_short = n_long = 0
    ring = np.empty((64, 2), np.int64)
    for cell in range(first, last):
        earlier = 0
        for k in range(4):
            earlier |= (0 <= beyond[cell, k] < cell) << k
        for i in range(3):
            for j in range(i + 1, 4):
                # the edge lies on the facets opposite to the other two corners
                if earlier & ~(1 << i | 1 << j):
                    continue
                size = around(cells, beyond, cell, i, j, ring)
                while size < 0:
                    ring = doubled(ring)
                    size = around(cells, beyond, cell, i, j, ring)
                if size == 0:
                    continue
                u, v = whole(cells[cell, i]), whole(cells[cell, j])
                filler, empty = least_triangle(points, cells, beyond, facets, u, v, ring[:size], axes)
                value = facets[filler // 4, filler % 4]
                if empty:
                    if n_short == len(short):
                        short, lengths = doubled(short), doubled(lengths)
                    short[n_short, 0], short[n_short, 1] = u, v
                    lengths[n_short] = min(value, 0.25 * squared(points, u, v, axes))
                    n_short += 1
                else:
                    if n_long == len(long):
                        long, fillers = doubled(long), doubled(fillers)
                    long[n_long, 0], long[n_long, 1], fillers[n_long] = u, v, filler
                    n_long += 1
    return short[:n_short].copy(), lengths[:n_short].copy(), long[:n_long].copy(), fillers[:n_long].copy()


@kernel
def least_triangle(
    points: NDArray[np.float64], cells: NDArray[Any], beyond: NDArray[Any], facets: NDArray[np.float64], u: int,
    v: int, ring: NDArray[np.int64], axes: Any,
) -> Any:  # fmt: skip
    """Of the triangles around the edge uv the name of the one with the least value, the smaller on a tie; and whether
    no third vertex of theirs lies in the edge's smallest sphere.
    """  # fmt: skip
    empty = True
    least, name = np.inf, -1
    for r in range(len(ring)):
        cell, k = ring[r, 0], ring[r, 1]
        w = 0
        for x in range(4):
            if x != k and cells[cell, x] != u and cells[cell, x] != v:
                w = whole(cells[cell, x])
        empty = empty and dot_sign(points, w, u, v, axes) > 0
        value = facets[cell, k]
        if value <= least:
            rival = facet_name(beyond, cell, k)
            if value < least or rival < name:
                least, name = value, rival
    return name, empty


@kernel
def around(cells: NDArray[Any], beyond: NDArray[Any], cell: int, i: int, j: int, ring: NDArray[np.int64]) -> int:
    """The triangles around the edge of corners i and j, as (cell, corner opposite); none if an earlier cell has it.

    Returns:
        How many triangles there are; -1 if ``ring`` is too short for them.
    """
    k = 0
    while k in (i, j):
        k += 1
    x = 6 - i - j - k
    size = 0
    # turn one way until the cell comes back; where the hull is met, turn the other way from the start
    for start, end in ((k, x), (x, k)):
        here, out, kept = cell, start, cells[cell, end]
        while True:
            if size == len(ring):
                return -1
            ring[size, 0], ring[size, 1] = here, out
            size += 1
            following = whole(beyond[here, out])
            if following == cell:
                return size
            if following < 0:
                break
            if following < cell:
                return 0
            # the next triangle has the vertex that is new here, and lies opposite to the one that was kept
            entry = corner_towards(beyond, following, here)
            out = 0
            while cells[following, out] != kept:
                out += 1
            kept = cells[following, entry]
            here = following
    return size
