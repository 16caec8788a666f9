"""Limits of control groups, both versions: the least of all levels counts, and none at all is no error."""

from __future__ import annotations

from pathlib import Path

from harness.machine import cgroup
from machines import tree

V2 = {"sys/fs/cgroup/cgroup.controllers": "cpu memory\n"}


def test_none(tmp_path: Path) -> None:
    """A kernel without control groups limits nothing."""
    assert cgroup.limits(tmp_path) == {"version": 0, "cpus": None, "memory_bytes": None}
    assert cgroup.throttled(tmp_path) == 0


def test_version_2_takes_the_least_of_all_levels(tmp_path: Path) -> None:
    """A limit of a parent holds for its children."""
    root = tree(
        tmp_path,
        {
            **V2,
            "proc/self/cgroup": "0::/user/job\n",
            "sys/fs/cgroup/user/cpu.max": "200000 100000\n",
            "sys/fs/cgroup/user/memory.max": "4294967296\n",
            "sys/fs/cgroup/user/job/cpu.max": "max 100000\n",
            "sys/fs/cgroup/user/job/memory.max": "8589934592\n",
            "sys/fs/cgroup/user/job/cpu.stat": "usage_usec 5\nnr_periods 9\nnr_throttled 7\n",
        },
    )
    assert cgroup.limits(root) == {"version": 2, "cpus": 2.0, "memory_bytes": 2**32}
    assert cgroup.throttled(root) == 7


def test_version_1(tmp_path: Path) -> None:
    """The old files mean the same; -1 and a huge number mean no limit."""
    root = tree(
        tmp_path,
        {
            "proc/self/cgroup": "4:memory:/job\n3:cpu,cpuacct:/job\n0::/\n",
            "sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us": "50000\n",
            "sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_period_us": "100000\n",
            "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "-1\n",
            "sys/fs/cgroup/cpu,cpuacct/job/cpu.stat": "nr_throttled 3\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
            "sys/fs/cgroup/memory/job/memory.limit_in_bytes": "1073741824\n",
        },
    )
    assert cgroup.limits(root) == {"version": 1, "cpus": 0.5, "memory_bytes": 2**30}
    assert cgroup.throttled(root) == 3


def test_a_container_does_not_see_its_own_path(tmp_path: Path) -> None:
    """Where the path in /proc does not exist below the mount, the mount itself is the group."""
    root = tree(
        tmp_path, {**V2, "proc/self/cgroup": "0::/../../kubepods/pod1\n", "sys/fs/cgroup/cpu.max": "100000 100000\n"}
    )
    assert cgroup.limits(root)["cpus"] == 1.0


def test_damaged_files_limit_nothing(tmp_path: Path) -> None:
    """Text that is no number is no limit."""
    root = tree(
        tmp_path,
        {
            **V2,
            "proc/self/cgroup": "nonsense\n0::/\n",
            "sys/fs/cgroup/cpu.max": "\n",
            "sys/fs/cgroup/memory.max": "many\n",
        },
    )
    assert cgroup.limits(root) == {"version": 2, "cpus": None, "memory_bytes": None}
