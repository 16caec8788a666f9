"""The machine, what disturbed it, and where a run comes from, as words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import PurePath
from statistics import median
from typing import Any

from harness import wording
from harness.record import Record
from harness.report.model import DataRow, Disturbance, Interference, Provenance
from harness.store import Run

QUIET = {"steal": 0.01, "foreign_cpu": 0.05, "throttled": 0.0, "swapped": 0.0}
"""Up to here a process counts as undisturbed. Load is printed but not judged: a run loads its own machine."""
NAMES = {
    "load": "load average before a process (1 min)",
    "steal": "CPU time stolen by the hypervisor",
    "foreign_cpu": "CPU time used by other processes",
    "throttled": "times throttled",
    "swapped": "pages swapped",
}
SHARES = ("steal", "foreign_cpu")
WORST = 40


def machine(facts: Mapping[str, Any]) -> str:
    """The machine in one line."""
    cpu = facts.get("cpu") or {}
    parts = [wording.shorten(cpu.get("model", "unknown CPU"), 80)]
    if cpu.get("cores"):
        parts.append(wording.count(int(cpu["cores"]), "core"))
    if facts.get("memory_bytes"):
        parts.append(wording.size(float(facts["memory_bytes"])))
    gpus = [
        wording.shorten(gpu.get("name", "GPU") if isinstance(gpu, Mapping) else gpu, 60)
        for gpu in facts.get("gpus") or []
    ]
    parts.append(", ".join(gpus) if gpus else "no GPU")
    return " · ".join(parts)


def facts(values: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """All facts as label and value, nested ones with dotted labels."""
    return tuple(
        (wording.shorten(name, 60), wording.shorten(_fact(name, value), 400)) for name, value in _flat(values, "")
    )


def interference(records: Sequence[Record], anchors: Mapping[int, str], labels: Mapping[int, str]) -> Interference:
    """What else ran while the records were measured.

    Args:
        anchors, labels: index of a record to the anchor of its row and to words for it.
    """
    measured = [(index, record.interference) for index, record in enumerate(records) if record.interference]
    disturbed = sorted(
        ((index, seen) for index, seen in measured if _severity(seen) > 0), key=lambda pair: -_severity(pair[1])
    )
    measures = []
    for name, title in NAMES.items():
        values = [float(seen[name]) for _, seen in measured if isinstance(seen.get(name), int | float)]
        if values:
            measures.append((title, _measure(name, median(values)), _measure(name, max(values))))
    whole = wording.count(len(measured), "process", "processes")
    if not measured:
        brief = sentence = "No process recorded what else ran on the machine."
    elif not disturbed:
        brief = sentence = f"None of {whole} was disturbed."
    else:
        brief = f"{len(disturbed):,} of {whole} may have been disturbed."
        sentence = (
            f"{brief} That is: stolen CPU time above 1 %, other processes above 5 % of the CPU, throttling, swapping, "
            "or others on the GPU."
        )
    worst = tuple(_disturbance(anchors[index], labels[index], seen) for index, seen in disturbed[:WORST])
    return Interference(
        brief=brief, sentence=sentence, measures=tuple(measures), worst=worst, more=max(len(disturbed) - WORST, 0)
    )


def provenance(run: Run) -> Provenance:
    """What traces and repeats a run."""
    manifest, git = run.manifest, run.manifest.get("git") or {}
    return Provenance(
        run=wording.shorten(manifest.get("run", ""), 120),
        created=_moment(manifest.get("created")),
        finished=_moment(manifest.get("finished")),
        commit=wording.shorten(git.get("commit") or "", 64),
        dirty=bool(git.get("dirty")),
        harness=wording.shorten(manifest.get("harness", ""), 40),
        configuration_hash=wording.shorten(manifest.get("configuration", ""), 64),
        head=run.records[-1].digest if run.records else "",
        records=len(run.records),
        command=_command(run),
        data=tuple(_data(run.records)),
    )


def warnings(run: Run) -> tuple[str, ...]:
    """What makes a run less than it seems, one sentence each."""
    found = []
    manifest = run.manifest
    if manifest.get("interrupted"):
        why = wording.shorten(manifest["interrupted"], 100)
        found.append(
            f"The run was interrupted ({why}); what follows is what it had measured. "
            "Go on with: harness run resume= and its folder."
        )
    elif not manifest.get("finished"):
        found.append("The run has not ended; what follows is what it had measured when this was written.")
    git = manifest.get("git") or {}
    if not git.get("commit"):
        found.append("The project is not under version control: no commit says what code ran.")
    elif git.get("dirty"):
        found.append("The working tree had uncommitted changes: the commit alone does not repeat this run.")
    key = run.environment.get("key")
    if other := {record.environment for record in run.records} - {key, ""}:
        found.append(f"Some records come from another machine: {wording.shorten(wording.join(sorted(other)), 200)}.")
    commits = {str(record.git.get("commit", "")) for record in run.records} - {""}
    if len(commits) > 1:
        found.append(
            f"The records come from {len(commits)} commits: {wording.join(sorted(commit[:12] for commit in commits))}."
        )
    if run.torn:
        found.append(f"A crash left {wording.count(run.torn, 'byte')} of an unfinished record, which were ignored.")
    return tuple(found)


def _data(records: Iterable[Record]) -> Iterator[DataRow]:
    seen: dict[str, dict[str, Mapping[str, Any]]] = {}
    for record in records:
        if record.data:
            seen.setdefault(record.instance, {}).setdefault(str(record.data.get("inputs", "")), record.data)
    for instance, versions in seen.items():
        for inputs, data in versions.items():
            sets = ", ".join(f"{name} {_hash(value)}" for name, value in (data.get("sets") or {}).items())
            yield DataRow(
                instance=wording.shorten(instance),
                provenance=wording.shorten(data.get("provenance", "")),
                inputs=wording.shorten(inputs, 64),
                sets=wording.shorten(sets, 600),
            )


def _moment(value: Any) -> str:
    """``2026-11-21 06:12 UTC`` of an ISO moment; what is none stays as it is."""
    try:
        moment = datetime.fromisoformat(str(value or ""))
    except ValueError:
        return wording.shorten(value or "", 40)
    return f"{moment.astimezone(UTC) if moment.tzinfo else moment:%Y-%m-%d %H:%M} UTC"


def _hash(value: Any) -> str:
    return wording.shorten(value.get("sha256", value) if isinstance(value, Mapping) else value, 80)


def _command(run: Run) -> str:
    """The command that repeats a run; no path of the machine on which it ran."""
    runs = PurePath(run.config.runs)
    return f"python -m harness run repeat={run.path.name if runs.is_absolute() else runs / run.path.name}"


def _flat(values: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        label = f"{prefix}{name}"
        if isinstance(value, Mapping) and label != "packages":
            yield from _flat(value, f"{label}.")
        elif isinstance(value, list) and value and all(isinstance(one, Mapping) for one in value):
            for number, one in enumerate(value):
                yield from _flat(one, f"{label}[{number}].")
        else:
            yield label, value


def _fact(name: str, value: Any) -> str:
    if value is None or value == "" or value == []:
        return "none"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {version}" for key, version in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(str(one) for one in value)
    if name.endswith("bytes") and isinstance(value, int | float):
        return wording.size(float(value))
    return str(value)


def _severity(seen: Mapping[str, Any]) -> float:
    """0 for an undisturbed process; otherwise it ranks how badly."""
    above = [float(seen.get(name) or 0.0) - limit for name, limit in QUIET.items()]
    shares = sum(value for value, name in zip(above, QUIET, strict=True) if value > 0 and name in SHARES)
    counted = sum(0.1 for value, name in zip(above, QUIET, strict=True) if value > 0 and name not in SHARES)
    return shares + counted + (1.0 if seen.get("foreign_gpu") else 0.0)


def _disturbance(anchor: str, label: str, seen: Mapping[str, Any]) -> Disturbance:
    foreign = [_measure("foreign_cpu", seen["foreign_cpu"])] if seen.get("foreign_cpu") else []
    foreign += [wording.shorten(one, 80) for one in seen.get("foreign_gpu") or []]
    slowed = [
        wording.count(int(seen[name]), *words)
        for name, words in (
            ("throttled", ("throttling", "throttlings")),
            ("swapped", ("page swapped", "pages swapped")),
        )
        if seen.get(name)
    ]
    return Disturbance(
        anchor=anchor,
        label=label,
        load=_measure("load", seen.get("load")),
        steal=_measure("steal", seen.get("steal")),
        throttled=", ".join(slowed),
        foreign=", ".join(foreign),
    )


def _measure(name: str, value: Any) -> str:
    if not isinstance(value, int | float):
        return "not known"
    return f"{value * 100:.1f} %" if name in SHARES else f"{value:.2f}" if name == "load" else f"{value:,.0f}"
