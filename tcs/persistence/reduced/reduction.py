"""Reduction of the reduced boundary matrix over Z/2: which edge's loop each filler closes.

The transpose is reduced (cohomology: de Silva, Morozov and Vejdemo-Johansson 2011): rows from the latest on, pivot
the earliest column. Here the homology direction spends most of its work on columns that become zero.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tcs.persistence.compute.kernels import doubled, kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray


@kernel
def pair(n_rows: int, n_columns: int, entries: NDArray[Any], ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """The column paired with each row, or -1 for an essential class.

    Args:
        entries: rows of all columns on end, column after column in the order of the filtration, each row once in a
            column. ``ends`` (n_columns + 1,): where each column begins, and the last ends.
    """
    # the transpose: columns of each row, in rising order since columns are passed in order
    begins = np.zeros(n_rows + 1, np.int64)
    for row in entries:
        begins[row + 1] += 1
    for row in range(n_rows):
        begins[row + 1] += begins[row]
    columns = np.empty(len(entries), entries.dtype)
    place = begins[:-1].copy()
    for column in range(n_columns):
        for i in range(ends[column], ends[column + 1]):
            row = entries[i]
            columns[place[row]] = column
            place[row] += 1
    paired = np.full(n_rows, -1, np.int64)
    owner = np.full(n_columns, -1, np.int64)
    # a reduced row that was changed lies in `changed`, the others stay where they are
    from_changed = np.zeros(n_rows, np.bool_)
    span = np.empty((n_rows, 2), np.int64)
    changed = np.empty(1024, columns.dtype)
    used = 0
    current, spare = np.empty(64, columns.dtype), np.empty(64, columns.dtype)
    for row in range(n_rows - 1, -1, -1):
        start, end = begins[row], begins[row + 1]
        span[row, 0], span[row, 1] = start, end
        if start == end:
            continue
        pivot = columns[start]
        if owner[pivot] < 0:
            owner[pivot], paired[row] = row, pivot
            continue
        m = end - start
        while m > len(current):
            current, spare = doubled(current), doubled(spare)
        current[:m] = columns[start:end]
        while m > 0 and owner[current[0]] >= 0:
            other = owner[current[0]]
            source = changed if from_changed[other] else columns
            i, j, stop = 0, span[other, 0], span[other, 1]
            while m + stop - j > len(spare):
                current, spare = doubled(current), doubled(spare)
            k = 0
            while i < m and j < stop:
                if current[i] == source[j]:
                    i += 1
                    j += 1
                elif current[i] < source[j]:
                    spare[k] = current[i]
                    i += 1
                    k += 1
                else:
                    spare[k] = source[j]
                    j += 1
                    k += 1
            while i < m:
                spare[k] = current[i]
                i += 1
                k += 1
            while j < stop:
                spare[k] = source[j]
                j += 1
                k += 1
            current, spare = spare, current
            m = k
        if m == 0:
            continue
        while used + m > len(changed):
            changed = doubled(changed)
        changed[used : used + m] = current[:m]
        from_changed[row] = True
        span[row, 0], span[row, 1] = used, used + m
        used += m
        owner[current[0]], paired[row] = row, current[0]
    return paired
