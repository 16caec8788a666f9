"""The Delaunay triangulation of points in the plane or in space, by threads that insert points side by side."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tcs.persistence.compute.kernels import axes_of, kernel
from tcs.persistence.compute.team import Team
from tcs.persistence.delaunay.builder import Builder, Tell
from tcs.persistence.delaunay.cell_order import in_order
from tcs.persistence.delaunay.expansions import nothing, sign
from tcs.persistence.delaunay.predicates import side_value

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Each round inserts this many times the points of all rounds before it (Amenta, Choi and Rote 2003).
ROUND = 7
FIRST_ROUND = 1000


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
            (:func:`.hilbert.along_curve`), with coordinates that expansions can take (:mod:`.delaunay.exact_points`).
        tell: called as ``tell(points inserted, n)``.

    Raises:
        MemoryForecastError: there are so many cells that memory does not suffice; n^2 / 2 is the most.
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
