"""Lunes of a weighted graph, by walking along rows and by sweeping over sets of bits, against their definition."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

pytest.importorskip("numba", reason="the engine's kernels are compiled by numba")

from graphs import WAYS, by_definition, classified, weighted, weights_of
from tcs.persistence.compute.team import Team
from tcs.persistence.graph import lunes as graph_lunes
from tcs.persistence.graph.graph import Graph, from_dense
from tcs.persistence.graph.sweep import sweep


def assert_right(graph: Graph, found: Any) -> None:
    """Relative neighbours are complete and in order; each edge has as many fillers as its lune asks for."""
    edges, lengths, fillers, times = found
    weights = weights_of(graph)
    lunes = by_definition(weights)
    relative = sorted((u, weights[u, v], v) for (u, v), parts in lunes.items() if not parts)
    assert [(u, v) for u, _, v in relative] == [tuple(edge) for edge in edges.tolist()]
    assert [length for _, length, _ in relative] == lengths.tolist()
    number: dict[tuple[int, int], int] = {}
    firsts: dict[tuple[int, int], int] = {}
    for (u, v, w, x), time in zip(fillers.tolist(), times.tolist(), strict=True):
        assert time == weights[u, v]
        (here,) = [part for part in lunes[u, v] if w in part]
        (there,) = [part for part in lunes[u, v] if x in part]
        assert here is not there

        def side(vertex: int, u: int = u, v: int = v) -> float:
            return max(weights[min(u, vertex), max(u, vertex)], weights[min(v, vertex), max(v, vertex)])

        assert side(w) == min(map(side, here)) == min(side(y) for part in lunes[u, v] for y in part)
        assert side(x) == min(map(side, there))
        assert firsts.setdefault((u, v), w) == w
        number[u, v] = number.get((u, v), 0) + 1
    assert len({tuple(filler) for filler in fillers.tolist()}) == len(fillers)
    assert number == {edge: len(parts) - 1 for edge, parts in lunes.items() if len(parts) > 1}


@pytest.mark.parametrize("way", WAYS)
@settings(deadline=None, max_examples=150)
@given(st.integers(0, 2**32), st.integers(0, 24), st.floats(0, 1), st.sampled_from([1, 2, 5, 10**9]))
def test_lunes_of_any_weights_are_those_of_the_definition(
    way: str, seed: int, n: int, density: float, values: int
) -> None:
    """No triangle inequality, and anything from all weights equal to all distinct."""
    rng = np.random.default_rng(seed)
    graph = weighted(
        n, {pair: float(rng.integers(0, values)) for pair in itertools.combinations(range(n), 2)
            if rng.random() < density}
    )  # fmt: skip
    assert_right(graph, classified(graph, way))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("lattice", [False, True])
def test_lunes_of_a_cloud(way: str, threads: int, lattice: bool) -> None:
    """More vertices than bits in a word, several parts, and the ties of a lattice; any number of threads."""
    rng = np.random.default_rng(1)
    points = rng.integers(0, 5, (150, 3)) if lattice else rng.random((150, 3))
    lengths = np.sqrt(((points[:, None] - points[None]) ** 2).sum(axis=-1))
    graph = from_dense(lengths, 1.5 if lattice else 0.45)
    assert_right(graph, classified(graph, way, threads))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("hubs", [1, 2, 3])
def test_lunes_beside_hubs(way: str, hubs: int) -> None:
    """Rows much longer than others are searched instead of walked along, with the same result."""
    rng = np.random.default_rng(hubs)
    n = 400
    weights = {(hub, v): float(rng.integers(0, 6)) for hub in range(hubs) for v in range(hubs, n)}
    weights |= {(v, v + 1): float(rng.integers(0, 6)) for v in range(hubs, n - 1)}
    weights |= {(v, v + 2): float(rng.integers(0, 6)) for v in range(hubs, n - 2, 3)}
    last = weighted(n, {(n - 1 - v, n - 1 - u): weight for (u, v), weight in weights.items()})
    for graph in (weighted(n, weights), last):
        assert_right(graph, classified(graph, way))


@pytest.mark.parametrize("way", WAYS)
def test_a_lune_of_very_many_components(way: str) -> None:
    """Two vertices with 300 common neighbours that do not know each other: 299 fillers, then none."""
    weights = {(u, v): 1.0 for u in (0, 1) for v in range(2, 302)}
    graph = weighted(302, weights | {(0, 1): 2.0})
    found = classified(graph, way)
    assert len(found[2]) == 299
    assert_right(graph, found)


def test_both_ways_give_the_same_relative_neighbours_and_the_choice_is_by_size() -> None:
    """A graph of many vertices and few edges is walked along, a complete one is swept."""
    seen: list[int] = []

    def noted(graph: Graph, team: Team) -> Any:
        seen.append(graph.n)
        return sweep(graph, team)

    with pytest.MonkeyPatch.context() as patch, Team(1) as team:
        patch.setattr(graph_lunes, "sweep", noted)
        graph_lunes.classify(weighted(40_000, {(v, v + 1): 1.0 for v in range(39_999)}), team)
        graph_lunes.classify(weighted(40, dict.fromkeys(itertools.combinations(range(40), 2), 1.0)), team)
    assert seen == [40]
