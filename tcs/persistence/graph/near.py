"""All pairs of points within a distance, in any dimension and three metrics.

Candidates come from a k-d tree where few coordinates make one worth while, else from tiles of all pairs: Euclidean
ones by their products, with a margin for rounding. A pair is kept for what its own coordinates say, added up in
their order, so its key does not depend on how it was found.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tcs.persistence.compute.kernels import axes_of, doubled, kernel
from tcs.persistence.graph.metrics import MAGNITUDES, METRICS, keys_of

if TYPE_CHECKING:
    from tcs.persistence.compute.team import Team

# What a metric is called by scipy's tree.
TREE_ORDERS = {"euclidean": 2.0, "cityblock": 1.0, "chebyshev": math.inf}
# A tree beats trying all pairs for many points of few coordinates.
TREE_DIMENSION, TREE_POINTS = 8, 20_000
# Points of one call, and of a tile of pairs, whose sums stay in the nearest cache.
PART_ROWS, TILE_ROWS, TILE_COLUMNS = 64, 16, 512
LANES = 64
LEAST_EXPONENT = -400

Found = tuple[NDArray[Any], NDArray[Any], NDArray[np.float64]]


def near_pairs(points: NDArray[np.float64], longest: float, metric: str, index: NDArray[Any], team: Team) -> Found:
    """Pairs of points with a key of at most ``longest``, in no order.

    Args:
        points: float64 (n, d), finite, contiguous.
        longest: squared length for "euclidean", length for "cityblock" and "chebyshev".
        index: an empty array of the integer type for points.

    Returns:
        The smaller vertex of each pair, the larger, and its key: three arrays of one length.
    """
    n, dimension = points.shape
    if n < 2:
        return index, index, np.empty(0)
    code = METRICS[metric]
    # by a power of two, so that no sum overflows and no bit is lost but far below the largest coordinate; a cloud
    # whose squares fall below the smallest number is left small, so that all of its pairs are looked at
    largest = max(float(points.max(initial=0.0)), -float(points.min(initial=0.0)))
    exponent = max(math.frexp(largest)[1], LEAST_EXPONENT)
    scaled = np.ldexp(points, -exponent)
    centred = scaled - scaled.mean(axis=0)
    if dimension <= TREE_DIMENSION and n > TREE_POINTS:
        parts = [by_tree(points, scaled, exponent, longest, metric, index)]
    elif metric == "euclidean":
        parts = by_products(points, centred, exponent, longest, index, team)
    else:
        columns = np.ascontiguousarray(points.T)
        parts = team.run(
            "graph",
            lambda row: by_trying(columns, row, min(row + PART_ROWS, n), longest, code, index),
            [(row,) for row in range(0, n, PART_ROWS)],
        )
    low, high, keys = (np.concatenate(found) for found in zip(*parts, strict=True))
    return low, high, keys


def by_tree(
    points: NDArray[np.float64], scaled: NDArray[np.float64], exponent: int, longest: float, metric: str,
    index: NDArray[Any],
) -> Found:  # fmt: skip
    """Pairs found by scipy's k-d tree, from a slightly larger radius."""
    from scipy.spatial import cKDTree

    reach = math.sqrt(longest) if metric == "euclidean" else longest
    # the tree rounds in its own way; squares of lengths below 2^-500 lose bits or vanish
    reach = math.ldexp(reach + 2.0**-500, -exponent) * (1 + 1e-9)
    pairs = cKDTree(scaled).query_pairs(reach, p=TREE_ORDERS[metric], output_type="ndarray")
    low, high = pairs[:, 0].astype(index.dtype), pairs[:, 1].astype(index.dtype)
    keys = keys_of(points, low, high, METRICS[metric], axes_of(points.shape[1]))
    inside = keys <= longest
    return low[inside], high[inside], keys[inside]


def by_products(
    points: NDArray[np.float64], centred: NDArray[np.float64], exponent: int, longest: float, index: NDArray[Any],
    team: Team,
) -> list[Found]:  # fmt: skip
    """Pairs found by |x|^2 + |y|^2 - 2 x.y, in tiles, with a margin for what that identity loses.

    With unit roundoff u, the rounding of the coordinates, of sums of d products and of what they are compared with
    changes it by less than 2 (d + 20) u (|x|^2 + |y|^2), in whatever order is added up (Higham 2002, section 3.1).
    """
    dimension = points.shape[1]
    with np.errstate(over="ignore"):
        bound = float(np.ldexp(longest, -2 * exponent))
    margin = 2 * (dimension + 20) * 2.0**-24
    kind: type[np.floating[Any]] = np.float32
    # single precision is twice as fast, where its margin lets few pairs too many pass
    if 16 * margin * float(np.median(np.einsum("ij,ij->i", centred, centred))) > bound:
        margin, kind = margin * 2.0**-29, np.float64
    columns = np.ascontiguousarray(centred.T, dtype=kind)
    norms = np.einsum("ij,ij->j", columns, columns, dtype=np.float64) * (1 - margin)
    # below the smallest normal number of single precision products are lost
    bound = min(bound * (1 + 2.0**-20) + dimension * 2.0**-120, 2.0**100)
    # x.y is compared with one number for x and one for y
    bars = ((norms - bound) / 2).astype(kind)
    halves = (norms / 2).astype(kind)
    n = len(points)
    return team.run(
        "graph",
        lambda row: near_in_rows(points, columns, bars, halves, row, min(row + PART_ROWS, n), longest, index),
        [(row,) for row in range(0, n, PART_ROWS)],
    )


