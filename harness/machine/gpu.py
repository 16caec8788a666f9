"""What nvidia-smi and nvcc say: GPUs, driver, CUDA versions, and whose processes run on a GPU now.

The tools are asked as argument lists with a time limit. A machine without them has no GPU as far as the
harness is concerned; a tool that fails or hangs is reported as such, never as 'no GPU'.
"""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

TIMEOUT_S = 10.0
_QUERY = (
    "index",
    "name",
    "memory.total",
    "driver_version",
    "compute_cap",
    "power.limit",
    "clocks.max.sm",
    "mig.mode.current",
)
_ABSENT = {"", "N/A", "[N/A]", "[Not Supported]", "[Unknown Error]", "[Insufficient Permissions]"}


def gpu_facts() -> dict[str, Any]:
    """``gpus``, ``driver``, ``cuda`` (the newest that the driver runs) and ``gpu_error``.

    Each GPU is ``{"index", "name", "memory_bytes", "compute_capability", "power_limit_w", "max_clock_mhz", "mig"}``,
    with None for what the driver does not tell. Versions are empty strings where there are none.
    """
    facts: dict[str, Any] = {"gpus": [], "driver": "", "cuda": "", "gpu_error": ""}
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return facts
    query = _start([tool, f"--query-gpu={','.join(_QUERY)}", "--format=csv,noheader,nounits"])
    header = _start([tool])
    table, error = _finish(query)
    banner, _ = _finish(header)
    if error:
        return {**facts, "gpu_error": error}
    for row in csv.reader(table.splitlines(), skipinitialspace=True):
        if len(row) == len(_QUERY):
            facts["gpus"].append(_gpu([None if cell.strip() in _ABSENT else cell.strip() for cell in row]))
            facts["driver"] = row[3].strip()
    found = re.search(r"CUDA (?:UMD )?Version\s*:\s*([0-9.]+)", banner)
    facts["cuda"] = found.group(1) if found else ""
    return facts


def compute_processes() -> list[dict[str, Any]]:
    """Processes that hold a CUDA context now: ``{"pid", "name", "memory_bytes"}``. Empty without nvidia-smi."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    table, error = _finish(
        _start([tool, "--query-compute-apps=pid,process_name,used_memory", "--format=csv,noheader,nounits"])
    )
    rows = [] if error else list(csv.reader(table.splitlines(), skipinitialspace=True))
    return [
        {"pid": int(row[0]), "name": _program(row[1].strip()), "memory_bytes": _mebibytes(row[2])}
        for row in rows
        if len(row) == 3 and row[0].strip().isdigit()
    ]


def nvcc_version() -> str:
    """Version of the CUDA compiler on PATH, for example ``13.0``, or an empty string."""
    tool = shutil.which("nvcc")
    if tool is None:
        return ""
    banner = Path(tool).resolve().parents[1] / "version.json"
    try:
        found = re.search(r'"cuda_nvcc"[^}]*?"version"\s*:\s*"(\d+\.\d+)', banner.read_text())
    except OSError:
        found = None
    if found is None:
        text, _ = _finish(_start([tool, "--version"]))
        found = re.search(r"release (\d+\.\d+)", text)
    return found.group(1) if found else ""


def _gpu(cells: list[str | None]) -> dict[str, Any]:
    index, name, memory, _, capability, power, clock, mig = cells
    return {
        "index": int(index) if index and index.isdigit() else None,
        "name": name or "unnamed GPU",
        "memory_bytes": _mebibytes(memory),
        "compute_capability": capability or "",
        "power_limit_w": _number(power),
        "max_clock_mhz": _number(clock),
        "mig": mig or "",
    }


def _program(path: str) -> str:
    """Its file name; a driver that may not tell writes [N/A]."""
    return path if path in _ABSENT else path.rsplit("/", 1)[-1]


def _mebibytes(text: str | None) -> int | None:
    value = _number(text)
    return None if value is None else int(value) * 2**20


def _number(text: str | None) -> float | None:
    try:
        return float(text or "")
    except ValueError:
        return None


def _start(argv: list[str]) -> subprocess.Popen[str] | str:
    try:
        return subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
    except OSError as error:
        return f"{argv[0]} cannot be started: {error.strerror}"


def _finish(started: subprocess.Popen[str] | str) -> tuple[str, str]:
    """Output of a tool, and what went wrong (empty if nothing)."""
    if isinstance(started, str):
        return "", started
    name = Path(str(started.args[0] if isinstance(started.args, list) else started.args)).name
    try:
        output, _ = started.communicate(timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        started.kill()
        started.wait()
        if started.stdout:
            started.stdout.close()
        return "", f"{name} did not answer within {TIMEOUT_S:g} s; look at its state with 'dmesg'"
    if started.returncode != 0:
        said = " ".join(output.split())[:300] or "nothing"
        return output, f"{name} ended with status {started.returncode} and said: {said}"
    return output, ""
