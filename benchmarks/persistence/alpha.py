"""A second route to parts of alpha persistence: scipy's Delaunay triangulation (qhull), and no homology code.

The value of a simplex is the squared radius of its smallest circumscribed ball where that is empty, else the least
value of its cofaces (Edelsbrunner and Muecke 1994). H0 is the minimum spanning tree, which lies in the
triangulation; H(d-1) follows from the walls between top cells alone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.persistence.components import top_bars

Values = NDArray[np.float64]


def reference(points: Values) -> tuple[Values, Values]:
    """H0 deaths (squared half lengths, sorted) and the bars of H(d-1) of the alpha filtration, d = 2 or 3.

    Args:
        points: shape (n, d), in general position (no duplicates, not all on one hyperplane).

    Returns:
        Deaths of shape (n - 1,); bars of shape (m, 2), births and deaths squared radii.
    """
    from scipy.spatial import Delaunay

    from benchmarks.persistence.neighbours import Pairs, spanning_forest

    n, d = points.shape
    triangulation = Delaunay(points)
    cells = triangulation.simplices
    pairs = np.concatenate([cells[:, [a, b]] for a in range(d + 1) for b in range(a)])
    # one number for each pair: ten times as fast as np.unique over rows
    keys = np.unique(pairs.min(axis=1).astype(np.int64) * n + pairs.max(axis=1))
    i, j = (keys // n).astype(np.int32), (keys % n).astype(np.int32)
    edges = Pairs(i, j, np.sqrt(((points[i] - points[j]) ** 2).sum(axis=1)))
    deaths = (spanning_forest(n, edges)[0] / 2) ** 2

    _, cell_values = circumscribed(points[cells])
    outside = len(cells)
    cell = np.repeat(np.arange(outside), d + 1)
    opposite = np.tile(np.arange(d + 1), outside)
    beyond = triangulation.neighbors.ravel()
    once = (beyond < 0) | (cell < beyond)
    cell, opposite, beyond = cell[once], opposite[once], np.where(beyond[once] < 0, outside, beyond[once])
    corners = np.array([[k for k in range(d + 1) if k != left_out] for left_out in range(d + 1)])
    walls = np.take_along_axis(cells[cell], corners[opposite], axis=1)
    values = np.append(cell_values, np.inf)
    centres, radii = circumscribed(points[walls])
    empty = ((points[cells[cell, opposite]] - centres) ** 2).sum(axis=1) >= radii
    far = np.full(len(cell), -1)
    has = beyond < outside
    # the corner of the cell beyond that the wall lacks: the sum of its corners less those of the wall
    far[has] = cells[beyond[has]].sum(axis=1) - walls[has].sum(axis=1)
    empty[has] &= ((points[far[has]] - centres[has]) ** 2).sum(axis=1) >= radii[has]
    wall_values = np.where(empty, radii, np.minimum(values[cell], values[beyond]))
    return deaths, top_bars(values, cell, beyond, wall_values)


def circumscribed(corners: Values) -> tuple[Values, Values]:
    """Centres (m, d) and squared radii (m,) of the smallest spheres through the corners, shape (m, k, d)."""
    base = corners[:, 0]
    sides = corners[:, 1:] - base[:, None]
    gram = sides @ sides.transpose(0, 2, 1)
    half = np.einsum("mii->mi", gram)[..., None] / 2
    offset = np.einsum("mi,mid->md", np.linalg.solve(gram, half)[..., 0], sides)
    return base + offset, (offset**2).sum(axis=1)
