"""Neighbours are exactly the pairs within the threshold, and their forest is minimal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import pdist, squareform

from benchmarks.persistence import workloads
from benchmarks.persistence.neighbours import cloud_forest, neighbours, spanning_forest
from benchmarks.persistence.thresholds import TABLE

if TYPE_CHECKING:
    from numpy.typing import NDArray


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6), n=st.integers(1, 40), dimension=st.sampled_from([1, 2, 3, 13, 40]),
    whole=st.booleans(), reach=st.floats(0.05, 1.2),
)  # fmt: skip
def test_pairs_are_those_within_the_threshold(seed: int, n: int, dimension: int, whole: bool, reach: float) -> None:
    """Each pair once, with scipy's distance, below and above the dimension where the method changes."""
    rng = np.random.default_rng(seed)
    points = rng.integers(0, 3, (n, dimension)).astype(float) if whole else rng.random((n, dimension))
    threshold = reach * np.sqrt(dimension)
    found = neighbours(points, threshold)
    right = squareform(pdist(points)) if n > 1 else np.zeros((1, 1))
    expected = {(i, j) for i in range(n) for j in range(i + 1, n) if right[i, j] <= threshold}
    pairs = list(zip(found.i.tolist(), found.j.tolist(), strict=True))
    assert len(pairs) == len(expected)
    assert {(min(pair), max(pair)) for pair in pairs} == expected
    np.testing.assert_allclose(found.lengths, right[found.i, found.j], rtol=1e-14)


@pytest.mark.parametrize("square", [1, 2, 3, 4])
def test_a_length_that_equals_the_threshold_is_inside(square: int) -> None:
    """The squares that scipy compares lose sqrt 3, whose square is below 3."""
    points = workloads.lattice(3, 3)
    inside = neighbours(points, float(np.sqrt(square))).lengths
    beyond = neighbours(points, float(np.nextafter(np.sqrt(square), 0))).lengths
    assert np.sqrt(square) in inside
    assert np.sqrt(square) not in beyond


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 60), reach=st.floats(0.05, 1.5), copies=st.booleans())
def test_the_forest_has_a_tree_a_component_and_the_weight_of_kruskals(
    seed: int, n: int, reach: float, copies: bool
) -> None:
    """Lengths equal those of a plain Kruskal, zeros of coinciding points included."""
    points = workloads.duplicates(n, seed) if copies else workloads.square(n, seed)
    found = neighbours(points, reach)
    parent = list(range(n))

    def root(v: int) -> int:
        while parent[v] != v:
            v = parent[v]
        return v

    expected = []
    for length, i, j in sorted(zip(found.lengths.tolist(), found.i.tolist(), found.j.tolist(), strict=True)):
        if root(i) != root(j):
            parent[root(i)] = root(j)
            expected.append(length)
    lengths, components = spanning_forest(n, found)
    assert lengths.tolist() == expected
    graph = np.zeros((n, n))
    graph[found.i, found.j] = 1
    assert components == connected_components(graph, directed=False)[0] == n - len(expected)


@pytest.mark.parametrize(
    "points",
    [
        workloads.square(2000), workloads.torus(2000), workloads.clusters(2000), workloads.duplicates(2000),
        workloads.lattice(40), workloads.square(1), np.repeat(workloads.square(20), 50, axis=0),
        np.concatenate([workloads.square(1500), workloads.square(1500, seed=1) + 1.5]),
    ],
    ids=["square", "torus", "clusters", "duplicates", "lattice", "point", "twenty places", "two halves"],
)  # fmt: skip
@pytest.mark.parametrize("reach", [0.01, 0.03, 0.1, 0.4])
def test_the_forest_without_a_list_is_the_forest_of_the_list(points: NDArray[np.float64], reach: float) -> None:
    """Many trees, one large tree and few points outside, one tree alone: the same lengths, bit for bit."""
    lengths, components = cloud_forest(points, reach)
    right, trees = spanning_forest(len(points), neighbours(points, reach))
    assert lengths.tobytes() == right.tobytes()
    assert components == trees


def test_few_points_are_looked_up_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """At a mean degree of 60 the pairs that are listed are those of a mean degree below 10."""
    import benchmarks.persistence.neighbours as module

    listed: list[int] = []
    plain = module.neighbours

    def counted(points: NDArray[np.float64], threshold: float) -> module.Pairs:
        found = plain(points, threshold)
        listed.append(len(found.i))
        return found

    monkeypatch.setattr(module, "neighbours", counted)
    points = workloads.torus(10_000)
    cloud_forest(points, TABLE["torus", 10_000, 60])
    assert [count < 5 * len(points) for count in listed] == [True]
