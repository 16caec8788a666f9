"""H2: known answers, the textbook on small complexes, Ripser on larger ones, bit for bit, on every way through."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import sparse

pytest.importorskip("numba", reason="the engine's kernels are compiled by numba")

from clouds import SMALL, by_grid, torus
from reference import lengths
from tcs.persistence import rips
from tcs.persistence.errors import InputError
from tcs.persistence.graph import lunes as graph_lunes
from tcs.persistence.voids import graph_loops

INF = np.inf
OCTAHEDRON = np.concatenate([np.eye(3), -np.eye(3)])
ROOT2 = float(np.float32(np.sqrt(2)))


def textbook(distances: Any, threshold: float = INF) -> Any:
    """H2 of the flag complexes of a small matrix: every simplex, one matrix over Z/2, columns in order, from the left.

    Edelsbrunner and Harer, Computational Topology (2010), section VII.1; lengths as Ripser has them.
    """
    d = np.asarray(distances, dtype=np.float32)
    d = np.where(d <= np.float32(threshold), d, np.float32(INF))
    value: dict[tuple[int, ...], Any] = {(v,): np.float32(0) for v in range(len(d))}
    for size in (2, 3, 4):
        for simplex in itertools.combinations(range(len(d)), size):
            longest = max(d[u, v] for u, v in itertools.combinations(simplex, 2))
            if longest < INF:
                value[simplex] = longest
    order = sorted(value, key=lambda simplex: (value[simplex], len(simplex), simplex))
    place = {simplex: i for i, simplex in enumerate(order)}
    reduced: dict[int, set[int]] = {}
    opened: dict[int, Any] = {}
    for i, simplex in enumerate(order):
        faces = itertools.combinations(simplex, len(simplex) - 1) if len(simplex) > 1 else ()
        column = {place[face] for face in faces}
        while column and max(column) in reduced:
            column ^= reduced[max(column)]
        if column:
            reduced[max(column)] = column
            if max(column) in opened:
                opened[max(column)] = value[simplex]
        elif len(simplex) == 3:
            opened[i] = np.float32(INF)
    bars = sorted((value[order[i]], death) for i, death in opened.items() if value[order[i]] < death)
    return np.array(bars, dtype=np.float32).reshape(-1, 2)


def ripser(distances: Any) -> list[Any]:
    """H0, H1 and H2 by ripser.py, from lengths that are rounded already."""
    package = pytest.importorskip("ripser", reason="a peer to compare with")
    found = package.ripser(distances, maxdim=2, distance_matrix=True)["dgms"]
    return [in_order(bars.astype(np.float32)) for bars in found]


def in_order(bars: Any) -> Any:
    bars = bars[bars[:, 0] < bars[:, 1]]
    return bars[np.lexsort((bars[:, 1], bars[:, 0]))]


def as_sparse(distances: Any, threshold: float) -> Any:
    low, high = np.nonzero(np.triu((distances <= np.float32(threshold)) & (distances < INF), 1))
    return sparse.coo_matrix((distances[low, high], (low, high)), shape=distances.shape)


def random_matrix(seed: int, n: int, values: int, missing: float) -> Any:
    """Symmetric weights, ties if ``values`` is small, a share of pairs never joined; no triangle inequality."""
    rng = np.random.default_rng(seed)
    upper = np.triu(rng.integers(0, values, (n, n)) / min(values, 1000), 1)
    upper[np.triu(rng.random((n, n)) < missing, 1)] = INF
    return upper + upper.T


def voids(points: Any, threshold: float = INF, **more: Any) -> Any:
    return rips(points, threshold=threshold, max_dimension=2, **more).bars[2]


@pytest.fixture(params=["rows", "bits"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Graphs are worked on by walking along rows, and as rows of bits."""
    for module in (graph_loops, graph_lunes):
        monkeypatch.setattr(module, "is_dense", lambda graph, threads: request.param == "bits")
    # parts of a few edges, so that there are several
    monkeypatch.setattr(graph_loops, "PART_EDGES", 16)


@pytest.mark.parametrize(
    "solve", [voids, lambda *given: by_grid(*given, max_dimension=2).bars[2]], ids=["graph", "grid"]
)
def test_the_void_of_an_octahedron(solve: Any) -> None:
    """It opens with the sides, and the first diagonal fills it: the four other vertices are a loop of its lune."""
    assert solve(OCTAHEDRON, 3.0).tolist() == [[ROOT2, 2]]
    assert solve(OCTAHEDRON, 1.9).tolist() == [[ROOT2, INF]]
    assert solve(OCTAHEDRON, 1.4).tolist() == []
    two = np.concatenate([OCTAHEDRON, 3 * OCTAHEDRON + 9])
    assert solve(two, 6.0).tolist() == [[ROOT2, 2], [float(np.float32(np.sqrt(18))), 6]]


