"""Points inserted into a Delaunay triangulation one by one, in the plane and in space; by many threads at once.

Each point removes the cells whose circumscribed spheres hold it and joins the walls of the cavity (Bowyer 1981,
Watson 1981). Facets of the hull have a cell with the vertex ``GHOST`` on their outer side, so every facet has two
cells. Each vertex has an owner, and a thread changes only cells whose vertices are all its own: a facet of such
vertices is written by this thread alone, and cells of several owners stay as they are. So no locks are needed; points
whose cavity reaches further are left for later.

A row of ``rows`` is a cell: its d + 1 vertices, then the cells beyond the facets opposite to each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tcs.persistence.compute.kernels import doubled, kernel
from tcs.persistence.delaunay.arithmetic import whole
from tcs.persistence.delaunay.predicates import GHOST, in_sphere, side

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The first vertex of a row that holds no cell.
EMPTY = -2
# What lies beyond a facet that is not linked yet, and the mark of a cell that was not looked at.
NEVER = -1
# Who owns all vertices.
ALL = -1


@kernel
def insert(
    points: NDArray[np.float64], queue: NDArray[Any], owner: NDArray[np.uint8], me: int, rows: NDArray[Any],
    marks: NDArray[Any], spare: NDArray[Any], hint: int, step: int, axes: Any,
) -> Any:  # fmt: skip
    """Insert those points of a queue whose cavities have vertices of one owner only.

    Args:
        points: float64 (n, d). ``queue``: which of them to insert, in this order.
        owner: of each point (n,). ``me``: this one, or ``ALL`` if there is no other.
        marks: at step s a cell gets 2 s if it is in the cavity, 2 s + 1 if it was found not to be; (m,), all at most
            2 ``step`` + 1.
        spare: empty rows, the last to be used first.
        hint: a cell with a vertex of this owner, near the first point.

    Returns:
        How far in the queue it got (less than its length when rows ran out), the points left for later, the rows
        that are spare now, the last cell and the last step.
    """
    corners = len(axes) + 1
    n_spare, n_left = len(spare), 0
    left = np.empty(len(queue), queue.dtype)
    stack, cavity = np.empty(64, np.int64), np.empty(64, np.int64)
    walls = np.empty((128, 3), np.int64)
    for at in range(len(queue)):
        p = whole(queue[at])
        hint, found = locate(points, rows, hint, p, owner, me, axes)
        if not found or not owned(rows, hint, owner, me, axes):
            left[n_left] = p
            n_left += 1
            continue
        step += 1
        stack[0] = hint
        marks[hint] = 2 * step
        depth, n_cavity, n_walls = 1, 0, 0
        clear = True
        while depth > 0 and clear:
            depth -= 1
            cell = stack[depth]
            if n_cavity == len(cavity):
                cavity = doubled(cavity)
            cavity[n_cavity] = cell
            n_cavity += 1
            if depth + corners > len(stack):
                stack = doubled(stack)
            if n_walls + corners > len(walls):
                walls = doubled(walls)
            for k in range(corners):
                other = whole(rows[cell, corners + k])
                if marks[other] == 2 * step:
                    continue
                if marks[other] != 2 * step + 1:
                    mine = owned(rows, other, owner, me, axes)
                    if in_conflict(points, rows, other, p, axes):
                        if not mine:
                            clear = False
                            break
                        marks[other] = 2 * step
                        stack[depth] = other
                        depth += 1
                        continue
                    if mine:
                        marks[other] = 2 * step + 1
                walls[n_walls, 0], walls[n_walls, 1] = cell, k
                n_walls += 1
        if not clear:
            left[n_left] = p
            n_left += 1
            continue
        if n_walls > n_spare:
            return at, left[:n_left].copy(), spare[:n_spare].copy(), hint, step
        # one new cell on each wall; until all are linked, the cavity's side of a wall leads to the new cell
        for w in range(n_walls):
            cell, k = walls[w, 0], walls[w, 1]
            n_spare -= 1
            new = whole(spare[n_spare])
            walls[w, 2] = new
            other = whole(rows[cell, corners + k])
            for j in range(corners):
                rows[new, j] = rows[cell, j]
                rows[new, corners + j] = NEVER
                if rows[other, corners + j] == cell:
                    rows[other, corners + j] = new
            rows[new, k] = p
            rows[new, corners + k] = other
            rows[cell, corners + k] = -2 - new
            marks[new] = NEVER
        for w in range(n_walls):
            new = walls[w, 2]
            for j in range(corners):
                if rows[new, corners + j] == NEVER:
                    link(rows, walls[w, 0], walls[w, 1], j, new, axes)
        # a cavity may have more cells than walls
        while n_spare + n_cavity > len(spare):
            spare = doubled(spare)
        for c in range(n_cavity):
            cell = cavity[c]
            rows[cell, 0] = EMPTY
            spare[n_spare] = cell
            n_spare += 1
        hint = walls[n_walls - 1, 2]
    return len(queue), left[:n_left].copy(), spare[:n_spare].copy(), hint, step


@kernel
def link(rows: NDArray[Any], cell: int, k: int, j: int, new: int, axes: Any) -> None:
    """Link a new cell, on the wall k of a cavity's cell, with the new cell beyond its facet j.

    The two share the new point and the wall's vertices but j: turning around those, from cell to cell within the
    cavity, ends at the other wall.
    """
    corners = len(axes) + 1
    pivot, out = rows[cell, k], j
    while rows[cell, corners + out] >= 0:
        following = whole(rows[cell, corners + out])
        entry, turned = 0, 0
        for i in range(corners):
            if rows[following, corners + i] == cell:
                entry = i
            if rows[following, i] == pivot:
                turned = i
        pivot = rows[following, entry]
        cell, out = following, turned
    other = -2 - whole(rows[cell, corners + out])
    rows[new, corners + j] = other
    for i in range(corners):
        if rows[cell, i] == pivot:
            rows[other, corners + i] = new


@kernel
def owned(rows: NDArray[Any], cell: int, owner: NDArray[np.uint8], me: int, axes: Any) -> bool:
    """Whether all vertices of a cell have this owner; the ghost has every owner."""
    if me == ALL:
        return True
    for k in range(len(axes) + 1):
        vertex = rows[cell, k]
        if vertex != GHOST and owner[vertex] != me:
            return False
    return True


@kernel
def ghost_at(rows: NDArray[Any], cell: int, axes: Any) -> int:
    """Which vertex of a cell is the ghost, or -1."""
    for k in range(len(axes) + 1):
        if rows[cell, k] == GHOST:
            return k
    return -1


@kernel
def in_conflict(points: NDArray[np.float64], rows: NDArray[Any], cell: int, p: int, axes: Any) -> bool:
    """Whether p lies in the sphere of a cell; that of a cell with a ghost is the outer side of its hull facet."""
    ghost = ghost_at(rows, cell, axes)
    if ghost < 0:
        return in_sphere(points, rows, cell, p, axes)
    outer = side(points, rows, cell, ghost, p, axes)
    if outer != 0:
        return outer > 0
    # in the plane of the facet its circle decides, which lies on the sphere of the cell within
    return in_sphere(points, rows, whole(rows[cell, len(axes) + 1 + ghost]), p, axes)


@kernel
def locate(
    points: NDArray[np.float64], rows: NDArray[Any], cell: int, p: int, owner: NDArray[np.uint8], me: int, axes: Any
) -> Any:
    """Walk from a cell towards p, through facets that have p on their far side (Devillers, Pion and Teillaud 2002).

    Returns:
        The cell that holds p, or the one with the ghost behind the facet where the hull was left, and True. Where
        the way leads through facets without a vertex of this owner, the last cell and False.
    """
    corners = len(axes) + 1
    ghost = ghost_at(rows, cell, axes)
    if ghost >= 0:
        cell = whole(rows[cell, corners + ghost])
    before = -1
    turn = p
    while ghost_at(rows, cell, axes) < 0:
        onward = -1
        turn += 1
        for i in range(corners):
            k = (turn + i) % corners
            if rows[cell, corners + k] != before and side(points, rows, cell, k, p, axes) < 0:
                onward = k
                break
        if onward < 0:
            return cell, True
        within = me == ALL
        for k in range(corners):
            if not within and k != onward and rows[cell, k] != GHOST:
                within = owner[rows[cell, k]] == me
        if not within:
            return cell, False
        before = cell
        cell = whole(rows[cell, corners + onward])
    return cell, True
