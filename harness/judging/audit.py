"""Hold a run's plan against its configuration, and its records against its plan."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from harness.config import CaseConfig
from harness.record import DID_NOT_FINISH, FIELDS, Record, canonical_json
from harness.trials.plan import Trial, instance_name, trial_id

if TYPE_CHECKING:
    from harness.store import Run

Line = tuple[str, str, str]
"""Severity, where, what."""

PLAN_FIELDS = tuple(Trial.__dataclass_fields__)
SHOWN = 5


def audit(run: Run) -> Iterator[Line]:
    """Everything in plan and records that does not follow from the configuration. Linear in their number."""
    yield from _few("plan.json", list(_plan(run)))
    yield from _few("records.jsonl", list(_records(run)))
    yield from _trials(run)


def _plan(run: Run) -> Iterator[Line]:
    where = "plan.json"
    planned: Counter[tuple[str, str, str, int]] = Counter()
    players: dict[str, set[str]] = defaultdict(set)
    for trial in run.plan:
        label = f"{where} (trial {trial.get('trial')})"
        players[trial["entry"]].add(trial["player"])
        planned[trial["entry"], canonical_json(trial["params"]), trial["player"], trial["process"]] += 1
        if trial["trial"] != trial_id(trial):
            yield "error", label, "was edited: its id is not the hash of what it asks"
        entry = run.config.cases.get(trial["entry"])
        if entry is None:
            yield "error", label, f"is of entry {trial['entry']!r}, which is not in the configuration"
            continue
        for name, value in _derived(trial, entry, run.config.seed).items():
            if trial[name] != value:
                yield "error", label, f"{name} is {trial[name]!r}, the configuration gives {value!r}"
    expected = _expected(run, players)
    for entry_key, params, player, process in sorted(expected - set(planned)):
        yield (
            "error",
            where,
            f"{player} on {entry_key} {params}, process {process}, is not planned, though the configuration asks it",
        )
    for (entry_key, params, player, process), count in sorted(planned.items()):
        if count > 1 or (entry_key in run.config.cases and (entry_key, params, player, process) not in expected):
            yield (
                "error",
                where,
                f"{player} on {entry_key} {params}, process {process}, is planned and not asked for, or twice",
            )


def _derived(trial: Mapping[str, Any], entry: CaseConfig, seed: int) -> dict[str, Any]:
    """What the configuration alone says about a trial."""
    from dataclasses import asdict

    return {
        "case": entry.case,
        "seed": seed + entry.seed,
        "instance": instance_name(trial["entry"], trial["params"]),
        "limits": {"wall_s": entry.limits.wall_s, "memory_bytes": int(entry.limits.memory_gib * 2**30)},
        "sampling": asdict(entry.sampling),
        "threads": entry.threads or trial["threads"],
    }


def _expected(run: Run, players: Mapping[str, set[str]]) -> set[tuple[str, str, str, int]]:
    """All that the configuration asks; an entry that names no players asks all that the plan knows for it."""
    return {
        (key, canonical_json(dict(zip(entry.params, values, strict=True))), player, process)
        for key, entry in run.config.cases.items()
        for values in itertools.product(*entry.params.values())
        for player in entry.players or players[key]
        for process in range(entry.fewer.get(player, entry.processes))
    }


def _records(run: Run) -> Iterator[Line]:
    plan = {trial.get("trial"): trial for trial in run.plan}
    manifest = run.manifest
    belongs = {
        "run": manifest.get("run"),
        "configuration": manifest.get("configuration"),
        "environment": manifest.get("environment", {}).get("key"),
        "git": manifest.get("git"),
    }
    inputs: dict[str, str] = {}
    seen: set[str] = set()
    for number, record in enumerate(run.records, start=1):
        where = f"records.jsonl:{number} (trial {record.trial})"
        if record.trial in seen:
            yield "error", where, "is a second record of this trial"
        seen.add(record.trial)
        for name, value in belongs.items():
            if getattr(record, name) != value:
                yield "error", where, f"{name} is {getattr(record, name)!r}, run.json says {value!r}"
        trial = plan.get(record.trial)
        if trial is None:
            yield "error", where, "was never planned"
        else:
            for name in set(trial) & set(FIELDS) - {"trial"}:
                if getattr(record, name) != trial[name]:
                    yield "error", where, f"{name} is {getattr(record, name)!r}, the plan says {trial[name]!r}"
        yield from ((severity, where, what) for severity, what in _sound(record))
        made = record.data.get("inputs")
        if made and inputs.setdefault(record.instance, made) != made:
            yield "error", where, f"was given other inputs than the first player of {record.instance}"


def _sound(record: Record) -> Iterator[tuple[str, str]]:
    """What cannot be in one record together."""
    if record.status == "ok" and not (record.samples and record.check.get("ok") is True):
        yield "error", "is ok without samples or without an answer that passed its check"
    if record.status == "wrong_answer" and record.check.get("ok") is not False:
        yield "error", "is a wrong answer, but its check passed"
    if any(not 0 <= value < float("inf") for value in (*record.samples, *record.warmup)):
        yield "error", "has a sample that is no time"
    elif sum(record.samples) * record.number + sum(record.warmup) > 1.01 * record.wall + 0.01:
        yield "note", "has samples that add up to more than its process lived; its clock is not to be trusted"


def _trials(run: Run) -> Iterator[Line]:
    """Planned trials without a record: excused after the player did not finish there, or while a run goes on."""
    done = {record.trial for record in run.records}
    gone = {(record.instance, record.player) for record in run.records if record.status in DID_NOT_FINISH}
    missing = [trial for trial in run.plan if trial.get("trial") not in done]
    missing = [trial for trial in missing if (trial.get("instance"), trial.get("player")) not in gone]
    if not missing:
        return
    if "finished" not in run.manifest:
        yield "note", "records.jsonl", f"{len(missing)} planned trials were not run yet"
        return
    yield from _few(
        "records.jsonl",
        [
            (
                "error",
                "records.jsonl",
                "no record of planned trial {trial}: {player} on {instance}, process {process}".format_map(
                    {name: trial.get(name) for name in ("trial", "player", "instance", "process")}
                ),
            )
            for trial in missing
        ],
    )


def _few(where: str, lines: list[Line]) -> Iterator[Line]:
    """The first lines of each severity, and how many there are besides."""
    for severity in ("error", "note"):
        chosen = [line for line in lines if line[0] == severity]
        yield from chosen[:SHOWN]
        if len(chosen) > SHOWN:
            yield severity, where, f"and {len(chosen) - SHOWN} more like these"
