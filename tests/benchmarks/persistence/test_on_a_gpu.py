"""Players on a GPU: what they reserve, count and tell, on a device of this machine in the place of one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba", reason="the engine's kernels are compiled by numba")

from benchmarks.persistence import batches, workloads
from benchmarks.persistence.barcode import canonical
from benchmarks.persistence.players.batch_engines import tcs_batch, tcs_batch_on_a_gpu
from benchmarks.persistence.players.on_a_gpu import OnAGpu
from benchmarks.persistence.players.tcs import tcs, tcs_on_a_gpu
from harness.errors import Unavailable
from host_device import COMPILER, HostGpu
from tcs.persistence.cuda import backend
from tcs.persistence.cuda.engine import forecast

if COMPILER is None:
    pytest.skip("g++, which builds the CUDA kernels for this machine, is not installed", allow_module_level=True)

STAGES = ["grid", "lune", "forest", "push-down", "reduce", "sort"]


@pytest.fixture(autouse=True)
def gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(backend, "Gpu", HostGpu)
    backend.tried.cache_clear()
    yield
    backend.tried.cache_clear()


def inputs(n: int = 500) -> dict[str, Any]:
    points = workloads.torus(n)
    return {"points": points, "threshold": 0.3, "max_dimension": 1, "threads": 1}


def test_it_answers_as_on_the_cpu_and_tells_what_it_took() -> None:
    spans: list[str] = []

    def span(name: str) -> Any:
        spans.append(name)
        return nullcontext()

    solve = tcs_on_a_gpu(inputs(), span)
    assert isinstance(solve, OnAGpu)
    assert spans == []
    here, there = (canonical(each, 1) for each in (solve(), tcs(inputs(), lambda _: nullcontext())()))
    assert all(np.array_equal(here[name], there[name]) for name in there)
    assert spans == STAGES
    metrics = solve.metrics()
    assert spans == STAGES
    values = {name: metric["value"] for name, metric in metrics.items()}
    assert values["allocations_while_solving"] == 0
    assert values["pool_reserved"] == values["pool"] == forecast(500, 3)
    assert 10 < values["transfers_to_host"] < 100
    assert 100 < values["bytes_before_bars"] < 2_000
    for stage in STAGES:
        share = values[f"bytes.{stage}"] / values[f"seconds.{stage}"] / values["copy_bandwidth"]
        assert values[f"bandwidth_share.{stage}"] == pytest.approx(share)
        assert share > 0
    assert {metric["unit"] for metric in metrics.values()} == {"allocations", "B", "transfers", "B/s", "s", "share"}


def test_memory_that_the_driver_is_asked_for_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the first computation after the pool was made, and in the last one."""
    monkeypatch.setattr(HostGpu, "growth", 3)
    metrics = tcs_on_a_gpu(inputs(), lambda _: nullcontext()).metrics()  # type: ignore[attr-defined]
    assert metrics["allocations_while_solving"] == {"value": 6, "unit": "allocations", "direction": "lower"}


def test_batches_reserve_for_all_clouds() -> None:
    problem = batches.tori(n=200, k=20, clouds=4).inputs
    solve = tcs_batch_on_a_gpu(problem, lambda _: nullcontext())
    here, there = solve(), tcs_batch(problem, lambda _: nullcontext())()
    assert all(np.array_equal(here[name], there[name]) for name in there)
    metrics = solve.metrics()  # type: ignore[attr-defined]
    assert metrics["pool_reserved"]["value"] == forecast(4 * 200, 3 + 1)
    assert [name for name in metrics if name.startswith("seconds.")] == [f"seconds.{stage}" for stage in STAGES]


@pytest.mark.parametrize("player", [tcs_on_a_gpu, tcs_batch_on_a_gpu])
def test_without_room_it_is_unavailable(monkeypatch: pytest.MonkeyPatch, player: Any) -> None:
    monkeypatch.setattr(HostGpu, "room", 2**20)
    problem = inputs() if player is tcs_on_a_gpu else batches.tori(n=200, k=20, clouds=4).inputs
    with pytest.raises(Unavailable, match="MiB of device memory"):
        player(problem, lambda _: nullcontext())
