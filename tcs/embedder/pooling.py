"""From a model's outputs to an embedding: pool over tokens, slice, normalise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tcs.embedder.errors import CacheError, InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

POOLINGS = ("last", "mean")


def pool(outputs: NDArray[Any], pooling: str) -> NDArray[np.float64]:
    """The last of outputs (tokens, width), or their mean; (width,) in float64.

    Raises:
        InputError: for an unknown way.
    """
    if pooling not in POOLINGS:
        raise InputError(f"pooling {pooling!r} is not one of {', '.join(POOLINGS)}")
    found: NDArray[np.float64] = outputs[-1].astype(np.float64) if pooling == "last" else outputs.mean(0, np.float64)
    return found


def shorten(pooled: NDArray[np.float64], dimension: int) -> NDArray[np.float32]:
    """The first coordinates of a pooled output, divided by their Euclidean length; (dimension,) in float32.

    A slice is a convention unless the model was trained for it (Kusupati et al. 2022, arXiv:2205.13147), which
    Qwen2.5-Coder was not.

    Raises:
        InputError: it has fewer coordinates, or they are all 0.
        CacheError: they are not finite.
    """
    if not 1 <= dimension <= len(pooled):
        raise InputError(f"dimension={dimension}: the model's output has {len(pooled)}; choose from 1 to {len(pooled)}")
    sliced = pooled[:dimension]
    length = float(np.sqrt(sliced @ sliced))
    if not np.isfinite(length):
        raise CacheError("the output holds NaN or infinity")
    if length == 0:
        raise InputError(f"the first {dimension} coordinates of the output are all 0, so they have no direction")
    return (sliced / length).astype(np.float32)