@pytest.mark.parametrize("dimension", [2, 4, 5])
def test_other_cross_polytopes_have_none(dimension: int) -> None:
    """The boundary of the d-dimensional one is a sphere of dimension d - 1."""
    assert voids(np.concatenate([np.eye(dimension), -np.eye(dimension)])).tolist() == []


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("k", [4, 5, 8, 33, 70])
def test_suspended_cycles(k: int) -> None:
    """Two poles over a cycle of k vertices: the void opens with the last side, and the edge of the poles fills it."""
    cycle = np.arange(k)
    low, high = np.concatenate([[cycle, (cycle + 1) % k], [cycle, 0 * cycle + k], [cycle, 0 * cycle + k + 1]], axis=1)
    values = np.concatenate([np.full(k, 3.0), np.full(k, 2.0), np.full(k, 2.5)])
    values[k - 1] = 4
    for pole_to_pole, death in ((7.0, 7), (0.0, None), (INF, INF)):
        ends = (np.append(low, k), np.append(high, k + 1)) if pole_to_pole < INF else (low, high)
        weights = np.append(values, pole_to_pole) if pole_to_pole < INF else values
        graph = sparse.coo_matrix((weights, ends), shape=(k + 2, k + 2))
        found = voids(graph, metric="precomputed").tolist()
        # poles that are joined from the start leave no void to open
        assert found == ([] if death is None else [[4, death]])


@pytest.mark.usefixtures("way")
def test_one_edge_fills_several_voids() -> None:
    """Poles over three cycles that share nothing, and over a complete bipartite graph: a class for each loop."""
    for ring, classes in ((_cycles(3, 5), 3), (_bipartite(4, 5), 12), (_bipartite(9, 10), 72)):
        k = 1 + max(max(pair) for pair in ring)
        edges = [*ring, *((v, k) for v in range(k)), *((v, k + 1) for v in range(k)), (k, k + 1)]
        low, high = np.array(edges).T
        weights = np.ones(len(edges))
        weights[-1] = 2
        graph = sparse.coo_matrix((weights, (low, high)), shape=(k + 2, k + 2))
        assert voids(graph, metric="precomputed").tolist() == [[1, 2]] * classes


def _cycles(number: int, k: int) -> list[tuple[int, int]]:
    return [(c * k + i, c * k + (i + 1) % k) for c in range(number) for i in range(k)]


def _bipartite(m: int, n: int) -> list[tuple[int, int]]:
    return [(i, m + j) for i in range(m) for j in range(n)]


def test_a_torus_has_one_void() -> None:
    """W(10,000, 60) and W(10,000, 20): their counts, on which giotto-ph, GUDHI and holos-tda agree."""
    found = voids(torus(10_000), 0.17324486374855042)
    assert np.isinf(found[:, 1]).sum() == 1
    assert len(voids(torus(10_000), 0.09997846186161041)) == 26


