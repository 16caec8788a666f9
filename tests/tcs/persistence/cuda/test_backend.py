"""Which device computes, what is said where there is no GPU, and that nothing but the device changes."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba", reason="the engine's kernels are compiled by numba")

from clouds import torus
from host_device import COMPILER, HostGpu
from tcs.persistence import reserve_gpu, rips, rips_batch
from tcs.persistence.cuda import backend
from tcs.persistence.cuda.__main__ import main
from tcs.persistence.cuda.engine import forecast
from tcs.persistence.errors import DeviceError, InputError

needs_a_compiler = pytest.mark.skipif(COMPILER is None, reason="g++, which builds the kernels here, is not installed")
POINTS = torus(300)


@pytest.fixture(autouse=True)
def anew() -> Iterator[None]:
    """What was found out and said before is forgotten."""
    backend.tried.cache_clear()
    backend.log_once.cache_clear()
    yield
    backend.tried.cache_clear()
    backend.log_once.cache_clear()


@pytest.fixture
def no_cupy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cupy", None)


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> type[HostGpu]:
    monkeypatch.setattr(backend, "Gpu", HostGpu)
    return HostGpu


@pytest.mark.usefixtures("no_cupy")
def test_asked_for_by_name_a_gpu_must_be_there() -> None:
    with pytest.raises(DeviceError, match=r"backend='cuda': CuPy.*not installed.*pip install.*backend='cpu'"):
        rips(POINTS, threshold=0.3, backend="cuda")


@pytest.mark.usefixtures("no_cupy")
def test_auto_falls_back_and_says_why_once(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="tcs.persistence"):
        found = [rips(POINTS, threshold=0.3, backend="auto") for _ in range(3)]
    right = rips(POINTS, threshold=0.3)
    assert all(each.digest() == right.digest() for each in found)
    assert [record.message for record in caplog.records if "CuPy" in record.message] == [caplog.records[0].message]
    assert len(caplog.records) == 1


@pytest.mark.usefixtures("no_cupy")
def test_the_trial_says_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main() == 1
    assert "CuPy" in capsys.readouterr().err


@needs_a_compiler
def test_the_trial_passes_where_the_kernels_are_right(gpu: type[HostGpu], capsys: pytest.CaptureFixture[str]) -> None:
    assert main() == 0
    assert "a host gives the right bars" in capsys.readouterr().out
    for dimension in (1, 2, 4):
        assert isinstance(backend.open_gpu(dimension), gpu)


@needs_a_compiler
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("square <= longest", "square < 0.4 * longest"),
        ("(u32)row + 1);", "1u);"),
        ("ends[e - rows] = length_bits(lengths[e]);", "ends[e - rows] = 1;"),
    ],
    ids=["half of the edges", "one owner", "other lengths"],
)
def test_a_gpu_that_gives_wrong_bars_is_not_used(monkeypatch: pytest.MonkeyPatch, old: str, new: str) -> None:
    def broken(dimension: int) -> HostGpu:
        return HostGpu(dimension, change=lambda text: text.replace(old, new))

    monkeypatch.setattr(backend, "Gpu", broken)
    with pytest.raises(DeviceError, match=r"a trial on the GPU (gave wrong bars|failed)"):
        rips(POINTS, threshold=0.3, backend="cuda")


@needs_a_compiler
@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize("name", ["cuda", "auto"])
def test_the_same_call_on_either_device(name: str) -> None:
    spans = []

    class Span:
        def __init__(self, stage: str) -> None:
            spans.append(stage)

        def __enter__(self) -> None: ...

        def __exit__(self, *error: object) -> None: ...

    for max_dimension in (0, 1):
        here = rips(POINTS, threshold=0.3, max_dimension=max_dimension, backend=name, span=Span)
        there = rips(POINTS, threshold=0.3, max_dimension=max_dimension)
        assert here.digest() == there.digest()
        assert here.n_points == 300
    assert list(here.stages) == ["grid", "lune", "forest", "push-down", "reduce", "sort"]
    assert set(spans) == set(here.stages)


@needs_a_compiler
@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize("max_dimension", [0, 1])
def test_batches_on_either_device(max_dimension: int) -> None:
    rng = np.random.default_rng(0)
    clouds = [rng.random((n, 2)) for n in (40, 0, 1, 90, 200)]
    here = rips_batch(clouds, threshold=0.4, max_dimension=max_dimension, backend="cuda")
    there = rips_batch(clouds, threshold=0.4, max_dimension=max_dimension)
    assert [each.digest() for each in here] == [each.digest() for each in there]


@needs_a_compiler
def test_too_little_memory_is_told_before_the_work(gpu: type[HostGpu], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "room", 2**20)
    with pytest.raises(DeviceError, match=r"300 points: about 64 MiB of device memory.*6\d MiB more than are free"):
        rips(POINTS, threshold=0.3, backend="cuda")
    assert rips(POINTS, threshold=0.3, backend="auto").digest() == rips(POINTS, threshold=0.3).digest()


@needs_a_compiler
def test_memory_is_reserved_as_it_is_forecast(gpu: type[HostGpu], monkeypatch: pytest.MonkeyPatch) -> None:
    assert reserve_gpu(1000, 3) == forecast(1000, 3)
    monkeypatch.setattr(gpu, "largest", 2**20)
    with pytest.raises(DeviceError, match=r"1,000 points: .* cannot be reserved in one piece \(out of memory"):
        reserve_gpu(1000, 3)
    monkeypatch.setattr(gpu, "room", 2**20)
    with pytest.raises(DeviceError, match=r"1,000 points: about 64 MiB of device memory"):
        reserve_gpu(1000, 3)


@pytest.mark.parametrize(("n", "dimension"), [(-1, 3), (2**30 + 1, 3), (10, 0), (10, 13)])
def test_no_memory_is_reserved_for_what_a_gpu_does_not_compute(n: int, dimension: int) -> None:
    with pytest.raises(InputError, match=rf"n={n}, dimension={dimension}: a GPU computes clouds of up to"):
        reserve_gpu(n, dimension)


@pytest.mark.usefixtures("no_cupy")
def test_no_memory_is_reserved_without_a_gpu() -> None:
    with pytest.raises(DeviceError, match="CuPy"):
        reserve_gpu(10, 3)


@needs_a_compiler
@pytest.mark.usefixtures("gpu")
def test_memory_that_is_used_up_in_the_middle(monkeypatch: pytest.MonkeyPatch) -> None:
    def used_up(*args: object) -> None:
        raise MemoryError("out of memory allocating 512 bytes")

    backend.open_gpu(3)
    monkeypatch.setattr(backend, "bars_of", used_up)
    with pytest.raises(DeviceError, match=r"300 points: the memory of the device was used up \(out of memory"):
        rips(POINTS, threshold=0.3, backend="cuda")
    assert rips(POINTS, threshold=0.3, backend="auto").digest() == rips(POINTS, threshold=0.3).digest()


@pytest.mark.parametrize(
    ("points", "more", "words"),
    [
        (POINTS, {"metric": "cityblock"}, "Euclidean metric"),
        (np.zeros((3, 3)), {"metric": "precomputed"}, "Euclidean metric"),
        (POINTS, {"max_dimension": 2}, "dimensions 0 and 1"),
        (POINTS, {"simplices": True}, "on the CPU only"),
        (POINTS, {"cycles": True}, "on the CPU only"),
        (np.zeros((5, 13)), {}, "13 coordinates"),
    ],
)
def test_what_a_gpu_does_not_compute(points: Any, more: dict[str, Any], words: str) -> None:
    with pytest.raises(DeviceError, match=words):
        rips(points, threshold=0.3, backend="cuda", **more)
    assert rips(points, threshold=0.3, backend="auto", **more).digest() == rips(points, threshold=0.3, **more).digest()


def test_a_backend_that_there_is_not() -> None:
    with pytest.raises(InputError, match="backend: 'gpu' is none of cpu, cuda, auto"):
        rips(POINTS, threshold=0.3, backend="gpu")


def test_no_points_need_no_gpu() -> None:
    assert rips(np.empty((0, 3)), threshold=1.0, backend="cuda").n_points == 0
