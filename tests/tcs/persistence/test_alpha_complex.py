"""Alpha persistence: known answers, the Cech complex as an oracle that knows no triangulation, and GUDHI."""

from __future__ import annotations

import itertools
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from exact_spheres import Point, circumcentre, distance, exact

pytest.importorskip("numba", reason="the kernels are compiled by numba")

from tcs.persistence.alpha_complex import alpha, alpha_diagrams, alpha_forecast
from tcs.persistence.alpha_shapes import bars as alpha_bars, dual
from tcs.persistence.errors import InputError, MemoryForecastError

INF = np.inf


def cech(points: Any) -> list[Any]:
    """Bars of the Cech complex in squared radii, from all subsets of the points: those of the alpha complex.

    The nerve theorem has both complexes equivalent to the union of balls at every radius. A subset appears with its
    smallest enclosing ball, which is the circumscribed one of some of its points; one matrix over Z/2 is reduced.
    """
    points = np.unique(np.asarray(points, dtype=float), axis=0)
    n, d = points.shape
    corners = exact(points)
    value: dict[tuple[int, ...], Fraction] = {}
    for size in range(1, d + 2):
        for simplex in itertools.combinations(range(n), size):
            faces = [value[face] for face in itertools.combinations(simplex, size - 1)] if size > 1 else []
            least = max(faces, default=Fraction(0))
            # the ball of a facet that holds the remaining point, if there is one, is that of the simplex
            centre = circumcentre([corners[c] for c in simplex])
            if size > 1 and not any(
                enclosed(corners, face, simplex) for face in itertools.combinations(simplex, size - 1)
            ):
                assert centre is not None
                least = distance(centre, corners[simplex[0]])
            value[simplex] = least
    order = sorted(value, key=lambda simplex: (value[simplex], len(simplex), simplex))
    place = {simplex: i for i, simplex in enumerate(order)}
    columns: dict[int, set[int]] = {}
    born: set[int] = set()
    bars: list[list[tuple[float, float]]] = [[] for _ in range(d)]
    for i, simplex in enumerate(order):
        column = {place[face] for face in itertools.combinations(simplex, len(simplex) - 1) if face}
        while column and max(column) in columns:
            column ^= columns[max(column)]
        if not column:
            born.add(i)
            continue
        low = max(column)
        columns[low] = column
        born.remove(low)
        if value[order[low]] < value[simplex]:
            bars[len(order[low]) - 1].append((float(value[order[low]]), float(value[simplex])))
    bars[0] += [(0.0, INF) for i in born if len(order[i]) == 1]
    return [np.array(sorted(rows)).reshape(-1, 2) for rows in bars]


def enclosed(corners: list[Point], face: tuple[int, ...], simplex: tuple[int, ...]) -> bool:
    """Whether the smallest sphere through some corners of a face, or all of them, holds the whole simplex."""
    for size in range(1, len(face) + 1):
        for part in itertools.combinations(face, size):
            centre = circumcentre([corners[c] for c in part])
            if centre is None:
                continue
            square = distance(centre, corners[part[0]])
            if all(distance(centre, corners[c]) <= square for c in simplex):
                return True
    return False


def assert_close(found: Any, right: Any, relative: float = 1e-11) -> None:
    """The same numbers of bars in each dimension, with ends that differ by rounding only."""
    assert [len(rows) for rows in found] == [len(rows) for rows in right]
    for rows, expected in zip(found, right, strict=True):
        np.testing.assert_allclose(in_order(rows), in_order(expected), rtol=relative, atol=0)


def in_order(rows: Any) -> Any:
    """Rows sorted by nine digits of the birth, then by death: births that differ by rounding only count as equal."""
    rows = np.asarray(rows, dtype=float).reshape(-1, 2)
    scale = 10 ** (8 - np.floor(np.log10(np.where(rows[:, 0] > 0, rows[:, 0], 1.0))))
    return rows[np.lexsort((rows[:, 1], np.rint(rows[:, 0] * scale) / scale))]


