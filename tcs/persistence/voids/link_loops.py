"""Loops of a small flag complex, such as the lune of an edge: a cycle for each generator of H1 over Z/2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tcs.persistence.compute.kernels import doubled, kernel
from tcs.persistence.voids.links import ONE, WORD, lowest, size_of

if TYPE_CHECKING:
    from numpy.typing import NDArray


@kernel
def enter_pair(closed: NDArray[np.uint64], x: int, y: int) -> None:
    """Join two vertices of a table, or a vertex to itself."""
    closed[x, y // WORD] |= ONE << np.uint64(y % WORD)
    closed[y, x // WORD] |= ONE << np.uint64(x % WORD)


@kernel
def holds(row: NDArray[np.uint64], x: int) -> bool:
    """Whether x is in a set."""
    return bool((row[x // WORD] >> np.uint64(x % WORD)) & ONE)


@kernel
def loops(closed: NDArray[np.uint64], left: NDArray[np.uint64]) -> Any:
    """Cycles that generate H1 of the flag complex on a set of vertices: one for each of a basis.

    Edges enter vertex by vertex, in the order of a walk through each component, first in breadth. Each carries its
    values under a basis of H1 cocycles of what has entered, one bit a class, as annotations of the edges (Dey, Fan
    and Wang, SoCG 2014): 0 on the edges of the walk's tree, a class of its own on an edge that closes a loop, and on
    any other edge what the first triangle on it asks for. A triangle whose values do not add up to 0 ends a class;
    of the triangles on an edge whose third vertices are in one piece all do if one does, so one is looked at.
    In the end the loops that some edges close in the tree generate: those whose values are a basis.

    Args:
        closed: neighbours (k, words). ``left``: a set (words,).

    Returns:
        Vertices of all cycles on end, each a closed walk along edges that visits no vertex twice, and where each
        begins, with the end of the last.
    """
    order, parent, depth = walk(closed, left)
    m = len(order)
    words = (m + WORD - 1) // WORD
    rows = np.zeros((m, words), np.uint64)
    for j in range(m):
        for i in range(j):
            if holds(closed[order[j]], order[i]):
                enter_pair(rows, i, j)
    lune, wave = np.empty(words, np.uint64), np.empty(words, np.uint64)
    number = np.full((m, m), -1, np.int32)
    ends = np.empty((64, 2), np.int32)
    values = np.zeros((64, 1), np.uint64)
    live = np.zeros(1, np.uint64)
    edges = 0
    for j in range(m):
        for i in range(j):
            if not holds(rows[j], i):
                continue
            if edges == len(ends):
                ends, values = doubled(ends), doubled(values)
            e = edges
            edges += 1
            number[i, j] = number[j, i] = e
            ends[e, 0], ends[e, 1] = i, j
            values[e] = np.uint64(0)
            for word in range(words):
                lune[word] = rows[i, word] & rows[j, word]
            keep_below(lune, i)
            filled = False
            w = next_part(rows, lune, wave)
            while w >= 0:
                a, b = number[w, i], number[w, j]
                if filled:
                    end_class(values, edges, a, b, e, live)
                else:
                    filled = True
                    for c in range(len(live)):
                        values[e, c] = values[a, c] ^ values[b, c]
                w = next_part(rows, lune, wave)
            if not filled and parent[j] != i:
                values, live, bit = new_class(values, live)
                values[e, bit // WORD] |= ONE << np.uint64(bit % WORD)
    return cycles_of(ends[:edges], values, parent, depth, order, live)


@kernel
def walk(closed: NDArray[np.uint64], left: NDArray[np.uint64]) -> Any:
    """The vertices of a set that have neighbours in it, first in breadth, their parents (places), and depths."""
    count = size_of(left)
    order, parent, depth = np.empty(count, np.int64), np.full(count, -1, np.int64), np.zeros(count, np.int64)
    unseen = left.copy()
    reached = 0
    for at in range(len(left)):
        while unseen[at] != 0:
            start = reached
            order[reached] = WORD * at + lowest(unseen[at])
            parent[reached], depth[reached] = -1, 0
            reached += 1
            unseen[at] &= unseen[at] - ONE
            done = start
            while done < reached:
                x = order[done]
                for i in range(len(left)):
                    fresh = unseen[i] & closed[x, i]
                    unseen[i] ^= fresh
                    while fresh != 0:
                        order[reached] = WORD * i + lowest(fresh)
                        parent[reached], depth[reached] = done, depth[done] + 1
                        reached += 1
                        fresh &= fresh - ONE
                done += 1
            if reached == start + 1:
                reached = start
    return order[:reached], parent[:reached], depth[:reached]


@kernel
def keep_below(row: NDArray[np.uint64], x: int) -> None:
    """Drop the vertices from x on from a set."""
    row[x // WORD] &= (ONE << np.uint64(x % WORD)) - ONE
    row[x // WORD + 1 :] = np.uint64(0)


@kernel
def next_part(closed: NDArray[np.uint64], left: NDArray[np.uint64], wave: NDArray[np.uint64]) -> int:
    """Take the component of its first vertex, which is returned, out of a set; -1 if it is empty.

    ``wave`` is room for a set.
    """
    words = len(left)
    at = 0
    while at < words and left[at] == 0:
        at += 1
    if at == words:
        return -1
    first = WORD * at + lowest(left[at])
    left[at] &= left[at] - ONE
    wave[:] = np.uint64(0)
    x = first
    while True:
        remaining = np.uint64(0)
        for i in range(words):
            fresh = left[i] & closed[x, i]
            left[i] ^= fresh
            wave[i] |= fresh
            remaining |= left[i]
        at = 0
        while at < words and wave[at] == 0:
            at += 1
        if remaining == 0 or at == words:
            return first
        x = WORD * at + lowest(wave[at])
        wave[at] &= wave[at] - ONE


@kernel
def new_class(values: NDArray[np.uint64], live: NDArray[np.uint64]) -> Any:
    """Take the first bit that is not live, with more room in the values of edges if all are."""
    bit = 0
    while bit < WORD * len(live) and holds(live, bit):
        bit += 1
    if bit == WORD * len(live):
        more, room = np.zeros(2 * len(live), np.uint64), np.zeros((len(values), 2 * len(live)), np.uint64)
        more[: len(live)] = live
        room[:, : len(live)] = values
        live, values = more, room
    live[bit // WORD] |= ONE << np.uint64(bit % WORD)
    return values, live, bit


@kernel
def end_class(values: NDArray[np.uint64], edges: int, a: int, b: int, c: int, live: NDArray[np.uint64]) -> None:
    """Make the values of the three edges of a triangle add up to 0, at the cost of one class if they do not."""
    words = len(live)
    bit = -1
    for i in range(words):
        total = values[a, i] ^ values[b, i] ^ values[c, i]
        if total != 0:
            bit = WORD * i + lowest(total)
            break
    if bit < 0:
        return
    total_values = values[a] ^ values[b] ^ values[c]
    for e in range(edges):
        if holds(values[e], bit):
            for i in range(words):
                values[e, i] ^= total_values[i]
    live[bit // WORD] ^= ONE << np.uint64(bit % WORD)


@kernel
def cycles_of(
    ends: NDArray[np.int32], values: NDArray[np.uint64], parent: NDArray[np.int64], depth: NDArray[np.int64],
    order: NDArray[np.int64], live: NDArray[np.uint64],
) -> Any:  # fmt: skip
    """The loops that edges close in the tree, for the first edges whose values are a basis."""
    wanted = size_of(live)
    vertices, starts = np.empty(16, np.int64), np.zeros(wanted + 1, np.int64)
    # values reduced to echelon form, and the lowest bit of each
    basis, pivots = np.empty((wanted, len(live)), np.uint64), np.empty(wanted, np.int64)
    found = total = 0
    for e in range(len(ends)):
        if found == wanted:
            break
        rest = values[e].copy()
        for f in range(found):
            if holds(rest, pivots[f]):
                rest ^= basis[f]
        pivot = -1
        for i in range(len(rest)):
            if rest[i] != 0:
                pivot = WORD * i + lowest(rest[i])
                break
        if pivot < 0:
            continue
        basis[found], pivots[found] = rest, pivot
        i, j = ends[e, 0], ends[e, 1]
        while total + len(order) > len(vertices):
            vertices = doubled(vertices)
        # up from i to the meeting point, then from j, which is written from behind
        begin, last = total, total + len(order)
        while i != j:
            if depth[i] >= depth[j]:
                vertices[total] = order[i]
                total += 1
                i = parent[i]
            else:
                last -= 1
                vertices[last] = order[j]
                j = parent[j]
        vertices[total] = order[i]
        total += 1
        for at in range(last, begin + len(order)):
            vertices[total] = vertices[at]
            total += 1
        found += 1
        starts[found] = total
    return vertices[:total].copy(), starts
