"""From a run and its verdicts to the one model that every writer prints: a pure function."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Any

from harness import wording
from harness.answers import stem
from harness.config import CaseConfig, to_dict
from harness.judging.agreement import Agreement, agreement
from harness.record import Record
from harness.report import claims, surroundings
from harness.report.model import Entry, RecordGroup, RecordRow, Report, Row, Table
from harness.report.rows import best_peer, row, side
from harness.report.speedups import speedups
from harness.store import Run
from harness.verdict import Verdict

LOGS = 300
"""Logs shown, one a process that did not finish well; the rest are in records.jsonl."""
LOG_CHARACTERS = 2000
RECORDS = 20_000
"""A longer run prints no row a record, only the lines of each player's records."""


@dataclass(slots=True, kw_only=True)
class Cell:
    """One player on one instance: indices of its records, and what was planned."""

    role: str
    indices: list[int] = field(default_factory=list)
    planned: int = 0
    anchor: str = ""


@dataclass(slots=True, kw_only=True)
class Place:
    """One instance: its entry and parameters, and a cell a player."""

    entry: str
    instance: str
    params: Mapping[str, Any]
    cells: dict[str, Cell] = field(default_factory=dict)


def summarise(run: Run, verdicts: Sequence[Verdict]) -> Report:
    """Everything that a report shows. Linear in the number of records, but for sorting."""
    agreed = agreement(run.records)
    places = _places(run)
    where: dict[str, tuple[str, str]] = {}
    labels: dict[int, str] = {}
    anchors: dict[int, str] = {}
    numbered = 0
    for place in places:
        for player, cell in place.cells.items():
            if cell.indices:
                numbered += 1
                cell.anchor = f"g{numbered}"
            for index in cell.indices:
                who = f"{wording.shorten(player, 60)} on {wording.shorten(place.instance)}"
                record = run.records[index]
                where[record.trial] = (cell.anchor, who)
                labels[index] = f"{who}, process {record.process}"
                anchors[index] = f"r{index + 1}" if len(run.records) <= RECORDS else cell.anchor
    printed = claims.gates(verdicts, run.config, where)
    return Report(
        phase=wording.shorten(run.config.phase or run.name, 80),
        title=wording.shorten(run.config.title, 300),
        headline=claims.headline(
            verdicts, printed, run.config, agreed=agreed, progress=_progress(run), warnings=surroundings.warnings(run)
        ),
        gates=printed,
        entries=tuple(_entries(run, places, agreed)),
        interference=surroundings.interference(run.records, anchors, labels),
        machine=surroundings.machine(run.environment),
        machine_key=wording.shorten(run.environment.get("key", ""), 120),
        facts=surroundings.facts(run.environment),
        configuration=_configuration(run),
        provenance=surroundings.provenance(run),
        groups=tuple(_groups(run.records, places, anchors)),
    )


def _places(run: Run) -> list[Place]:
    """Instances in the order of the configuration and of the plan, with every line of the records.

    The evidence of the gates is arranged apart (:mod:`harness.judging.evidence`): it leaves out what is no evidence,
    such as a second record of one trial, which a report has to show.
    """
    places: dict[tuple[str, str], Place] = {}

    def cell(entry: str, instance: str, params: Mapping[str, Any], player: str, role: str) -> Cell:
        place = places.setdefault((entry, instance), Place(entry=entry, instance=instance, params=params))
        if params and not place.params:
            place.params = params
        return place.cells.setdefault(player, Cell(role=role))

    for trial in run.plan:
        cell(
            str(trial.get("entry", "")),
            str(trial.get("instance", "")),
            trial.get("params") or {},
            str(trial.get("player", "")),
            str(trial.get("role", "")),
        ).planned += 1
    for index, record in enumerate(run.records):
        found = cell(record.entry, record.instance, record.params, record.player, record.role)
        found.role = record.role
        found.indices.append(index)
    order = {entry: number for number, entry in enumerate(run.config.cases)}
    return sorted(places.values(), key=lambda place: order.get(place.entry, len(order)))


def _entries(run: Run, places: Sequence[Place], agreed: Mapping[str, Agreement]) -> Iterator[Entry]:
    by_entry: dict[str, list[Place]] = defaultdict(list)
    for place in places:
        by_entry[place.entry].append(place)
    numbered = 0
    for number, (key, members) in enumerate(by_entry.items(), start=1):
        tables = []
        for place in members:
            numbered += 1
            tables.append(
                _table(
                    run.records, place, agreed.get(place.instance) or Agreement(instance=place.instance), f"t{numbered}"
                )
            )
        last = next(
            (run.records[cell.indices[-1]] for place in members for cell in place.cells.values() if cell.indices), None
        )
        config = run.config.cases.get(key)
        yield Entry(
            key=wording.shorten(key, 80),
            anchor=f"case-{number}",
            case=wording.shorten(last.case if last else config.case if config else ""),
            version=last.case_version if last else 0,
            task=wording.shorten(last.task if last else ""),
            tables=tuple(tables),
            limits=_limits(config),
        )


