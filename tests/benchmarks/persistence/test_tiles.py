"""Clouds on disk: the same points as in memory, and a check that sees what is wrong in a tile."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba", reason="the engine's kernels are compiled by numba")

from benchmarks.persistence import tiles, workloads
from benchmarks.persistence.players import tcs_tiles
from benchmarks.persistence.thresholds import TABLE

N = 20_000
INPUTS = {"n": N, "seed": 0, "threshold": 0.04, "threads": 2}


@pytest.mark.parametrize(("n", "seed", "chunk"), [(1_000, 0, 10**6), (5_000, 3, 700), (300, 1, 1)])
def test_points_in_chunks_are_those_in_one_piece(
    n: int, seed: int, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bit for bit: generators advanced to where their draws begin give what a single stream gives."""
    monkeypatch.setattr(tiles, "CHUNK", chunk)
    found = list(tiles.torus_in_chunks(n, seed))
    assert max(map(len, found)) <= chunk
    assert np.array_equal(np.concatenate(found), workloads.torus(n, seed))


@pytest.fixture(scope="module")
def answer() -> dict[str, Any]:
    """What the player hands in."""
    return dict(tcs_tiles.from_disk(INPUTS, lambda _: nullcontext())())


def test_a_right_answer_passes(answer: dict[str, Any]) -> None:
    """Three tiles, and some points of each."""
    found = tiles.tiles(INPUTS, {}, answer)
    assert found.ok, found.detail
    assert found.oracle.startswith("lunes of 1500 points in 3 tiles")
    assert set(found.canonical) == {"counts", "digest"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a: a["counts"][0].__isub__(1), "H0 has 19,998 bars"),
        (lambda a: a["counts"][1].__iadd__(10**6), "relative neighbours are outside of the forest"),
        (lambda a: a.update(edges_1=a["edges_1"][::2]), "has other relative neighbours than"),
        (lambda a: a.update(fillers_2=a["fillers_2"][::2]), "has other fillers than"),
        (lambda a: a.update(edges_0=a["edges_0"] + 1), "has other relative neighbours than"),
    ],
)
def test_a_wrong_answer_is_caught(answer: dict[str, Any], change: Any, message: str) -> None:
    """Counts that do not fit, and edges that are missing or at other points."""
    wrong = {name: value.copy() if isinstance(value, np.ndarray) else value for name, value in answer.items()}
    change(wrong)
    found = tiles.tiles(INPUTS, {}, wrong)
    assert not found.ok
    assert message in found.detail


def test_the_case_is_configured() -> None:
    """At the sizes that have thresholds."""
    assert ("torus", 100_000_000, 20) in TABLE
    assert tiles.torus_on_disk(100_000_000, 20).inputs["n"] == 10**8
