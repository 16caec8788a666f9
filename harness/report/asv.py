"""Records as results of asv, so that ``asv publish`` draws one history of the harness's runs and asv's own.

asv is a view: it draws and it publishes, it never gates. In its files a benchmark that was skipped is NaN
and one that failed or ran out of time is null; verdicts come from the records alone (:mod:`harness.judging.gates`).
The layout is asv's result file, version 2, of asv 0.6 (``asv/results.py``, ``Results.save``).
"""

from __future__ import annotations

import ast
import datetime
import itertools
import json
import math
import re
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from harness.answers import slug
from harness.errors import StoreError
from harness.files import write_text
from harness.project import find
from harness.record import Record
from harness.store import Run

PREFIX = "harness."
COLUMNS = (
    "result",
    "params",
    "version",
    "started_at",
    "duration",
    "stats_ci_99_a",
    "stats_ci_99_b",
    "stats_q_25",
    "stats_q_75",
    "stats_number",
    "stats_repeat",
    "samples",
    "profile",
)
QUANTITIES: Mapping[str, tuple[str, str, Callable[[Record], float | None]]] = {
    "time": ("time", "seconds", lambda record: median(record.samples) if record.samples else None),
    "peak_memory": ("peakmemory", "bytes", lambda record: record.memory.get("host_peak")),
}


def export(run: Run, results: Path, *, project: Path | None = None) -> list[Path]:
    """Write a run's records as asv results; returns the files written.

    One asv benchmark for each case and quantity, for example ``harness.persistence.torus.time``, over the
    case's parameters and the player. A value is the geometric mean over processes, with a 99 % interval where
    there are two or more. What did not finish or was wrong is null; what was not asked is NaN. Controls are
    left out. Exporting a run again replaces its file.

    Args:
        run: the run. Its commit must be known and clean, since asv orders by commit.
        results: asv's results folder (``results_dir`` in ``asv.conf.json``).
        project: the project whose repository holds the commit; found from the working directory if left out.

    Raises:
        StoreError: the run has no commit, was measured on uncommitted changes, or its commit is not in the
            repository; its machine key is no name; or a file in ``results`` cannot be read or written.
    """
    commit = _clean_commit(run)
    machine = _machine(run)
    folder = results / machine["machine"]
    if (folder / "machine.json").exists():
        machine = {name: value for name, value in _read(folder / "machine.json").items() if name != "version"}
    python = ".".join(str(run.environment.get("python", "")).split(".")[:2])
    values = {
        "commit_hash": commit,
        "env_name": f"harness-{slug(run.name)}",
        "date": _commit_date(project or find(), commit),
        "params": {**machine, "python": python},
        "python": python,
        "requirements": {},
        "env_vars": {},
        "result_columns": list(COLUMNS),
        "results": _results(run),
        "durations": {},
        "version": 2,
    }
    path = folder / f"{commit[:8]}-{values['env_name']}.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"cannot make {folder}: {error.strerror}; name another folder for asv's results") from None
    written = [path]
    if not (folder / "machine.json").exists():
        write_text(folder / "machine.json", json.dumps({**machine, "version": 1}, indent=1))
        written.append(folder / "machine.json")
    write_text(path, json.dumps(values))
    return [*written, merge_benchmarks(results)]


def merge_benchmarks(results: Path) -> Path:
    """Bring ``benchmarks.json`` up to date with all exported runs; asv's own entries stay as they are.

    ``asv run`` writes that file anew with nothing but its own benchmarks; calling this afterwards (each
    export does) puts the harness's back. Of several versions of a benchmark the newest is the one drawn.

    Raises:
        StoreError: a file cannot be read or written.
    """
    path = results / "benchmarks.json"
    kept: dict[str, Any] = _read(path) if path.exists() else {"version": 2}
    kept = {name: entry for name, entry in kept.items() if not name.startswith(PREFIX)}
    newest: dict[str, dict[str, Any]] = {}
    for file in sorted(results.glob("*/*-harness-*.json")):
        stored = _read(file)
        for name, row in stored["results"].items():
            cells = dict(zip(stored["result_columns"], row, strict=False))
            known = newest.get(name)
            if known is None or (cells["version"] != known["version"] and cells["started_at"] > known["started_at"]):
                newest[name] = {key: cells[key] for key in ("version", "started_at", "params")}
            elif cells["version"] == known["version"]:
                known["params"] = [_ordered({*a, *b}) for a, b in zip(known["params"], cells["params"], strict=True)]
                known["started_at"] = max(known["started_at"], cells["started_at"])
    for name, found in newest.items():
        quantity = name.rpartition(".")[2]
        kept[name] = {
            "name": name,
            "type": QUANTITIES[quantity][0],
            "unit": QUANTITIES[quantity][1],
            "param_names": found["version"].partition(":")[2].split(","),
            "params": found["params"],
            "version": found["version"],
            "code": f"# {name.removeprefix(PREFIX)}: exported from the harness's records, one process a sample.\n"
            f"# Version of the case and names of its parameters: {found['version']}",
        }
    write_text(path, json.dumps(kept, indent=1, sort_keys=True))
    return path


