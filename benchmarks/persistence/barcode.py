"""Bars as players hand them in, and the one form in which right answers are equal bit for bit.

An answer maps ``bars_0``, ``bars_1``, ... to arrays of shape (m, 2): birth, death, with ``inf`` for an essential
class. The canonical form rounds to float32, drops the bars whose birth and death became equal, and sorts the
rows: distances rounded to float32 and then compared are ripser's convention, and any refinement of that order
leaves the same non-zero bars (Bauer 2021, section 3).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Bars = NDArray[np.float32]


def as_answer(diagrams: Sequence[Any]) -> dict[str, NDArray[np.float64]]:
    """Diagrams of H0, H1, ... in the form of an answer; each is anything that numpy reads as (m, 2)."""
    return {f"bars_{d}": np.asarray(bars, dtype=np.float64).reshape(-1, 2) for d, bars in enumerate(diagrams)}


def canonical(answer: Mapping[str, Any], max_dimension: int, *, ceiling: float = np.inf) -> dict[str, Bars]:
    """The canonical form of an answer in dimensions 0 .. ``max_dimension``.

    Args:
        ceiling: no birth or finite death may lie above it (after rounding).

    Raises:
        ValueError: a dimension is missing, has another shape, or holds what cannot be a bar.
    """
    found = {}
    for d in range(max_dimension + 1):
        name = f"bars_{d}"
        if name not in answer:
            raise ValueError(f"{name} is missing; the answer holds {', '.join(sorted(answer)) or 'nothing'}")
        bars = np.asarray(answer[name])
        if bars.size == 0:
            bars = np.empty((0, 2))
        if bars.ndim != 2 or bars.shape[1] != 2 or bars.dtype.kind not in "fiu":
            raise ValueError(f"{name} has shape {bars.shape} of {bars.dtype}, not (m, 2) numbers")
        found[name] = _rounded(name, bars.astype(np.float32), np.float32(ceiling))
    return found


def _rounded(name: str, bars: Bars, ceiling: np.float32) -> Bars:
    birth, death = bars[:, 0], bars[:, 1]
    for wrong, what in (
        (np.isnan(bars).any(axis=1), "is NaN"),
        (~np.isfinite(birth), "has no finite birth"),
        (death < birth, "dies before it is born"),
        ((birth > ceiling) | ((death > ceiling) & np.isfinite(death)), f"lies beyond the threshold {ceiling}"),
    ):
        if wrong.any():
            raise ValueError(f"{name}: bar {bars[wrong][0].tolist()} {what} ({int(wrong.sum())} such bars)")
    kept = bars[birth < death] + np.float32(0)  # adding 0 turns -0.0 into 0.0, which has other bytes
    return np.ascontiguousarray(kept[np.lexsort((kept[:, 1], kept[:, 0]))])


def counts(bars: Mapping[str, Bars]) -> dict[str, dict[str, int]]:
    """Numbers of finite and of essential bars by dimension: ``{"finite": {"0": ...}, "essential": {"0": ...}}``."""
    essential = {name.removeprefix("bars_"): int(np.isinf(rows[:, 1]).sum()) for name, rows in bars.items()}
    finite = {d: len(bars[f"bars_{d}"]) - infinite for d, infinite in essential.items()}
    return {"finite": finite, "essential": essential}


def deaths(bars: Bars) -> Bars:
    """The finite deaths of bars, sorted."""
    return np.sort(bars[np.isfinite(bars[:, 1]), 1])


def sha256(values: Any) -> str:
    """sha256 (hex) of an array's shape and little-endian float32 bytes."""
    array = np.ascontiguousarray(values, dtype="<f4")
    return hashlib.sha256(str(array.shape).encode() + array.tobytes()).hexdigest()
