"""Limits and throttling of the control group that this process lives in, versions 1 and 2.

A limit can stand at any level above the process, so every level up to the mount is read and the least wins.
Inside a container the path that /proc shows may not exist below the mount; then the mount itself is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

_UNLIMITED = 2**60
_MOUNT = "sys/fs/cgroup"


def limits(root: Path) -> dict[str, Any]:
    """``{"version": 0 | 1 | 2, "cpus": float | None, "memory_bytes": int | None}``; None where nothing limits."""
    cpus = [_share(folder) for folder in levels(root, "cpu")]
    sizes = [
        _size(folder, name) for folder in levels(root, "memory") for name in ("memory.max", "memory.limit_in_bytes")
    ]
    return {
        "version": version(root),
        "cpus": min((value for value in cpus if value is not None), default=None),
        "memory_bytes": min((value for value in sizes if value is not None), default=None),
    }


def version(root: Path) -> int:
    """2 for the unified hierarchy, 1 for the old one (also when both are mounted), 0 for none."""
    if (root / _MOUNT / "cgroup.controllers").exists():
        return 2
    return 1 if (root / _MOUNT / "cpu").is_dir() or (root / _MOUNT / "memory").is_dir() else 0


def free(root: Path) -> int:
    """Bytes until the tightest limit; the page cache counts as free, as it is given back. Without a limit, a lot."""
    least = _UNLIMITED
    for folder in levels(root, "memory"):
        for limit, used, cache in (
            ("memory.max", "memory.current", "inactive_file"),
            ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
        ):
            size, now = _size(folder, limit), _size(folder, used)
            if size is not None and now is not None:
                least = min(least, size - now + _counter(folder / "memory.stat", cache))
    return least


def throttled(root: Path) -> int:
    """How often the group, or one above it, was stopped for having used up its CPU quota, since it was made."""
    return max((_counter(folder / "cpu.stat", "nr_throttled") for folder in levels(root, "cpu")), default=0)


def levels(root: Path, controller: str) -> Iterator[Path]:
    """Folders of the group of this process for one controller, innermost first."""
    entries = [line.split(":", 2) for line in _lines(root / "proc/self/cgroup")]
    for _, names, path in (entry for entry in entries if len(entry) == 3):
        if names == "":
            mount = root / _MOUNT
            if not (mount / "cgroup.controllers").exists():
                continue
        elif controller in names.split(","):
            mount = next(
                (m for m in (root / _MOUNT / names, root / _MOUNT / controller) if m.is_dir()),
                root / _MOUNT / controller,
            )
        else:
            continue
        parts = [part for part in path.split("/") if part and part != ".."]
        for depth in range(len(parts), -1, -1):
            folder = mount.joinpath(*parts[:depth])
            if folder.is_dir():
                yield folder


def _share(folder: Path) -> float | None:
    """CPUs that a quota comes to, at one level."""
    new = (_lines(folder / "cpu.max") or [""])[0].split()
    old = [(_lines(folder / f"cpu.cfs_{name}_us") or [""])[0] for name in ("quota", "period")]
    for quota, period in (new, old) if len(new) == 2 else (old,):
        if quota.isdigit() and period.isdigit() and int(period) > 0:
            return int(quota) / int(period)
    return None


def _size(folder: Path, name: str) -> int | None:
    text = (_lines(folder / name) or [""])[0]
    return int(text) if text.isdigit() and int(text) < _UNLIMITED else None


def _counter(path: Path, name: str) -> int:
    for line in _lines(path):
        found, _, value = line.partition(" ")
        if found == name and value.strip().isdigit():
            return int(value)
    return 0


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []
