"""Load, power and clock of a GPU, by a C library in the place of NVML: what it refuses is left out."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from harness.machine.nvml import Gpu, NvmlError, watched

COMPILER = shutil.which("cc") or shutil.which("gcc")
ADDRESS = "0000:41:00.0"
needs_a_compiler = pytest.mark.skipif(COMPILER is None, reason="a C compiler, which builds a library, is not installed")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> str:
    assert COMPILER is not None
    made = tmp_path_factory.mktemp("nvml") / "libfake-nvml.so"
    source = Path(__file__).parents[2] / "fake_nvml.c"
    subprocess.run([COMPILER, "-shared", "-fPIC", "-Wall", "-Werror", str(source), "-o", str(made)], check=True)
    return str(made)


def test_without_nvml() -> None:
    with pytest.raises(NvmlError, match="NVML cannot be loaded: no-such-library"):
        Gpu(ADDRESS, "no-such-library.so.1")


@needs_a_compiler
def test_what_it_tells(library: str) -> None:
    gpu = Gpu(ADDRESS, library)
    assert gpu.read() == {
        "gpu_utilisation": (60.0, "%"),
        "gpu_memory_utilisation": (30.0, "%"),
        "gpu_power": (412.5, "W"),
        "gpu_clock": (1980.0, "MHz"),
    }
    gpu.close()


@needs_a_compiler
@pytest.mark.parametrize(
    ("refused", "left"),
    [
        ("utilisation", {"gpu_power", "gpu_clock"}),
        ("power", {"gpu_utilisation", "gpu_memory_utilisation", "gpu_clock"}),
        ("utilisation power clock", set()),
    ],
)
def test_what_it_refuses_is_left_out(
    library: str, monkeypatch: pytest.MonkeyPatch, refused: str, left: set[str]
) -> None:
    """As a part of a GPU does, or a user without the right to it."""
    monkeypatch.setenv("FAKE_NVML", refused)
    gpu = Gpu(ADDRESS, library)
    assert set(gpu.read()) == left
    gpu.close()


@needs_a_compiler
def test_errors_in_its_own_words(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NvmlError, match="nvmlDeviceGetHandleByPciBusId_v2: Not Found"):
        Gpu("0000:99:00.0", library)
    assert ctypes.CDLL(library).fake_opened() == 0
    monkeypatch.setenv("FAKE_NVML", "init")
    with pytest.raises(NvmlError, match="nvmlInit_v2: Driver Not Loaded"):
        Gpu(ADDRESS, library)


@needs_a_compiler
def test_means_and_maxima_of_what_was_seen(library: str) -> None:
    """Looks alternate between 60 and 80 %; the library is let go at the end, whatever happened."""
    with watched(Gpu(ADDRESS, library), period=0.001) as metrics:
        assert metrics == {}
        time.sleep(0.2)
    assert metrics["gpu_utilisation_max"] == {"value": 80.0, "unit": "%", "direction": "higher"}
    assert 60 < metrics["gpu_utilisation"]["value"] < 80
    assert metrics["gpu_power"] == {"value": 412.5, "unit": "W", "direction": "lower"}
    with pytest.raises(KeyError), watched(Gpu(ADDRESS, library)):
        raise KeyError
    assert ctypes.CDLL(library).fake_opened() == 0


@needs_a_compiler
def test_an_end_before_the_first_look(library: str) -> None:
    with watched(Gpu(ADDRESS, library), period=60) as metrics:
        pass
    assert metrics == {}
