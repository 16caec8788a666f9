"""Minimum spanning forest on the device; see :mod:`tcs.persistence.reduced.forest`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tcs.persistence.cuda.device import last_of, running_sums

if TYPE_CHECKING:
    from tcs.persistence.cuda.device import Device
    from tcs.persistence.cuda.lunes import Lunes


class Forest(NamedTuple):
    """What the forest leaves: ``ends`` (t,), the bits of the float32 lengths of its edges, at which components end.

    ``number`` (m,) is the row of every other edge, 2^32 - 1 for those of the forest, and ``births`` (r,) the squared
    lengths of the rows.
    """

    ends: Any
    number: Any
    births: Any


def spanning_forest(n: int, lunes: Lunes, device: Device) -> Forest:
    """The forest of the relative neighbours of n points, by Boruvka's rounds."""
    xp, m = device.xp, len(lunes.edges)
    trees, hooks = xp.arange(n, dtype=np.uint32), xp.empty(n, np.uint32)
    least, way = xp.empty(n, np.uint64), xp.empty(n, np.uint32)
    taken = xp.zeros(m, np.uint8)
    joined = True
    while joined:
        state = xp.zeros(2, np.uint32)
        device.launch("forget_ways", n, n, least, way)
        device.launch("find_least", m, m, lunes.edges, lunes.lengths, trees, least)
        device.launch("find_way", m, m, lunes.edges, lunes.lengths, trees, least, way)
        device.launch("hook", n, n, lunes.edges, trees, way, hooks, taken, state[:1])
        unfinished = True
        while unfinished:
            state[1:].fill(0)
            device.launch("find_roots", n, n, hooks, state[1:])
            joined, unfinished = device.to_host(state).tolist()
        trees, hooks = hooks, trees
    outside = xp.empty(m, np.uint32)
    device.launch("mark_rows", m, m, taken, outside)
    sums = running_sums(outside, xp)
    rows = last_of(sums, device)
    number, births, ends = xp.empty(m, np.uint32), xp.empty(rows), xp.empty(m - rows, np.uint32)
    device.launch("number_rows", m, m, taken, sums, lunes.lengths, number, births, ends)
    return Forest(ends, number, births)
