"""What else happened on the machine while a trial ran: load, steal, throttling, swapping, others' work.

Two snapshots, one before and one after, cost a few small reads of /proc each; only a trial on a GPU asks
nvidia-smi as well, which takes some tenths of a second.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from harness.machine import cgroup
from harness.machine.gpu import compute_processes

_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Counters at one moment.

    Attributes:
        load: 1-minute load average. ``total``, ``idle``, ``steal``: CPU seconds of all CPUs since boot.
        own: CPU seconds of this process and its children that have ended.
        throttled: how often the cgroup was throttled. ``thermal``: how often a core was, for its heat.
        swapped: pages moved to or from swap. ``gpu``: compute processes on the GPUs.
    """

    load: float
    total: float
    idle: float
    steal: float
    own: float
    throttled: int
    thermal: int
    swapped: int
    gpu: tuple[dict[str, Any], ...] = field(default=())


def snapshot(*, gpu: bool = False, root: Path = Path("/")) -> Snapshot:
    """Read the counters; ``gpu`` asks nvidia-smi for foreign processes as well."""
    ticks = _cpu_ticks(root)
    own = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return Snapshot(
        load=_first_number(root / "proc/loadavg"),
        total=sum(ticks[:8]) / _TICK,
        idle=sum(ticks[3:5]) / _TICK,
        steal=ticks[7] / _TICK,
        own=sum(usage.ru_utime + usage.ru_stime for usage in own),
        throttled=cgroup.throttled(root),
        thermal=sum(int(_first_number(path)) for path in _thermal_counters(root)),
        swapped=_swapped(root),
        gpu=tuple(compute_processes()) if gpu else (),
    )


def interference(before: Snapshot, after: Snapshot) -> dict[str, Any]:
    """What two snapshots say about the time between them, in the form of a record.

    Returns:
        ``load`` (1-minute, before); ``steal`` and ``foreign_cpu`` (shares of all CPUs' time that the hypervisor
        took, and that other processes used; None if the kernel counted nothing); ``throttled`` (times that
        the cgroup or a hot core was slowed down); ``swapped`` (pages); ``foreign_gpu`` (processes, as text).
    """
    total = after.total - before.total
    steal = max(after.steal - before.steal, 0.0)
    busy = total - (after.idle - before.idle) - steal
    foreign = max(busy - (after.own - before.own), 0.0)
    return {
        "load": before.load,
        "steal": round(min(steal / total, 1.0), 4) if total > 0 else None,
        "foreign_cpu": round(min(foreign / total, 1.0), 4) if total > 0 else None,
        "throttled": max(after.throttled - before.throttled, 0) + max(after.thermal - before.thermal, 0),
        "swapped": max(after.swapped - before.swapped, 0),
        "foreign_gpu": foreign_gpu([*before.gpu, *after.gpu]),
    }


def foreign_gpu(processes: Iterable[dict[str, Any]]) -> list[str]:
    """Processes on the GPUs that are not this one, one line each.

    Snapshots are taken while no player runs, so whatever else is there belongs to somebody else.
    """
    lines = {}
    for process in processes:
        if process["pid"] != os.getpid():
            size = process["memory_bytes"]
            lines[process["pid"]] = f"{process['name']} (process {process['pid']}" + (
                f", {size >> 20} MiB)" if size else ")"
            )
    return list(lines.values())


def _cpu_ticks(root: Path) -> list[int]:
    """The first line of /proc/stat: user nice system idle iowait irq softirq steal (guest time is part of user)."""
    text = _read(root / "proc/stat").split("\n", 1)[0].split()
    ticks = [int(value) for value in text[1:] if value.isdigit()] if text[:1] == ["cpu"] else []
    return ticks + [0] * (8 - len(ticks))


def _swapped(root: Path) -> int:
    pages = 0
    for line in _read(root / "proc/vmstat").splitlines():
        name, _, value = line.partition(" ")
        if name in ("pswpin", "pswpout") and value.isdigit():
            pages += int(value)
    return pages


@lru_cache(maxsize=8)
def _thermal_counters(root: Path) -> tuple[Path, ...]:
    """Counters of this process's cores; each package's counter is read once."""
    cores = sorted((root / "sys/devices/system/cpu").glob("cpu[0-9]*/thermal_throttle/core_throttle_count"))
    packages = [path.with_name("package_throttle_count") for path in cores[:1]]
    return (*cores[:64], *(path for path in packages if path.exists()))


def _first_number(path: Path) -> float:
    try:
        return float(_read(path).split()[0])
    except (IndexError, ValueError):
        return 0.0


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
