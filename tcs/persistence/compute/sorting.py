"""Sorting by whole numbers on several threads: a radix sort from the least significant digit on, which is stable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tcs.persistence.compute.kernels import kernel, room

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tcs.persistence.compute.team import Team

DIGIT_BITS = 12
PART = 2**16
# Digits of the upper half of a float64.
HALF_DIGITS = 3
HALF_BITS = 11
HALF_MASK = (1 << HALF_BITS) - 1
# Up to so many places are sorted by insertion.
FEW = 32


def order_by(keys: NDArray[np.int64], top: int, team: Team) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """The keys in rising order, and the place of each before; equal keys keep their order.

    Args:
        keys: of shape (n,), from 0 to below ``top``.

    Returns:
        Sorted keys (n,), and places (n,) as int32 or, above 2^31 keys, int64.
    """
    n = len(keys)
    places = room(n, np.int32 if n < 2**31 else np.int64)
    places[:] = np.arange(n, dtype=places.dtype)
    passes = -(-max(1, (top - 1).bit_length()) // DIGIT_BITS)
    bits = -(-max(1, (top - 1).bit_length()) // passes)
    size = max(PART, -(-n // (4 * team.threads)))
    parts = [(start, min(start + size, n)) for start in range(0, n, size)]
    other_places, spare = room(n, places.dtype), keys
    for shift in range(0, passes * bits, bits):
        # the first pass leaves the caller's keys as they are
        other_keys = room(n, keys.dtype) if shift <= bits else spare
        counts = np.array(team.run("sort", count, [(keys, a, b, shift, bits) for a, b in parts]))
        before = np.cumsum(counts.T.ravel()) - counts.T.ravel()
        slots = np.ascontiguousarray(before.reshape(1 << bits, len(parts)).T)
        moves = [
            (keys, places, a, b, shift, bits, slots[part], other_keys, other_places)
            for part, (a, b) in enumerate(parts)
        ]
        team.run("sort", scatter, moves)
        spare, keys = keys, other_keys
        places, other_places = other_places, places
    return keys, places


@kernel
def count(keys: NDArray[np.int64], first: int, last: int, shift: int, bits: int) -> NDArray[np.int64]:
    """How often each value of a digit occurs in a part."""
    found = np.zeros(1 << bits, np.int64)
    for i in range(first, last):
        found[(keys[i] >> shift) & ((1 << bits) - 1)] += 1
    return found


@kernel
def scatter(
    keys: NDArray[np.int64], places: NDArray[Any], first: int, last: int, shift: int, bits: int,
    slots: NDArray[np.int64], to_keys: NDArray[np.int64], to_places: NDArray[Any],
) -> None:  # fmt: skip
    """Move the keys of a part, and their places, to the slots of their digit."""
    for i in range(first, last):
        digit = (keys[i] >> shift) & ((1 << bits) - 1)
        slot = slots[digit]
        slots[digit] = slot + 1
        to_keys[slot] = keys[i]
        to_places[slot] = places[i]


@kernel
def sorted_bits(keys: NDArray[Any]) -> NDArray[Any]:
    """Keys (n,), uint32 or uint64, in rising order, on one thread: half a million a hundredth of a second."""
    digits = -(-8 * keys.itemsize // DIGIT_BITS)
    counts = np.zeros((digits, 1 << DIGIT_BITS), np.int64)
    for key in keys:
        for digit in range(digits):
            counts[digit, (key >> (DIGIT_BITS * digit)) & ((1 << DIGIT_BITS) - 1)] += 1
    found, spare = keys.copy(), np.empty_like(keys)
    for digit in range(digits):
        # where all keys have the same digit there is nothing to do
        if counts[digit].max() == len(keys):
            continue
        slots = np.cumsum(counts[digit]) - counts[digit]
        for key in found:
            value = (key >> (DIGIT_BITS * digit)) & ((1 << DIGIT_BITS) - 1)
            spare[slots[value]] = key
            slots[value] += 1
        found, spare = spare, found
    return found


@kernel
def ordered(lengths: NDArray[np.float64]) -> NDArray[np.int64]:
    """Places (m,) sorted by length, not negative, equal lengths by place.

    A radix sort by the upper half of their bits, which rise with the lengths; what agrees in it is settled after.
    """
    bits = lengths.view(np.uint64)
    keys, order = np.empty(len(bits), np.uint32), np.arange(len(bits))
    to_keys, to_order = np.empty_like(keys), np.empty_like(order)
    counts = np.zeros((HALF_DIGITS, 1 << HALF_BITS), np.int64)
    for i in range(len(bits)):
        keys[i] = bits[i] >> np.uint64(31)
        for digit in range(HALF_DIGITS):
            counts[digit, (keys[i] >> (HALF_BITS * digit)) & HALF_MASK] += 1
    for digit in range(HALF_DIGITS):
        if counts[digit].max() == len(bits):
            continue
        slots = np.cumsum(counts[digit]) - counts[digit]
        for i in range(len(bits)):
            slot = slots[(keys[i] >> (HALF_BITS * digit)) & HALF_MASK]
            slots[(keys[i] >> (HALF_BITS * digit)) & HALF_MASK] += 1
            to_keys[slot], to_order[slot] = keys[i], order[i]
        keys, to_keys, order, to_order = to_keys, keys, to_order, order
    start = 0
    for i in range(1, len(bits) + 1):
        if i == len(bits) or keys[i] != keys[start]:
            if i - start > 1:
                settle(lengths, order[start:i])
            start = i
    return order


@kernel
def earlier(lengths: NDArray[np.float64], a: int, b: int) -> bool:
    """Whether place a comes before place b in the order by length, equal lengths by place."""
    return lengths[a] < lengths[b] or (lengths[a] == lengths[b] and a < b)


@kernel
def settle(lengths: NDArray[np.float64], order: NDArray[np.int64]) -> None:
    """Sort rising places by their lengths; most runs are of one length, or short."""
    unsorted = 0
    for i in range(1, len(order)):
        unsorted += lengths[order[i]] < lengths[order[i - 1]]
    if unsorted and len(order) > FEW:
        order[:] = order[np.argsort(lengths[order], kind="mergesort")]
    elif unsorted:
        for i in range(1, len(order)):
            place, j = order[i], i
            while j > 0 and lengths[order[j - 1]] > lengths[place]:
                order[j] = order[j - 1]
                j -= 1
            order[j] = place


@kernel
def take(points: NDArray[np.float64], places: NDArray[Any], first: int, last: int, to: NDArray[np.float64]) -> None:
    """Copy the rows at the places ``first`` to ``last`` into the same rows of ``to``."""
    for i in range(first, last):
        for c in range(points.shape[1]):
            to[i, c] = points[places[i], c]
