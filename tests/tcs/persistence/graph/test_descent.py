"""Boundaries pushed down in a weighted graph: cycles of relative neighbours, homologous to where they came from."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

pytest.importorskip("numba", reason="the engine's kernels are compiled by numba")

from graphs import by_definition, classified, weighted, weights_of
from tcs.persistence.graph.descent import nearest_in_lune, push_down, relative_between
from tcs.persistence.graph.graph import Graph, from_points

Edge = tuple[int, int]


def ordered(*edge: int) -> Edge:
    return min(edge), max(edge)


def random_graph(seed: int, n: int, density: float, values: int) -> Graph:
    rng = np.random.default_rng(seed)
    pairs = [pair for pair in itertools.combinations(range(n), 2) if rng.random() < density]
    return weighted(n, {pair: float(rng.integers(0, values)) for pair in pairs})


def columns(graph: Graph, number: Any, part: int) -> tuple[list[list[Edge]], Any]:
    """The column of each filler as edges, from calls for so many fillers each."""
    edges, lengths, fillers, _ = classified(graph, "walk")
    row_starts = np.searchsorted(edges[:, 0], np.arange(graph.n + 1))
    rows = np.arange(len(edges), dtype=np.int32) if number is None else number(edges)
    edge_of = {int(row): ordered(*edges[e].tolist()) for e, row in enumerate(rows) if row >= 0}
    found = []
    for first in range(0, len(fillers), part):
        last = min(first + part, len(fillers))
        entries, sizes = push_down(
            graph.starts, graph.neighbours, graph.keys, edges, lengths, row_starts, rows, fillers, first, last
        )
        assert len(sizes) == last - first
        assert sizes.sum() == len(entries)
        found += [[edge_of[int(row)] for row in part] for part in np.split(entries, np.cumsum(sizes)[:-1])]
    return found, fillers


def is_boundary(cycle: set[Edge], weights: dict[Edge, float], last: Edge) -> bool:
    """Whether a cycle is a sum of triangles of edges that come before an edge (Gauss over Z/2)."""
    before = sorted((e for e in weights if (weights[e], e) < (weights[last], last)), key=lambda e: (weights[e], e))
    place = {edge: i for i, edge in enumerate(before)}
    reduced: dict[int, set[int]] = {}

    def rest(column: set[int]) -> set[int]:
        while column and max(column) in reduced:
            column = column ^ reduced[max(column)]
        return column

    for a, b, c in itertools.combinations(sorted({v for e in before for v in e}), 3):
        sides = {(a, b), (a, c), (b, c)}
        if sides <= place.keys() and (column := rest({place[side] for side in sides})):
            reduced[max(column)] = column
    return cycle <= place.keys() and not rest({place[edge] for edge in cycle})


@settings(deadline=None, max_examples=150)
@given(st.integers(0, 2**32), st.integers(4, 12), st.floats(0.3, 1), st.sampled_from([1, 3, 10**9]), st.integers(1, 4))
def test_a_column_is_homologous_to_the_boundary_that_it_came_from(
    seed: int, n: int, density: float, values: int, part: int
) -> None:
    """The two sides through each of two components, and the relative neighbours, differ by earlier triangles."""
    graph = random_graph(seed, n, density, values)
    weights = weights_of(graph)
    found, fillers = columns(graph, None, part)
    assert len(found) == len(fillers)
    for column, (u, v, w, x) in zip(found, fillers.tolist(), strict=True):
        assert len(set(column)) == len(column)
        boundary = {ordered(u, w), ordered(v, w), ordered(u, x), ordered(v, x)}
        assert is_boundary(set(column) ^ boundary, weights, ordered(u, v))


def test_edges_of_the_forest_are_left_out_of_columns() -> None:
    """With every second relative neighbour numbered -1 a column is the same, but for those."""
    graph = random_graph(5, 40, 0.5, 10**9)

    def every_second(edges: Any) -> Any:
        rows = np.full(len(edges), -1, dtype=np.int32)
        rows[::2] = np.random.default_rng(0).permutation(len(rows[::2]))
        return rows

    edges = classified(graph, "walk")[0]
    kept = {ordered(*edge) for edge in edges[::2].tolist()}
    whole, fillers = columns(graph, None, 10**6)
    found, _ = columns(graph, every_second, 10**6)
    assert len(fillers) > 20
    assert [set(column) for column in found] == [set(column) & kept for column in whole]
    assert any(set(column) - kept for column in whole)


def test_what_is_kept_from_one_edge_to_the_next_changes_nothing() -> None:
    """Hundreds of fillers of one cloud in one call, in two calls and one by one have the same columns."""
    rng = np.random.default_rng(2)
    points = rng.random((200, 20))
    graph = from_points(points, np.inf)
    whole, fillers = columns(graph, None, 10**6)
    assert len(fillers) > 500
    assert columns(graph, None, len(fillers) // 2 + 1)[0] == whole
    assert columns(graph, None, 1)[0] == whole


def test_a_deep_descent() -> None:
    """A fan of triangles: the boundary of one filler ends at a hundred relative neighbours."""
    n = 120
    weights = {(v, v + 1): 1.0 + v / n for v in range(n)}
    weights |= {(0, v): 10.0 + v for v in range(2, n + 1)}
    weights |= {(v, n + 1): 0.5 for v in (1, n)} | {(1, n): 500.0}
    # a second way round, so that the lune of {1, n} has two components
    weights[1, n + 1] = 0.25
    graph = weighted(n + 2, weights)
    found, fillers = columns(graph, None, 10**6)
    ((column, filler),) = [pair for pair in zip(found, fillers.tolist(), strict=True) if pair[1][:2] == [1, n]]
    assert {filler[2], filler[3]} == {0, n + 1}
    assert set(column) == {(v, v + 1) for v in range(1, n)} | {(1, n + 1), (n, n + 1)}


@settings(deadline=None)
@given(st.integers(0, 2**32), st.integers(2, 16), st.floats(0.2, 1), st.sampled_from([1, 3, 10**9]))
def test_the_nearest_vertex_of_a_lune_has_the_shortest_longer_side(
    seed: int, n: int, density: float, values: int
) -> None:
    """For every edge, whichever of its ends has the longer row; -1 for relative neighbours, which are found."""
    graph = random_graph(seed, n, density, values)
    weights = weights_of(graph)
    edges, lengths, _, _ = classified(graph, "walk")
    row_starts = np.searchsorted(edges[:, 0], np.arange(graph.n + 1))
    for (u, v), parts in by_definition(weights).items():
        nearest, *found = nearest_in_lune(graph.starts, graph.neighbours, graph.keys, u, v, weights[u, v])
        place = relative_between(edges, lengths, row_starts, u, v, weights[u, v])
        if not parts:
            assert nearest == -1
            assert edges[place].tolist() == [u, v]
            continue
        assert place == -1
        sides = {w: max(weights[ordered(u, w)], weights[ordered(v, w)]) for part in parts for w in part}
        assert sides[nearest] == min(sides.values())
        assert found == [weights[ordered(u, nearest)], weights[ordered(v, nearest)]]


def test_the_row_of_a_hub_is_searched() -> None:
    """A row of 3,000 beside one of three: the same vertices are found, on ties the ones that come before."""
    n = 3000
    weights = {(5, v): 2.0 for v in range(6, n)} | {(0, 5): 2.0, (0, 7): 2.0, (0, 6): 1.0, (0, n): 0.5}
    graph = weighted(n + 1, weights)
    for u, v in [(0, 5), (5, 7)]:
        nearest, _, _ = nearest_in_lune(graph.starts, graph.neighbours, graph.keys, u, v, 2.0)
        lune = set().union(*by_definition(weights)[u, v])
        assert (nearest in lune) if lune else nearest == -1
