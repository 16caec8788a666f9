"""Bars from pairs: lengths in float32, bars of length zero left out, the others by birth and then by death."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tcs.persistence.compute.kernels import kernel, room
from tcs.persistence.compute.sorting import sorted_bits

if TYPE_CHECKING:
    from numpy.typing import NDArray


def of_components(n: int, ends: NDArray[np.float32]) -> NDArray[np.float32]:
    """Bars (m, 2) of n points, of which components end at these lengths, and the others never."""
    return of_rising(n, sorted_bits(bits_of(ends)).view(np.float32))


def of_rising(n: int, rising: NDArray[np.float32]) -> NDArray[np.float32]:
    """Likewise, of lengths in rising order."""
    zeros = int(np.searchsorted(rising, np.float32(0), side="right"))
    bars = room((n - zeros, 2), np.float32)
    bars[:, 0] = 0
    bars[: len(rising) - zeros, 1] = rising[zeros:]
    bars[len(rising) - zeros :, 1] = np.inf
    return bars


def of_pairs(births: NDArray[np.float32], deaths: NDArray[np.float32], paired: NDArray[Any]) -> NDArray[np.float32]:
    """Bars (m, 2) with these births, each paired with one of the deaths or with none (-1)."""
    keys = room(len(births), np.uint64)
    return unpacked(sorted_bits(keys[: pack(bits_of(births), bits_of(deaths), paired, keys)]))


def unpacked(keys: NDArray[np.uint64]) -> NDArray[np.float32]:
    """The bars (m, 2) of which these are the bits of both ends, the birth in the upper half."""
    bars = room((len(keys), 2), np.float32)
    unpack(keys, bars.view(np.uint32))
    return bars


def in_order(bars: NDArray[np.float32]) -> NDArray[np.float32]:
    """Those of some bars (m, 2) that are not of length zero."""
    return of_pairs(bars[:, 0], bars[:, 1], np.arange(len(bars)))


def bits_of(lengths: NDArray[np.float32]) -> NDArray[np.uint32]:
    """The bits of lengths, which have their order; 0 has those of -0, too."""
    return (lengths + np.float32(0)).view(np.uint32)


@kernel
def pack(births: NDArray[np.uint32], deaths: NDArray[np.uint32], paired: NDArray[Any], keys: NDArray[np.uint64]) -> int:
    """Write down the bits of both ends of each bar, the birth in the upper half; how many bars there are."""
    never = np.uint64(np.array([np.inf], np.float32).view(np.uint32)[0])
    m = 0
    for row in range(len(births)):
        birth, death = np.uint64(births[row]), never
        if paired[row] >= 0:
            death = np.uint64(deaths[paired[row]])
        keys[m] = birth << np.uint64(32) | death
        m += int(birth < death)
    return m


@kernel
def unpack(keys: NDArray[np.uint64], bits: NDArray[np.uint32]) -> None:
    """Fill in the bits of both ends (m, 2)."""
    for i in range(len(keys)):
        bits[i, 0], bits[i, 1] = keys[i] >> np.uint64(32), keys[i] & np.uint64(0xFFFFFFFF)
