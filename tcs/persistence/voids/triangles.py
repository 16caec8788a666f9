"""Loops in lunes, suspended and pushed down to the triangles that fill loops: the boundary matrix of H2.

The loop z in the lune of uv stands for the 2-cycle of all triangles from an edge of z to u or to v. A triangle whose
longest edge is f and whose third vertex is c is homologous, by the tetrahedra that enter with f, to f and the root
of c's component of the lune of f, with two triangles of shorter edges for each step of the way from c to the root:
discrete Morse theory. The root of the first component is the partner of f itself, and dropped; the others are the
fillers of f. Of these, the ones that end a loop are dropped: a 2-cycle is known from the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tcs.persistence.cloud.descent import toggle
from tcs.persistence.compute.kernels import doubled, kernel, precedes
from tcs.persistence.voids.spaces import between, lune_of, nearest_of
from tcs.persistence.voids.triangle_heap import add_both, take_latest

if TYPE_CHECKING:
    from numpy.typing import NDArray


@kernel
def push_down(
    space: Any, fillers: NDArray[Any], filler_starts: NDArray[np.int64], number: NDArray[Any], bases: NDArray[Any],
    begins: NDArray[np.int64], walks: NDArray[Any], first: int, last: int,
) -> Any:  # fmt: skip
    """Columns of the boundary matrix of H2 for the loops ``first`` to ``last``.

    Args:
        space: one of the records of :mod:`.voids.spaces`.
        fillers: u, v, and a vertex of the first component of the lune of uv, and of another one (k, 4), sorted by u.
            ``filler_starts``: where those of each vertex begin.
        number: the row of each filler, or -1 for those that end a loop.
        bases: vertices u and v of the edge of each loop (l, 2). ``begins`` (l + 1,): where its vertices begin in
            ``walks``.

    Returns:
        Rows of all columns on end, and how many each column has.
    """
    entries = np.empty(4 * (last - first) + 16, number.dtype)
    sizes = np.empty(last - first, np.int64)
    total = 0
    ages, corners, thirds = np.empty(64), np.empty((64, 3), np.int64), np.empty(64, np.int64)
    members = np.empty(64, np.int64)
    for column in range(first, last):
        begin = total
        size = 0
        x = walks[begins[column + 1] - 1]
        for i in range(begins[column], begins[column + 1]):
            y = walks[i]
            size, ages, corners = add_both(space, ages, corners, size, bases[column, 0], bases[column, 1], x, y)
            x = y
        while size > 0:
            length, a, b = ages[0], corners[0, 0], corners[0, 1]
            m, thirds, size = take_latest(ages, corners, size, thirds)
            if m == 0:
                continue
            here, end = fillers_of(fillers, filler_starts, a, b)
            if here == end:
                root = nearest_of(space, a, b, length)
                if root < 0:
                    # without this a fault in any kernel before would show as memory that is read at random
                    raise ArithmeticError("the longest edge of a triangle has an empty lune; please report this")
                if all_joined(space, thirds[:m], root, length, a, b):
                    for i in range(m):
                        if thirds[i] != root:
                            size, ages, corners = add_both(space, ages, corners, size, a, b, thirds[i], root)
                    continue
                roots = np.array([root])
            else:
                roots = np.append(fillers[here, 2:3], fillers[here:end, 3]).astype(np.int64)
            k, members = lune_of(space, a, b, length, members)
            parent, order = ways(space, members[:k], roots, length, a, b)
            odd = np.zeros(k, np.bool_)
            for i in range(m):
                odd[np.searchsorted(members[:k], thirds[i])] = True
            for at in range(k - 1, len(roots) - 1, -1):
                i = order[at]
                if odd[i]:
                    odd[parent[i]] ^= True
                    x, y = members[i], members[parent[i]]
                    size, ages, corners = add_both(space, ages, corners, size, a, b, x, y)
            for part in range(1, len(roots)):
                row = number[here + part - 1]
                if row >= 0 and odd[order[part]]:
                    total = toggle(entries, begin, total, row)
                    if total == len(entries):
                        entries = doubled(entries)
        sizes[column - first] = total - begin
    return entries[:total].copy(), sizes


@kernel
def fillers_of(fillers: NDArray[Any], starts: NDArray[np.int64], a: int, b: int) -> tuple[int, int]:
    """Where the fillers of the edge ab, a < b, begin and end."""
    here, end = starts[a], starts[a + 1]
    while here < end and fillers[here, 1] != b:
        here += 1
    stop = here
    while stop < end and fillers[stop, 1] == b:
        stop += 1
    return here, stop


@kernel
def all_joined(space: Any, vertices: NDArray[np.int64], root: int, length: float, a: int, b: int) -> bool:
    """Whether some vertices of the lune of ab are all joined to a root in it, or equal to it."""
    joined = True
    for c in vertices:
        joined &= c == root or precedes(between(space, c, root), c, root, length, a, b)
    return joined


@kernel
def ways(space: Any, members: NDArray[np.int64], roots: NDArray[np.int64], length: float, a: int, b: int) -> Any:
    """Trees, grown first in breadth, from the roots through a lune: parent (k,) of each member, and members by age.

    Both hold places in ``members``; the roots, one in each component, are the first.
    """
    k = len(members)
    parent, order = np.full(k, -1, np.int64), np.empty(k, np.int64)
    left = np.arange(k)
    for i in range(len(roots)):
        order[i] = np.searchsorted(members, roots[i])
        left[order[i]] = -1
    left = left[left >= 0]
    number, waiting = len(roots), len(left)
    done = 0
    while waiting > 0 and done < number:
        w = order[done]
        kept = 0
        for i in range(waiting):
            x = left[i]
            if precedes(between(space, members[w], members[x]), members[w], members[x], length, a, b):
                parent[x], order[number] = w, x
                number += 1
            else:
                left[kept] = x
                kept += 1
        waiting = kept
        done += 1
    if waiting > 0:
        raise ArithmeticError("a lune has more components than fillers; please report this")
    return parent, order
