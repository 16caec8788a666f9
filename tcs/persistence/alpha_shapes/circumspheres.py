"""Smallest circumscribed spheres of triangles and tetrahedra: their squared radii, and which vertices they lack.

Evaluated in float64; where a bound on the rounding error is not small enough, in double-doubles; where that is not,
either, from exact determinants. So a squared radius is right to a relative :data:`TOLERANCE`, mostly to some units in
the last place, however flat the cell, and a sign is always right. Vertices are taken in rising order, so equal cells
have equal bits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tcs.persistence.compute.kernels import kernel, squared
from tcs.persistence.delaunay.arithmetic import DOUBLES, DOUBLES_BOUND, difference, minus, nearest, on_grid, plus, times
from tcs.persistence.delaunay.expansions import nothing, sign

if TYPE_CHECKING:
    from numpy.typing import NDArray

TOLERANCE = 2.0**-37
# Rounding errors relative to powers of the largest difference: products times roundings on the way, times 2^-53.
DOT = 3 * 5 * 2.0**-53
CROSS = 2 * 4 * 2.0**-53
DETERMINANT = 6 * 8 * 2.0**-53
CENTRE = 18 * 12 * 2.0**-53
# Of the products of components of the centre and of a cross product, and of twice the square of the determinant:
# 3 (18 x 8 + 2 x 216 + 36 x 3), thrice for the sum of three; and 2 (2 x 6 x 48 + 36)
WEIGHT = (9 * 684 + 1224) * 2.0**-53
# Bits of a difference with which weights have no rounding error: 6 x 7 + log2(400) is below 53.
WEIGHT_BITS = 7


@kernel
def dot_sign(points: NDArray[np.float64], w: int, u: int, v: int, axes: Any) -> int:
    """The sign of (u - w) . (v - w): 1 if w lies outside of the smallest sphere through u and v, 0 if on it."""
    total, widest = 0.0, 0.0
    for c in range(len(axes)):
        a, b = points[u, c] - points[w, c], points[v, c] - points[w, c]
        total += a * b
        widest = max(widest, abs(a * b))
    if abs(total) > DOT * widest:
        return 1 if total > 0.0 else -1
    exact = nothing()
    for c in range(len(axes)):
        first = difference(points[u, c], points[w, c], exact)
        exact = plus(exact, times(first, difference(points[v, c], points[w, c], exact)))
    return sign(exact)


@kernel
def triangle(points: NDArray[np.float64], u: int, v: int, w: int, axes: Any) -> float:
    """The squared radius of the smallest sphere through three points that are not on one line."""
    widest = 0.0
    for c in range(len(axes)):
        widest = max(widest, abs(points[v, c] - points[u, c]), abs(points[w, c] - points[u, c]))
    area = 0.0
    # of three coordinates the cross product has three components, of two it has one
    for c in range(2 * len(axes) - 3):
        i, j = c, (c + 1) % len(axes)
        a, b = points[v, i] - points[u, i], points[v, j] - points[u, j]
        x, y = points[w, i] - points[u, i], points[w, j] - points[u, j]
        area += (a * y - b * x) ** 2
    if 2.0 * CROSS * 2.0 * widest * widest > TOLERANCE * np.sqrt(area):
        area = 0.0
        for c in range(2 * len(axes) - 3):
            i, j = c, (c + 1) % len(axes)
            first = difference(points[v, i], points[u, i], nothing())
            second = difference(points[v, j], points[u, j], nothing())
            first = times(first, difference(points[w, j], points[u, j], nothing()))
            second = times(second, difference(points[w, i], points[u, i], nothing()))
            area += nearest(minus(first, second)) ** 2
    return 0.25 * (squared(points, u, v, axes) / area) * squared(points, u, w, axes) * squared(points, v, w, axes)


@kernel
def tetrahedron(points: NDArray[np.float64], p: int, q: int, r: int, s: int) -> Any:
    """The squared radius of the sphere through four points, and as bits 0 to 3 which of them lie inside the smallest
    sphere through the other three, or on it: those with a barycentric coordinate of the centre that is not positive.
    """  # fmt: skip
    bx, by, bz = points[q, 0] - points[p, 0], points[q, 1] - points[p, 1], points[q, 2] - points[p, 2]
    cx, cy, cz = points[r, 0] - points[p, 0], points[r, 1] - points[p, 1], points[r, 2] - points[p, 2]
    dx, dy, dz = points[s, 0] - points[p, 0], points[s, 1] - points[p, 1], points[s, 2] - points[p, 2]
    cdx, cdy, cdz = cy * dz - cz * dy, cz * dx - cx * dz, cx * dy - cy * dx
    dbx, dby, dbz = dy * bz - dz * by, dz * bx - dx * bz, dx * by - dy * bx
    bcx, bcy, bcz = by * cz - bz * cy, bz * cx - bx * cz, bx * cy - by * cx
    bb, cc, dd = bx * bx + by * by + bz * bz, cx * cx + cy * cy + cz * cz, dx * dx + dy * dy + dz * dz
    volume = bx * cdx + by * cdy + bz * cdz
    # the centre, as seen from p, is (x, y, z) / (2 volume)
    x = bb * cdx + cc * dbx + dd * bcx
    y = bb * cdy + cc * dby + dd * bcy
    z = bb * cdz + cc * dbz + dd * bcz
    weight_q = x * cdx + y * cdy + z * cdz
    weight_r = x * dbx + y * dby + z * dbz
    weight_s = x * bcx + y * bcy + z * bcz
    weight_p = 2.0 * volume * volume - (weight_q + weight_r + weight_s)
    widest = max(abs(bx), abs(by), abs(bz), abs(cx), abs(cy), abs(cz))
    widest = max(widest, abs(dx), abs(dy), abs(dz))
    cube = widest * widest * widest
    far = abs(x) + abs(y) + abs(z)
    least = min(abs(weight_p), abs(weight_q), abs(weight_r), abs(weight_s))
    doubt = 3.0 * CENTRE * cube * widest * abs(volume) + DETERMINANT * cube * far
    if 2.0 * doubt > TOLERANCE * far * abs(volume) or not least > WEIGHT * cube * cube:
        return tetrahedron_in_doubt(points, p, q, r, s, widest)
    x, y, z = 0.5 * x / volume, 0.5 * y / volume, 0.5 * z / volume
    inside = (weight_p < 0.0) | (weight_q < 0.0) << 1 | (weight_r < 0.0) << 2 | (weight_s < 0.0) << 3
    return x * x + y * y + z * z, inside


@kernel
def tetrahedron_in_doubt(points: NDArray[np.float64], p: int, q: int, r: int, s: int, widest: float) -> Any:
    """As :func:`tetrahedron`, where float64 is not enough."""
    volume, x, y, z, weights = centre(points, p, q, r, s, DOUBLES)
    cube = widest * widest * widest
    far = abs(x[0]) + abs(y[0]) + abs(z[0])
    doubt = DOUBLES_BOUND * (3.0 * CENTRE * cube * widest * abs(volume[0]) + DETERMINANT * cube * far)
    least, inside = np.inf, 0
    for k in range(4):
        least = min(least, abs(weights[k][0]))
        inside |= (weights[k][0] <= 0.0) << k
    settled = least > DOUBLES_BOUND * WEIGHT * cube * cube
    if 2.0 * doubt > TOLERANCE * far * abs(volume[0]) or not (
        settled or on_grid(points, (p, q, r, s), WEIGHT_BITS, (0, 0, 0))
    ):
        volume_e, x_e, y_e, z_e, weights_e = centre(points, p, q, r, s, nothing())
        inside = 0
        for k in range(4):
            inside |= (sign(weights_e[k]) <= 0) << k
        size = 2.0 * nearest(volume_e)
        near_x, near_y, near_z = nearest(x_e) / size, nearest(y_e) / size, nearest(z_e) / size
    else:
        size = 2.0 * nearest(volume)
        near_x, near_y, near_z = nearest(x) / size, nearest(y) / size, nearest(z) / size
    return near_x * near_x + near_y * near_y + near_z * near_z, inside


@kernel
def centre(points: NDArray[np.float64], p: int, q: int, r: int, s: int, like: Any) -> Any:
    """The determinant of q - p, r - p, s - p; the centre, as seen from p, times twice that; and its barycentric
    coordinates times twice the square of it; in the arithmetic of ``like``.
    """  # fmt: skip
    bx, by = difference(points[q, 0], points[p, 0], like), difference(points[q, 1], points[p, 1], like)
    cx, cy = difference(points[r, 0], points[p, 0], like), difference(points[r, 1], points[p, 1], like)
    dx, dy = difference(points[s, 0], points[p, 0], like), difference(points[s, 1], points[p, 1], like)
    bz, cz = difference(points[q, 2], points[p, 2], like), difference(points[r, 2], points[p, 2], like)
    dz = difference(points[s, 2], points[p, 2], like)
    cdx, dbx = minus(times(cy, dz), times(cz, dy)), minus(times(dy, bz), times(dz, by))
    cdy, dby = minus(times(cz, dx), times(cx, dz)), minus(times(dz, bx), times(dx, bz))
    cdz, dbz = minus(times(cx, dy), times(cy, dx)), minus(times(dx, by), times(dy, bx))
    bcx, bcy = minus(times(by, cz), times(bz, cy)), minus(times(bz, cx), times(bx, cz))
    bcz = minus(times(bx, cy), times(by, cx))
    bb = plus(plus(times(bx, bx), times(by, by)), times(bz, bz))
    cc = plus(plus(times(cx, cx), times(cy, cy)), times(cz, cz))
    dd = plus(plus(times(dx, dx), times(dy, dy)), times(dz, dz))
    volume = plus(plus(times(bx, cdx), times(by, cdy)), times(bz, cdz))
    x = plus(plus(times(bb, cdx), times(cc, dbx)), times(dd, bcx))
    y = plus(plus(times(bb, cdy), times(cc, dby)), times(dd, bcy))
    z = plus(plus(times(bb, cdz), times(cc, dbz)), times(dd, bcz))
    weight_q = plus(plus(times(x, cdx), times(y, cdy)), times(z, cdz))
    weight_r = plus(plus(times(x, dbx), times(y, dby)), times(z, dbz))
    weight_s = plus(plus(times(x, bcx), times(y, bcy)), times(z, bcz))
    square = times(volume, volume)
    weight_p = minus(plus(square, square), plus(weight_q, plus(weight_r, weight_s)))
    return volume, x, y, z, (weight_p, weight_q, weight_r, weight_s)