def test_the_corners_of_a_square() -> None:
    """Sides of length 2 join at radius 1 and bound a hole that closes at the circumradius, root 2."""
    corners = [[0, 0], [0, 2], [2, 0], [2, 2]]
    assert [rows.tolist() for rows in alpha(corners).bars] == [[[0, 1]] * 3 + [[0, INF]], [[1, 2]]]
    radii = alpha_diagrams(corners, squared=False)
    assert radii.bars[1].tolist() == [[1, pytest.approx(2**0.5, rel=1e-15)]]


def test_a_lattice_of_cubes() -> None:
    """k^3 points: loops are faces less one a cube, killed at 1/2; voids are cubes, from 1/2 to 3/4."""
    k = 4
    found = alpha(np.array(list(itertools.product(range(k), repeat=3)))).bars
    cubes, faces, edges = (k - 1) ** 3, 3 * k * (k - 1) ** 2, 3 * k**2 * (k - 1)
    assert found[0].tolist() == [[0, 0.25]] * (k**3 - 1) + [[0, INF]]
    assert found[1].tolist() == [[0.25, 0.5]] * (edges - (k**3 - 1))
    assert found[2].tolist() == [[0.5, 0.75]] * cubes
    assert len(found[1]) == faces - cubes


@pytest.mark.parametrize("dimension", [2, 3])
def test_a_sphere_has_one_class_of_its_dimension(dimension: int) -> None:
    """Points on a sphere of radius 1 bound a void that closes at its centre, at 1; the others are short."""
    points = np.random.default_rng(0).normal(size=(3000, dimension))
    points /= np.linalg.norm(points, axis=1)[:, None]
    top = alpha_diagrams(points).bars[-1]
    assert top[top[:, 1] - top[:, 0] > 0.05][:, 1] == pytest.approx([1.0], rel=1e-12)


@pytest.mark.parametrize("dimension", [2, 3])
def test_bars_are_those_of_the_cech_complex(dimension: int) -> None:
    """Small clouds, of lattices too: all numbers and ends as in the complex of all subsets, reduced by the textbook."""

    @settings(max_examples=25, deadline=None)
    @given(st.integers(1, 8), st.sampled_from(["random", "lattice", "tenths", "plane", "line"]), st.integers(0, 10**6))
    def check(n: int, kind: str, seed: int) -> None:
        rng = np.random.default_rng(seed)
        points: Any = rng.random((n, dimension))
        if kind in ("lattice", "tenths"):
            points = rng.integers(0, 3, (n, dimension)) * {"lattice": 1.0, "tenths": 0.1}[kind]
        if kind in ("plane", "line"):
            points = rng.integers(0, 4, (n, dimension)) @ np.array([[1, 1, 2], [0, 1, 1], [0, 0, 0]])[
                :dimension, :dimension
            ].astype(float)
            points[:, kind == "plane" :] = points[:, :1]
        assert_close(alpha_diagrams(points, threads=1).bars, cech(points))

    check()