def _results(run: Run) -> dict[str, list[Any]]:
    groups: dict[str, list[Record]] = {}
    for record in run.records:
        if record.role != "control" and record.status != "unavailable":
            groups.setdefault(record.case, []).append(record)
    found = {}
    for case, records in sorted(groups.items()):
        for quantity, (_, _, measure) in QUANTITIES.items():
            found[f"{PREFIX}{case}.{quantity}"] = _row(records, measure)
    return found


def _row(records: Sequence[Record], measure: Callable[[Record], float | None]) -> list[Any]:
    names = sorted({name for record in records for name in record.params})
    cells: dict[tuple[str, ...], list[Record]] = {}
    for record in records:
        key = (*(repr(record.params.get(name)) for name in names), repr(record.player))
        cells.setdefault(key, []).append(record)
    axes = [_ordered({key[index] for key in cells}) for index in range(len(names) + 1)]
    columns: dict[str, list[Any]] = {name: [] for name in COLUMNS if name.startswith(("result", "stats", "samples"))}
    for key in itertools.product(*axes):
        for name, value in _cell(cells.get(key), measure).items():
            columns[name].append(value)
    row: dict[str, Any] = {
        **columns,
        "params": axes,
        "version": f"{max(record.case_version for record in records)}:{','.join([*names, 'player'])}",
        "started_at": _milliseconds(min(record.started for record in records)),
        "duration": sum(record.wall for record in records),
    }
    return [row.get(name) for name in COLUMNS]


def _cell(records: Sequence[Record] | None, measure: Callable[[Record], float | None]) -> dict[str, Any]:
    from harness.judging.stats import geometric_mean, log_t_interval, quantile

    cell: dict[str, Any] = dict.fromkeys(name for name in COLUMNS if name.startswith(("result", "stats", "samples")))
    if records is None:
        return {**cell, "result": math.nan}
    numbers = [measure(record) for record in records if record.status == "ok"]
    processes = [float(number) for number in numbers if isinstance(number, int | float) and number > 0]
    if len(processes) < len(records):
        return cell
    value = geometric_mean(processes)
    interval = log_t_interval(processes, 0.99) if len(processes) > 1 else None
    return {
        "result": value,
        "stats_ci_99_a": interval.low if interval else -math.inf,
        "stats_ci_99_b": interval.high if interval else math.inf,
        "stats_q_25": quantile(processes, 0.25),
        "stats_q_75": quantile(processes, 0.75),
        "stats_number": 1,
        "stats_repeat": len(processes),
        "samples": processes,
    }


def _ordered(values: Iterable[str]) -> list[str]:
    """Reprs in the order of their values, numbers before words."""

    def key(text: str) -> tuple[bool, float, str]:
        value = ast.literal_eval(text)
        number = isinstance(value, int | float)
        return not number, float(value) if number else 0.0, text

    return sorted(values, key=key)


def _clean_commit(run: Run) -> str:
    git = run.manifest.get("git", {})
    commit = str(git.get("commit", ""))
    if not re.fullmatch(r"[0-9a-f]{40,64}", commit):
        raise StoreError(
            f"run {run.name} has no git commit, and asv orders by commit; repeat it inside a git repository"
        )
    if git.get("dirty"):
        raise StoreError(
            f"run {run.name} was measured on uncommitted changes, so {commit[:12]} is not what it measured; "
            "commit them and repeat it"
        )
    return commit


def _commit_date(project: Path, commit: str) -> int:
    command = ["git", "-C", str(project), "show", "-s", "--format=%ct", commit, "--"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        raise StoreError(
            f"commit {commit[:12]} is not in the repository of {project}, and asv would leave it out; "
            "fetch it, or run this in the project that was measured"
        ) from None
    return int(done.stdout) * 1000


def _machine(run: Run) -> dict[str, str]:
    facts = run.environment
    cpu = facts.get("cpu", {})
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*", str(facts["key"])):
        raise StoreError(f"run {run.name} has a machine key that cannot name a folder: {facts['key']!r}")
    return {
        "machine": str(facts["key"]),
        "os": str(facts.get("os", "")),
        "arch": str(cpu.get("architecture", "")),
        "cpu": str(cpu.get("model", "")),
        "num_cpu": str(cpu.get("cores", "")),
        "ram": str(facts.get("memory_bytes", "")),
    }


def _milliseconds(moment: str) -> int:
    return int(datetime.datetime.fromisoformat(moment).timestamp() * 1000) if moment else 0


def _read(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StoreError(f"{path} cannot be read: {error}; delete it and export again") from None
    if not isinstance(values, dict):
        raise StoreError(f"{path} is no file of asv's; delete it and export again")
    return values
