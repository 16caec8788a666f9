"""What cannot be meant is refused: the message names the argument, what was found, and the next step."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba", reason="the engine's kernels are compiled by numba")

from clouds import by_grid
from tcs.persistence import InputError, MemoryForecastError, PersistenceError, alpha, arguments, rips, rips_in_tiles
from tcs.persistence.compute import memory

ROOT = Path(arguments.__file__).parents[2]
CLOUD = np.random.default_rng(0).random((10, 2))


def spoilt(value: Any) -> Any:
    points = CLOUD.copy()
    points[3, 1] = value
    return points


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (spoilt(np.nan), "points: 1 of them are not finite, first number 3; remove"),
        (spoilt(-np.inf), "points: 1 of them are not finite, first number 3"),
        (np.full((4, 2), np.nan), "points: 4 of them are not finite, first number 0"),
        (spoilt(1e200), "points: a coordinate of size 1e.200 is too large for its square; scale"),
        (CLOUD + 0j, "points: real numbers are needed, not complex128; convert"),
        (CLOUD.astype(object), "points: real numbers are needed, not object"),
        (CLOUD.astype(str), "points: real numbers are needed, not <U"),
        (CLOUD > 0.5, "points: real numbers are needed, not bool"),
        (np.zeros((2, 2), "M8[s]"), "points: real numbers are needed, not datetime64"),
        (None, "points: real numbers are needed, not object"),
        ([[0, 1], [2]], "points: .*inhomogeneous.*; give rows of one length"),
        (CLOUD[:, 0], r"points: a cloud has shape \(n, d\), not \(10,\); .*reshape\(-1, 1\)"),
        (CLOUD[None], r"not \(1, 10, 2\)"),
        (1.0, r"not \(\)"),
        ([], r"not \(0,\)"),
        (np.zeros((3, 0)), r"not \(3, 0\)"),
        (np.ma.masked_array(CLOUD, CLOUD > 0.5), "points: masked arrays are not read; leave masked points out"),
        (np.broadcast_to(0.0, (2**32, 1)), "points: 4,294,967,296 are more than indices here can number"),
    ],
)
@pytest.mark.parametrize("metric", ["euclidean", "cityblock"])
def test_points(points: Any, message: str, metric: str) -> None:
    """Whatever the metric."""
    with pytest.raises(InputError, match=message):
        rips(points, threshold=0.3, metric=metric)


MATRIX = np.abs(CLOUD[:, :1] - CLOUD[:, 0])


def with_entry(i: int, j: int, value: Any) -> Any:
    matrix = MATRIX.copy()
    matrix[i, j] = value
    return matrix


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (with_entry(2, 1, 9), r"matrix: entry \(1, 2\) is 0.* but \(2, 1\) is 9.0; make the matrix symmetric"),
        (with_entry(1, 2, -1), r"matrix: entry \(1, 2\) is -1.0; distances are .* 0, and"),
        (with_entry(2, 1, np.nan), r"matrix: entry \(2, 1\) is nan; distances are"),
        (with_entry(3, 3, 1), r"matrix: diagonal entry \(3, 3\) is 1.0; .*set the diagonal to 0"),
        (MATRIX + 0j, "matrix: entries are of type complex128; pass real numbers"),
        (MATRIX.astype(object), "matrix: entries are of type object; pass real numbers"),
        (MATRIX[:3], r"matrix: its shape is \(3, 10\); a distance matrix is square"),
        ([[0, 1], [1]], "matrix: .*inhomogeneous.*; give rows of one length"),
        (None, r"matrix: its shape is \(\)"),
    ],
)
def test_matrices(matrix: Any, message: str) -> None:
    """The entry is named."""
    with pytest.raises(InputError, match=message):
        rips(matrix, threshold=1, metric="precomputed")


@pytest.mark.parametrize("points", [None, 1.0, [0.0, 1.0], [[0, 1], [2]], np.zeros((2, 2, 2)), spoilt(np.nan)])
def test_tiles_refuse_what_is_no_cloud(points: Any) -> None:
    """As a cloud in memory is refused."""
    with pytest.raises(InputError, match="points: "):
        rips_in_tiles(points, threshold=1)


def test_a_sparse_matrix_is_no_cloud() -> None:
    """The message says how it is passed."""
    from scipy.sparse import eye

    with pytest.raises(InputError, match='a sparse matrix holds distances; pass metric="precomputed"'):
        rips(eye(3), threshold=1)


@pytest.mark.parametrize("threshold", [-1, -1e-300, np.nan, -np.inf, "1", None, 1j, [1.0], np.array([1.0]), True])
def test_thresholds(threshold: Any) -> None:
    """Negative, NaN, and what is no number."""
    with pytest.raises(InputError, match=r"threshold: .* is no length; give a number from 0, or inf for all edges"):
        rips(CLOUD, threshold=threshold)


@pytest.mark.parametrize("threshold", [3, 3.0, np.float32(3e38), np.float16(3), np.int8(3), np.inf, 1e300, 10**400])
def test_thresholds_of_any_type_and_size(threshold: Any) -> None:
    """All of them let all edges in; nothing overflows with a warning."""
    assert rips(CLOUD, threshold=threshold).digest() == rips(CLOUD, threshold=2.0).digest()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"max_dimension": True}, "max_dimension: True is not computed here; give 0"),
        ({"max_dimension": 1.0}, "max_dimension: 1.0 is not computed"),
        ({"max_dimension": -1}, "max_dimension: -1 is not computed"),
        ({"max_dimension": 9}, "max_dimension: 9 is not computed"),
        ({"max_dimension": None}, "max_dimension: None is not computed"),
        ({"threads": 0}, "threads: 0; give a whole number from 1"),
        ({"threads": -2}, "threads: -2; give a whole number from 1"),
        ({"threads": 1.5}, "threads: 1.5; give"),
        ({"threads": True}, "threads: True; give"),
        ({"memory_limit": "4 GB"}, "memory_limit: '4 GB'; give a whole number of bytes"),
        ({"memory_limit": -1}, "memory_limit: -1; give"),
        ({"metric": "euclidian"}, "metric: 'euclidian' is none of .*; did you mean 'euclidean'?"),
        (
            {"metric": "manhattan"},
            "metric: 'manhattan' is none of euclidean, cityblock, chebyshev, precomputed; .*pass",
        ),
        ({"metric": "precompute"}, "did you mean 'precomputed'?"),
        ({"metric": None}, "metric: None is none of"),
        ({"metric": ["euclidean"]}, "metric: .* is none of"),
    ],
)
@pytest.mark.parametrize("points", [CLOUD, CLOUD[:0]], ids=["ten", "none"])
def test_other_arguments(points: Any, more: dict[str, Any], message: str) -> None:
    """Refused before anything is computed, so for an empty cloud as well."""
    with pytest.raises(InputError, match=message):
        rips(points, threshold=0.3, **more)


def test_errors_are_of_two_trees() -> None:
    """Whoever catches ValueError or MemoryError catches these."""
    assert issubclass(InputError, PersistenceError)
    assert issubclass(InputError, ValueError)
    assert issubclass(MemoryForecastError, PersistenceError)
    assert issubclass(MemoryForecastError, MemoryError)


def test_too_little_memory_is_told_before_the_work() -> None:
    """How much is needed and allowed, in GiB; with the forecast as the limit it goes through."""
    needed = memory.forecast(*CLOUD.shape)
    right = r"10 points: about 0.0\d GiB will be needed and 0.00 GiB are allowed \(memory_limit\); .* rips_in_tiles"
    with pytest.raises(MemoryForecastError, match=right):
        rips(CLOUD, threshold=0.3, memory_limit=2**20)
    with pytest.raises(MemoryForecastError, match="are allowed"):
        rips(CLOUD, threshold=0.3, memory_limit=needed - 1)
    assert rips(CLOUD, threshold=0.3, memory_limit=needed).n_points == 10


def test_without_a_limit_what_is_available_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where that is not known, nothing is refused."""
    monkeypatch.setattr(memory, "available", lambda: 2**20)
    with pytest.raises(MemoryForecastError, match=r"GiB will be needed and 0.00 GiB are available; .*or more memory"):
        rips(CLOUD, threshold=0.3)
    monkeypatch.setattr(memory, "available", lambda: None)
    assert rips(CLOUD, threshold=0.3).n_points == 10


