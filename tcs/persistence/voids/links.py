"""Small flag complexes, such as the lune of an edge, as tables of bits: their components, and what they collapse to.

Vertices are numbered from 0, and row x of a table of bits, ``closed``, holds x and its neighbours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tcs.persistence.compute.kernels import kernel, trailing_zeros

if TYPE_CHECKING:
    from numpy.typing import NDArray

WORD = 64
ONE = np.uint64(1)


@kernel
def lowest(word: Any) -> int:
    """The place of the lowest bit of a word that is not 0."""
    signed: Any = np.int64(word)
    return trailing_zeros(signed)


@kernel
def fill(row: NDArray[np.uint64], k: int) -> None:
    """Make a set that of all of k vertices."""
    row[:] = ~np.uint64(0)
    row[len(row) - 1] = (ONE << np.uint64((k - 1) % WORD)) * np.uint64(2) - ONE


@kernel
def size_of(row: NDArray[np.uint64]) -> int:
    """How many vertices a set has."""
    count = 0
    for word in row:
        while word != 0:
            word &= word - ONE
            count += 1
    return count


@kernel
def has_centre(closed: NDArray[np.uint64], left: NDArray[np.uint64]) -> bool:
    """Whether some vertex of a set is joined to all others, so that the complex is a cone."""
    for i in range(len(left)):
        rest = left[i]
        while rest != 0:
            if is_centre(closed, left, WORD * i + lowest(rest)):
                return True
            rest &= rest - ONE
    return False


@kernel
def is_centre(closed: NDArray[np.uint64], left: NDArray[np.uint64], x: int) -> bool:
    """Whether x is joined to all other vertices of a set."""
    i = 0
    while i < len(left) and left[i] & ~closed[x, i] == 0:
        i += 1
    return i == len(left)


@kernel
def parts_of(
    closed: NDArray[np.uint64], k: int, left: NDArray[np.uint64], wave: NDArray[np.uint64], labels: NDArray[np.int32]
) -> int:
    """Number the component of each of k vertices in ``labels``; how many components there are is returned.

    ``left`` and ``wave`` are room for two sets.
    """
    words = closed.shape[1]
    fill(left, k)
    wave[:] = np.uint64(0)
    number = -1
    while True:
        at = 0
        while at < words and wave[at] == 0:
            at += 1
        if at < words:
            x = WORD * at + lowest(wave[at])
            wave[at] &= wave[at] - ONE
        else:
            at = 0
            while at < words and left[at] == 0:
                at += 1
            if at == words:
                return number + 1
            x = WORD * at + lowest(left[at])
            left[at] &= left[at] - ONE
            number += 1
        labels[x] = number
        for i in range(words):
            fresh = left[i] & closed[x, i]
            left[i] ^= fresh
            wave[i] |= fresh


@kernel
def collapse(
    closed: NDArray[np.uint64], left: NDArray[np.uint64], waiting: NDArray[np.uint64], common: NDArray[np.uint64]
) -> bool:
    """Remove dominated vertices from a set until there is none; whether an edge is left is returned.

    A vertex is dominated by another one that is joined to it and to all its neighbours. Without it the complex has
    the same homotopy type (strong collapse: Barmak and Minian, Discrete Comput. Geom. 47 (2012)), and what is left
    is a full subcomplex, so its cycles are cycles of the whole. Once a cone is left, nothing more is removed.

    Args:
        closed: neighbours (k, words). ``left``: a set (words,), changed in place. ``waiting, common``: room for two.
    """
    words = len(left)
    waiting[:] = left
    some = True
    # round after round, not the first that waits: its neighbours would be looked at after each removal
    while some:
        some = False
        for at in range(words):
            todo = waiting[at] & left[at]
            waiting[at] = np.uint64(0)
            while todo != 0:
                x = WORD * at + lowest(todo)
                todo &= todo - ONE
                if is_centre(closed, left, x):
                    return False
                if is_dominated(closed, left, x, common):
                    left[at] ^= ONE << np.uint64(x % WORD)
                    some = True
                    # its neighbours have lost one of theirs, so they may be dominated now
                    for i in range(words):
                        waiting[i] |= closed[x, i] & left[i]
    for i in range(words):
        rest = left[i]
        while rest != 0:
            x = WORD * i + lowest(rest)
            rest &= rest - ONE
            for j in range(words):
                others = closed[x, j] & left[j]
                if others & (others - ONE) != 0 or (others != 0 and j != i):
                    return True
    return False


@kernel
def is_dominated(closed: NDArray[np.uint64], left: NDArray[np.uint64], x: int, common: NDArray[np.uint64]) -> bool:
    """Whether another vertex of the set ``left`` is joined to x and to all of its neighbours in the set."""
    words = len(left)
    mine = x // WORD
    itself = ONE << np.uint64(x % WORD)
    for i in range(words):
        common[i] = left[i] & closed[x, i]
    common[mine] ^= itself
    for i in range(words):
        rest = left[i] & closed[x, i]
        if i == mine:
            rest ^= itself
        while rest != 0:
            z = WORD * i + lowest(rest)
            rest &= rest - ONE
            some = np.uint64(0)
            for j in range(words):
                common[j] &= closed[z, j]
                some |= common[j]
            if some == 0:
                return False
    # without neighbours there is nothing that it could be joined to
    j = 0
    while j < words and common[j] == 0:
        j += 1
    return j < words


@kernel
def collapsed_word(closed: NDArray[np.uint64], left: np.uint64) -> Any:
    """What :func:`collapse` leaves of a set of at most 64 vertices, or the empty set if no edge would be left."""
    waiting = left
    while waiting != 0:
        todo = waiting & left
        waiting = np.uint64(0)
        while todo != 0:
            x = lowest(todo)
            itself = todo & (~todo + ONE)
            todo ^= itself
            common = (closed[x, 0] & left) ^ itself
            if common ^ itself == left:
                return np.uint64(0)
            rest = common
            while rest != 0 and common != 0:
                common &= closed[lowest(rest), 0]
                rest &= rest - ONE
            if common != 0:
                left ^= itself
                waiting |= closed[x, 0] & left
    rest = left
    while rest != 0:
        x = lowest(rest)
        if closed[x, 0] & left != rest & (~rest + ONE):
            return left
        rest &= rest - ONE
    return np.uint64(0)