@kernel
def near_in_rows(
    points: NDArray[np.float64], columns: NDArray[Any], bars: NDArray[Any], halves: NDArray[Any], first: int,
    last: int, longest: float, index: NDArray[Any],
) -> Any:  # fmt: skip
    """Pairs whose smaller vertex is from ``first`` to ``last``, by their products and then by their coordinates.

    Args:
        columns: coordinates (d, n). A pair may be near if its product is at least ``bars[x] + halves[y]``.
    """
    n = columns.shape[1]
    low, high, keys = np.empty(256, index.dtype), np.empty(256, index.dtype), np.empty(256)
    count = 0
    products = np.empty((TILE_ROWS, TILE_COLUMNS), columns.dtype)
    candidates = np.empty(TILE_COLUMNS + 4, np.int64)
    for left in range(first, n, TILE_COLUMNS):
        wide = min(TILE_COLUMNS, n - left)
        for top in range(first, min(last, left + wide), TILE_ROWS):
            tall = min(TILE_ROWS, last - top)
            multiply(columns, top, tall, left, wide, products)
            while count + TILE_ROWS * TILE_COLUMNS > len(low):
                low, high, keys = doubled(low), doubled(high), doubled(keys)
            for i in range(tall):
                a = top + i
                m = 0
                for start in range(0, wide, LANES):
                    m = collect(products[i, :wide], bars[a], halves[left : left + wide], start, candidates, m)
                candidates[m : m + 4] = 0
                for start in range(0, m, 4):
                    others = candidates[start : start + 4] + left
                    squares = four_squares(points, a, others)
                    for lane in range(min(4, m - start)):
                        if squares[lane] <= longest and others[lane] > a:
                            low[count], high[count], keys[count] = a, others[lane], squares[lane]
                            count += 1
    return low[:count].copy(), high[:count].copy(), keys[:count].copy()


@kernel
def multiply(columns: NDArray[Any], top: int, tall: int, left: int, wide: int, products: NDArray[Any]) -> None:
    """Products of ``tall`` points from ``top`` on with ``wide`` points from ``left`` on; ``columns`` (d, n)."""
    dimension = len(columns)
    products[:tall, :wide] = 0
    for c in range(0, dimension - 3, 4):
        one, two = columns[c, left : left + wide], columns[c + 1, left : left + wide]
        three, four = columns[c + 2, left : left + wide], columns[c + 3, left : left + wide]
        for i in range(tall):
            product = products[i]
            x, y, z, w = columns[c, top + i], columns[c + 1, top + i], columns[c + 2, top + i], columns[c + 3, top + i]
            for j in range(len(one)):
                product[j] += (x * one[j] + y * two[j]) + (z * three[j] + w * four[j])
    for c in range(dimension // 4 * 4, dimension):
        one = columns[c, left : left + wide]
        for i in range(tall):
            product = products[i]
            x = columns[c, top + i]
            for j in range(len(one)):
                product[j] += x * one[j]


@kernel
def collect(
    products: NDArray[Any], bar: Any, halves: NDArray[Any], start: int, candidates: NDArray[np.int64], m: int
) -> int:
    """Add the places from ``start`` on, at most LANES, whose product is large enough; how many there are then."""
    some = products[start : start + LANES]
    half = halves[start : start + LANES]
    hits = 0
    for j in range(len(some)):
        hits += some[j] >= bar + half[j]
    if hits:
        for j in range(len(some)):
            candidates[m] = start + j
            m += some[j] >= bar + half[j]
    return m


@kernel
def four_squares(points: NDArray[np.float64], a: int, others: NDArray[np.int64]) -> tuple[float, float, float, float]:
    """Squared lengths from a to four others: four sums side by side, none of which waits for another."""
    point, b, c, d, e = points[a], points[others[0]], points[others[1]], points[others[2]], points[others[3]]
    to_b = to_c = to_d = to_e = 0.0
    for i in range(len(point)):
        to_b += (point[i] - b[i]) * (point[i] - b[i])
        to_c += (point[i] - c[i]) * (point[i] - c[i])
        to_d += (point[i] - d[i]) * (point[i] - d[i])
        to_e += (point[i] - e[i]) * (point[i] - e[i])
    return to_b, to_c, to_d, to_e


@kernel
def by_trying(
    columns: NDArray[np.float64], first: int, last: int, longest: float, code: int, index: NDArray[Any]
) -> Any:
    """Pairs whose smaller vertex is from ``first`` to ``last``, all tried; ``columns`` (d, n) are the coordinates."""
    dimension, n = columns.shape
    low, high, keys = np.empty(256, index.dtype), np.empty(256, index.dtype), np.empty(256)
    count = 0
    totals = np.empty((TILE_ROWS, TILE_COLUMNS))
    for left in range(first, n, TILE_COLUMNS):
        wide = min(TILE_COLUMNS, n - left)
        for top in range(first, min(last, left + wide), TILE_ROWS):
            tall = min(TILE_ROWS, last - top)
            totals[:] = 0
            for c in range(dimension):
                column = columns[c, left : left + wide]
                for i in range(tall):
                    total = totals[i]
                    x = columns[c, top + i]
                    if code == MAGNITUDES:
                        for j in range(len(column)):
                            total[j] += abs(x - column[j])
                    else:
                        for j in range(len(column)):
                            total[j] = max(total[j], abs(x - column[j]))
            while count + TILE_ROWS * TILE_COLUMNS > len(low):
                low, high, keys = doubled(low), doubled(high), doubled(keys)
            for i in range(tall):
                a = top + i
                for j in range(max(0, a + 1 - left), wide):
                    low[count], high[count], keys[count] = a, left + j, totals[i, j]
                    count += totals[i, j] <= longest
    return low[:count].copy(), high[:count].copy(), keys[:count].copy()