@pytest.mark.parametrize(
    ("name", "dimension"),
    [
        ("uniform", 2), ("uniform", 3), ("normal", 3), ("clumps", 2), ("clumps", 3), ("tails", 3), ("lattice", 3),
        ("sphere", 3), ("circle", 3), ("torus", 3), ("plane", 3), ("duplicates", 3), ("lines", 3),
    ],
)  # fmt: skip
def test_bars_are_those_of_gudhi(name: str, dimension: int) -> None:
    """Every bar to 1e-11, where GUDHI computes exactly: shapes with many points on spheres and planes included."""
    gudhi = pytest.importorskip("gudhi")
    rng = np.random.default_rng(1)
    n = 1200
    points = rng.random((n, dimension))
    angles = rng.uniform(0, 2 * np.pi, (2, n))
    if name in ("normal", "sphere"):
        points = rng.normal(size=(n, dimension))
    if name == "sphere":
        points /= np.linalg.norm(points, axis=1)[:, None]
    if name == "clumps":
        points *= 10.0 ** -rng.integers(0, 5, n)[:, None]
    if name == "tails":
        points = rng.standard_cauchy((n, dimension))
    if name == "lattice":
        points = np.array(list(itertools.product(range(8), repeat=3))) * 0.1
    if name == "circle":
        points = np.stack([np.cos(angles[0]), np.sin(angles[0]), np.full(n, 0.3)], axis=1)
    if name == "torus":
        out = 1 + 0.4 * np.cos(angles[0])
        points = np.stack([out * np.cos(angles[1]), out * np.sin(angles[1]), 0.4 * np.sin(angles[0])], axis=1)
    if name == "plane":
        points = rng.integers(0, 200, (n, 2)) @ np.array([[1.0, 2, 3], [3, -1, 1]])
    if name == "duplicates":
        points = np.repeat(points[:100], 3, axis=0)
    if name == "lines":
        t, zero = np.linspace(0, 1, 60), np.zeros(60)
        points = np.concatenate([np.stack([t, zero, zero], axis=1), np.stack([zero + 0.5, t, zero + 1], axis=1)])
    tree = gudhi.AlphaComplex(points=points, precision="exact").create_simplex_tree()
    tree.compute_persistence(homology_coeff_field=2)
    right = [tree.persistence_intervals_in_dimension(d).reshape(-1, 2) for d in range(dimension)]
    right = [rows[rows[:, 0] < rows[:, 1] * (1 - 2.0**-36)] for rows in right]
    assert_close(alpha_diagrams(points).bars, right)


