"""A Delaunay triangulation under construction, by threads that insert points side by side."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from tcs.persistence.compute.kernels import axes_of, kernel
from tcs.persistence.compute.memory import require
from tcs.persistence.delaunay.arithmetic import whole
from tcs.persistence.delaunay.hilbert import BITS, hilbert_keys
from tcs.persistence.delaunay.insertion import ALL, EMPTY, NEVER, insert
from tcs.persistence.delaunay.predicates import GHOST
from tcs.persistence.errors import MemoryForecastError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tcs.persistence.compute.team import Team

# Fewer points than this are not worth a thread.
PART_POINTS = 8_000
MOST_PARTS = 255
# Ways to part the points; and points whose places along a curve one thread computes at a time.
CURVES, KEY_POINTS = 3, 2**16
# Points between two looks at whether to stop.
STRIDE = 16_384
# Rows for each point, at first: evenly spread points have 2 cells each in the plane, 6.77 in space.
ROWS = {2: 2.2, 3: 7.2}
Tell = Callable[[int, int], None]


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
        self._curves: dict[int, NDArray[Any]] = {}
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
        if old + more > np.iinfo(self.rows.dtype).max // 2:
            raise MemoryForecastError(
                f"{old + more:,} cells for {len(self.points):,} points are more than indices here can number; "
                "give fewer points, or such as are spread more evenly"
            )
        for name in ("rows", "marks"):
            array = getattr(self, name)
            grown = np.empty((old + more, *array.shape[1:]), dtype=array.dtype)
            grown[:old] = array
            setattr(self, name, grown)
        self.rows[old:, 0] = EMPTY
        self.marks[old:] = NEVER
        self.spare = np.concatenate([np.arange(old + more - 1, old - 1, -1, dtype=self.spare.dtype), self.spare])

    def insert(self, queue: NDArray[Any], team: Team) -> None:
        """Insert the points of a queue: side by side as far as that goes, the others one by one."""
        self.make_room(int(ROWS[len(self.axes)] * len(queue)) + 64)
        # what lies on borders the first time hardly does so the second and third time
        for curve in range(CURVES):
            parts = min(team.threads, len(queue) // PART_POINTS, MOST_PARTS)
            if parts > 1:
                queue = self._insert(queue, curve, parts, team)
        self._insert(np.sort(queue), 0, 1, team)

    def _along(self, curve: int, team: Team) -> NDArray[np.int64]:
        """Where each point lies along a curve: the first has the points in their order, the others are turned."""
        if curve not in self._curves:
            n, dimension = self.points.shape
            keys = np.arange(n)
            if curve > 0:
                turn = np.linalg.qr(np.random.default_rng(curve).normal(size=(dimension, dimension)))[0]
                turned = self.points @ turn
                low = turned.min(axis=0)
                scale = (2**BITS - 1) / float(np.ptp(turned, axis=0).max())
                cuts = [*range(0, n, KEY_POINTS), n]
                team.run("curve", lambda a, b: hilbert_keys(turned, low, scale, keys, a, b), list(pairwise(cuts)))
            self._curves[curve] = keys
        return self._curves[curve]

    def _insert(self, queue: NDArray[Any], curve: int, parts: int, team: Team) -> NDArray[Any]:
        """Insert what lies clear of the borders between parts of a curve; returns the points left."""
        along = self._along(curve, team)
        queue = queue[np.argsort(along[queue])]
        cuts = np.linspace(0, len(queue), parts + 1).astype(np.int64)
        borders = along[queue[cuts[1:-1]]]
        owner = np.searchsorted(borders, along, side="right").astype(np.uint8)
        hints = start_cells(self.rows, owner, along, parts, self.axes).tolist()
        queues = [queue[a:b] for a, b in pairwise(cuts.tolist())]
        left: list[NDArray[Any]] = [queue[:0]]
        while waiting := sum(map(len, queues)):
            busy = [at for at, part in enumerate(queues) if len(part)]
            work = []
            for at in busy:
                share = len(self.spare) * len(queues[at]) // waiting
                waiting -= len(queues[at])
                spare, self.spare = self.spare[:share], self.spare[share:]
                work.append((queues[at], owner, at if parts > 1 else ALL, spare, hints[at]))
            try:
                results = team.run("delaunay", self._part, work)
            except BaseException:
                self._stop = True
                raise
            for at, result in zip(busy, results, strict=True):
                queues[at], late, spare, hints[at], step = result
                left.append(late)
                self.spare = np.concatenate([self.spare, spare])
                self._step = max(self._step, step)
            if rest := sum(map(len, queues)):
                # old and new rows lie side by side for a moment
                require(3 * self.rows.nbytes, None, f"{len(self.rows):,} cells of {self.inserted:,} points so far")
                self.make_room(int(2 * ROWS[len(self.axes)] * rest) + len(self.rows) // 4)
        self.inserted += len(queue) - sum(map(len, left))
        if self._tell is not None:
            self._tell(self.inserted, len(self.points))
        return np.concatenate(left)

    def _part(self, queue: NDArray[Any], owner: NDArray[np.uint8], me: int, spare: NDArray[Any], hint: int) -> Any:
        """The points of one owner: those not begun (rows ran out), those left, spare rows, last cell, last step."""
        left = []
        step = self._step
        if hint < 0:
            return queue[:0], queue, spare, hint, step
        while len(queue) and not self._stop:
            stride = queue[:STRIDE]
            done, late, spare, hint, step = insert(
                self.points, stride, owner, me, self.rows, self.marks, spare, hint, step, self.axes
            )
            left.append(late)
            queue = queue[done:]
            if done < len(stride):
                break
        return queue, np.concatenate([queue[:0], *left]), spare, hint, step


@kernel
def start_cells(rows: NDArray[Any], owner: NDArray[np.uint8], along: NDArray[np.int64], parts: int, axes: Any) -> Any:
    """For each owner a cell with vertices of its own, the one that comes first along a curve, or -1."""
    found = np.full(parts, -1)
    least = np.empty(parts, np.int64)
    for cell in range(len(rows)):
        if rows[cell, 0] == EMPTY:
            continue
        me, first, alone = -1, 0, True
        for k in range(len(axes) + 1):
            vertex = rows[cell, k]
            if vertex == GHOST:
                continue
            if me < 0:
                me, first = whole(owner[vertex]), along[vertex]
            alone = alone and owner[vertex] == me
            first = min(first, along[vertex])
        if alone and (found[me] < 0 or first < least[me]):
            found[me], least[me] = cell, first
    return found
