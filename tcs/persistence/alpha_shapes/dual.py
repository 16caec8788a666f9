"""The highest dimension of an alpha filtration, by union-find on its cells; outside of the hull is one cell more.

By Alexander duality the classes of dimension d - 1 are components of the complement: cells are joined through facets
from the last to the first, and the component whose last cell comes first ends there (Edelsbrunner and Harer,
Computational Topology, 2010). Cells with the value of one of their facets are joined to the cell behind it before
that, unsorted: discrete Morse theory pairs them, with no bar (Bauer and Edelsbrunner 2017).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tcs.persistence.compute.kernels import doubled, kernel
from tcs.persistence.compute.sorting import ordered
from tcs.persistence.delaunay.arithmetic import whole
from tcs.persistence.reduced.forest import root

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tcs.persistence.compute.team import Team
    from tcs.persistence.delaunay.triangulation import Triangulation

PART_CELLS = 2**15


class Dual(NamedTuple):
    """What the cells and their facets tell.

    Attributes:
        bars: of dimension d - 1, float64 (m, 2), by rising birth: values of the facet that begins one and of the cell
            that ends it.
        names: facets that begin no bar of dimension d - 1 and are in no pair without one, (k,), in the order of their
            cells. In the plane these are the edges that join components, in space the triangles that fill loops.
        values: theirs.
    """

    bars: NDArray[np.float64]
    names: NDArray[np.int64]
    values: NDArray[np.float64]


def top_dimension(
    triangulation: Triangulation, values: NDArray[np.float64], facets: NDArray[np.float64], taken: NDArray[np.bool_],
    team: Team,
) -> Dual:  # fmt: skip
    """Bars of the highest dimension, and the facets that are left for the one below.

    Args:
        values, facets: of the cells (m,), and of their facets by both sides (m, d + 1).
        taken: facets that are paired with one of their own facets, by both sides.
    """
    beyond = triangulation.beyond
    m = len(beyond)
    parts = [(first, min(first + PART_CELLS, m)) for first in range(0, m, PART_CELLS)]
    through = np.empty(m, dtype=np.int8)
    peak = np.empty(m + 1, dtype=beyond.dtype)
    peak[m] = m
    team.run("dual", lambda a, b: pair_cells(values, facets, beyond, taken, through, peak, a, b), parts)
    team.run("dual", lambda a, b: climb(peak, a, b), parts)
    critical = np.flatnonzero(through == NONE)
    numbers = np.empty(m + 1, dtype=beyond.dtype)
    numbers[critical] = np.arange(len(critical))
    numbers[m] = len(critical)
    names, births, sides = team.gather(
        "dual", lambda a, b: critical_facets(facets, beyond, taken, through, peak, numbers, a, b), parts
    )
    order = ordered(births)
    peaks = np.append(values[critical], np.inf)
    ended = join(order, sides, peaks)
    left = ended < 0
    beginning = order[~left[order]]
    bars = np.stack([births[beginning], peaks[ended[beginning]]], axis=1)
    return Dual(bars, names[left], births[left])


# Through no facet: the cell is in no pair, it is critical.
NONE = -1


@kernel
def pair_cells(
    values: NDArray[np.float64], facets: NDArray[np.float64], beyond: NDArray[Any], taken: NDArray[np.bool_],
    through: NDArray[np.int8], peak: NDArray[Any], first: int, last: int,
) -> None:  # fmt: skip
    """The corner opposite to the facet that each cell is paired with, or ``NONE``; and the cell behind, or itself.

    A pair has one value, and the cell is the first of the facet's two in the order of (value, number). So the cell
    behind the facet comes later, and following pairs never comes back.
    """
    for cell in range(first, last):
        through[cell], peak[cell] = NONE, cell
        for k in range(beyond.shape[1]):
            if taken[cell, k] or facets[cell, k] != values[cell]:
                continue
            other = whole(beyond[cell, k])
            if other < 0 or values[other] > values[cell] or (values[other] == values[cell] and other > cell):
                through[cell], peak[cell] = k, other if other >= 0 else len(values)
                break


@kernel
def climb(peak: NDArray[Any], first: int, last: int) -> None:
    """Follow pairs to the critical cell that they lead to, or out of the hull.

    Other threads may shorten the same ways: whatever is read leads to the same end.
    """
    for cell in range(first, last):
        peak[cell] = root(peak, cell)


@kernel
def critical_facets(
    facets: NDArray[np.float64], beyond: NDArray[Any], taken: NDArray[np.bool_], through: NDArray[np.int8],
    peak: NDArray[Any], numbers: NDArray[Any], first: int, last: int,
) -> Any:  # fmt: skip
    """Facets that are in no pair: their names, values, and the critical cells on either side, (m, 2)."""
    names, values = np.empty(last - first, np.int64), np.empty(last - first)
    sides = np.empty((last - first, 2), numbers.dtype)
    n = 0
    corners = beyond.shape[1]
    for cell in range(first, last):
        for k in range(corners):
            other = whole(beyond[cell, k])
            if 0 <= other < cell or taken[cell, k] or through[cell] == k:
                continue
            if other < 0:
                other = len(through)
            elif through[other] != NONE and beyond[other, through[other]] == cell:
                continue
            if n == len(names):
                names, values, sides = doubled(names), doubled(values), doubled(sides)
            names[n], values[n] = cell * corners + k, facets[cell, k]
            sides[n, 0], sides[n, 1] = numbers[peak[cell]], numbers[peak[other]]
            n += 1
    return names[:n].copy(), values[:n].copy(), sides[:n].copy()


@kernel
def join(order: NDArray[np.int64], sides: NDArray[Any], peaks: NDArray[np.float64]) -> Any:
    """Join critical cells through facets in ``order``, from the last to the first.

    Args:
        sides: critical cells on either side of each facet; the largest number is the outside.
        peaks: values of the critical cells, inf for the outside.

    Returns:
        The critical cell whose class begins with each facet, or -1 if the facet joins nothing.
    """
    parent = np.arange(len(peaks)).astype(sides.dtype)
    ended = np.full(len(sides), -1, sides.dtype)
    for at in range(len(order) - 1, -1, -1):
        facet = order[at]
        a, b = root(parent, sides[facet, 0]), root(parent, sides[facet, 1])
        if a == b:
            continue
        if peaks[a] < peaks[b] or (peaks[a] == peaks[b] and a < b):
            a, b = b, a
        parent[b] = a
        ended[facet] = b
    return ended