def messy(n: int, dimension: int, seed: int) -> Any:
    """Part random, part of a lattice, part repeated."""
    rng = np.random.default_rng(seed)
    points = np.concatenate([rng.random((n, dimension)), rng.integers(0, 5, (n, dimension)) * 0.1])
    return np.concatenate([points, points[: n // 4]])


@settings(max_examples=15, deadline=None)
@given(st.integers(2, 3), st.integers(1, 200), st.integers(0, 10**6))
def test_order_scale_and_threads_change_no_bit(dimension: int, n: int, seed: int) -> None:
    """Shuffled, scaled by a power of two, mirrored, on other numbers of threads: the same bits, scaled."""
    points = messy(n, dimension, seed)
    right = alpha_diagrams(points, threads=1).bars
    shuffled = np.random.default_rng(seed).permutation(points)
    for cloud, factor in ((shuffled, 1.0), (points * 2.0**-40, 2.0**-80), (points * 2.0**300, 2.0**600)):
        found = alpha_diagrams(cloud, threads=3).bars
        for rows, expected in zip(found, right, strict=True):
            assert np.array_equal(rows, expected * factor)
    assert_close(alpha_diagrams(-points).bars, right)


def test_small_parts_change_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    """However the cells are dealt to threads, the bars are the same."""
    points = messy(300, 3, 4)
    right = alpha(points, threads=1)
    for module in (alpha_bars, dual):
        monkeypatch.setattr(module, "PART_CELLS", 7)
    assert alpha(points, threads=4).digest() == right.digest()


@pytest.mark.parametrize("dimension", [2, 3])
def test_numbers_of_bars_add_up(dimension: int) -> None:
    """A ball has one class, in dimension 0; n - 1 components end; bars are sorted, float32, longer than zero."""
    found = alpha(np.random.default_rng(0).random((2000, dimension)))
    assert found.n_points == 2000
    assert [len(found.essential(d)) for d in range(dimension)] == [1, 0, 0][:dimension]
    assert len(found.finite(0)) == 1999
    for rows in found.bars:
        assert rows.dtype == np.float32
        assert np.array_equal(rows, rows[np.lexsort((rows[:, 1], rows[:, 0]))])
        assert (rows[:, 0] < rows[:, 1]).all()
    assert set(found.stages) >= {"curve", "delaunay", "values", "dual"}


@pytest.mark.parametrize("dimension", [2, 3])
def test_few_points(dimension: int) -> None:
    """None, one, the same one thrice, two: empty bars, one class, one class, one end at a quarter of the square."""
    assert [len(rows) for rows in alpha(np.empty((0, dimension))).bars] == [0] * dimension
    for points in (np.ones((1, dimension)), np.ones((3, dimension))):
        assert [rows.tolist() for rows in alpha(points).bars] == [[[0, INF]]] + [[]] * (dimension - 1)
    assert alpha(np.eye(dimension)[:2]).bars[0].tolist() == [[0, 0.5], [0, INF]]


@pytest.mark.parametrize(
    ("points", "said"),
    [
        ([[0, 0], [1]], "no array"),
        ([0.0, 1.0], r"shape \(2,\)"),
        (np.zeros((3, 4)), r"shape \(3, 4\)"),
        (np.zeros((3, 2), dtype=complex), "complex128"),
        (np.array([["a", "b"]]), "<U1"),
        (np.array([[None, 1]]), "object"),
        ([[0, 0], [np.nan, 0]], "1 of them are not finite, first number 1"),
        ([[np.inf, 0]], "1 of them are not finite"),
        (np.array([[2**60, 0], [0, 0]]), "integers above"),
        ([[1e200, 0], [0, 0]], "beyond the range of float64; pass squared=False"),
        ([[1e-200, 0], [0, 0]], "beyond the range of float64; pass squared=False"),
        ([[1e-30, 0], [0, 0]], "beyond the range of float32; scale the points, or call alpha_diagrams"),
        ([[1.0, 0], [1e-30, 0], [1e-30, 1e-60]], "finer than"),
    ],
)
def test_bad_points_are_refused(points: Any, said: str) -> None:
    """The message names the argument, what was found, and what to do."""
    with pytest.raises(InputError, match=f"^points: .*{said}"):
        alpha(points)


@pytest.mark.parametrize("threads", [0, -1, 1.5, True])
def test_bad_threads_are_refused(threads: Any) -> None:
    """Only whole numbers from 1."""
    with pytest.raises(InputError, match="threads"):
        alpha(np.eye(2), threads=threads)


def test_radii_reach_where_squares_do_not() -> None:
    """Radii of points whose squares float64 cannot hold."""
    found = alpha_diagrams([[1e200, 0], [0, 0], [0, 3e200]], squared=False).bars[0]
    assert found[:, 1] == pytest.approx([0.5e200, 1.5e200, INF], rel=1e-15)


def test_memory_is_forecast() -> None:
    """Work that would need more than the limit is not begun, and the message says how much."""
    with pytest.raises(MemoryForecastError, match=r"1,000 points: about .* GiB will be needed"):
        alpha(np.random.default_rng(0).random((1000, 3)), memory_limit=2**20)
    assert alpha_forecast(10**6, 3) > alpha_forecast(10**6, 2) > 10**8


def test_many_cells_are_refused_before_they_are_worked_on() -> None:
    """Two skew lines of n points have n^2 cells: more than was forecast, which is told with their number."""
    t, zero = np.linspace(0, 1, 500), np.zeros(500)
    lines = np.concatenate([np.stack([t, zero, zero], axis=1), np.stack([zero + 0.5, t, zero + 1], axis=1)])
    with pytest.raises(MemoryForecastError, match="249,001 Delaunay cells of 1,000 points: about"):
        alpha(lines, memory_limit=alpha_forecast(1000, 3))


def test_progress_is_told() -> None:
    """Each stage that takes long tells how far it is, up to its end, in the calling thread."""
    told: dict[str, tuple[int, int]] = {}

    def progress(stage: str, done: int, total: int) -> None:
        told[stage] = (done, total)

    alpha(np.random.default_rng(0).random((500, 3)), threads=2, progress=progress)
    assert set(told) >= {"delaunay", "values", "edges", "dual", "forest", "push-down", "reduce"}
    assert all(done == total for done, total in told.values())
