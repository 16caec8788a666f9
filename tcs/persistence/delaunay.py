"""The Delaunay triangulation of points in the plane or in space, by threads that insert points side by side."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tcs.persistence.arithmetic import whole
from tcs.persistence.cell_order import in_order
from tcs.persistence.expansions import nothing, sign
from tcs.persistence.insertion import EMPTY, NEVER, insert
from tcs.persistence.kernels import axes_of, kernel
from tcs.persistence.predicates import GHOST, side_value
from tcs.persistence.team import Team

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Each round inserts this many times the points of all rounds before it (Amenta, Choi and Rote 2003).
ROUND = 7
FIRST_ROUND = 1000
# Fewer points than this are not worth a thread.
PART_POINTS = 8_000
# Points between two looks at whether to stop.
STRIDE = 16_384
# Rows for each point, at first: evenly spread points have 2 cells each in the plane, 6.77 in space.
ROWS = {2: 2.2, 3: 7.2}
Tell = Callable[[int, int], None]


class Triangulation(NamedTuple):
    """Delaunay cells: rows of d + 1 vertices, each row and all rows in rising order, (m, d + 1).

    ``beyond``: the cell on the other side of the facet opposite to each vertex, -1 outside of the hull.
    """

    cells: NDArray[Any]
    beyond: NDArray[Any]


def triangulate(points: NDArray[np.float64], threads: int = 1, tell: Tell | None = None) -> Triangulation | None:
    """The Delaunay triangulation, the same for any number of threads; None if all points lie on one hyperplane.

    Points on one sphere are told apart by infinitesimal heights (:mod:`.predicates`), in the order of the points.

    Args:
        points: float64 (n, d), d = 2 or 3, distinct, along a curve that keeps neighbours together
            (:func:`.hilbert.along_curve`), with coordinates that expansions can take (:mod:`.exact_points`).
        tell: called as ``tell(points inserted, n)``.
    """
    first = first_cell(points, axes_of(points.shape[1]))
    if len(first) == 0:
        return None
    builder = Builder(points, first, tell)
    # of its own, since the team's progress would begin anew with each round
    with Team(threads) as team:
        for queue in rounds(len(points), first):
            builder.insert(queue, team)
        return Triangulation(*in_order(builder.rows, len(points), team))


def triangulate_plane(points: NDArray[np.float64], threads: int = 1, tell: Tell | None = None) -> Triangulation | None:
    """The Delaunay triangulation of points in space that lie on one plane; None if they lie on one line.

    Arguments as for :func:`triangulate`. A point beside the plane makes each triangle a tetrahedron, whose sphere
    meets the plane in the triangle's circle: the triangulation of space is a cone over that of the plane.
    """
    for axis in range(3):
        apex = points[:1].copy()
        apex[0, axis] += 1.0
        found = triangulate(np.concatenate([points, apex]), threads, tell)
        if found is not None:
            return Triangulation(*(np.ascontiguousarray(part[:, :3]) for part in found))
    return None


def rounds(n: int, first: NDArray[np.int64]) -> list[NDArray[Any]]:
    """All points but ``first`` in rounds of a random choice, each in the order of the points."""
    shuffled = np.random.default_rng(0).permutation(n)
    shuffled = shuffled[~np.isin(shuffled, first)]
    cuts = [len(shuffled)]
    while cuts[-1] > FIRST_ROUND:
        cuts.append(cuts[-1] // (ROUND + 1))
    cuts.append(0)
    return [np.sort(shuffled[low:high]) for high, low in pairwise(cuts)][::-1]


class Builder:
    """A triangulation under construction: rows of cells, some of them empty, in arrays that grow."""

    def __init__(self, points: NDArray[np.float64], first: NDArray[np.int64], tell: Tell | None = None) -> None:
        self.points, self.axes = points, axes_of(len(first) - 1)
        index = np.int32 if 16 * len(points) < np.iinfo(np.int32).max else np.int64
        corners = len(first)
        self.rows = np.empty((0, 2 * corners), dtype=index)
        self.marks = np.empty(0, dtype=index)
        self.spare = np.empty(0, dtype=index)
        self.inserted = corners
        self._tell, self._step, self._stop = tell, 0, False
        self.make_room(64)
        # the cell itself is row 0; behind its facet k is row k + 1, turned over, with the ghost in the place of k
        self.spare = self.spare[: -(corners + 1)]
        self.rows[: corners + 1, :corners] = first
        for k in range(corners):
            a, b = [j for j in range(corners) if j != k][:2]
            self.rows[k + 1, [a, b]] = first[[b, a]]
            self.rows[k + 1, k] = GHOST
            self.rows[0, corners + k] = k + 1
            for j in range(corners):
                # facet j of the turned row lacks the vertex that now stands at j
                self.rows[k + 1, corners + j] = 0 if j == k else {a: b, b: a}.get(j, j) + 1

    def make_room(self, rows: int) -> None:
        """Have ``rows`` empty rows at least."""
        old = len(self.rows)
        more = rows - len(self.spare)
        if more <= 0:
            return
        for name in ("rows", "marks"):
            array = getattr(self, name)
            grown = np.empty((old + more, *array.shape[1:]), dtype=array.dtype)
            grown[:old] = array
            setattr(self, name, grown)
        self.rows[old:, 0] = EMPTY
        self.marks[old:] = NEVER
        self.spare = np.concatenate([np.arange(old + more - 1, old - 1, -1, dtype=self.spare.dtype), self.spare])

    def insert(self, queue: NDArray[Any], team: Team) -> None:
        """Insert the points of a queue, in rising order: side by side as far as that goes, the others one by one."""
        n = len(self.points)
        self.make_room(int(ROWS[len(self.axes)] * len(queue)) + 64)
        parts = min(team.threads, len(queue) // PART_POINTS)
        if parts > 1:
            ends = np.linspace(0, len(queue), parts + 1).astype(np.int64)[1:-1]
            queue = self._side_by_side(queue, [0, *queue[ends].tolist(), n], team)
        # other borders for what lay on the first
        parts = min(team.threads, len(queue) // PART_POINTS)
        if parts > 1:
            ends = ((np.arange(parts) + 0.5) / parts * len(queue)).astype(np.int64)
            queue = self._side_by_side(queue, [0, *queue[ends].tolist(), n], team)
        self._side_by_side(queue, [0, n], team)

    def _side_by_side(self, queue: NDArray[Any], borders: list[int], team: Team) -> NDArray[Any]:
        """Insert what lies clear of the borders, a part for each range between two; returns the points left."""
        left = []
        hints = start_cells(self.rows, np.array(borders), self.axes).tolist()
        cuts = np.searchsorted(queue, borders).tolist()
        queues = [queue[a:b] for a, b in pairwise(cuts)]
        while waiting := sum(map(len, queues)):
            busy = [at for at, part in enumerate(queues) if len(part)]
            parts = []
            for at in busy:
                share = len(self.spare) * len(queues[at]) // waiting
                waiting -= len(queues[at])
                spare, self.spare = self.spare[:share], self.spare[share:]
                parts.append((queues[at], borders[at], borders[at + 1], spare, hints[at]))
            try:
                results = team.run("delaunay", self._part, parts)
            except BaseException:
                self._stop = True
                raise
            for at, result in zip(busy, results, strict=True):
                queues[at], late, spare, hints[at], step = result
                left.append(late)
                self.spare = np.concatenate([self.spare, spare])
                self._step = max(self._step, step)
            if rest := sum(map(len, queues)):
                self.make_room(int(2 * ROWS[len(self.axes)] * rest) + len(self.rows) // 4)
        self.inserted += len(queue) - sum(map(len, left))
        if self._tell is not None:
            self._tell(self.inserted, len(self.points))
        return np.sort(np.concatenate(left)) if left else queue

    def _part(self, queue: NDArray[Any], low: int, high: int, spare: NDArray[Any], hint: int) -> Any:
        """The points of one range: those not begun (rows ran out), those left, spare rows, last cell, last step."""
        left = []
        step = self._step
        if hint < 0:
            return queue[:0], queue, spare, hint, step
        while len(queue) and not self._stop:
            stride = queue[:STRIDE]
            done, late, spare, hint, step = insert(
                self.points, stride, low, high, self.rows, self.marks, spare, hint, step, self.axes
            )
            left.append(late)
            queue = queue[done:]
            if done < len(stride):
                break
        return queue, np.concatenate([queue[:0], *left]), spare, hint, step


@kernel
def first_cell(points: NDArray[np.float64], axes: Any) -> Any:
    """The first points that span the plane or space, positively oriented; empty if there are none."""
    n, corners = len(points), len(axes) + 1
    found = np.arange(corners)
    none = found[:0]
    if n < corners:
        return none
    flat = (0, 0)
    for third in range(2, n):
        found[2] = third
        if len(axes) == 2:
            turn = sign(side_value(points, 0, 1, 1, third, nothing(), axes))
            if turn != 0:
                break
        else:
            # on one line if it looks so along each of the axes
            bent = False
            for c in range(3):
                pair = np.empty((3, 2))
                for row, p in enumerate((0, 1, third)):
                    pair[row, 0], pair[row, 1] = points[p, c], points[p, (c + 1) % 3]
                if sign(side_value(pair, 0, 1, 1, 2, nothing(), flat)) != 0:
                    bent = True
            if bent:
                break
    else:
        return none
    if len(axes) == 3:
        for fourth in range(found[2] + 1, n):
            turn = sign(side_value(points, 0, 1, found[2], fourth, nothing(), axes))
            if turn != 0:
                found[3] = fourth
                break
        else:
            return none
        # the determinant was taken around the fourth point
        turn = -turn
    if turn < 0:
        found[0], found[1] = 1, 0
    return found


@kernel
def start_cells(rows: NDArray[Any], borders: NDArray[np.int64], axes: Any) -> Any:
    """For each range between two borders the cell within that has the smallest vertex, or -1."""
    found = np.full(len(borders) - 1, -1)
    least = np.empty(len(borders) - 1, np.int64)
    for cell in range(len(rows)):
        if rows[cell, 0] == EMPTY:
            continue
        low, high = 2**62, 0
        for k in range(len(axes) + 1):
            vertex = whole(rows[cell, k])
            if vertex != GHOST:
                low, high = min(low, vertex), max(high, vertex)
        at = np.searchsorted(borders, low, side="right") - 1
        if high < borders[at + 1] and (found[at] < 0 or low < least[at]):
            found[at], least[at] = cell, low
    return found