@pytest.mark.parametrize("name", SMALL)
def test_small_clouds_have_the_textbook_s_voids(name: str) -> None:
    """Ties, duplicates, lattices: by the grid, with thresholds that are lengths; H0 and H1 are what they are alone."""
    points = SMALL[name][:22]
    distances = lengths(points)
    values = np.unique(distances)
    for threshold in (float(values[-1]), float(values[len(values) // 2])):
        found = by_grid(points, threshold, max_dimension=2)
        np.testing.assert_array_equal(found.bars[2], textbook(distances, threshold))
        for low, alone in zip(found.bars, by_grid(points, threshold).bars, strict=False):
            np.testing.assert_array_equal(low, alone)


@pytest.mark.usefixtures("way")
@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 2**32), st.integers(0, 11), st.sampled_from([1, 2, 4, 10**9]), st.sampled_from([0.0, 0.2, 0.5]),
    st.sampled_from([0.5, 1.0, INF]),
)  # fmt: skip
def test_any_weights_have_the_textbook_s_voids(
    seed: int, n: int, values: int, missing: float, threshold: float
) -> None:
    """Zero lengths, ties, gaps; no triangle inequality."""
    matrix = random_matrix(seed, n, values, missing)
    expected = textbook(matrix, threshold)
    np.testing.assert_array_equal(voids(matrix, threshold, metric="precomputed"), expected)
    np.testing.assert_array_equal(voids(as_sparse(matrix, INF), threshold, metric="precomputed"), expected)


_RNG = np.random.default_rng(7)


def _on_sphere(n: int, dimension: int) -> Any:
    x = _RNG.normal(size=(n, dimension))
    return x / np.linalg.norm(x, axis=1)[:, None]


CLOUDS = {
    "sphere": (_on_sphere(300, 3), 0.7),
    "whole sphere": (_on_sphere(80, 3), 2.0),
    "cube": (_RNG.random((600, 3)), 0.3),
    "lattice": (_RNG.integers(0, 5, (200, 3)).astype(np.float64), 2.5),
    "cubic": (np.indices((5, 5, 5)).reshape(3, -1).T.astype(np.float64), 2.0),
    "duplicates": (_RNG.random((60, 3))[_RNG.integers(0, 60, 200)], 0.6),
    "clusters": (_RNG.integers(0, 2, (250, 3)) + _RNG.normal(0, 0.1, (250, 3)), 1.2),
    "heavy tails": (_RNG.standard_cauchy((200, 3)), 4.0),
}
OTHERS = {
    "four dimensions": (_RNG.random((150, 4)), 0.8),
    "three-sphere": (_on_sphere(120, 4), 1.2),
    "eight dimensions": (_RNG.random((60, 8)), INF),
    "plane": (_RNG.random((200, 2)), 0.3),
}


@pytest.mark.parametrize("name", CLOUDS)
def test_voids_of_clouds_in_space_are_ripser_s(name: str) -> None:
    """By the grid, and by a graph."""
    points, threshold = CLOUDS[name]
    distances = lengths(points)
    expected = ripser(as_sparse(distances, threshold))
    assert len(expected[2]) or name == "cubic"
    found = by_grid(points, threshold, max_dimension=2)
    by_graph = rips(as_sparse(distances, threshold), threshold=INF, max_dimension=2, metric="precomputed")
    for here, there, right in zip(found.bars, by_graph.bars, expected, strict=True):
        np.testing.assert_array_equal(here, right)
        np.testing.assert_array_equal(there, right)


@pytest.mark.parametrize("name", OTHERS)
def test_voids_in_other_dimensions_are_ripser_s(name: str) -> None:
    """Whichever way is taken."""
    points, threshold = OTHERS[name]
    expected = ripser(as_sparse(lengths(points), threshold))
    assert len(expected[2]) or name == "plane"
    np.testing.assert_array_equal(voids(points, threshold), expected[2])


def test_more_coordinates_than_the_grid_has_axes() -> None:
    """Cells are told apart by three of four coordinates."""
    points, threshold = OTHERS["four dimensions"]
    np.testing.assert_array_equal(by_grid(points, threshold, max_dimension=2).bars[2], voids(points, threshold))


@pytest.mark.parametrize("metric", ["cityblock", "chebyshev"])
def test_other_metrics(metric: str) -> None:
    """The lattice makes ties of many kinds; the even cloud few."""
    for points in (SMALL["even"], SMALL["cubic lattice"]):
        expected = ripser(as_sparse(lengths(points, metric), INF))
        np.testing.assert_array_equal(voids(points, metric=metric), expected[2])


def test_neither_order_nor_threads_nor_scale_matter() -> None:
    """The same bars to the last bit; by a power of two the bars are scaled likewise."""
    points, threshold = CLOUDS["cube"]
    right = by_grid(points, threshold, max_dimension=2, threads=1).digest()
    assert by_grid(points, threshold, max_dimension=2, threads=3).digest() == right
    shuffled = points[np.random.default_rng(1).permutation(len(points))]
    assert by_grid(shuffled, threshold, max_dimension=2).digest() == right
    scaled = by_grid(points * 2.0**-40, threshold * 2.0**-40, max_dimension=2)
    np.testing.assert_array_equal(
        scaled.bars[2] * np.float32(2.0**40), by_grid(points, threshold, max_dimension=2).bars[2]
    )


@pytest.mark.parametrize("n", [0, 1, 2, 5])
def test_few_points(n: int) -> None:
    """No void has fewer than six vertices."""
    points = np.random.default_rng(n).random((n, 3))
    for metric in ("euclidean", "cityblock"):
        found = voids(points, metric=metric)
        assert found.shape == (0, 2)
        assert found.dtype == np.float32


def test_what_is_not_computed_is_refused() -> None:
    """Higher homology, and simplices or cycles of voids."""
    with pytest.raises(InputError, match=r"max_dimension: 3 is not computed here; give 0, 1 or 2, .* giotto-ph"):
        rips(OCTAHEDRON, threshold=1, max_dimension=3)
    both: list[dict[str, Any]] = [{"simplices": True}, {"cycles": True}]
    for asked in both:
        with pytest.raises(InputError, match=f"{next(iter(asked))}: .* set max_dimension=1"):
            rips(OCTAHEDRON, threshold=1, max_dimension=2, **asked)
