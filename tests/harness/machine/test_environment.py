"""Facts about a machine are read from files that may not exist, and its key depends on nothing that changes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

import machines
from harness.machine import environment

GPU = "0, NVIDIA H200, 143771, 580.65.06, 9.0, 700.00, 1980, Disabled"


@pytest.fixture(autouse=True)
def bare_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """PATH holds only what a test puts there."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def facts(root: Path, files: Mapping[str, str] | None = None, **changes: Any) -> dict[str, Any]:
    return environment.facts(root=machines.machine(root, files, **changes))


def test_a_known_machine(tmp_path: Path) -> None:
    """Every fact of a made-up machine is the one that was written there."""
    root = tmp_path / "m"
    files = {
        **{f"sys/devices/system/cpu/cpu{i}/cpufreq/scaling_governor": "powersave\n" for i in range(8)},
        **{f"sys/devices/system/node/node{i}/cpulist": "" for i in range(2)},
        "sys/class/dmi/id/sys_vendor": "QEMU\n",
    }
    found = facts(root, files, cpus=8, threads=2, sockets=2, hypervisor=True)
    cpu = found["cpu"]
    assert (cpu["model"], cpu["logical"], cpu["physical"], cpu["sockets"], cpu["numa_nodes"]) == (
        "AMD EPYC 7763",
        8,
        4,
        2,
        2,
    )
    assert cpu["simd"] == ["avx2"]
    assert found["memory_bytes"] == 65_536_000 * 1024
    assert found["governor"] == "powersave"
    assert found["virtualization"] == "virtual machine (QEMU)"
    assert found["load"] == [0.25, 0.5, 0.75]
    assert found["os"] == "Linux, Some Linux 12"
    assert found["gpus"] == []
    assert found["driver"] == found["cuda"] == found["gpu_error"] == ""
    assert found["key"].startswith("amd-epyc-7763-8c-64g-nogpu-")
    json.dumps(found, allow_nan=False)


def test_an_empty_tree_is_no_error(tmp_path: Path) -> None:
    """A kernel that shows nothing gives facts that say so."""
    found = environment.facts(root=tmp_path / "nothing")
    assert found["memory_bytes"] == 0
    assert found["load"] == []
    assert found["cpu"]["cores"] == 1
    assert found["cgroup"] == {"version": 0, "cpus": None, "memory_bytes": None}
    assert found["key"]


def test_this_machine_has_facts() -> None:
    """On the machine that runs the tests the facts are there and can be written as JSON."""
    found = environment.facts()
    assert found["cpu"]["cores"] >= 1
    assert found["memory_bytes"] > 2**28
    assert found["python"].startswith("3.")
    json.dumps(found, allow_nan=False)


def test_key_ignores_what_changes(tmp_path: Path) -> None:
    """Clock, load, kernel memory and versions do not move the key; cores, memory, model and GPU do."""
    base = facts(tmp_path / "a")["key"]
    assert (
        facts(tmp_path / "b", clock="1500.0", memory_kib=64_900_000, files={"proc/loadavg": "9 9 9 1/1 1\n"})["key"]
        == base
    )
    assert facts(tmp_path / "c", cpus=8)["key"] != base
    assert facts(tmp_path / "d", memory_kib=131_000_000)["key"] != base


def test_a_container_is_another_machine(tmp_path: Path) -> None:
    """A cgroup that takes cores and memory away shows in the key, since it changes what is measured."""
    group = {
        "sys/fs/cgroup/cgroup.controllers": "cpu memory\n",
        "sys/fs/cgroup/cpu.max": "150000 100000\n",
        "sys/fs/cgroup/memory.max": str(8 * 2**30) + "\n",
    }
    found = facts(tmp_path / "a", group)
    assert found["cgroup"] == {"version": 2, "cpus": 1.5, "memory_bytes": 8 * 2**30}
    assert found["cpu"]["cores"] == 2
    assert found["key"].startswith("amd-epyc-7763-2c-8g-")


def test_gpu_in_key(tmp_path: Path, bare_path: Path) -> None:
    """A GPU's name and memory and the driver's major version are in the key; its minor version is not."""
    keys = []
    for driver in ("580.65.06", "580.95.05", "535.10"):
        machines.nvidia_smi(bare_path, gpus=GPU.replace("580.65.06", driver))
        keys.append(facts(tmp_path / driver)["key"])
    assert keys[0] == keys[1] != keys[2]
    assert "-nvidia-h200-140g-" in keys[0]
    machines.nvidia_smi(bare_path, gpus="\n".join([GPU] * 8))
    assert "-8x-nvidia-h200-140g-" in facts(tmp_path / "eight")["key"]


@pytest.mark.parametrize(
    ("line", "model"),
    [
        ("Intel(R) Core(TM) i7-8700 CPU @ 3.20GHz", "Intel Core i7-8700"),
        ("AMD Ryzen 9 5950X 16-Core Processor", "AMD Ryzen 9 5950X"),
        ("AMD EPYC", "AMD EPYC"),
    ],
)
def test_cpu_model_has_no_clock(line: str, model: str) -> None:
    """Trade marks, core counts and clocks are dropped from a processor's name."""
    assert environment.cpu_model({"model name": line}) == model


def test_arm_has_a_model() -> None:
    """An ARM processor, whose kernel names no model, is known by its part number."""
    assert environment.cpu_model({"CPU implementer": "0x41", "CPU part": "0xd40"}) == "ARM 0x41 0xd40"


@given(st.sampled_from([1, 2, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 512, 1024]), st.floats(0.93, 1.0))
def test_memory_class_bears_what_a_kernel_keeps(nominal: int, share: float) -> None:
    """A machine sold with some memory stays in that class while the kernel keeps up to 7 % of it."""
    assert environment.memory_class(int(nominal * share * 2**30)) == nominal


def test_package_versions_leave_out_what_is_absent() -> None:
    """Only installed distributions are listed, whatever their imports are called."""
    assert list(environment.package_versions(["pytest", "no-such-distribution", "pytest"])) == ["pytest"]


def test_players_packages_are_listed(tmp_path: Path) -> None:
    """The versions of what a project's players name are part of the facts; a broken suite is no obstacle."""
    code = '@player(name="p", task="t", packages={"hypothesis": ">=1"})\ndef p(inputs, stage): ...\n'
    assert "hypothesis" in environment.facts(machines.project(tmp_path / "good", benchmarks=code))["packages"]
    assert environment.facts(machines.project(tmp_path / "bad", benchmarks="@player(\n"))["key"]
