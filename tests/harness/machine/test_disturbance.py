"""What happened on the machine between two moments: shares of CPU time, throttling, swapping, foreign GPU work."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import machines
from harness.machine.disturbance import Snapshot, foreign_gpu, interference, snapshot

if TYPE_CHECKING:
    import pytest

QUIET = Snapshot(load=0.1, total=100.0, idle=50.0, steal=1.0, own=20.0, throttled=2, thermal=0, swapped=5)


def test_known_shares() -> None:
    """Of 10 CPU seconds, 1 stolen, 4 idle, 3 our own: 2 are others'."""
    after = replace(QUIET, load=3.0, total=110.0, idle=54.0, steal=2.0, own=23.0, throttled=3, thermal=4, swapped=7)
    assert interference(QUIET, after) == {
        "load": 0.1,
        "steal": 0.1,
        "foreign_cpu": 0.2,
        "throttled": 5,
        "swapped": 2,
        "foreign_gpu": [],
    }


def test_no_time_passed() -> None:
    """Within one tick of the kernel's counters nothing can be said, and None says so."""
    found = interference(QUIET, QUIET)
    assert found["steal"] is None
    assert found["foreign_cpu"] is None
    assert found["throttled"] == 0


def test_counters_that_go_back_are_no_disturbance() -> None:
    """A counter that was reset (a CPU taken offline, a new cgroup) is not a negative share."""
    found = interference(QUIET, replace(QUIET, total=110.0, idle=60.0, steal=0.0, own=0.0, throttled=0, swapped=0))
    assert found["steal"] == 0.0
    assert found["throttled"] == 0
    assert found["swapped"] == 0
    assert 0 <= found["foreign_cpu"] <= 1


def test_snapshot_reads_the_files(tmp_path: Path) -> None:
    """Counters come from the files, in seconds; heat counts cores and their package."""
    heat = {
        f"sys/devices/system/cpu/cpu{i}/thermal_throttle/{name}": "2\n"
        for i in range(2)
        for name in ("core_throttle_count", "package_throttle_count")
    }
    root = machines.machine(tmp_path, {"proc/vmstat": "nr_free_pages 5\npswpin 3\npswpout 4\n", **heat}, cpus=2)
    found = snapshot(root=root)
    tick = os.sysconf("SC_CLK_TCK")
    assert (found.load, found.swapped, found.thermal) == (0.25, 7, 6)
    assert (found.total, found.idle, found.steal) == (9650 / tick, 8100 / tick, 40 / tick)


def test_snapshot_of_an_empty_tree(tmp_path: Path) -> None:
    """A kernel that shows nothing gives zeros, and an interference that says None."""
    assert interference(snapshot(root=tmp_path), snapshot(root=tmp_path))["steal"] is None


def test_this_machine() -> None:
    """On the machine that runs the tests, shares are shares."""
    before = snapshot()
    sum(i * i for i in range(300_000))
    found = interference(before, snapshot())
    assert all(found[name] is None or 0 <= found[name] <= 1 for name in ("steal", "foreign_cpu"))


def test_foreign_gpu_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever else holds a GPU before or after a trial is named once; the harness itself is not."""
    machines.nvidia_smi(tmp_path, apps=f"4711, /opt/python3, 2048\n{os.getpid()}, python, 10")
    monkeypatch.setenv("PATH", str(tmp_path))
    both = [snapshot(gpu=True), snapshot(gpu=True)]
    assert interference(*both)["foreign_gpu"] == ["python3 (process 4711, 2048 MiB)"]
    assert snapshot().gpu == (), "a trial without a GPU does not pay for the question"
    assert foreign_gpu([]) == []
