"""Clouds that players draw themselves: the same points, the same bars, and a check that sees what cannot be one."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba", reason="the engine's kernels are compiled by numba")

from benchmarks.persistence import workloads
from benchmarks.persistence.barcode import canonical
from benchmarks.persistence.drawn import bars, draw, torus_drawn
from benchmarks.persistence.players import tcs
from benchmarks.persistence.thresholds import threshold
from host_device import COMPILER, HostGpu
from tcs.persistence.cuda import backend

N, K = 1_000, 20


@pytest.fixture(scope="module")
def inputs() -> dict[str, Any]:
    return {**torus_drawn(n=N, k=K).inputs, "threads": 1}


@pytest.fixture(scope="module")
def answer(inputs: dict[str, Any]) -> dict[str, Any]:
    return dict(tcs.tcs_drawn(inputs, lambda _: nullcontext())())


def test_the_points_and_bars_are_those_that_are_handed_over(inputs: dict[str, Any], answer: dict[str, Any]) -> None:
    handed: dict[str, Any] = {
        "points": workloads.torus(N),
        "threshold": threshold("torus", N, K),
        "max_dimension": 1,
        "threads": 1,
    }
    assert np.array_equal(draw(inputs).points, handed["points"])
    there = canonical(tcs.tcs(handed, lambda _: nullcontext())(), 1)
    assert all(np.array_equal(canonical(answer, 1)[name], there[name]) for name in there)
    assert {rows.dtype for rows in answer.values()} == {np.dtype(np.float32)}


@pytest.mark.skipif(COMPILER is None, reason="g++, which builds the CUDA kernels here, is not installed")
def test_on_a_gpu_too(inputs: dict[str, Any], answer: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """A device of this machine in its place."""
    monkeypatch.setattr(backend, "Gpu", HostGpu)
    backend.tried.cache_clear()
    found = tcs.tcs_drawn_on_a_gpu(inputs, lambda _: nullcontext())()
    backend.tried.cache_clear()
    here, there = (bars(inputs, {}, each) for each in (found, answer))
    assert here.ok
    assert all(np.array_equal(here.canonical[name], there.canonical[name]) for name in ("counts", "digest"))


def test_a_right_answer_passes_and_what_is_kept_of_it_tells_answers_apart(
    inputs: dict[str, Any], answer: dict[str, Any]
) -> None:
    found = bars(inputs, {}, answer)
    assert (found.ok, found.exact) == (True, True)
    assert found.canonical["counts"].sum(axis=1).tolist() == [len(rows) for rows in canonical(answer, 1).values()]
    assert found.canonical["counts"][0].sum() == N
    shifted = {**answer, "bars_1": answer["bars_1"].copy()}
    shifted["bars_1"][0, 0] = np.nextafter(shifted["bars_1"][0, 0], np.float32(0))
    other = bars(inputs, {}, shifted)
    assert other.ok
    assert other.canonical["digest"].tobytes() != found.canonical["digest"].tobytes()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda a: {"bars_0": a["bars_0"]}, "bars_1 is missing"),
        (lambda a: {**a, "bars_0": np.repeat(a["bars_0"], 2, axis=0)}, "H0 of 1,000 points has 1,998 finite"),
        (lambda a: {**a, "bars_0": a["bars_0"][:-1]}, "and 0 essential"),
        (lambda a: {**a, "bars_0": a["bars_0"] + np.array([0.01, 0.02], dtype=np.float32)}, "or one that is born late"),
        (lambda a: {**a, "bars_0": a["bars_0"] * np.float32(9)}, "lies beyond the threshold"),
        (lambda a: {**a, "bars_1": a["bars_1"][:2, ::-1]}, "dies before it is born"),
    ],
)
def test_what_cannot_be_bars(inputs: dict[str, Any], answer: dict[str, Any], change: Any, words: str) -> None:
    found = bars(inputs, {}, change(answer))
    assert not found.ok
    assert words in found.detail
