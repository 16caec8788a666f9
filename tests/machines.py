"""Made-up machines and projects for the tests: trees of /proc and /sys, tools on PATH, a small project."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CPUINFO = """\
processor\t: {number}
vendor_id\t: AuthenticAMD
cpu family\t: 25
model\t\t: 1
model name\t: AMD EPYC 7763 64-Core Processor
cpu MHz\t\t: {clock}
physical id\t: {socket}
core id\t\t: {core}
flags\t\t: fpu sse2 avx2{hypervisor}
"""


def tree(root: Path, files: Mapping[str, str]) -> Path:
    """Write files under a root; returns the root."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def machine(
    root: Path,
    files: Mapping[str, str] | None = None,
    *,
    cpus: int = 4,
    threads: int = 2,
    sockets: int = 1,
    memory_kib: int = 65_536_000,
    clock: str = "2450.1",
    hypervisor: bool = False,
) -> Path:
    """A machine's /proc and /sys: ``threads`` CPUs a core; ``files`` adds to them or replaces some."""
    virtual = " hypervisor" if hypervisor else ""
    blocks = [
        CPUINFO.format(number=i, clock=clock, socket=i * sockets // cpus, core=i // threads, hypervisor=virtual)
        for i in range(cpus)
    ]
    usual = {
        "proc/cpuinfo": "\n".join(blocks),
        "proc/meminfo": f"MemTotal:       {memory_kib} kB\nMemFree:  1 kB\nSwapTotal:      0 kB\n",
        "proc/loadavg": "0.25 0.50 0.75 1/100 4242\n",
        "proc/stat": "cpu  1000 0 500 8000 100 0 10 40 0 0\ncpu0 1 2 3\n",
        "proc/self/cgroup": "0::/\n",
        "etc/os-release": 'NAME="Some Linux"\nPRETTY_NAME="Some Linux 12"\n',
    }
    return tree(root, {**usual, **(files or {})})


def tool(folder: Path, name: str, script: str) -> Path:
    """An executable shell script, for a folder that a test puts on PATH."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\nPATH=/usr/bin:/bin\n{script}\n")
    path.chmod(0o755)
    return path


def nvidia_smi(
    folder: Path, *, gpus: str = "", banner: str = "| Driver Version: 580.65.06   CUDA Version: 13.0 |", apps: str = ""
) -> Path:
    """A made-up nvidia-smi that answers the three questions that the harness asks."""
    return tool(
        folder,
        "nvidia-smi",
        f"""\
case "$1" in
  --query-gpu=*) cat <<'END'
{gpus}
END
  ;;
  --query-compute-apps=*) cat <<'END'
{apps}
END
  ;;
  *) echo '{banner}' ;;
esac""",
    )


def project(folder: Path, *, benchmarks: str = "", datasets: Mapping[str, str] | None = None, **conf: str) -> Path:
    """A small project: one suite ``toy``, manifests by name, and files under conf/ (with / written as __)."""
    return tree(
        folder,
        {
            "conf/config.yaml": "",
            "benchmarks/toy/players.py": benchmarks,
            **{f"datasets/{name}.yaml": text for name, text in (datasets or {}).items()},
            **{f"conf/{name.replace('__', '/')}.yaml": text for name, text in conf.items()},
        },
    )


def manifest(name: str, files: Mapping[str, bytes], *, url: str = "", **more: Any) -> str:
    """A manifest in YAML (JSON is YAML) for files with this content; ``url`` is what their addresses begin with."""
    import json

    rows = [
        {
            "path": path,
            "sha256": hashlib.sha256(content).hexdigest(),
            "bytes": len(content),
            "url": f"{url}/{path}" if url else None,
        }
        for path, content in files.items()
    ]
    values = {
        "name": name,
        "title": f"the set {name}",
        "provenance": "real",
        "licence": "CC0",
        "citation": "Nobody (2026)",
        "source": {"address": "https://example.org", "revision": "1"},
        "folder": name,
        "files": rows,
    }
    return json.dumps({**values, **more})
