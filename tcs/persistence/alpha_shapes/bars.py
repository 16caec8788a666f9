"""From points to bars: the steps of alpha persistence, by the dimension of the space that the points span."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from tcs.persistence.alpha_shapes.dual import top_dimension
from tcs.persistence.alpha_shapes.filtration import cell_values, edge_values, facet_values
from tcs.persistence.alpha_shapes.loops import Edges, loops, settled
from tcs.persistence.compute.kernels import axes_of
from tcs.persistence.compute.memory import require
from tcs.persistence.delaunay.triangulation import triangulate, triangulate_plane

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tcs.persistence.compute.clock import Clock
    from tcs.persistence.compute.team import Team
    from tcs.persistence.delaunay.triangulation import Triangulation

PART_CELLS = 2**15
# Bytes for each cell of so many corners, beyond those that the triangulation takes.
BYTES_A_CELL = {3: 100, 4: 150}


def bars_of(
    points: NDArray[np.float64], team: Team, clock: Clock, memory_limit: int | None = None
) -> list[NDArray[np.float64]]:
    """Bars (m, 2) by dimension, births rising: values are squared radii, zero-length bars are among them.

    Args:
        points: as :class:`.exact_points.ExactPoints` has them. Points on a plane or a line have bars in dimensions 0
            and 1, or 0 only.

    Raises:
        MemoryForecastError: there are more Delaunay cells than memory allows; evenly spread points have few.
    """
    dimension = points.shape[1]
    triangulation = None
    with clock.stage("delaunay"):
        tell = partial(team.tell, "delaunay")
        if dimension > 1:
            triangulation = triangulate(points, team.threads, tell)
        if triangulation is None and dimension == 3:
            triangulation = triangulate_plane(points, team.threads, tell)
    if triangulation is None:
        return [_components(_gaps(points))]
    m, corners = triangulation.cells.shape
    require(m * BYTES_A_CELL[corners], memory_limit, f"{m:,} Delaunay cells of {len(points):,} points")
    with clock.stage("values"):
        values, facets = _values(points, triangulation, team)
    if corners == 3:
        with clock.stage("dual"):
            dual = top_dimension(triangulation, values, facets, np.zeros(facets.shape, dtype=np.bool_), team)
        return [_components(dual.values), dual.bars]
    with clock.stage("edges"):
        edges = Edges(
            *team.gather("edges", lambda a, b: edge_values(points, *triangulation, a, b, facets, axes_of(3)), _parts(m))
        )
        edges, fillers = settled(edges, facets, triangulation.beyond)
    with clock.stage("dual"):
        dual = top_dimension(triangulation, values, facets, fillers, team)
    deaths, bars = loops(len(points), triangulation, edges, dual, team, clock)
    return [_components(deaths), bars, dual.bars]


def _values(
    points: NDArray[np.float64], triangulation: Triangulation, team: Team
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Values of the cells (m,), and of their facets by both sides (m, d + 1)."""
    cells, beyond = triangulation
    values, inside = np.empty(len(cells)), np.empty(len(cells), dtype=np.uint8)
    facets = np.empty(cells.shape)
    axes = axes_of(points.shape[1])
    parts = _parts(len(cells))
    team.run("values", lambda a, b: cell_values(points, cells, a, b, values, inside, axes), parts)
    team.run("values", lambda a, b: facet_values(points, cells, beyond, a, b, values, inside, facets, axes), parts)
    return values, facets


def _parts(m: int) -> list[tuple[int, int]]:
    return [(first, min(first + PART_CELLS, m)) for first in range(0, m, PART_CELLS)]


def _gaps(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values of the edges between neighbours, for points on a line."""
    along = points[np.lexsort(points.T[::-1])]
    gaps: NDArray[np.float64] = 0.25 * ((along[1:] - along[:-1]) ** 2).sum(axis=1)
    return gaps


def _components(deaths: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bars of dimension 0 from the values at which components join."""
    bars = np.zeros((len(deaths) + 1, 2))
    bars[:-1, 1] = np.sort(deaths)
    bars[-1, 1] = np.inf
    return bars
