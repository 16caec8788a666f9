"""The workloads are the declared points, whoever generates them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.persistence import workloads
from benchmarks.persistence.neighbours import neighbours
from benchmarks.persistence.thresholds import TABLE, mean_degree_threshold, threshold

CLOUDS = {
    "torus": 3, "square": 2, "cube": 3, "annulus": 2, "clifford": 4, "swiss_roll": 3, "duplicates": 2, "clusters": 3,
}  # fmt: skip


@pytest.mark.parametrize(("name", "dimension"), CLOUDS.items())
def test_a_cloud_is_float64_of_its_shape_and_depends_on_its_seed_alone(name: str, dimension: int) -> None:
    """The same seed gives the same bytes, another seed other ones."""
    make = getattr(workloads, name)
    first, again, other = make(100), make(100, seed=0), make(100, seed=1)
    assert first.shape == (100, dimension)
    assert first.dtype == np.float64
    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != other.tobytes()


def test_the_torus_draws_in_the_declared_order() -> None:
    """2n angles, 2n uniforms, rejection, n angles, then one block of noise: written out once more, for one round."""
    n = 50
    rng = np.random.default_rng(0)
    theta, w = rng.uniform(0, 2 * np.pi, 2 * n), rng.uniform(0, 1, 2 * n)
    theta = theta[w <= (1 + 0.4 * np.cos(theta)) / 1.4][:n]
    assert len(theta) == n, "one round is enough for this seed"
    phi = rng.uniform(0, 2 * np.pi, n)
    expected = np.stack([(1 + 0.4 * np.cos(theta)) * np.cos(phi), (1 + 0.4 * np.cos(theta)) * np.sin(phi),
                         0.4 * np.sin(theta)], axis=1) + rng.normal(0, 0.002, (n, 3))  # fmt: skip
    np.testing.assert_array_equal(workloads.torus(n), expected)


def test_the_torus_lies_on_a_torus() -> None:
    """Noise apart, every point is 0.4 away from the circle of radius 1."""
    x, y, z = workloads.torus(2000).T
    np.testing.assert_allclose(np.hypot(np.hypot(x, y) - 1, z), 0.4, atol=0.02)


def test_w_1e4_20_has_mean_degree_20() -> None:
    """99,635 edges: the literal belongs to these points."""
    assert len(neighbours(workloads.torus(10_000), TABLE["torus", 10_000, 20]).i) == 99_635


@pytest.mark.parametrize(("name", "n", "k"), [key for key in TABLE if key[0] in CLOUDS and key[1] <= 10_000])
def test_every_fixed_threshold_gives_its_mean_degree(name: str, n: int, k: int) -> None:
    """At most a part in a thousand off, and at least k wherever the threshold was found by this repository."""
    degree = 2 * len(neighbours(getattr(workloads, name)(n), TABLE[name, n, k]).i) / n
    assert degree == pytest.approx(k, rel=5e-3)


@pytest.mark.parametrize(("name", "n", "k"), [("square", 1000, 20), ("cube", 1000, 60), ("duplicates", 1000, 20)])
def test_a_fixed_threshold_is_found_again(name: str, n: int, k: int) -> None:
    """The literals are what the published function finds."""
    assert mean_degree_threshold(getattr(workloads, name)(n), k) == TABLE[name, n, k]


def test_a_threshold_leaves_a_gap_for_every_rounding() -> None:
    """No length lies within half a float32 unit of the threshold."""
    t = TABLE["cube", 10_000, 20]
    lengths = neighbours(workloads.cube(10_000), t * 1.001).lengths
    assert np.abs(lengths - t).min() > np.spacing(np.float32(t)) / 2


def test_an_unknown_threshold_says_what_is_known_and_how_to_add_one() -> None:
    """The message names the workload, what is fixed, and the command."""
    says = r"torus: no threshold is fixed for n=7, k=20; fixed are: .*n=10000 k=20.*thresholds torus 7 20"
    with pytest.raises(ValueError, match=says):
        threshold("torus", 7, 20)


@pytest.mark.parametrize("k", [0, 10_000])
def test_an_impossible_mean_degree_is_refused(k: int) -> None:
    """No edges, or more than there are pairs."""
    with pytest.raises(ValueError, match="mean degree"):
        mean_degree_threshold(workloads.square(100), k)


def test_the_lattice_is_the_integer_grid() -> None:
    """side ** dimension points with whole coordinates, all different."""
    points = workloads.lattice(4, 3)
    assert points.shape == (64, 3)
    assert len(np.unique(points, axis=0)) == 64
    assert set(points.ravel()) == {0.0, 1.0, 2.0, 3.0}


def test_duplicates_coincide() -> None:
    """At most half of the rows differ."""
    assert len(np.unique(workloads.duplicates(1000), axis=0)) <= 500


def test_clumps_span_two_decades_of_density() -> None:
    """At a mean degree of 20 the tightest clumps are complete, and a tenth of the points has no neighbour."""
    points = workloads.clusters(10_000)
    pairs = neighbours(points, TABLE["clusters", 10_000, 20])
    degrees = np.bincount(np.concatenate([pairs.i, pairs.j]), minlength=len(points))
    assert degrees.max() > 80
    assert np.mean(degrees == 0) > 0.1


def test_the_enclosing_radius_is_that_of_the_best_centre() -> None:
    """A point amid the corners of a square reaches all of them; rows taken in blocks change nothing."""
    from scipy.spatial.distance import cdist

    corners = np.array([[0.0, 0.0], [0.0, 2.0], [2.0, 0.0], [2.0, 2.0]])
    assert workloads.enclosing_radius(corners) == np.sqrt(8)
    assert workloads.enclosing_radius(np.vstack([corners, [[1.0, 1.0]]])) == np.sqrt(2)
    points = workloads.square(4200)
    assert workloads.enclosing_radius(points) == cdist(points, points).max(axis=1).min()


def test_digits_are_scikit_learns() -> None:
    """1,797 images of 64 whole grey values."""
    pytest.importorskip("sklearn", reason="scikit-learn brings the digits")
    points = workloads.digits()
    assert points.shape == (1797, 64)
    assert points.min() == 0
    assert points.max() == 16


def test_allen_reads_counts_without_pickles(tmp_path: Path) -> None:
    """Presentations are rows; an archive of objects is refused."""
    np.savez(tmp_path / "session_7_gabor_spike_counts.npz", counts=np.arange(6, dtype=np.int16).reshape(2, 3))
    assert workloads.allen(tmp_path, 7).tolist() == [[0, 3], [1, 4], [2, 5]]
    np.savez(tmp_path / "session_8_gabor_spike_counts.npz", counts=np.array([{}, 1], dtype=object))
    with pytest.raises(ValueError, match="allow_pickle"):
        workloads.allen(tmp_path, 8)


def test_an_unknown_session_lists_those_that_there_are(tmp_path: Path) -> None:
    """The message names the session and the others."""
    np.savez(tmp_path / "session_7_gabor_spike_counts.npz", counts=np.zeros((1, 1)))
    with pytest.raises(ValueError, match=r"no session 9 .* choose one of 7"):
        workloads.allen(tmp_path, 9)


@pytest.mark.parametrize("value", [0, -3, 2.5, True, "10"])
def test_a_size_is_a_whole_number_from_one(value: object) -> None:
    """Anything else is refused by name."""
    with pytest.raises(ValueError, match="n is a whole number of at least 1"):
        workloads.torus(value)  # type: ignore[arg-type]


def test_images_have_unit_variance() -> None:
    """Shape and scale do not depend on the smoothing; a single pixel is allowed."""
    assert workloads.image(32).std() == pytest.approx(1)
    assert workloads.volume(12).shape == (12, 12, 12)
    assert np.isfinite(workloads.image(1)).all()


def test_the_covering_radius_shrinks_to_nothing() -> None:
    """With every point a landmark nothing is uncovered; with one it is the farthest distance from the first."""
    points = workloads.square(40)
    assert workloads.covering_radius(points, 40) == 0
    assert workloads.covering_radius(points, 1) == pytest.approx(np.linalg.norm(points - points[0], axis=1).max())
