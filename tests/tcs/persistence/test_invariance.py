"""One digest: what does not change a cloud's distances, and how the work is divided, changes no bit of its bars."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba", reason="the engine's kernels are compiled by numba")

from clouds import SMALL, by_grid, torus
from tcs.persistence import rips
from tcs.persistence.cloud import euclidean
from tcs.persistence.compute import sorting
from tcs.persistence.reduced import forest

RNG = np.random.default_rng(8)
CLOUDS: dict[str, tuple[Any, float]] = {
    "torus": (torus(6_000), 0.13),
    "lattice": (RNG.integers(0, 9, (700, 3)).astype(float), 2.0),
    "clusters": (SMALL["clusters"], 1.5),
    "nearly equilateral": (SMALL["nearly equilateral"], 1.5),
    "plane": (RNG.random((2_000, 2)), 0.1),
    "five coordinates": (RNG.random((600, 5)), 0.5),
    "thirteen coordinates": (RNG.random((200, 13)), 1.2),
}


@pytest.mark.parametrize("name", CLOUDS)
def test_the_order_of_the_points(name: str) -> None:
    """Vertices get other numbers, and ties are broken in another way."""
    points, threshold = CLOUDS[name]
    right = rips(points, threshold=threshold).digest()
    rng = np.random.default_rng(0)
    for order in (rng.permutation(len(points)), np.arange(len(points))[::-1]):
        assert rips(points[order], threshold=threshold).digest() == right


@pytest.mark.parametrize("name", CLOUDS)
def test_the_number_of_threads_and_the_size_of_parts(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One to four threads; then parts and blocks so small that there are many of each."""
    points, threshold = CLOUDS[name]
    right = rips(points, threshold=threshold, threads=1).digest()
    for threads in (2, 3, 4):
        assert rips(points, threshold=threshold, threads=threads).digest() == right
    for module, name_of_size in (
        (euclidean, "PART_POINTS"), (forest, "BLOCK_POINTS"), (euclidean, "PART_COLUMNS"), (sorting, "PART"),
    ):  # fmt: skip
        monkeypatch.setattr(module, name_of_size, 100)
    for threads in (1, 3):
        assert rips(points, threshold=threshold, threads=threads).digest() == right


@pytest.mark.parametrize("name", CLOUDS)
def test_a_translation_that_rounds_nothing(name: str) -> None:
    """Coordinates of 20 bits, moved by whole numbers of 20 bits."""
    points, threshold = CLOUDS[name]
    points = np.round(points * 2.0**16) / 2.0**16
    right = by_grid(points, threshold).digest()
    for shift in (1.0, -(2.0**20), np.arange(points.shape[1]) * 1000.0):
        assert by_grid(points + shift, threshold).digest() == right


@pytest.mark.parametrize("exponent", [-60, -1, 1, 60])
@pytest.mark.parametrize("name", CLOUDS)
def test_scaling_by_a_power_of_two(name: str, exponent: int) -> None:
    """Bars are scaled, and nothing else."""
    points, threshold = CLOUDS[name]
    # rounded, since the threshold is compared in float32, which is scaled exactly
    threshold = float(np.float32(threshold))
    right = rips(points, threshold=threshold)
    found = rips(np.ldexp(points, exponent), threshold=np.ldexp(threshold, exponent))
    for d in (0, 1):
        assert np.array_equal(found.bars[d], np.ldexp(right.bars[d], exponent))


@pytest.mark.parametrize("name", CLOUDS)
def test_more_coordinates_that_say_nothing(name: str) -> None:
    """In two to fourteen coordinates by whatever kernels: a constant one adds exactly zero to a square."""
    points, threshold = CLOUDS[name]
    points = points[:800]
    right = rips(points, threshold=threshold).digest()
    for more in (1, 2, 4, 12):
        wide = np.concatenate([points, np.full((len(points), more), 7.0)], axis=1)
        assert rips(wide, threshold=threshold).digest() == right
        assert by_grid(wide, threshold).digest() == right


@pytest.mark.parametrize("form", ["F", ">f8", "float32", "int16", "view", "list", "read-only"])
def test_the_form_of_the_array(form: str) -> None:
    """Memory order, byte order, type, strides: the numbers count."""
    points = RNG.integers(0, 50, (300, 3)).astype(np.float64)
    right = rips(points, threshold=9).digest()
    frozen = points.copy()
    frozen.flags.writeable = False
    same: Any = {
        "F": np.asfortranarray(points), "view": np.repeat(points, 2, axis=0)[::2][:, ::1], "list": points.tolist(),
        "read-only": frozen,
    }.get(form)  # fmt: skip
    if same is None:
        same = points.astype(form)
    assert rips(same, threshold=9).digest() == right
    assert np.array_equal(frozen, points), "the input was changed"
