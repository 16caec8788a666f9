"""``harness doctor``: the machine in words, what would disturb a run, and what cannot be measured."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import machines
from harness.cli import doctor
from harness.machine import environment
from harness.machine.lock import machine_lock

QUIET = {"load": 0.0, "steal": 0.0, "foreign_cpu": 0.0, "throttled": 0, "swapped": 0, "foreign_gpu": []}


@pytest.fixture(autouse=True)
def quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting, no cache and no lock of this machine."""
    monkeypatch.setattr(doctor, "LISTEN_S", 0.0)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HARNESS_LOCK", str(tmp_path / "lock"))


def facts(root: Path, files: Mapping[str, str] | None = None) -> dict[str, Any]:
    idle = {"proc/loadavg": "0 0 0 1/1 1\n"}
    return {**environment.facts(root=machines.machine(root, {**idle, **(files or {})})), "gpu_error": ""}


def test_a_quiet_machine_has_no_warnings(tmp_path: Path) -> None:
    """Nothing is said where nothing disturbs."""
    assert doctor.warnings(facts(tmp_path), QUIET) == []


@pytest.mark.parametrize(
    ("now", "said"),
    [
        ({"steal": 0.05}, "the hypervisor took 5%"),
        ({"foreign_cpu": 0.4}, "other processes used 40%"),
        ({"throttled": 3}, "throttled 3 time"),
        ({"swapped": 9}, "9 pages moved"),
        ({"foreign_gpu": ["python3 (process 4711)"]}, "hold the GPU: python3 (process 4711)"),
        ({"steal": None, "foreign_cpu": None}, ""),
    ],
)
def test_what_happens_now(tmp_path: Path, now: dict[str, Any], said: str) -> None:
    """Each disturbance has its own sentence; what is not known has none."""
    found = doctor.warnings(facts(tmp_path), {**QUIET, **now})
    assert (len(found) == 1 and said in found[0]) if said else found == []


def test_how_the_machine_is_set(tmp_path: Path) -> None:
    """Governor, load, swap, quota, GPU trouble and a run that holds the lock."""
    files = {
        "proc/loadavg": "3.5 1 1 1/1 1\n",
        "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "powersave\n",
        "proc/meminfo": "MemTotal: 1000000 kB\nSwapTotal: 2097152 kB\n",
        "sys/fs/cgroup/cgroup.controllers": "cpu\n",
        "sys/fs/cgroup/cpu.max": "100000 100000\n",
    }
    found = facts(tmp_path, files)
    text = "\n".join(
        doctor.warnings({**found, "gpu_error": "nvidia-smi ended with status 9"}, QUIET, "run x (process 1)")
    )
    for said in (
        "governor is powersave",
        "the load is 3.5",
        "2.0 GiB of swap",
        "only 1 of 4 CPUs",
        "status 9",
        "run x (process 1)",
    ):
        assert said in text


def test_the_verb_in_a_project(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Machine, data, and what cannot be measured for want of what; equal reasons are grouped."""
    suite = '@case(version=1, task="t", check="a:b")\ndef c(): ...\n'
    suite += '@player(name="p", task="t", device="cuda")\ndef p(i, s): ...\n'
    gates = "# @package gates\none: {blocked: not built yet}\ntwo: {blocked: not built yet}\n"
    gates += "three: {case: e, player: p, below: 1}\n"
    project = machines.project(
        tmp_path / "p",
        benchmarks=suite,
        gates__phase1=gates,
        cases__phase1="e: {case: toy.c}\n",
        datasets={"far": machines.manifest("far", {"b": b""}, url="https://example.org")},
    )
    (tmp_path / "bin").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(tmp_path / "bin"))
        assert doctor.main([], project) == 0
        out = " ".join(capsys.readouterr().out.split())
        assert doctor.main(["--json"], project) == 0
    found = json.loads(capsys.readouterr().out)
    assert "machine " + found["machine"]["key"] in out
    assert "2 gates one ... two not built yet" in out
    assert "player p needs a CUDA GPU" in out
    assert "far no not here" in out
    assert "GPU none (no nvidia-smi on PATH)" in out
    causes = {row["name"]: row["cause"] for row in found["unmeasurable"]}
    assert causes == {"p": "machine", "toy.c": "machine", "one": "project", "two": "project", "three": "machine"}


def test_without_a_project(capsys: pytest.CaptureFixture[str]) -> None:
    """The machine can be looked at from anywhere."""
    assert doctor.main([], None) == 0
    assert "no data set is declared" in capsys.readouterr().out


def test_a_broken_project_does_not_stop_the_doctor(tmp_path: Path) -> None:
    """What is wrong with the project is a warning."""
    project = machines.project(tmp_path, benchmarks="@player(\n", datasets={"s": "["})
    text = "\n".join(doctor.examine(project)["warnings"])
    assert "the project's datasets cannot be listed" in text
    assert "the project's players cannot be listed" in text


def test_a_run_in_progress(tmp_path: Path) -> None:
    """Whoever holds the machine's lock is named."""
    with machine_lock("run 20260101"):
        assert any("run 20260101 (process " in text for text in doctor.examine(None)["warnings"])


def test_a_gpu_is_described(tmp_path: Path) -> None:
    """Name, memory and compute capability in one line."""
    found = {
        **facts(tmp_path),
        "gpus": [{"name": "H200", "memory_bytes": 2**37, "compute_capability": "9.0"}],
        "driver": "580.1",
        "cuda": "13.0",
    }
    rows = [": ".join(row) for row in doctor.describe(found, QUIET)]
    assert "GPU: H200, 128.0 GiB, compute capability 9.0" in rows
    assert "driver: 580.1" in rows