def _table(records: Sequence[Record], place: Place, agreed: Agreement, anchor: str) -> Table:
    usual = max((cell.planned for cell in place.cells.values()), default=0)
    sides = [
        side(
            player,
            cell.role,
            [records[index] for index in cell.indices],
            anchor=cell.anchor,
            planned=cell.planned,
            usual=usual,
        )
        for player, cell in place.cells.items()
    ]
    best = best_peer(sides, agreed)
    threads = {
        record.threads
        for found in sides
        for record in found.records
        if found.role != "control" and record.status != "unavailable"
    }
    rows = sorted((row(found, best, agreed, threads=len(threads) > 1) for found in sides), key=_rank)
    first = next((found.records[0] for found in sides if found.records), None)
    return Table(
        instance=wording.shorten(place.instance),
        anchor=anchor,
        params=dict(place.params),
        rows=tuple(rows),
        answers=_answers(agreed),
        data=_data(first, threads),
        best_peer=wording.shorten(best.player, 80) if best else "",
        speedups=speedups(sides, best, agreed),
        limit=float(first.limits["wall_s"]) if first and first.limits.get("wall_s") else None,
        picture=f"answer-{stem(place.instance)}",
        pictured=_pictured(records, place),
        threads=next(iter(threads)) if len(threads) == 1 else 0,
        seed=first.seed if first else 0,
    )


def _rank(one: Row) -> tuple[int, float, str]:
    """Right answers by time, then wrong ones, then those that did not finish, controls and absent ones last."""
    place = {"ok": 0, "wrong": 1, "dnf": 2, "unavailable": 3, "absent": 4}[one.state]
    time = one.time.value if one.time and one.time.value is not None else float("inf")
    return place + (10 if one.role == "control" else 0), time, one.player


def _pictured(records: Sequence[Record], place: Place) -> str:
    """Whose answer the picture shows: the first right one, as the session draws it."""
    indices = sorted(index for cell in place.cells.values() if cell.role != "control" for index in cell.indices)
    right = (
        records[index] for index in indices if records[index].status == "ok" and records[index].check.get("answer")
    )
    first = next(right, None)
    return wording.shorten(first.player, 80) if first else ""


def _answers(agreed: Agreement) -> str:
    if agreed.consensus is not None:
        engines = [wording.shorten(engine, 60) for engine in agreed.confirmed_by]
        return f"The answer is confirmed by {wording.count(len(engines), 'independent engine')}: {', '.join(engines)}."
    if agreed.disputed:
        return f"The answer is disputed: {len(agreed.groups)} different ones, with equally many engines behind them."
    if agreed.unconfirmed:
        return "The answer is unconfirmed: only one engine gave one that can be compared."
    return "There is no answer that can be compared between players bit for bit."


def _data(first: Record | None, threads: set[int]) -> str:
    if first is None:
        return ""
    parts = [
        str(first.data.get("provenance") or ""),
        f"seed {first.seed}",
        f"input sha256 {str(first.data['inputs'])[:12]}" if first.data.get("inputs") else "",
    ]
    sets = first.data.get("sets") or {}
    if sets:
        parts.append(f"from {', '.join(str(name) for name in sets)}")
    told = f". {wording.count(next(iter(threads)), 'thread')} a player" if len(threads) == 1 else ""
    return wording.shorten(", ".join(part for part in parts if part), 300) + told


def _limits(config: CaseConfig | None) -> str:
    if config is None:
        return ""
    return f"{wording.limit(config.limits.wall_s)} and {config.limits.memory_gib:g} GiB a process"


def _progress(run: Run) -> str:
    planned, recorded = len(run.plan), len(run.records)
    finished = sum(record.status in ("ok", "wrong_answer") for record in run.records)
    said = f"{finished:,} of {wording.count(planned, 'planned process', 'planned processes')} finished"
    rest = [f"{recorded - finished:,} did not"] if recorded > finished else []
    if planned > recorded:
        rest.append(f"{planned - recorded:,} were not run (a player that did not finish once is not asked again)")
    return f"{said}; {' and '.join(rest)}." if rest else f"{said}."


def _configuration(run: Run) -> str:
    import yaml

    return wording.clean(yaml.safe_dump(to_dict(run.config), sort_keys=False, allow_unicode=True, width=110))


def _groups(records: Sequence[Record], places: Sequence[Place], anchors: Mapping[int, str]) -> Iterator[RecordGroup]:
    logs = LOGS
    for place in places:
        for player, cell in place.cells.items():
            rows = []
            for index in cell.indices if len(records) <= RECORDS else []:
                one = _record(records[index], index + 1, anchors[index])
                if records[index].status != "ok" and records[index].log.strip() and logs:
                    logs -= 1
                    one = replace(one, log=wording.clean(records[index].log[-LOG_CHARACTERS:]).strip("\n"))
                rows.append(one)
            if cell.indices:
                yield RecordGroup(
                    anchor=cell.anchor,
                    instance=wording.shorten(place.instance),
                    player=wording.shorten(player, 80),
                    lines=wording.shorten(", ".join(str(index + 1) for index in cell.indices), 120),
                    rows=tuple(rows),
                )


def _record(record: Record, line: int, anchor: str) -> RecordRow:
    peak = record.memory.get("host_peak")
    samples = wording.count(len(record.samples), "sample") if record.samples else ""
    if len(record.samples) > 1:
        samples += f", {wording.span(min(record.samples), max(record.samples), 's')}"
    return RecordRow(
        anchor=anchor,
        line=line,
        process=record.process,
        trial=wording.shorten(record.trial, 16),
        outcome=wording.outcome(record, 200),
        status=record.status,
        time=wording.seconds(median(record.samples)) if record.samples else "",
        samples=samples,
        cpu=wording.seconds(median(record.cpu)) if record.cpu else "",
        memory=wording.size(float(peak)) if peak else "",
        answer=str(record.check.get("answer") or "")[:12],
        wall=wording.seconds(record.wall),
    )
