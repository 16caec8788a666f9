"""The reduction on the device, in rounds; see kernels/reduction.cu and :mod:`tcs.persistence.reduced.reduction`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tcs.persistence.cuda.device import last_of, sums_from_zero

if TYPE_CHECKING:
    from tcs.persistence.cuda.descent import Columns
    from tcs.persistence.cuda.device import Device

# Room for sums of rows, as a multiple of the entries; it is doubled when it is used up.
SUMS_AN_ENTRY = 4


def key_loops(births: Any, deaths: Any, columns: Columns, device: Device) -> Any:
    """The bits of birth and death of the loop that each row opens, float32, the birth in the upper half.

    Args:
        births, deaths: squared lengths of rows (r,) and columns (k,), in any order.
        columns: rows of each column.

    Returns:
        uint64 (r,); all bits are set for loops that are filled at once.
    """
    xp, r = device.xp, len(births)
    row_order, column_order = (
        xp.argsort(each.view(np.uint64), kind="stable").astype(np.uint32) for each in (births, deaths)
    )
    table, start, stop = _rows(r, columns, row_order, column_order, device)
    births, deaths = births[row_order], deaths[column_order]
    owner = xp.zeros(len(deaths), np.uint32)
    cursor, unfinished = len(table), True
    table = _grown(table, (1 + SUMS_AN_ENTRY) * len(table) + 64, device)
    while unfinished:
        state = xp.asarray(np.array([cursor, 0], np.uint64))
        device.launch("claim", r, r, table, start, stop, owner)
        device.launch("add_owners", r, r, table, len(table), start, stop, owner, state)
        cursor, unfinished = device.to_host(state).tolist()
        if cursor > len(table):
            cursor = len(table)
            table = _grown(table, 2 * len(table), device)
    keys = xp.empty(r, np.uint64)
    device.launch("key_loops", r, r, row_order, births, deaths, table, start, stop, keys)
    return keys


def _rows(r: int, columns: Columns, row_order: Any, column_order: Any, device: Device) -> tuple[Any, Any, Any]:
    """The columns of all rows on end, and where those of each begin and end, all in the order of the filtration."""
    xp, k = device.xp, len(columns.sizes)
    ranks = []
    for order in (row_order, column_order):
        ranks.append(xp.empty(len(order), np.uint32))
        device.launch("invert", len(order), len(order), order, ranks[-1])
    sums = sums_from_zero(columns.sizes, xp, np.uint64)
    m = last_of(sums, device)
    keys = xp.empty(m, np.uint64)
    device.launch("key_entries", k, k, columns.begins, columns.sizes, columns.entries, *ranks, sums, keys)
    keys.sort()
    table, start, stop = xp.empty(m, np.uint32), xp.zeros(r, np.uint64), xp.zeros(r, np.uint64)
    device.launch("cut_rows", m, m, keys, table, start, stop)
    return table, start, stop


def _grown(table: Any, size: int, device: Device) -> Any:
    grown = device.xp.empty(size, table.dtype)
    grown[: len(table)] = table
    return grown
