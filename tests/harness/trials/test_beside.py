"""Readings of a GPU stand beside times where there is one to read, and cost nothing where there is none."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from harness.machine import nvml
from harness.trials.beside import of_the_player, on_the_gpu
from harness.trials.clock import CudaClock, WallClock

if TYPE_CHECKING:
    import pytest


class Gpu:
    def __init__(self, address: str) -> None:
        self.address = address


def clock_at(address: str) -> Any:
    clock = object.__new__(CudaClock)
    clock.address = lambda: address  # type: ignore[method-assign]
    return clock


def test_on_the_cpu_nothing_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "harness.machine.nvml", None)
    with on_the_gpu(WallClock()) as readings:
        pass
    assert readings == {}


def test_the_gpu_that_the_clock_times_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def watched(gpu: Gpu) -> Any:
        yield {"gpu_power": {"value": 1.0, "unit": gpu.address, "direction": "lower"}}

    monkeypatch.setattr(nvml, "Gpu", Gpu)
    monkeypatch.setattr(nvml, "watched", watched)
    with on_the_gpu(clock_at("0000:41:00.0")) as readings:
        pass
    assert readings["gpu_power"]["unit"] == "0000:41:00.0"


def test_without_nvml_the_log_says_so_once(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(nvml.Gpu.__init__, "__defaults__", ("no-such-library.so.1",))
    with on_the_gpu(clock_at("0000:41:00.0")) as readings:
        pass
    assert readings == {}
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert "load and power of the GPU are not told: NvmlError: NVML cannot be loaded" in said[0]


def test_most_players_tell_nothing() -> None:
    assert of_the_player(dict) == {}
