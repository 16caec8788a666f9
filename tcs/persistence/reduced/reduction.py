"""Reduction of the reduced boundary matrix over Z/2: which edge's loop each filler closes.

The transpose is reduced (cohomology: de Silva, Morozov and Vejdemo-Johansson 2011): of two rows with the same earliest
column the later one keeps it, and is added to the other. Here the homology direction spends most of its work on
columns that become zero.

Rows may be taken in any order, if one that holds a column gives it up to a later row (Morozov and Nigmetov, Towards
lockfree persistent homology, SPAA 2020). They are taken in their order in space: rows and columns that meet lie near
to each other then, while in the order of the filtration every step would be a cache miss.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tcs.persistence.compute.kernels import doubled, kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Up to so many columns are sorted by insertion.
FEW = 32


@kernel
def pair(
    births: NDArray[np.float64], deaths: NDArray[np.float64], entries: NDArray[Any], sizes: NDArray[np.int64]
) -> NDArray[Any]:
    """The column paired with each row, or -1 for an essential class.

    Args:
        births, deaths: lengths, not negative, of rows (r,) and columns (k,), by which they come in the filtration;
            equals come in the order of their places.
        entries: rows of all columns on end, each once in a column. ``sizes`` (k,): how many each column has.
    """
    begins, columns = transposed(len(births), entries, sizes)
    for row in range(len(births)):
        into_order(deaths, columns, begins[row], begins[row + 1])
    owner = owners(births, deaths, begins, columns)
    paired = np.full(len(births), -1, entries.dtype)
    for column in range(len(owner)):
        if owner[column] >= 0:
            paired[owner[column]] = column
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
def into_order(deaths: NDArray[np.float64], columns: NDArray[Any], begin: int, end: int) -> None:
    """Sort the columns of a row, which are in the order of their places: by insertion, or by merging if many."""
    if end - begin > FEW:
        own = columns[begin:end].copy()
        columns[begin:end] = own[np.argsort(deaths[own], kind="mergesort")]
        return
    for i in range(begin + 1, end):
        column, j = columns[i], i
        while j > begin and deaths[columns[j - 1]] > deaths[column]:
            columns[j] = columns[j - 1]
            j -= 1
        columns[j] = column


@kernel
def earlier(lengths: NDArray[np.float64], a: int, b: int) -> bool:
    """Whether a comes before b in the order by length, equals by their place."""
    return lengths[a] < lengths[b] or (lengths[a] == lengths[b] and a < b)


@kernel
def owners(
    births: NDArray[np.float64], deaths: NDArray[np.float64], begins: NDArray[np.int64], columns: NDArray[Any]
) -> NDArray[Any]:
    """The row of which each column is the earliest once all rows are reduced, or -1.

    Args:
        begins, columns: the columns of each row, the earliest first.
    """
    owner = np.full(len(deaths), -1, columns.dtype)
    # rows that are changed are put behind the others
    pool, used = np.empty(len(columns) + len(columns) // 4 + 64, columns.dtype), len(columns)
    pool[:used] = columns
    start, stop = begins[:-1].copy(), begins[1:].copy()
    current, spare = np.empty(64, columns.dtype), np.empty(64, columns.dtype)
    for first in range(len(births)):
        row, changed = first, False
        m = stop[row] - start[row]
        if m == 0:
            continue
        if owner[pool[start[row]]] < 0:
            owner[pool[start[row]]] = row
            continue
        while m > len(current):
            current, spare = doubled(current), doubled(spare)
        current[:m] = pool[start[row] : stop[row]]
        while m > 0:
            column, other = current[0], owner[current[0]]
            begin, end = (start[other], stop[other]) if other >= 0 else (0, 0)
            if other < 0 or earlier(births, other, row):
                owner[column] = row
                if changed:
                    while used + m > len(pool):
                        pool = doubled(pool)
                    pool[used : used + m] = current[:m]
                    start[row], stop[row] = used, used + m
                    used += m
                if other < 0:
                    break
                row = other
            while m + end - begin > len(spare):
                current, spare = doubled(current), doubled(spare)
            m = add(current[:m], pool[begin:end], deaths, spare)
            current, spare = spare, current
            changed = True
    return owner


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
