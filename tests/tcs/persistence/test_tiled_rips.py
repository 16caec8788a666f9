"""Bars in tiles: those of ``rips``, bit for bit, for any cloud and any size of tiles; stopped and gone on with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

pytest.importorskip("numba", reason="the engine's kernels are compiled by numba")

from clouds import SMALL, torus
from reference import bars, lengths
from tcs.persistence import FolderError, InputError, MemoryForecastError, rips, rips_in_tiles


@pytest.mark.parametrize("tile_points", [1, 9, 1_000])
@pytest.mark.parametrize("name", SMALL)
def test_small_clouds_have_the_bars_of_the_textbook(name: str, tile_points: int) -> None:
    """At a threshold that is a length; tiles of one layer, of some, of all."""
    distances = lengths(SMALL[name])
    values = np.unique(distances)
    for threshold in (float(values[len(values) // 3]), float(values[-1])):
        found = rips_in_tiles(SMALL[name], threshold=threshold, tile_points=tile_points)
        for one, other in zip(found.bars, bars(distances, threshold), strict=True):
            assert np.array_equal(one, other)


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32), st.integers(1, 5), st.integers(1, 300), st.sampled_from([1, 20, 90]), st.booleans())
def test_any_cut_of_any_cloud(seed: int, dimension: int, n: int, tile_points: int, ties: bool) -> None:
    """Ties across the borders of tiles included."""
    rng = np.random.default_rng(seed)
    points = rng.integers(0, 7, (n, dimension)) / 4 if ties else rng.random((n, dimension)) ** 2
    threshold = float(rng.choice([0.1, 0.25, 0.5, 0.75]))
    found = rips_in_tiles(points, threshold=threshold, tile_points=tile_points)
    assert found.digest() == rips(points, threshold=threshold).digest()


def test_a_known_answer() -> None:
    """W(10,000, 20) in about ten tiles has the counts on which five peers agree."""
    found = rips_in_tiles(torus(10_000), threshold=0.09997846186161041, tile_points=1_000)
    counts = [len(each) for d in (0, 1) for each in (found.finite(d), found.essential(d))]
    assert counts == [9_999, 1, 2_624, 160]
    assert list(found.stages) == ["grid", "lune", "forest", "sort", "push-down", "reduce"]


@pytest.mark.parametrize("kind", ["memory map", "float32", "list", "int8"])
def test_the_form_of_the_input(kind: str, tmp_path: Path) -> None:
    """Read in slices from a file, or of another type."""
    points: Any = np.round(100 * torus(500))
    right = rips(points, threshold=30).digest()
    if kind == "memory map":
        np.save(tmp_path / "points.npy", points)
        points = np.load(tmp_path / "points.npy", mmap_mode="r")
    elif kind == "list":
        points = points.tolist()
    elif kind == "float32":
        points = points.astype(np.float32)
    else:
        points = (points / 2).astype(np.int8)
        right = rips(points, threshold=30).digest()
    assert rips_in_tiles(points, threshold=30, tile_points=100).digest() == right


@pytest.mark.parametrize("n", [0, 1, 2])
def test_hardly_any_points(n: int) -> None:
    """None, one, two."""
    points = np.arange(3.0 * n).reshape(n, 3)
    assert rips_in_tiles(points, threshold=9).digest() == rips(points, threshold=9).digest()


def test_dimension_zero_alone() -> None:
    """No array for loops."""
    found = rips_in_tiles(torus(300), threshold=0.5, max_dimension=0, tile_points=50)
    assert len(found.bars) == 1
    assert np.array_equal(found.bars[0], rips(torus(300), threshold=0.5).bars[0])


@pytest.mark.parametrize("stage", ["grid", "lunes", "push-down"])
def test_stopped_and_gone_on_with(stage: str, tmp_path: Path) -> None:
    """By Ctrl-C in any stage: tiles that are done are not done again, and the bars are right."""
    points = torus(1_500)

    def stop(name: str, done: int, total: int) -> None:
        if name == stage and 0 < done < total:
            raise KeyboardInterrupt

    given: dict[str, Any] = {"threshold": 0.3, "folder": tmp_path / "tiles", "tile_points": 200}
    with pytest.raises(KeyboardInterrupt):
        rips_in_tiles(points, **given, progress=stop)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "tiles").glob("*.npz")}
    assert len(before) >= {"grid": 0, "lunes": 2, "push-down": 3}[stage]
    assert rips_in_tiles(points, **given).digest() == rips(points, threshold=0.3).digest()
    assert all(path.stat().st_mtime_ns == time for path, time in before.items())
    with pytest.raises(FolderError, match="holds the tiles of other points, another threshold"):
        rips_in_tiles(points, **given | {"threshold": 0.31})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"max_dimension": 2}, "use rips for dimension 2"),
        ({"tile_points": 0}, "tile_points: 0; give a whole number from 1"),
        ({"tile_points": True}, "tile_points: True"),
        ({"threshold": -1}, "threshold: -1 is no length"),
        ({"points": np.ones((3, 13))}, "13 coordinates cannot be tiled, up to 12 can; use rips"),
        ({"points": np.ones(3)}, r"shape \(n, d\)"),
        ({"points": np.ones((2, 2), dtype=complex)}, "real numbers are needed, not complex128"),
    ],
)
def test_what_cannot_be_meant(given: dict[str, Any], message: str) -> None:
    """One sentence that names the argument and the next step."""
    points = given.pop("points", np.ones((3, 2)))
    with pytest.raises(InputError, match=message):
        rips_in_tiles(points, **{"threshold": 1.0} | given)


def test_the_number_of_a_bad_row_is_that_in_the_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when it is read with a later chunk."""
    monkeypatch.setattr("tcs.persistence.tiles.layers.CHUNK", 10)
    points = np.ones((40, 2))
    points[33, 1] = np.nan
    with pytest.raises(InputError, match="1 of them are not finite, first number 33; remove such rows"):
        rips_in_tiles(points, threshold=1)


def test_too_much_is_refused_beforehand(tmp_path: Path) -> None:
    """For memory and for the disk, with both numbers."""
    points = np.broadcast_to(np.ones((1, 3)), (10**9, 3))
    with pytest.raises(MemoryForecastError, match=r"1,000,000,000 points in tiles: about [\d.]+ GiB will be needed"):
        rips_in_tiles(points, threshold=0.1, memory_limit=2**30)
    points = np.broadcast_to(np.ones((1, 3)), (10**12, 3))
    with pytest.raises(FolderError, match=r"GB will be needed and [\d.]+ GB are free; name a folder on a larger disk"):
        rips_in_tiles(points, threshold=0.1, memory_limit=2**60, folder=tmp_path)
