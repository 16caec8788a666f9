"""On which side of a facet, and inside which sphere: exact answers, in the plane and in space.

Determinants are evaluated in float64 with a bound on their rounding error; where the bound leaves the sign open, in
double-doubles; where that does, too, exactly (Shewchuk 1997). Points on one sphere are told apart as if each were
lifted by an infinitesimal height, larger for a larger index (Edelsbrunner and Muecke 1990; for Delaunay
triangulations Devillers and Teillaud 2011). So the triangulation is unique, has no flat cells, and does not depend on
the order of insertion.

A cell is a row of d + 1 vertices, positively oriented. One of them may be ``GHOST``, the vertex at infinity, which
stands for the side of a hull facet that lies outside; in the orientation any point outside may take its place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tcs.persistence.compute.kernels import kernel
from tcs.persistence.delaunay.arithmetic import DOUBLES, DOUBLES_BOUND, difference, minus, on_grid, plus, times, whole
from tcs.persistence.delaunay.expansions import nothing, sign

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

GHOST = -1
# Bounds on rounding errors, relative to the product of the largest differences of each coordinate (times the square
# of the largest, for spheres): number of products, times roundings on the way of one, times 2^-53, and a half more.
SIDE_2D, SPHERE_2D = 1.5 * 2 * 4 * 2.0**-53, 1.5 * 12 * 11 * 2.0**-53
SIDE_3D, SPHERE_3D = 1.5 * 6 * 8 * 2.0**-53, 1.5 * 72 * 18 * 2.0**-53
# Bits of a difference with which the determinants have no rounding error: 3 x 16 + log2(6) and 5 x 9 + log2(72) are
# below 53.
SIDE_BITS, SPHERE_BITS = 16, 9


@kernel
def side(points: NDArray[np.float64], cells: NDArray[Any], cell: int, k: int, p: int, axes: Any) -> int:
    """The orientation (-1, 0, 1) of a cell with point p in the place of vertex k: 1 is the inner side of facet k."""
    if len(axes) == 2:
        a = whole(cells[cell, 1 if k == 0 else 0])
        b = whole(cells[cell, 1 if k == 2 else 2])
        px, py = points[p, 0], points[p, 1]
        ax, ay = points[a, 0] - px, points[a, 1] - py
        bx, by = points[b, 0] - px, points[b, 1] - py
        value = ax * by - bx * ay
        bound = SIDE_2D * max(abs(ax), abs(bx)) * max(abs(ay), abs(by))
        c = b
    else:
        a = whole(cells[cell, 1 if k == 0 else 0])
        b = whole(cells[cell, 2 if k <= 1 else 1])
        c = whole(cells[cell, 2 if k == 3 else 3])
        px, py, pz = points[p, 0], points[p, 1], points[p, 2]
        ax, ay, az = points[a, 0] - px, points[a, 1] - py, points[a, 2] - pz
        bx, by, bz = points[b, 0] - px, points[b, 1] - py, points[b, 2] - pz
        cx, cy, cz = points[c, 0] - px, points[c, 1] - py, points[c, 2] - pz
        value = az * (bx * cy - cx * by) - bz * (ax * cy - cx * ay) + cz * (ax * by - bx * ay)
        bound = SIDE_3D * max(abs(ax), abs(bx), abs(cx)) * max(abs(ay), abs(by), abs(cy))
        bound *= max(abs(az), abs(bz), abs(cz))
    if value > bound:
        found = 1
    elif value < -bound:
        found = -1
    else:
        found = side_in_doubt(points, a, b, c, p, value, bound, axes)
    return -found if k % 2 else found


@kernel
def side_in_doubt(
    points: NDArray[np.float64], a: int, b: int, c: int, p: int, value: float, bound: float, axes: Any
) -> int:
    """The sign of the determinant of a - p, b - p (and c - p in space), whose float64 value may be off by a bound."""
    if not on_grid(points, (a, b, c, p), SIDE_BITS, axes):
        value = side_value(points, a, b, c, p, DOUBLES, axes)[0]
        if not abs(value) > bound * DOUBLES_BOUND:
            return sign(side_value(points, a, b, c, p, nothing(), axes))
    if value == 0.0:
        return 0
    return 1 if value > 0.0 else -1


@kernel
def side_value(points: NDArray[np.float64], a: int, b: int, c: int, p: int, like: Any, axes: Any) -> Any:
    """The determinant in the arithmetic of ``like``."""
    ax, ay = difference(points[a, 0], points[p, 0], like), difference(points[a, 1], points[p, 1], like)
    bx, by = difference(points[b, 0], points[p, 0], like), difference(points[b, 1], points[p, 1], like)
    ab = minus(times(ax, by), times(bx, ay))
    if len(axes) == 2:
        return ab
    cx, cy = difference(points[c, 0], points[p, 0], like), difference(points[c, 1], points[p, 1], like)
    az, bz = difference(points[a, 2], points[p, 2], like), difference(points[b, 2], points[p, 2], like)
    cz = difference(points[c, 2], points[p, 2], like)
    bc, ac = minus(times(bx, cy), times(cx, by)), minus(times(ax, cy), times(cx, ay))
    return plus(minus(times(az, bc), times(bz, ac)), times(cz, ab))


@kernel
def in_sphere(points: NDArray[np.float64], cells: NDArray[Any], cell: int, p: int, axes: Any) -> bool:
    """Whether p lies inside the circumscribed sphere of a cell without ghost, ties broken by infinitesimal heights."""
    if len(axes) == 2:
        a, b, c = cells[cell, 0], cells[cell, 1], cells[cell, 2]
        px, py = points[p, 0], points[p, 1]
        ax, ay = points[a, 0] - px, points[a, 1] - py
        bx, by = points[b, 0] - px, points[b, 1] - py
        cx, cy = points[c, 0] - px, points[c, 1] - py
        value = (
            (ax * ax + ay * ay) * (bx * cy - cx * by)
            - (bx * bx + by * by) * (ax * cy - cx * ay)
            + (cx * cx + cy * cy) * (ax * by - bx * ay)
        )
        wide, high = max(abs(ax), abs(bx), abs(cx)), max(abs(ay), abs(by), abs(cy))
        bound = SPHERE_2D * wide * high * max(wide, high) ** 2
    else:
        a, b, c, d = cells[cell, 0], cells[cell, 1], cells[cell, 2], cells[cell, 3]
        px, py, pz = points[p, 0], points[p, 1], points[p, 2]
        ax, ay, az = points[a, 0] - px, points[a, 1] - py, points[a, 2] - pz
        bx, by, bz = points[b, 0] - px, points[b, 1] - py, points[b, 2] - pz
        cx, cy, cz = points[c, 0] - px, points[c, 1] - py, points[c, 2] - pz
        dx, dy, dz = points[d, 0] - px, points[d, 1] - py, points[d, 2] - pz
        ab, ac, ad = ax * by - bx * ay, ax * cy - cx * ay, ax * dy - dx * ay
        bc, bd, cd = bx * cy - cx * by, bx * dy - dx * by, cx * dy - dx * cy
        value = (
            (ax * ax + ay * ay + az * az) * (bz * cd - cz * bd + dz * bc)
            - (bx * bx + by * by + bz * bz) * (az * cd - cz * ad + dz * ac)
            + (cx * cx + cy * cy + cz * cz) * (az * bd - bz * ad + dz * ab)
            - (dx * dx + dy * dy + dz * dz) * (az * bc - bz * ac + cz * ab)
        )
        wide = max(abs(ax), abs(bx), abs(cx), abs(dx))
        high = max(abs(ay), abs(by), abs(cy), abs(dy))
        deep = max(abs(az), abs(bz), abs(cz), abs(dz))
        bound = SPHERE_3D * wide * high * deep * max(wide, high, deep) ** 2
    if value > bound:
        return True
    if value < -bound:
        return False
    found = sphere_in_doubt(points, cells, cell, p, value, bound, axes)
    return found > 0 if found != 0 else lifted_in(points, cells, cell, p, axes)


@kernel
def sphere_in_doubt(
    points: NDArray[np.float64], cells: NDArray[Any], cell: int, p: int, value: float, bound: float, axes: Any
) -> int:
    """The sign of the determinant behind :func:`in_sphere`, whose float64 value may be off by a bound."""
    a, b = whole(cells[cell, 0]), whole(cells[cell, 1])
    c, d = whole(cells[cell, 2]), whole(cells[cell, len(axes)])
    if not on_grid(points, (a, b, c, d, p), SPHERE_BITS, axes):
        value = sphere_value(points, a, b, c, d, p, DOUBLES, axes)[0]
        if not abs(value) > bound * DOUBLES_BOUND:
            return sign(sphere_value(points, a, b, c, d, p, nothing(), axes))
    if value == 0.0:
        return 0
    return 1 if value > 0.0 else -1


@kernel
def sphere_value(points: NDArray[np.float64], a: int, b: int, c: int, d: int, p: int, like: Any, axes: Any) -> Any:
    """The determinant in the arithmetic of ``like``; without d in the plane."""
    ax, ay = difference(points[a, 0], points[p, 0], like), difference(points[a, 1], points[p, 1], like)
    bx, by = difference(points[b, 0], points[p, 0], like), difference(points[b, 1], points[p, 1], like)
    cx, cy = difference(points[c, 0], points[p, 0], like), difference(points[c, 1], points[p, 1], like)
    ab, ac = minus(times(ax, by), times(bx, ay)), minus(times(ax, cy), times(cx, ay))
    bc = minus(times(bx, cy), times(cx, by))
    aa, bb = plus(times(ax, ax), times(ay, ay)), plus(times(bx, bx), times(by, by))
    cc = plus(times(cx, cx), times(cy, cy))
    if len(axes) == 2:
        return plus(minus(times(aa, bc), times(bb, ac)), times(cc, ab))
    dx, dy = difference(points[d, 0], points[p, 0], like), difference(points[d, 1], points[p, 1], like)
    az, bz = difference(points[a, 2], points[p, 2], like), difference(points[b, 2], points[p, 2], like)
    cz, dz = difference(points[c, 2], points[p, 2], like), difference(points[d, 2], points[p, 2], like)
    ad, bd = minus(times(ax, dy), times(dx, ay)), minus(times(bx, dy), times(dx, by))
    cd = minus(times(cx, dy), times(dx, cy))
    aa, bb, cc = plus(aa, times(az, az)), plus(bb, times(bz, bz)), plus(cc, times(cz, cz))
    dd = plus(plus(times(dx, dx), times(dy, dy)), times(dz, dz))
    bcd = plus(minus(times(bz, cd), times(cz, bd)), times(dz, bc))
    acd = plus(minus(times(az, cd), times(cz, ad)), times(dz, ac))
    abd = plus(minus(times(az, bd), times(bz, ad)), times(dz, ab))
    abc = plus(minus(times(az, bc), times(bz, ac)), times(cz, ab))
    return minus(plus(minus(times(aa, bcd), times(bb, acd)), times(cc, abd)), times(dd, abc))


@kernel
def lifted_in(points: NDArray[np.float64], cells: NDArray[Any], cell: int, p: int, axes: Any) -> bool:
    """The answer for a point on the sphere: of the heights that matter, the one of the largest index decides.

    Lifting p puts it outside. Lifting a vertex puts p inside if p and the vertex lie on one side of the facet
    opposite to it, outside if not, and changes nothing if p lies on that facet's plane.
    """
    bound = 2**62
    for _ in range(len(axes) + 1):
        largest, k = -1, -1
        for j in range(len(axes) + 1):
            if largest < cells[cell, j] < bound:
                largest, k = cells[cell, j], j
        if largest < p:
            return False
        found = side(points, cells, cell, k, p, axes)
        if found != 0:
            return found > 0
        bound = largest
    return False