@pytest.mark.parametrize("metric", ["euclidean", "chebyshev", "alpha"])
@pytest.mark.parametrize(
    "points", [np.broadcast_to(0.0, (2**31, 3)), np.zeros((2**10, 3), np.float32), np.zeros((2**10, 3), order="F")]
)
def test_a_copy_that_would_not_fit_is_not_begun(points: Any, metric: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers of another type, or not in rows, are copied; memory that is not there is told before."""
    monkeypatch.setattr(memory, "available", lambda: 2**10)
    with pytest.raises(MemoryForecastError, match=r"points, copied as float64: about .* GiB are available; give"):
        alpha(points) if metric == "alpha" else rips(points, threshold=1, metric=metric)


def test_a_limit_of_the_process_counts() -> None:
    """As ``ulimit -v`` sets it: a cloud of 12 GiB where 8 may be taken is refused in a sentence."""
    code = """
import resource
import numpy as np
from tcs.persistence import MemoryForecastError, rips
resource.setrlimit(resource.RLIMIT_AS, (2**33, 2**33))
try:
    rips(np.broadcast_to(0.0, (2**29, 3)), threshold=1)
except MemoryForecastError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert "about 12.00 GiB will be needed and" in done.stdout, done.stderr


def test_the_forecast_grows_with_points_and_coordinates() -> None:
    """For a billion points it is more than any machine has."""
    assert memory.forecast(1_000, 3) < memory.forecast(1_000_000, 3) < memory.forecast(1_000_000, 30)
    assert memory.forecast(10**9, 3) > 2**37


def test_this_machine_says_how_much_memory_there_is() -> None:
    """Of Linux at least a megabyte is left."""
    available = memory.available()
    assert available is not None
    assert available > 2**20


@pytest.mark.parametrize("way", [by_grid, rips])
def test_lengths_beyond_float32_are_infinite(way: Any) -> None:
    """Two pairs of points, further apart than float32 can tell; without a warning."""
    points = np.array([[0.0, 0], [1, 0], [1e100, 0], [1e100, 1e88]])
    for threshold in (1e30, 1e200, np.inf):
        found = way(points, threshold=threshold)
        assert found.bars[0].tolist() == [[0, 1], [0, np.inf], [0, np.inf], [0, np.inf]]


def test_distances_beyond_float32_are_infinite() -> None:
    """As an entry of a matrix, too."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = rips(np.array([[0, 1e39], [1e39, 0]]), threshold=np.inf, metric="precomputed")
    assert found.bars[0].tolist() == [[0, np.inf]] * 2


def test_squares_that_vanish_are_lengths_of_zero() -> None:
    """Differences whose squares are below the smallest float64 join points at once."""
    points = np.array([[0.0, 0], [1e-200, 0], [0, 5e-324], [1, 0]])
    for way in (by_grid, rips):
        assert way(points, threshold=2.0).bars[0].tolist() == [[0, 1], [0, np.inf]]
        assert way(points[:3], threshold=0).bars[0].tolist() == [[0, np.inf]]


def test_clouds_that_are_wide_beside_the_threshold() -> None:
    """The number of cells along an axis is bounded, whatever the quotient."""
    square = np.array([[0.0, 0], [0.5, 0], [0.5, 0.5], [0, 0.5]])
    found = rips(np.concatenate([square, [[1e20, 0], [0, -1e150]]]), threshold=0.8)
    assert found.bars[0].tolist() == [[0, 0.5]] * 3 + [[0, np.inf]] * 3
    assert len(found.finite(1)) == 1


def test_the_largest_coordinate_is_as_large_as_it_says() -> None:
    """Its square, and that of a difference, is a number."""
    edge = arguments.LARGEST_COORDINATE
    assert rips([[edge, edge], [-edge, -edge]], threshold=1).bars[0].tolist() == [[0, np.inf]] * 2
    with pytest.raises(InputError, match="too large for its square"):
        rips([[float(np.nextafter(edge, np.inf)), 0]], threshold=1)
