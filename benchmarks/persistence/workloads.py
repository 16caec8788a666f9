"""The inputs: point clouds and images, generated from a seed or read from a data set, always float64.

Every cloud is an array of shape (n, d). The order of the draws is part of a workload's definition: another
order gives other points, other counts of bars, and needs a new version of the cases that use it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Cloud = NDArray[np.float64]


def torus(n: int, seed: int = 0) -> Cloud:
    """Area-uniform points on a torus in R^3 (R = 1, r = 0.4) with Gaussian noise of 0.002; shape (n, 3).

    The angle around the tube is drawn by rejection (Diaconis, Holmes and Shahshahani 2013, section 2.1), since
    the area element is proportional to R + r cos(theta).
    """
    major, minor = 1.0, 0.4
    _positive("n", n)
    rng = np.random.default_rng(seed)
    kept: list[Cloud] = []
    while sum(map(len, kept)) < n:
        theta = rng.uniform(0, 2 * np.pi, 2 * n)
        w = rng.uniform(0, 1, 2 * n)
        kept.append(theta[w <= (major + minor * np.cos(theta)) / (major + minor)])
    theta = np.concatenate(kept)[:n]
    phi = rng.uniform(0, 2 * np.pi, n)
    ring = major + minor * np.cos(theta)
    points = np.stack([ring * np.cos(phi), ring * np.sin(phi), minor * np.sin(theta)], axis=1)
    return np.ascontiguousarray(points + rng.normal(0, 0.002, (n, 3)))


def square(n: int, seed: int = 0) -> Cloud:
    """Uniform points in the unit square; shape (n, 2)."""
    points: Cloud = np.random.default_rng(seed).random((_positive("n", n), 2))
    return points


def cube(n: int, seed: int = 0) -> Cloud:
    """Uniform points in the unit cube; shape (n, 3)."""
    points: Cloud = np.random.default_rng(seed).random((_positive("n", n), 3))
    return points


def annulus(n: int, seed: int = 0) -> Cloud:
    """A noisy circle: uniform angles, radii 1 + normal(0, 0.1); shape (n, 2)."""
    rng = np.random.default_rng(seed)
    angle = rng.uniform(0, 2 * np.pi, _positive("n", n))
    radius = 1 + rng.normal(0, 0.1, n)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def clifford(n: int, seed: int = 0) -> Cloud:
    """Uniform points on the Clifford torus in the unit sphere of R^4, which is flat; shape (n, 4)."""
    rng = np.random.default_rng(seed)
    a = rng.uniform(0, 2 * np.pi, _positive("n", n))
    b = rng.uniform(0, 2 * np.pi, n)
    points: Cloud = np.stack([np.cos(a), np.sin(a), np.cos(b), np.sin(b)], axis=1) / np.sqrt(2)
    return points


def swiss_roll(n: int, seed: int = 0) -> Cloud:
    """A rolled-up strip whose density falls off outwards (Marsland 2014, chapter 6); shape (n, 3)."""
    rng = np.random.default_rng(seed)
    t = 1.5 * np.pi * (1 + 2 * rng.uniform(0, 1, _positive("n", n)))
    height = 21 * rng.uniform(0, 1, n)
    return np.stack([t * np.cos(t), height, t * np.sin(t)], axis=1)


def clusters(n: int, seed: int = 0) -> Cloud:
    """Points of which nine in ten lie in 100 Gaussian clumps, whose widths span two decades; shape (n, 3).

    Centres are uniform in the unit cube, widths log-uniform from 0.001 to 0.1, and each point picks its clump at
    random; the tenth that is left is uniform in the cube. In the tightest clumps all points are neighbours of each
    other at any threshold at which the cloud has edges, so that degrees range from 0 to n / 100.
    """
    rng = np.random.default_rng(seed)
    centres = rng.random((100, 3))
    widths = 10.0 ** rng.uniform(-3, -1, 100)
    clump = rng.integers(0, 100, _positive("n", n))
    points = centres[clump] + widths[clump, None] * rng.normal(0, 1, (n, 3))
    spread = rng.random((n, 3))
    return np.where(rng.random((n, 1)) < 0.1, spread, points)


def lattice(side: int, dimension: int = 2) -> Cloud:
    """The integer grid {0 .. side-1}^dimension: every distance is tied; shape (side ** dimension, dimension)."""
    axes = np.meshgrid(*[np.arange(_positive("side", side))] * _positive("dimension", dimension), indexing="ij")
    return np.stack([axis.ravel() for axis in axes], axis=1).astype(np.float64)


def duplicates(n: int, seed: int = 0) -> Cloud:
    """n rows drawn with replacement from n // 2 points of the square: many points coincide; shape (n, 2)."""
    rng = np.random.default_rng(seed)
    distinct = rng.random((max(1, _positive("n", n) // 2), 2))
    return distinct[rng.integers(0, len(distinct), n)]


def digits() -> Cloud:
    """The 1,797 handwritten digits of scikit-learn, 8 x 8 grey values 0 .. 16 each; shape (1797, 64)."""
    from sklearn.datasets import load_digits

    return np.ascontiguousarray(load_digits().data, dtype=np.float64)


def allen(folder: Path, session: int) -> Cloud:
    """Population vectors of one Allen session: 3,645 Gabor presentations in as many dimensions as units.

    Args:
        folder: of the data set ``allen_session_counts``. ``session``: its number, for example 715093703.

    Returns:
        Spike counts, shape (3645, units). They are whole numbers, so that many distances are tied.

    Raises:
        ValueError: there is no such session; the message lists those that there are.
    """
    path = folder / f"session_{session}_gabor_spike_counts.npz"
    if not path.is_file():
        known = sorted(found.name.split("_")[1] for found in folder.glob("session_*_gabor_spike_counts.npz"))
        raise ValueError(f"allen: no session {session} in {folder}; choose one of {', '.join(known) or 'none'}")
    with np.load(path, allow_pickle=False) as stored:
        return np.ascontiguousarray(stored["counts"].T, dtype=np.float64)


def image(side: int, seed: int = 0) -> Cloud:
    """White noise smoothed to a length of 2 pixels, as a (side, side) image with values of unit variance."""
    return _smooth_noise((_positive("side", side),) * 2, seed)


def volume(side: int, seed: int = 0) -> Cloud:
    """White noise smoothed to a length of 2 voxels, shape (side, side, side), values of unit variance."""
    return _smooth_noise((_positive("side", side),) * 3, seed)


def covering_radius(points: Cloud, landmarks: int) -> float:
    """How far the farthest point is from its nearest landmark, for farthest-point landmarks from the first point."""
    nearest = np.full(len(points), np.inf)
    latest = 0
    for _ in range(min(_positive("landmarks", landmarks), len(points))):
        nearest = np.minimum(nearest, ((points - points[latest]) ** 2).sum(axis=1))
        latest = int(nearest.argmax())
    return float(np.sqrt(nearest.max()))


def enclosing_radius(points: Cloud) -> float:
    """The least distance within which some point has all others: from there on the Rips complex is a cone.

    A cone has no homology but that of a point, so no bar begins or ends beyond it (Bauer 2021, section 4, which
    cuts there likewise).
    """
    from scipy.spatial.distance import cdist

    size = max(1, 2**24 // len(points))
    blocks = (cdist(points[start : start + size], points) for start in range(0, len(points), size))
    return min(float(block.max(axis=1).min()) for block in blocks)


def _smooth_noise(shape: tuple[int, ...], seed: int) -> Cloud:
    from scipy.ndimage import gaussian_filter

    values = gaussian_filter(np.random.default_rng(seed).normal(0, 1, shape), sigma=2.0, mode="wrap")
    scaled: Cloud = values / max(float(values.std()), np.finfo(np.float64).tiny)
    return scaled


def _positive(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{name} is a whole number of at least 1, not {value!r}")
    return value
