"""Facts about the machine, and the stable key that tells one kind of machine from another.

Every reader takes the root of the file tree (``/``), so that a test can hand it a made-up one. What is not
there is left empty: no file below is present everywhere.
"""

from __future__ import annotations

import hashlib
import math
import os
import platform
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from harness.answers import slug
from harness.machine.cgroup import limits as cgroup_limits
from harness.machine.gpu import gpu_facts, nvcc_version
from harness.record import canonical_json

ROOT = Path("/")
PACKAGES = ("tcs-harness", "hydra-core", "omegaconf", "numpy", "scipy", "pandas", "cupy-cuda12x", "cupy-cuda13x")
_CLASSES_GIB: tuple[int, ...] = tuple(sorted([1 << i for i in range(13)] + [3 << i for i in range(12)]))
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "CUDA_VISIBLE_DEVICES")


def facts(project: Path | None = None, *, root: Path = ROOT) -> dict[str, Any]:
    """Everything about this machine that a reader of a number may ask for (docs/reference/doctor.md).

    Args:
        project: adds the versions of the packages that its players name.

    Returns:
        JSON values: ``key``, ``cpu``, ``memory_bytes``, ``swap_bytes``, ``cgroup``, ``governor``, ``virtualization``,
        ``gpus``, ``driver``, ``cuda``, ``nvcc``, ``gpu_error``, ``os``, ``kernel``, ``python``, ``libc``, ``packages``,
        ``load``, ``variables``.
    """
    memory = _meminfo(root)
    limits = cgroup_limits(root)
    found: dict[str, Any] = {
        "cpu": cpu(root, quota=limits["cpus"]),
        "memory_bytes": memory.get("MemTotal", 0),
        "swap_bytes": memory.get("SwapTotal", 0),
        "cgroup": limits,
        "governor": governor(root),
        "virtualization": virtualization(root),
        **gpu_facts(),
        "nvcc": nvcc_version(),
        "os": _os_name(root),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "libc": "-".join(part for part in platform.libc_ver() if part),
        "packages": package_versions([*PACKAGES, *_players_packages(project)]),
        "load": load(root),
        "variables": {name: os.environ[name] for name in _THREAD_VARIABLES if name in os.environ},
    }
    return {"key": machine_key(found), **found}


def machine_key(found: Mapping[str, Any]) -> str:
    """A name for this kind of machine, for example ``amd-epyc-7763-16c-64g-nogpu-1f0c2b7a``.

    Made of the CPU's model, the cores that may be used, the class of the memory, names and memory of the
    GPUs and the driver's major version; never of host name, clock or load. A container or an affinity mask
    that takes cores or memory away makes another machine of it, since it changes what is measured.
    """
    processor = found["cpu"]
    memory = memory_class(
        min(found["memory_bytes"], found.get("cgroup", {}).get("memory_bytes") or found["memory_bytes"])
    )
    gpus = sorted(f"{slug(gpu['name'])}-{_gpu_gib(gpu['memory_bytes'])}g" for gpu in found.get("gpus", ()))
    driver = str(found.get("driver", "")).split(".")[0]
    parts = [processor["model"], processor.get("family", ""), processor["cores"], memory, gpus, driver]
    print_ = hashlib.blake2b(canonical_json(parts).encode(), digest_size=4).hexdigest()
    counted = [f"{gpus.count(gpu)}x-{gpu}" if gpus.count(gpu) > 1 else gpu for gpu in sorted(set(gpus))]
    device = "-".join(counted) if gpus else "nogpu"
    return f"{slug(processor['model'])}-{processor['cores']}c-{memory}g-{device}-{print_}"


def memory_class(size: int) -> int:
    """The nearest usual memory size in GiB (a power of two, or three times one), on a log scale.

    The kernel keeps a share of the memory that changes with its version, so the exact size is not stable.

    >>> memory_class(24_684_084 * 1024), memory_class(15 * 2**30)
    (24, 16)
    """
    gib = max(size / 2**30, 1e-3)
    return min(_CLASSES_GIB, key=lambda known: abs(math.log(known) - math.log(gib)))


