"""What nvidia-smi and nvcc say is read as it is; a tool that fails or hangs is never taken for 'no GPU'."""

from __future__ import annotations

from pathlib import Path

import pytest

import machines
from harness.machine import gpu

H200 = "0, NVIDIA H200, 143771, 580.65.06, 9.0, 700.00, 1980, Disabled"


@pytest.fixture(autouse=True)
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that stands first on PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def test_no_tool_is_no_gpu() -> None:
    """Without nvidia-smi there is no GPU, and that is no error."""
    assert gpu.gpu_facts() == {"gpus": [], "driver": "", "cuda": "", "gpu_error": ""}
    assert gpu.compute_processes() == []


def test_known_gpus(tools: Path) -> None:
    """Name, memory, driver and CUDA version come out as they went in."""
    machines.nvidia_smi(tools, gpus=f"{H200}\n1, NVIDIA A10G, 23028, 580.65.06, 8.6, [N/A], [Not Supported], N/A")
    found = gpu.gpu_facts()
    assert (found["driver"], found["cuda"], found["gpu_error"]) == ("580.65.06", "13.0", "")
    assert found["gpus"][0] == {
        "index": 0,
        "name": "NVIDIA H200",
        "memory_bytes": 143771 * 2**20,
        "compute_capability": "9.0",
        "power_limit_w": 700.0,
        "max_clock_mhz": 1980.0,
        "mig": "Disabled",
    }
    assert found["gpus"][1]["power_limit_w"] is None
    assert found["gpus"][1]["mig"] == ""


def test_newer_banner(tools: Path) -> None:
    """Newer drivers call it 'CUDA UMD Version'."""
    machines.nvidia_smi(tools, gpus=H200, banner="| CUDA UMD Version: 13.1 |")
    assert gpu.gpu_facts()["cuda"] == "13.1"


def test_a_failing_driver_is_told(tools: Path) -> None:
    """A driver that does not match is reported in its own words."""
    machines.tool(tools, "nvidia-smi", "echo 'Failed to initialize NVML: Driver/library version mismatch'; exit 18")
    found = gpu.gpu_facts()
    assert found["gpus"] == []
    assert "status 18" in found["gpu_error"]
    assert "version mismatch" in found["gpu_error"]


def test_a_hanging_tool_is_stopped(tools: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tool that never answers costs the time limit and is told."""
    machines.tool(tools, "nvidia-smi", "exec sleep 60")
    monkeypatch.setattr(gpu, "TIMEOUT_S", 0.2)
    assert "did not answer within 0.2 s" in gpu.gpu_facts()["gpu_error"]
    assert gpu.compute_processes() == []


def test_a_tool_that_is_no_program(tools: Path) -> None:
    """A file that cannot be executed is told as well."""
    (tools / "nvidia-smi").write_bytes(b"\x7fELF nonsense")
    (tools / "nvidia-smi").chmod(0o755)
    assert "cannot be started" in gpu.gpu_facts()["gpu_error"]


def test_processes(tools: Path) -> None:
    """Compute processes are listed; lines that are none are skipped."""
    machines.nvidia_smi(tools, apps="4711, /usr/bin/python3, 2048\n4712, [N/A], [N/A]\nnothing to see")
    assert gpu.compute_processes() == [
        {"pid": 4711, "name": "python3", "memory_bytes": 2**31},
        {"pid": 4712, "name": "[N/A]", "memory_bytes": None},
    ]


def test_nvcc(tools: Path) -> None:
    """The compiler's version is asked of the compiler, or read from the file beside it."""
    machines.tool(tools, "nvcc", "echo 'Cuda compilation tools, release 12.4, V12.4.99'")
    assert gpu.nvcc_version() == "12.4"
    (tools.parent / "version.json").write_text(
        '{"cuda": {"version": "13.0.1"}, "cuda_nvcc": {"name": "x", "version": "13.0.88"}}'
    )
    assert gpu.nvcc_version() == "13.0"
