"""Simplices and cycles on request: they belong to the bars beside which they stand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba", reason="the engine's kernels are compiled by numba")

from clouds import SMALL, by_grid, torus
from reference import lengths
from tcs.persistence import rips


def longest_edges(simplices: Any, distances: Any) -> Any:
    """The value of each simplex (k, m); infinite for a row of -1."""
    values = distances[simplices[:, :, None], simplices[:, None, :]].max(axis=(1, 2), initial=0)
    return np.where((simplices < 0).all(axis=1), np.inf, values)


@pytest.mark.parametrize("way", [by_grid, rips])
@pytest.mark.parametrize("name", ["even", "cubic lattice", "shells", "clusters", "duplicates", "octahedron", "torus"])
def test_they_fit_their_bars(name: str, way: Any) -> None:
    """The longest edge of a simplex is the value of its one bar; a cycle is closed, and born with its bar."""
    points = torus(400) if name == "torus" else SMALL[name]
    threshold = 0.4 if name == "torus" else 2.0
    distances = lengths(points)
    plain = way(points, threshold=threshold)
    found = way(points, threshold=threshold, simplices=True, cycles=True)
    assert found.digest() == plain.digest()
    for d in (0, 1):
        for simplices in (found.birth_simplices[d], found.death_simplices[d]):
            there = simplices[(simplices >= 0).all(axis=1)]
            assert len(np.unique(there, axis=0)) == len(there), "one simplex begins or ends two bars"
        assert np.array_equal(longest_edges(found.birth_simplices[d], distances), found.bars[d][:, 0])
        assert np.array_equal(longest_edges(found.death_simplices[d], distances), found.bars[d][:, 1])
    assert len(found.cycles[1]) == len(found.bars[1])
    for cycle, opener, birth in zip(found.cycles[1], found.birth_simplices[1], found.bars[1][:, 0], strict=True):
        edges = {tuple(sorted(edge)) for edge in cycle.tolist()}
        assert len(edges) == len(cycle), "an edge stands twice"
        assert tuple(opener.tolist()) in edges
        assert distances[cycle[:, 0], cycle[:, 1]].max() == birth
        assert (np.unique(cycle, return_counts=True)[1] % 2 == 0).all(), "not closed"


@pytest.mark.parametrize("way", [by_grid, rips])
@pytest.mark.parametrize("name", ["even", "duplicates"])
def test_each_place_begins_one_component(name: str, way: Any) -> None:
    """Whether it ends at a length or never; points at one place are joined at length zero, which is no bar."""
    points = SMALL[name]
    births = way(points, threshold=0.4, simplices=True).birth_simplices[0].ravel()
    places = {tuple(point) for point in points.tolist()}
    assert len(births) == len(places)
    assert {tuple(point) for point in points[births].tolist()} == places


@pytest.mark.parametrize("way", [by_grid, rips])
def test_of_two_components_the_one_with_the_smallest_number_lives_on(way: Any) -> None:
    """Each edge that ends a bar joins two components, and the bar began with the smallest vertex of the other one."""
    found = way(SMALL["even"], threshold=0.4, simplices=True)
    parts = {v: {v} for v in range(len(SMALL["even"]))}
    for (vertex,), edge in zip(found.birth_simplices[0].tolist(), found.death_simplices[0].tolist(), strict=True):
        if edge == [-1, -1]:
            assert vertex == min(parts[vertex])
            continue
        elder, younger = sorted((parts[v] for v in edge), key=min)
        assert elder is not younger
        assert vertex == min(younger)
        parts |= dict.fromkeys(elder | younger, elder | younger)
