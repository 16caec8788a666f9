"""Points along a Hilbert curve: neighbours in the order are neighbours in space, and in memory."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from tcs.persistence.compute.kernels import doubled, kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tcs.persistence.compute.team import Team

# Bits of one coordinate; three times as many fit a signed integer of 64.
BITS = 20
# Points that share a cell of the finest grid get a curve of their own if they are more than this.
MANY = 32
PART_POINTS = 2**16


def along_curve(points: NDArray[np.float64], team: Team) -> NDArray[np.int64]:
    """The places of points, float64 of shape (n, d), d = 1 to 3, in the order of a Hilbert curve.

    The few points in one cell of the finest grid are in the order of their coordinates, so equal points are
    neighbours, and the order of points that differ does not depend on the order of the input.
    """
    order = np.arange(len(points))
    waiting = [(0, len(points))]
    while waiting:
        first, last = waiting.pop()
        part = points[order[first:last]]
        low = part.min(axis=0)
        width = float((part.max(axis=0) - low).max())
        if width == 0:
            continue
        # one scale for all axes keeps cells cubes, so that no axis is cut finer than the others
        keys = np.empty(last - first, dtype=np.int64)
        cuts = [*range(0, last - first, PART_POINTS), last - first]
        team.run(
            "curve",
            lambda a, b, part=part, low=low, scale=(2**BITS - 1) / width, keys=keys: hilbert_keys(
                part, low, scale, keys, a, b
            ),
            list(pairwise(cuts)),
        )
        places = np.argsort(keys)
        order[first:last] = order[first:last][places]
        crowds = settle(points, order, keys[places], first)
        waiting.extend(crowds.tolist())
    return order


@kernel
def hilbert_keys(
    points: NDArray[np.float64], low: NDArray[np.float64], scale: float, keys: NDArray[np.int64], first: int, last: int
) -> None:
    """How far along the curve the grid cell of each point lies (Skilling, AIP Conf. Proc. 707, 381, 2004)."""
    dimension = points.shape[1]
    cell = np.empty(dimension, np.int64)
    for i in range(first, last):
        for c in range(dimension):
            cell[c] = min(np.int64((points[i, c] - low[c]) * scale), 2**BITS - 1)
        bit = 1 << (BITS - 1)
        while bit > 1:
            below = bit - 1
            for c in range(dimension):
                if cell[c] & bit:
                    cell[0] ^= below
                else:
                    swap = (cell[0] ^ cell[c]) & below
                    cell[0] ^= swap
                    cell[c] ^= swap
            bit >>= 1
        for c in range(1, dimension):
            cell[c] ^= cell[c - 1]
        flip = 0
        bit = 1 << (BITS - 1)
        while bit > 1:
            if cell[dimension - 1] & bit:
                flip ^= bit - 1
            bit >>= 1
        key = 0
        for b in range(BITS - 1, -1, -1):
            for c in range(dimension):
                key = (key << 1) | (((cell[c] ^ flip) >> b) & 1)
        keys[i] = key


@kernel
def settle(points: NDArray[np.float64], order: NDArray[np.int64], keys: NDArray[np.int64], first: int) -> Any:
    """Sort points with equal keys by their coordinates, where they are few; where they are many, tell their ranges.

    Args:
        order: places of points; those from ``first`` on have the sorted ``keys``.

    Returns:
        Ranges of ``order`` with more than ``MANY`` points of one key that are not all equal, (m, 2).
    """
    crowds = np.empty((4, 2), np.int64)
    n_crowds = 0
    start = 0
    for end in range(1, len(keys) + 1):
        if end < len(keys) and keys[end] == keys[start]:
            continue
        if end - start > MANY:
            alike = True
            for i in range(first + start + 1, first + end):
                if before(points, order[i], order[first + start]) or before(points, order[first + start], order[i]):
                    alike = False
                    break
            if alike:
                start = end
                continue
            if n_crowds == len(crowds):
                crowds = doubled(crowds)
            crowds[n_crowds, 0], crowds[n_crowds, 1] = first + start, first + end
            n_crowds += 1
        else:
            for i in range(first + start + 1, first + end):
                j = i
                while j > first + start and before(points, order[j], order[j - 1]):
                    order[j], order[j - 1] = order[j - 1], order[j]
                    j -= 1
        start = end
    return crowds[:n_crowds].copy()


@kernel
def before(points: NDArray[np.float64], a: int, b: int) -> bool:
    """Whether the coordinates of point a come before those of b, the first that differs deciding."""
    for c in range(points.shape[1]):
        if points[a, c] != points[b, c]:
            return bool(points[a, c] < points[b, c])
    return False
