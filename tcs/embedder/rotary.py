"""Rotary positions: keys that were written for one position, turned to another (Su et al. 2021, arXiv:2104.09864)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LAYOUTS = ("halves", "pairs")
"""How the two coordinates of a plane lie in a head: half a head apart, or side by side."""


def turn(keys: Any, positions: int, theta: float, layout: str, xp: Any = np) -> None:
    """Turn keys (..., head_size) in place, as if each had been written so many positions later (earlier if negative).

    Equation 34 of Su et al.: in plane i of a head of size d, by the angle positions * theta^(-2i/d). In float64,
    then rounded to the type of the keys.
    """
    cosine, sine = (xp.asarray(each) for each in angles(positions, theta, keys.shape[-1]))
    half = keys.shape[-1] // 2
    first, second = (
        (slice(None, half), slice(half, None)) if layout == "halves" else (slice(0, None, 2), slice(1, None, 2))
    )
    for layer in keys:
        a, b = layer[..., first].astype(np.float64), layer[..., second].astype(np.float64)
        layer[..., first] = a * cosine - b * sine
        layer[..., second] = b * cosine + a * sine


def angles(positions: int, theta: float, size: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Cosine and sine (size / 2,) of the angles."""
    found = positions * theta ** (-np.arange(0, size, 2) / size)
    return np.cos(found), np.sin(found)
