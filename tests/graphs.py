"""Small weighted graphs: made, classified, reduced to bars; and their lunes by definition."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tcs.persistence.compute.team import Team
from tcs.persistence.graph import lunes as graph_lunes
from tcs.persistence.graph.descent import push_down
from tcs.persistence.graph.graph import Graph, from_pairs
from tcs.persistence.reduced.forest import spanning_forest
from tcs.persistence.reduced.reduction import pair

WAYS = ["walk", "sweep"]


def classified(graph: Graph, way: str, threads: int = 1) -> Any:
    with pytest.MonkeyPatch.context() as patch, Team(threads) as team:
        patch.setattr(graph_lunes, "is_dense", lambda graph, threads: way == "sweep")
        # parts of a few entries, so that there are several
        patch.setattr(graph_lunes, "PART_ENTRIES", 16)
        return graph_lunes.classify(graph, team)


def weighted(n: int, weights: dict[tuple[int, int], float]) -> Graph:
    pairs = sorted(weights)
    low, high = np.array(pairs, dtype=np.int32).reshape(-1, 2).T.copy()
    return from_pairs(n, low, high, np.array([weights[pair] for pair in pairs], dtype=np.float64), squares=False)


def weights_of(graph: Graph) -> dict[tuple[int, int], float]:
    tails = np.repeat(np.arange(graph.n), np.diff(graph.starts))
    return {
        (u, v): key
        for u, v, key in zip(tails.tolist(), graph.neighbours.tolist(), graph.keys.tolist(), strict=True)
        if u < v
    }


def by_definition(weights: dict[tuple[int, int], float]) -> dict[tuple[int, int], list[set[int]]]:
    """The components of the lune of each edge, in the complex of the edges before it."""
    order = sorted(weights, key=lambda edge: (weights[edge], edge))
    # sets of vertices are the bits of whole numbers, for dense graphs have millions of triangles
    before = {v: 0 for edge in weights for v in edge}
    found: dict[tuple[int, int], list[set[int]]] = {}
    for u, v in order:
        left = before[u] & before[v]
        found[u, v] = []
        while left:
            part = wave = left & -left
            while wave and part != left:
                w = wave.bit_length() - 1
                reached = before[w] & left & ~part
                part |= reached
                wave = (wave ^ 1 << w) | reached
            found[u, v].append({w for w, bit in enumerate(reversed(f"{part:b}")) if bit == "1"})
            left ^= part
        before[u] |= 1 << v
        before[v] |= 1 << u
    return found


def reduced(graph: Graph, way: str, threads: int = 1) -> list[Any]:
    """Bars of H0 and H1 of a graph: float32 (m, 2), sorted, none of length zero."""
    edges, keys, fillers, times = classified(graph, way, threads)
    with Team(threads) as team:
        tree = spanning_forest(graph.n, edges, keys, team)
        others = np.flatnonzero(~tree)
        number = np.full(len(edges), -1, dtype=np.int32)
        number[others] = np.arange(len(others), dtype=np.int32)
        row_starts = np.searchsorted(edges[:, 0], np.arange(graph.n + 1))
        entries, sizes = push_down(
            graph.starts, graph.neighbours, graph.keys, edges, keys, row_starts, number, fillers, 0,
            len(fillers),
        )  # fmt: skip
        paired = pair(keys[others], times, entries, sizes, team)
    births, deaths = length_of(graph, keys[others]), np.append(length_of(graph, times), np.float32(np.inf))
    merged = length_of(graph, keys[tree])
    low = [np.zeros(graph.n, np.float32), np.append(merged, np.full(graph.n - len(merged), np.inf, np.float32))]
    return [in_order(low), in_order([births, deaths[paired]])]


def length_of(graph: Graph, keys: Any) -> Any:
    return (np.sqrt(keys) if graph.squares else keys).astype(np.float32)


def in_order(pairs: list[Any]) -> Any:
    bars = np.stack(pairs, axis=1)
    bars = bars[bars[:, 0] < bars[:, 1]]
    return bars[np.lexsort(bars.T[::-1])]
