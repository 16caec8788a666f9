"""A first look at lunes in float32, which settles most of them: sixteen candidates at a time, nothing exact.

Neighbours of one point, the origin, come sorted by length: ``relative`` (d, room) are their places and ``norm`` the
squares of these, scaled so that the longest is near 1. Margins cover every rounding error, so what is said is certain;
the rest is said to be in doubt. Where one could stop early nothing does: a branch that goes either way costs more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tcs.persistence.compute.kernels import inlined, kernel, trailing_zeros
from tcs.persistence.compute.lanes import LANES, at_least, every, load

if TYPE_CHECKING:
    from numpy.typing import NDArray

EVERY = 2**LANES - 1
# Where neighbours are more, so many are looked at first, then eight times as many: a witness is near, as a rule.
FEW = 2 * LANES
# Below this square products of four lengths lose bits in float32.
LEAST = np.float32(1e-12)
# How deep in the lune a member lies that is likely to be near to all others, as a share of the edge's square.
DEEP = np.float32(0.1)


@kernel
def unsettled(
    relative: NDArray[np.float32], norm: NDArray[np.float32], near: NDArray[np.int32], m: int, s: int,
    found: NDArray[np.int64], left: NDArray[np.int32], axes: Any,
) -> int:  # fmt: skip
    """Write to ``left`` the neighbours p, after s, of which the lune is not certainly joined to one vertex.

    Such a vertex, nearer to every point of the lune than the edge is long, makes the lune contractible.

    Args:
        near: the neighbours (m,). ``found``: room for a word for each ``LANES`` of them.

    Returns:
        How many are written, in rising order.
    """
    todo = 0
    for p in range(m):
        left[todo] = p
        todo += near[p] > s
    number = 0
    for e in range(todo):
        p = left[e]
        few, witness, middle = 0, 0, -1
        while few < p and not witness:
            few = min(p, max(FEW, 8 * few))
            witness, middle, _ = glance(relative, norm, p, few, found, axes)
        if few < p and norm[p] > LEAST:
            continue
        far = beyond(relative, norm[p], p, max(middle, 0), found, axes)
        left[number] = p
        number += ((witness == 0) & ((middle < 0) | (far != 0))) | (norm[p] <= LEAST)
    return number


@inlined
def glance(
    relative: NDArray[np.float32], norm: NDArray[np.float32], p: int, few: int, found: NDArray[np.int64], axes: Any
) -> Any:
    """Look at the lune of the edge from the origin to neighbour p among the ``few`` nearest neighbours, at most p.

    With a = |w|^2 and the edge b: w is in the lune when a < 2 w.b. It is a witness that the whole lune is in one
    piece when it lies in the lens around the edge that is nearer to every point of the lune than the edge is long:
    3 (|b|^2 a - (w.b)^2) < (w.b - a)^2.

    Returns:
        Whether there is a witness; a member that is likely near to all others, or -1 if none is certain; whether some
        are in doubt. The last two are words, 0 for no. ``found`` receives the bits of all that may be members.
    """
    longer = norm[p]
    # a float32 dot product of d terms is off by (d + 2) 2^-24 |w| |b|; what is made from it by a few times that
    doubt = np.float32((4 * len(axes) + 16) * 2.0**-24) * longer
    slack = np.float32((8 * len(axes) + 48) * 2.0**-24) * longer * longer
    witness = doubtful = 0
    middle = deepest = -1
    for start in range(0, few, LANES):
        dot = load(relative[0], start) * every(relative[0, p])
        for c in range(1, len(axes)):
            dot = dot + load(relative[c], start) * every(relative[c, p])
        square = load(norm, start)
        depth = dot - square
        side = dot + depth
        lens = every(np.float32(3)) * (every(longer) * square - dot * dot) + every(slack)
        valid = EVERY >> max(0, start + LANES - few)
        witness |= valid & at_least(depth, every(np.float32(0))) & at_least(depth * depth, lens)
        maybe = valid & at_least(side, every(-doubt))
        inside = valid & at_least(side, every(doubt))
        deep = inside & at_least(depth, every(DEEP * longer))
        found[start // LANES] = maybe
        doubtful |= maybe ^ inside
        middle = start + trailing_zeros(inside) if (middle < 0) & (inside != 0) else middle
        deepest = start + trailing_zeros(deep) if (deepest < 0) & (deep != 0) else deepest
    return witness, deepest if deepest >= 0 else middle, doubtful


@inlined
def beyond(
    relative: NDArray[np.float32], longer: np.float32, p: int, w: int, found: NDArray[np.int64], axes: Any
) -> int:
    """Whether some of those found are perhaps as far from w as the edge is long; a word, 0 for no."""
    bound = certain(longer, axes)
    far = 0
    for start in range(0, p, LANES):
        far |= found[start // LANES] & at_least(squares_from(relative, w, start, axes), bound)
    return far


@inlined
def certain(longer: np.float32, axes: Any) -> Any:
    """In all lanes a square below which two neighbours are certainly nearer to each other than the edge is long."""
    return every(longer - np.float32((4 * len(axes) + 16) * 2.0**-24) * longer)


@inlined
def squares_from(relative: NDArray[np.float32], w: int, start: int, axes: Any) -> Any:
    """Squared distances from neighbour w to those in the lanes from ``start`` on."""
    difference = load(relative[0], start) - every(relative[0, w])
    total = difference * difference
    for c in range(1, len(axes)):
        difference = load(relative[c], start) - every(relative[c, w])
        total = total + difference * difference
    return total


@kernel
def members_of(
    relative: NDArray[np.float32], norm: NDArray[np.float32], near: NDArray[np.int32], p: int,
    found: NDArray[np.int64], members: NDArray[np.int32], axes: Any,
) -> int:  # fmt: skip
    """Write down which neighbours are in the lune of neighbour p; how many is returned, or -1 if that is in doubt."""
    if norm[p] <= LEAST:
        return -1
    _, _, doubtful = glance(relative, norm, p, p, found, axes)
    if doubtful:
        return -1
    k = 0
    for block in range((p + LANES - 1) // LANES):
        bits = found[block]
        while bits:
            members[k] = near[block * LANES + trailing_zeros(bits)]
            bits &= bits - 1
            k += 1
    return k


@kernel
def in_one_piece(
    relative: NDArray[np.float32], longer: np.float32, p: int, k: int, found: NDArray[np.int64],
    queue: NDArray[np.int32], axes: Any,
) -> bool:  # fmt: skip
    """Whether steps that are certainly shorter than the edge lead from one of the k > 0 members found to all others.

    ``found``, the bits of the members, is used up. ``queue``: room for their numbers.
    """
    bound = certain(longer, axes)
    blocks = (p + LANES - 1) // LANES
    block = 0
    while not found[block]:
        block += 1
    queue[0] = block * LANES + trailing_zeros(found[block])
    found[block] &= found[block] - 1
    done, reached = 0, 1
    while done < reached < k:
        for block in range(blocks):
            waiting = found[block]
            if waiting:
                found[block] &= at_least(squares_from(relative, queue[done], block * LANES, axes), bound)
                bits = waiting ^ found[block]
                while bits:
                    queue[reached] = block * LANES + trailing_zeros(bits)
                    bits &= bits - 1
                    reached += 1
        done += 1
    return reached == k
