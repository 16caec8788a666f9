"""Reduction of the reduced boundary matrix over Z/2: which edge's loop each filler closes.

The transpose is reduced (cohomology: de Silva, Morozov and Vejdemo-Johansson 2011): of two rows with the same earliest
column the later one keeps it, and is added to the other. Here the homology direction spends most of its work on
columns that become zero.

Rows may be taken in any order, if one that holds a column gives it up to a later row (Morozov and Nigmetov, Towards
lockfree persistent homology, SPAA 2020). They are taken in their order in space: rows and columns that meet lie near
to each other then, while in the order of the filtration every step would be a cache miss.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from tcs.persistence.compute.kernels import doubled, kernel
from tcs.persistence.compute.sorting import earlier, settle

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tcs.persistence.compute.team import Team


def pair(
    births: NDArray[np.float64], deaths: NDArray[np.float64], entries: NDArray[Any], sizes: NDArray[np.int64],
    team: Team, cuts: NDArray[np.int64] | None = None,
) -> NDArray[Any]:  # fmt: skip
    """The column paired with each row, or -1 for an essential class.

    Blocks are worked on side by side: a row waits when its earliest column is one of another block.

    Args:
        births, deaths: lengths, not negative, of rows (r,) and columns (k,), by which they come in the filtration;
            equals come in the order of their places.
        entries: rows of all columns on end, each once in a column. ``sizes`` (k,): how many each column has.
        cuts: the rows and columns at which blocks begin and the last one ends (b + 1, 2); one block, if not given.
            Wherever they are the pairs are the same, but few rows should have to wait.
    """
    if cuts is None:
        cuts = np.array([[0, 0], [len(births), len(deaths)]])
    begins, columns = transposed(len(births), entries, sizes)
    start, stop = begins[:-1].copy(), begins[1:].copy()
    owner = np.full(len(deaths), -1, dtype=entries.dtype)

    def work(first: int, last: int, low: int, high: int) -> Any:
        into_order(deaths, columns, begins[first : last + 1])
        return reduce_rows(np.arange(first, last), births, deaths, columns, start, stop, owner, low, high)

    rows, borders = (list(itertools.pairwise(each.tolist())) for each in cuts.T)
    found = team.run(
        "reduce", work, [(*of_rows, *of_columns) for of_rows, of_columns in zip(rows, borders, strict=True)]
    )
    waiting = np.concatenate([left for _, left in found])
    if len(waiting):
        shift = 0
        for (changed, _), (first, last) in zip(found, rows, strict=True):
            moved = start[first:last] >= len(columns)
            start[first:last][moved] += shift
            stop[first:last][moved] += shift
            shift += len(changed)
        columns = np.concatenate([columns, *(changed for changed, _ in found)])
        reduce_rows(waiting, births, deaths, columns, start, stop, owner, 0, len(deaths))
    paired = np.full(len(births), -1, dtype=entries.dtype)
    ends = np.flatnonzero(owner >= 0)
    paired[owner[ends]] = ends
    return paired


@kernel
def transposed(n_rows: int, entries: NDArray[Any], sizes: NDArray[np.int64]) -> Any:
    """Where the columns of each row begin (n_rows + 1,), and the columns of all rows on end."""
    begins = np.zeros(n_rows + 1, np.int64)
    for row in entries:
        begins[row + 1] += 1
    for row in range(n_rows):
        begins[row + 1] += begins[row]
    columns = np.empty_like(entries)
    place = begins[:-1].copy()
    at = 0
    for column in range(len(sizes)):
        for i in range(at, at + sizes[column]):
            row = entries[i]
            columns[place[row]] = column
            place[row] += 1
        at += sizes[column]
    return begins, columns


@kernel
def into_order(deaths: NDArray[np.float64], columns: NDArray[Any], begins: NDArray[np.int64]) -> None:
    """Sort the columns of some rows, which are in the order of their places."""
    for row in range(len(begins) - 1):
        settle(deaths, columns[begins[row] : begins[row + 1]])


@kernel
def reduce_rows(
    rows: NDArray[np.int64], births: NDArray[np.float64], deaths: NDArray[np.float64], columns: NDArray[Any],
    start: NDArray[np.int64], stop: NDArray[np.int64], owner: NDArray[Any], low: int, high: int,
) -> Any:  # fmt: skip
    """Reduce rows until each is the owner of its earliest column, is empty, or waits.

    Args:
        columns, start, stop: the columns of each row, the earliest first, and where they begin and end. Those of rows
            that are changed lie in another array, which is thought of as coming behind ``columns``.
        owner: the row that holds each column, or -1.
        low, high: a row waits when its earliest column is not one from ``low`` to before ``high``.

    Returns:
        The columns of changed rows, and the rows that wait.
    """
    offset = len(columns)
    changed, used = np.empty(64 + len(rows), columns.dtype), 0
    waiting, number = np.empty(64, np.int64), 0
    current, spare = np.empty(64, columns.dtype), np.empty(64, columns.dtype)
    for first in rows:
        row, new = first, False
        m = stop[row] - start[row]
        while m > len(current):
            current, spare = doubled(current), doubled(spare)
        current[:m] = columns[start[row] : stop[row]]
        while m > 0:
            column, begin, end = current[0], 0, 0
            held, other = low <= column < high and owner[column] >= 0, row
            if held:
                other = owner[column]
                begin, end = start[other], stop[other]
            if not held or earlier(births, other, row):
                if low <= column < high:
                    owner[column] = row
                else:
                    if number == len(waiting):
                        waiting = doubled(waiting)
                    waiting[number] = row
                    number += 1
                if new:
                    while used + m > len(changed):
                        changed = doubled(changed)
                    changed[used : used + m] = current[:m]
                    start[row], stop[row] = offset + used, offset + used + m
                    used += m
                if not held:
                    break
                row = other
            while m + end - begin > len(spare):
                current, spare = doubled(current), doubled(spare)
            if begin < offset:
                m = add(current[:m], columns[begin:end], deaths, spare)
            else:
                m = add(current[:m], changed[begin - offset : end - offset], deaths, spare)
            current, spare = spare, current
            new = True
    return changed[:used].copy(), waiting[:number].copy()


@kernel
def add(a: NDArray[Any], b: NDArray[Any], deaths: NDArray[np.float64], to: NDArray[Any]) -> int:
    """Write the sum over Z/2 of two rows, whose columns are in order, to ``to``; how many columns it has."""
    i = j = k = 0
    while i < len(a) and j < len(b):
        if a[i] == b[j]:
            i += 1
            j += 1
        elif earlier(deaths, a[i], b[j]):
            to[k] = a[i]
            i += 1
            k += 1
        else:
            to[k] = b[j]
            j += 1
            k += 1
    while i < len(a):
        to[k] = a[i]
        i += 1
        k += 1
    while j < len(b):
        to[k] = b[j]
        j += 1
        k += 1
    return k
