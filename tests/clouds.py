"""Clouds that tell a right engine from a nearly right one, and the ways that lead through the engine."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from tcs.persistence import Barcode, rips, vietoris_rips

Cloud = NDArray[np.float64]


def by_grid(points: Any, threshold: float, **more: Any) -> Barcode:
    """``rips`` through the cells of a grid, also where a cloud is so small that another way would be taken."""
    with patch.object(vietoris_rips, "MOST_DENSE", 0):
        return rips(points, threshold=threshold, **more)


def torus(n: int) -> Cloud:
    """The points of W(n, k): area-uniform on a torus (R = 1, r = 0.4) with noise of 0.002; the draws in their order."""
    rng = np.random.default_rng(0)
    kept = np.empty(0)
    while len(kept) < n:
        theta = rng.uniform(0, 2 * np.pi, 2 * n)
        kept = np.append(kept, theta[rng.uniform(0, 1, 2 * n) <= (1 + 0.4 * np.cos(theta)) / 1.4])
    theta = kept[:n]
    phi = rng.uniform(0, 2 * np.pi, n)
    ring = 1 + 0.4 * np.cos(theta)
    return np.stack([ring * np.cos(phi), ring * np.sin(phi), 0.4 * np.sin(theta)], 1) + rng.normal(0, 0.002, (n, 3))


def triangular(side: int) -> Cloud:
    """A patch of the triangular lattice: whole numbers with x + y + z = 0, so that all ties are exact."""
    i, j = (axis.ravel() for axis in np.indices((side, side)))
    return np.stack([i, j - i, -j], axis=1).astype(np.float64)


def nearly_equilateral() -> Cloud:
    """Triangles that are equilateral but for 1e-8, with a fourth point nearly as far from one corner; far apart.

    Which vertices are in a lune, and which of these are joined, hangs on the eighth digit.
    """
    rng = np.random.default_rng(5)
    found = []
    for k in range(12):
        slant, more, less = rng.uniform(-0.3, 0.3), rng.choice([-1, 1]) * 10 ** rng.uniform(-9, -7), 1e-8
        apex = np.array([0.5, np.sqrt(0.75) - less, 0])
        fourth = apex + (1 + more) * np.array([np.sin(slant), -np.cos(slant), 0])
        turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
        found.append(np.stack([[0, 0, 0], [1, 0, 0], apex, fourth]) @ turn + [10 * k, 0, 0])
    return np.concatenate(found)


def shells() -> Cloud:
    """Points of whole numbers on spheres around one of them: many edges at a vertex have one length."""
    grid: Cloud = np.indices((7, 7, 7)).reshape(3, -1).T.astype(np.float64) - 3
    squares = (grid**2).sum(axis=1)
    return grid[np.isin(squares, [0, 6, 9])]


_RNG = np.random.default_rng(20)
SMALL: dict[str, Cloud] = {
    "equilateral triangle": np.eye(3),
    "octahedron": np.concatenate([np.eye(3), -np.eye(3)]),
    "cubic lattice": np.indices((4, 4, 3)).reshape(3, -1).T.astype(np.float64),
    "triangular lattice": triangular(7),
    "shells": shells(),
    "nearly equilateral": nearly_equilateral(),
    "even": _RNG.random((48, 3)),
    "far away": 1e6 + _RNG.random((40, 3)),
    "clusters": _RNG.integers(0, 3, (40, 3)) + 1e-6 * _RNG.random((40, 3)),
    "duplicates": _RNG.integers(0, 2, (30, 3)) + 0.5 * _RNG.integers(0, 2, (30, 1)),
    "collinear": np.outer(_RNG.integers(0, 30, 24), [1.0, 2.0, -1.0]),
    "heavy tails": _RNG.standard_cauchy((30, 3)),
}
"""Small enough for the textbook; all in space, so that one compilation of the kernels serves for all."""

# Two points whose squared distance, 0 + x^2 + y^2 in float64, is the largest that counts as 1, and the next number.
# Of each kind one is pushed over the border where the last product is fused with its sum.
HIT = [("0x1.5d464e2c9ee97p-1", "0x1.765e296191274p-1"), ("0x1.4be8faab9292dp-2", "0x1.e45bb924c9f19p-1")]
MISSED = [("0x1.5d464e2c9ee97p-1", "0x1.765e296191275p-1"), ("0x1.d8f4fb213a0acp-2", "0x1.c61dded7bd86ep-1")]


def at_the_border(pair: tuple[str, str]) -> Cloud:
    """Two points in space, as far apart as a pair of :data:`HIT` or :data:`MISSED` says."""
    return np.array([[0, 0, 0], [float.fromhex(pair[0]), float.fromhex(pair[1]), 0]])
