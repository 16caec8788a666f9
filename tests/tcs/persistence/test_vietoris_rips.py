"""Bars of clouds: known answers, the textbook's on small clouds, those of Ripser's kin on larger ones; to the bit."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings, strategies as st
from hypothesis.extra.numpy import arrays

pytest.importorskip("numba", reason="the engine's kernels are compiled by numba")

from battery import DENSE
from clouds import SMALL, by_grid, torus
from reference import Bars, bars, lengths, rips_bars
from tcs.persistence import Barcode, rips

INF = math.inf
ROOT2 = float(np.float32(np.sqrt(2)))


def assert_bars(found: Barcode, right: Sequence[Any]) -> None:
    assert len(found.bars) == len(right)
    for d, (here, there) in enumerate(zip(found.bars, right, strict=True)):
        np.testing.assert_array_equal(here, there, err_msg=f"H{d}")
        assert here.dtype == np.float32


def both_ways(points: Any, threshold: float, threads: int = 1) -> list[Barcode]:
    """By the grid, and by the way that is taken when nothing is said."""
    return [way(points, threshold=threshold, threads=threads) for way in (by_grid, rips)]


@pytest.mark.parametrize(
    ("threshold", "counts"),
    [(0.09997846186161041, [9_999, 1, 2_624, 160]), (0.17324486374855042, [9_999, 1, None, 2])],
    ids=["k=20", "k=60"],
)
@pytest.mark.parametrize("threads", [1, 2])
def test_the_torus_of_ten_thousand_points(threshold: float, counts: list[int | None], threads: int) -> None:
    """W(10,000, k): the counts on which five engines agree; at k = 60 the two loops of the torus stay open."""
    result = rips(torus(10_000), threshold=threshold, threads=threads)
    for (d, kind), right in zip(
        [(0, "finite"), (0, "essential"), (1, "finite"), (1, "essential")], counts, strict=True
    ):
        assert right is None or len(getattr(result, kind)(d)) == right
    assert result.n_points == 10_000
    assert result.threshold == threshold
    assert {"grid", "lune", "forest", "push-down", "sort", "reduce"} == set(result.stages)


@pytest.mark.parametrize("n", [3, 4, 5, 6, 7, 9, 12, 20, 100])
def test_regular_polygons(n: int) -> None:
    """The loop of n points on a circle lives from a side to the chord over a third of them (Adamaszek 2013)."""
    angle = 2 * np.pi * np.arange(n) / n
    for found in both_ways(np.stack([np.cos(angle), np.sin(angle)], axis=1), 3.0):
        # of equal chords one or the other may be the longest by a rounding
        loops = found.bars[1][found.bars[1][:, 1] - found.bars[1][:, 0] > 1e-6]
        right = [] if n == 3 else [[2 * np.sin(np.pi / n), 2 * np.sin(np.pi * math.ceil(n / 3) / n)]]
        np.testing.assert_allclose(loops, np.array(right).reshape(-1, 2), rtol=1e-6)
        np.testing.assert_allclose(found.finite(0)[:, 1], 2 * np.sin(np.pi / n), rtol=1e-6)
        assert len(found.finite(0)) == n - 1


def test_two_loops_of_which_one_stays_open() -> None:
    """A square, and one three times as large whose diagonals are longer than the threshold."""
    square = np.array([[0.0, 0], [1, 0], [1, 1], [0, 1]])
    for found in both_ways(np.concatenate([square, 3 * square + 100]), 3.5):
        assert_bars(found, [np.array([[0, 1]] * 3 + [[0, 3]] * 3 + [[0, INF]] * 2), np.array([[1, ROOT2], [3, INF]])])


@pytest.mark.parametrize("dimension", [2, 3, 4])
def test_lattices(dimension: int) -> None:
    """All edges of length 1 but those of a tree open a loop, and all loops close at the diagonals of squares."""
    side = {2: 12, 3: 6, 4: 4}[dimension]
    points = np.indices((side,) * dimension).reshape(dimension, -1).T.astype(float)
    loops = dimension * side ** (dimension - 1) * (side - 1) - side**dimension + 1
    right = [np.array([[0, 1]] * (side**dimension - 1) + [[0, INF]]), np.array([[1, ROOT2]] * loops)]
    for found in both_ways(points, 2.0):
        assert_bars(found, right)


@pytest.mark.parametrize("dimension", [2, 3, 5, 13])
def test_cross_polytopes(dimension: int) -> None:
    """The square has a loop up to its diagonal; from the octahedron on triangles fill everything at once."""
    for found in both_ways(np.concatenate([np.eye(dimension), -np.eye(dimension)]), 5.0):
        right = [[ROOT2, 2]] if dimension == 2 else []
        assert_bars(found, [np.array([[0, ROOT2]] * (2 * dimension - 1) + [[0, INF]]), np.array(right).reshape(-1, 2)])


@pytest.mark.parametrize("threshold", [0, 1, INF])
@pytest.mark.parametrize("points", [np.zeros((0, 3)), np.ones((1, 3)), [[1, 2], [1, 2]], np.ones((90, 2))])
def test_no_point_one_point_and_one_many_times(points: Any, threshold: float) -> None:
    """One component, or none; joins at length 0 make no bar."""
    for found in both_ways(points, threshold):
        assert_bars(found, [np.array([[0, INF]] * min(1, len(points))).reshape(-1, 2), np.empty((0, 2))])
        assert found.n_points == len(points)


def test_dimension_zero_alone() -> None:
    """The same components, and no array for loops."""
    for name, points in SMALL.items():
        full = rips(points, threshold=2.0)
        for found in (rips(points, threshold=2.0, max_dimension=0), by_grid(points, 2.0, max_dimension=0)):
            assert_bars(found, [full.bars[0]])
            assert len(found.bars) == 1, name


KINDS: dict[str, Callable[[np.random.Generator, int, int], Any]] = {
    "even": lambda rng, n, d: rng.random((n, d)),
    "lattice": lambda rng, n, d: rng.integers(0, 3, (n, d)),
    "tenths": lambda rng, n, d: rng.integers(0, 4, (n, d)) * 0.1,
    "duplicates": lambda rng, n, d: rng.random((n // 3 + 1, d))[rng.integers(0, n // 3 + 1, n)],
    "collinear": lambda rng, n, d: np.outer(rng.integers(0, 12, n), rng.integers(-2, 3, d)),
    "clusters": lambda rng, n, d: rng.integers(0, 3, (n, d)) + 1e-6 * rng.random((n, d)),
    "clusters of lattices": lambda rng, n, d: rng.integers(0, 2, (n, d)) + 1e-6 * rng.integers(0, 3, (n, d)),
    "heavy tails": lambda rng, n, d: rng.standard_cauchy((n, d)),
    "far away": lambda rng, n, d: 1e7 + rng.random((n, d)),
    "tiny": lambda rng, n, d: 1e-30 * rng.normal(size=(n, d)),
}


def threshold_of(kind: str, distances: Any, rng: np.random.Generator) -> float:
    """A threshold that is a distance, or is just short of one, or lies somewhere, or lets all edges in."""
    length = np.float32(rng.choice(distances.ravel())) if distances.size else np.float32(1)
    return {
        "a distance": float(length),
        "just short": float(np.nextafter(length, np.float32(0))),
        "somewhere": float(length) * rng.uniform(0.5, 1.5),
        "the longest": float(distances.max(initial=0)),
        "none": INF,
    }[kind]


@settings(deadline=None, max_examples=400)
@given(
    st.sampled_from(sorted(KINDS)), st.integers(0, 2**32), st.integers(0, 18), st.integers(1, 6),
    st.sampled_from(["a distance", "just short", "somewhere", "the longest", "none"]), st.integers(1, 2),
)  # fmt: skip
def test_small_clouds_have_the_bars_of_the_textbook(
    kind: str, seed: int, n: int, dimension: int, which: str, threads: int
) -> None:
    """In one to six coordinates, at every sort of threshold."""
    rng = np.random.default_rng(seed)
    points = KINDS[kind](rng, n, dimension)
    threshold = threshold_of(which, lengths(points), rng)
    right = rips_bars(points, threshold)
    for found in both_ways(points, threshold, threads):
        assert_bars(found, right)


@settings(deadline=None, max_examples=200)
@given(
    arrays(np.int8, st.tuples(st.integers(1, 12), st.integers(1, 4)), elements=st.integers(-2, 2)), st.integers(0, 16)
)
@example(np.eye(3, dtype=np.int8), 2)
def test_ties_have_the_bars_of_the_textbook(points: Any, square: int) -> None:
    """Whole numbers, whatever hypothesis makes of them, at the root of a whole number."""
    right = rips_bars(points, math.sqrt(square))
    for found in both_ways(points, math.sqrt(square)):
        assert_bars(found, right)


@pytest.mark.parametrize("share", [0.1, 0.5, 1])
@pytest.mark.parametrize("name", SMALL)
def test_clouds_made_to_mislead(name: str, share: float) -> None:
    """The small clouds, by whichever way, at lengths that they have."""
    distances = lengths(SMALL[name])
    values = np.unique(distances)
    threshold = float(values[int(share * (len(values) - 1))])
    for found in both_ways(SMALL[name], threshold):
        assert_bars(found, bars(distances, threshold))


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(["cityblock", "chebyshev", "precomputed"]), st.sampled_from(sorted(KINDS)), st.integers(0, 2**32),
    st.integers(0, 14), st.integers(1, 4), st.sampled_from(["a distance", "just short", "the longest", "none"]),
)  # fmt: skip
def test_other_metrics_and_matrices(metric: str, kind: str, seed: int, n: int, dimension: int, which: str) -> None:
    """Lengths of another metric, or given as a matrix."""
    rng = np.random.default_rng(seed)
    points = KINDS[kind](rng, n, dimension)
    distances = lengths(points, "euclidean" if metric == "precomputed" else metric)
    threshold = threshold_of(which, distances, rng)
    given_ = distances.astype(np.float64) if metric == "precomputed" else points
    assert_bars(rips(given_, threshold=threshold, metric=metric), bars(distances, threshold))


_RNG = np.random.default_rng(9)
SHAPES: dict[str, tuple[Any, float]] = {
    "torus": (torus(10_000), 0.09997846186161041),
    "dense cube": (np.random.default_rng(0).random((2_000, 3)), DENSE[0]),
    "line": (_RNG.random((2_000, 1)), 0.004),
    "plane": (_RNG.random((5_000, 2)), 0.05),
    "sphere in four": ((v := _RNG.normal(size=(2_000, 4))) / np.linalg.norm(v, axis=1)[:, None], 0.4),
    "six coordinates": (_RNG.normal(size=(1_000, 6)), 1.8),
    "clusters": (np.repeat(_RNG.random((60, 3)), 25, axis=0) + 1e-6 * _RNG.normal(size=(1_500, 3)), 0.25),
    "lattice": (_RNG.integers(0, 40, (3_000, 2)) * 0.1, 0.32),
    "heavy tails": (_RNG.standard_cauchy((3_000, 2)), 0.3),
}


def sorted_bars(diagrams: Any) -> Bars:
    found = []
    for diagram in diagrams:
        rows = np.asarray(diagram, dtype=np.float32).reshape(-1, 2)
        rows = rows[rows[:, 0] < rows[:, 1]]
        found.append(rows[np.lexsort(rows.T[::-1])])
    return found


def matrix_of(points: Any, threshold: float) -> Any:
    """A sparse matrix of the float64 distances that count as at most the threshold, rows in order."""
    from scipy.sparse import coo_matrix
    from scipy.spatial import cKDTree

    i, j = cKDTree(points).query_pairs(threshold * 1.001, output_type="ndarray").T
    squares = np.zeros(len(i))
    for x in points.T:
        squares += (x[i] - x[j]) ** 2
    inside = np.sqrt(squares).astype(np.float32) <= np.float32(threshold)
    return coo_matrix((np.sqrt(squares[inside]), (i[inside], j[inside])), shape=(len(points),) * 2).tocsr()


@pytest.mark.peers
@pytest.mark.parametrize("shape", SHAPES)
def test_ripser_py_finds_the_same(shape: str) -> None:
    """A thousand to ten thousand points, from a sparse matrix."""
    ripser = pytest.importorskip("ripser", reason="ripser.py is the peer")
    points, threshold = SHAPES[shape]
    right = sorted_bars(ripser.ripser(matrix_of(points, threshold), distance_matrix=True, maxdim=1)["dgms"])
    assert len(right[1]) > 100 or shape == "line"
    for found in both_ways(points, threshold, threads=2):
        assert_bars(found, right)


@pytest.mark.peers
@pytest.mark.parametrize("shape", SHAPES)
def test_giotto_ph_finds_the_same(shape: str) -> None:
    """On two threads, from a sparse matrix."""
    gph = pytest.importorskip("gph", reason="giotto-ph is the peer")
    points, threshold = SHAPES[shape]
    matrix = matrix_of(points, threshold).tocoo()
    right = gph.ripser_parallel(matrix, maxdim=1, thresh=threshold, metric="precomputed", n_threads=2)["dgms"]
    assert_bars(rips(points, threshold=threshold), sorted_bars(right))


@pytest.mark.peers
@pytest.mark.parametrize("shape", SHAPES)
def test_holos_finds_the_same(shape: str) -> None:
    """From the points, by an engine of another family."""
    holos = pytest.importorskip("holos_tda", reason="holos-tda is the peer")
    points, threshold = SHAPES[shape]
    rows = np.array(holos.rips_points(points, 1, threshold)).reshape(-1, 3)
    assert_bars(rips(points, threshold=threshold), sorted_bars([rows[rows[:, 0] == d, 1:] for d in (0, 1)]))


@pytest.mark.peers
@pytest.mark.parametrize("shape", SHAPES)
def test_gudhi_finds_the_same(shape: str) -> None:
    """Its RipsPersistence, from the points, over Z/2."""
    gudhi = pytest.importorskip("gudhi.sklearn", reason="GUDHI with scikit-learn is the peer")
    points, threshold = SHAPES[shape]
    engine = gudhi.RipsPersistence([0, 1], threshold=threshold, homology_coeff_field=2)
    assert_bars(rips(points, threshold=threshold), sorted_bars(engine.fit_transform([points])[0]))