def cpu(root: Path = ROOT, *, quota: float | None = None) -> dict[str, Any]:
    """The processor: ``model``, ``family``, ``architecture``, ``cores`` (that may be used), ``logical``, ``physical``,
    ``sockets``, ``numa_nodes``, ``affinity``, ``simd``.

    ``cores`` is the least of the affinity mask and the cgroup's quota, rounded up.
    """
    blocks = [dict(_fields(block)) for block in _read(root / "proc/cpuinfo").split("\n\n") if block.strip()]
    blocks = [block for block in blocks if "processor" in block] or [{}]
    first = blocks[0]
    affinity = sorted(os.sched_getaffinity(0)) if root == ROOT else list(range(len(blocks)))
    cores = min(len(affinity), math.ceil(quota)) if quota else len(affinity)
    flags = set((first.get("flags") or first.get("Features") or "").split())
    return {
        "model": cpu_model(first),
        "family": "/".join(first.get(name, "") for name in ("vendor_id", "cpu family", "model")).strip("/"),
        "architecture": platform.machine(),
        "cores": max(cores, 1),
        "logical": len(blocks),
        "physical": len({(b.get("physical id", "0"), b.get("core id", str(i))) for i, b in enumerate(blocks)}),
        "sockets": len({b.get("physical id", "0") for b in blocks}),
        "numa_nodes": max(1, len(list((root / "sys/devices/system/node").glob("node[0-9]*")))),
        "affinity": affinity,
        "simd": [name for name in ("avx2", "avx512f", "asimd", "sve") if name in flags],
    }


def cpu_model(block: Mapping[str, str]) -> str:
    """Name of the processor without trade marks, core count and clock.

    >>> cpu_model({"model name": "Intel(R) Xeon(R) Platinum 8480+ CPU @ 2.00GHz"})
    'Intel Xeon Platinum 8480+'
    >>> cpu_model({"model name": "AMD EPYC 7763 64-Core Processor"})
    'AMD EPYC 7763'
    """
    name = block.get("model name") or block.get("Model") or ""
    if not name and "CPU part" in block:
        name = f"ARM {block.get('CPU implementer', '')} {block['CPU part']}"
    name = re.sub(r"\((R|TM|tm|r)\)|@.*|\b\d+-Core\b|\bProcessor\b|\bCPU\b", " ", name)
    return " ".join(name.split()) or platform.machine()


def governor(root: Path = ROOT) -> str:
    """Frequency governors, for example ``performance``; empty where the kernel shows none (most virtual machines)."""
    paths = (root / "sys/devices/system/cpu").glob("cpu[0-9]*/cpufreq/scaling_governor")
    return ", ".join(sorted({text for path in paths if (text := _read(path).strip())}))


def virtualization(root: Path = ROOT) -> str:
    """A hint: what kind of virtual machine or container this is; empty if none is seen."""
    hints = []
    if re.search(r"^flags\s*:.*\bhypervisor\b", _read(root / "proc/cpuinfo"), re.MULTILINE):
        maker = " ".join(
            _read(root / f"sys/class/dmi/id/{name}").strip() for name in ("sys_vendor", "product_name")
        ).strip()
        hints.append(f"virtual machine ({maker})" if maker else "virtual machine")
    if (root / ".dockerenv").exists() or (root / "run/.containerenv").exists():
        hints.append("container")
    if root == ROOT and "KUBERNETES_SERVICE_HOST" in os.environ:
        hints.append("kubernetes")
    return ", ".join(hints)


def load(root: Path = ROOT) -> list[float]:
    """Load averages of 1, 5 and 15 minutes; empty if the kernel does not show them."""
    try:
        return [float(text) for text in _read(root / "proc/loadavg").split()[:3]]
    except ValueError:
        return []


def package_versions(names: Iterable[str]) -> dict[str, str]:
    """Versions of the distributions that are installed, without importing any."""
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for name in dict.fromkeys(names):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return dict(sorted(found.items()))


def _players_packages(project: Path | None) -> list[str]:
    if project is None:
        return []
    from harness.discover import registry
    from harness.errors import ConfigurationError

    try:
        players = registry(project).players.values()
    except ConfigurationError:
        return []
    return [name for player in players if not player.interpreter for name in player.packages]


def _gpu_gib(size: int | None) -> int:
    """GiB, rounded to 4 above 8: what a driver keeps for itself differs between its versions."""
    gib = (size or 0) / 2**30
    return round(gib / 4) * 4 if gib > 8 else round(gib)


def _meminfo(root: Path) -> dict[str, int]:
    found = {}
    for name, value in _fields(_read(root / "proc/meminfo")):
        number = value.split()[0] if value else ""
        if number.isdigit():
            found[name] = int(number) * 1024
    return found


def _os_name(root: Path) -> str:
    pairs = (line.partition("=") for line in _read(root / "etc/os-release").splitlines())
    names = (value.strip().strip("\"'") for name, _, value in pairs if name == "PRETTY_NAME")
    return ", ".join([platform.system(), *names])


def _fields(text: str) -> Iterable[tuple[str, str]]:
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if colon:
            yield name.strip(), value.strip()


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
