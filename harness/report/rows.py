"""One player on one instance: its records boiled down to a row of a table."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from harness import wording
from harness.judging.agreement import Agreement
from harness.judging.evidence import Instance, stopped_after
from harness.judging.rivals import best_peer as hardest
from harness.judging.stats import Interval, censored_ratio, log_t_interval, process_statistic, welch_log_ratio
from harness.record import Record
from harness.report.answered import about_answer
from harness.report.model import Quantity, Row

UNFINISHED = ("timeout", "memory", "crash", "error")
CLOCKS = {
    "cuda": "timed by CUDA events",
    "process": "timed from process start to exit",
    "player": "timed by the player itself",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """The records of one player on one instance.

    Attributes:
        planned: processes that were planned; ``usual`` how many most players of the instance were given.
        medians: the time of each process that finished (seconds).
        estimate: over the processes; None for fewer than two.
    """

    player: str
    role: str
    records: Sequence[Record]
    anchor: str
    planned: int
    usual: int
    medians: Sequence[float]
    estimate: Interval | None

    @property
    def centre(self) -> float | None:
        """The time that stands for the player (seconds), with or without an interval."""
        return self.estimate.value if self.estimate else median(self.medians) if self.medians else None


def side(player: str, role: str, records: Sequence[Record], *, anchor: str, planned: int, usual: int) -> Side:
    """Gather one player's records; ``records`` may be empty."""
    medians = [
        process_statistic(record) for record in records if record.samples and record.status in ("ok", "wrong_answer")
    ]
    medians = [value for value in medians if value > 0 and math.isfinite(value)]
    return Side(
        player=player,
        role=role,
        records=records,
        anchor=anchor,
        planned=planned,
        usual=usual,
        medians=medians,
        estimate=log_t_interval(medians) if len(medians) >= 2 else None,
    )


def state(found: Side, agreed: Agreement) -> str:
    """``ok``, ``wrong``, ``dnf``, ``unavailable`` or ``absent``."""
    statuses = {record.status for record in found.records}
    if not statuses:
        return "absent"
    if statuses & set(UNFINISHED):
        return "dnf"
    if "unavailable" in statuses:
        return "unavailable"
    wrong = found.player in agreed.wrong or "wrong_answer" in statuses
    return "wrong" if wrong else "ok"


def best_peer(sides: Sequence[Side], agreed: Agreement) -> Side | None:
    """The peer or baseline with the least time whose answer stands, as :mod:`harness.judging.rivals` says."""
    one = Instance(
        entry="",
        instance=agreed.instance,
        params={},
        players={found.player: list(found.records) for found in sides if found.records},
        agreement=agreed,
    )
    name = hardest(one, {found.player: found.medians for found in sides})
    return next((found for found in sides if found.player == name), None)


def row(found: Side, best: Side | None, agreed: Agreement, *, threads: bool = False) -> Row:
    """The row of one player, beside the best peer; ``threads`` also says how many it used."""
    records, now = found.records, state(found, agreed)
    processes, note = _processes(found)
    answer, kind = about_answer(found.player, found.role, records, agreed)
    return Row(
        player=wording.shorten(found.player, 80),
        role=found.role,
        detail=_detail(records, threads),
        anchor=found.anchor,
        state=now,
        outcome=_outcome(found, now),
        best=best is found,
        time=_time(found, now),
        ratio=ratio(found, best, now),
        memory=_memory(records, "host_peak"),
        device_memory=_memory(records, "device_peak"),
        processes=processes,
        processes_note=note,
        answer=answer,
        answer_kind=kind,
        stages=_stages(records) if now in ("ok", "wrong") else {},
        metrics=_metrics(records) if now == "ok" and found.role == "candidate" else {},
        notes=_notes(records),
    )


def quantity(estimate: Interval | None, centre: float, unit: str) -> Quantity:
    """A number with its interval, or without one where there was a single process."""
    if estimate is None:
        return Quantity(text=wording.amount(centre, unit), value=centre)
    return Quantity(
        text=wording.amount(estimate.value, unit),
        interval=wording.span(estimate.low, estimate.high, unit),
        value=estimate.value,
        low=estimate.low,
        high=estimate.high,
    )


def _time(found: Side, now: str) -> Quantity | None:
    least = stopped_after(found.records)
    if least is not None and not found.medians:
        limit = max(record.limits.get("wall_s", 0.0) for record in found.records if record.status == "timeout")
        return Quantity(
            text=f"> {wording.seconds(least)}",
            interval=f"stopped at the {wording.limit(limit)} limit",
            value=least,
            relation=">",
        )
    if found.centre is None:
        return None
    if now == "dnf":
        longer = least is not None and least >= found.centre
        return Quantity(
            text=f"{'≥ ' if longer else ''}{wording.seconds(found.centre)}",
            interval=f"of the {len(found.medians)} that finished",
            value=found.centre,
            relation="≥" if longer else "=",
        )
    return quantity(found.estimate, found.centre, "s")


def ratio(found: Side, best: Side | None, now: str) -> Quantity | None:
    """Its time over that of the best one, or of any other: at least, where it was stopped at its limit.

    Args:
        now: its :func:`state`; there is no ratio where an answer is wrong or there is none.
    """
    if best is None or best.centre is None or now in ("wrong", "absent", "unavailable") or found.role == "control":
        return None
    if found is best:
        return Quantity(text="1", interval="best peer", value=1.0)
    if now == "dnf":
        stopped = stopped_after(found.records)
        if stopped is None or found.medians:
            return None
        least = censored_ratio(stopped, best.estimate) if best.estimate else stopped / best.centre
        return Quantity(text=f"≥ {wording.amount(least, '×')}", value=least, relation="≥")
    if found.centre is None:
        return None
    estimate = welch_log_ratio(found.medians, best.medians) if found.estimate and best.estimate else None
    return quantity(estimate, found.centre / best.centre, "×")


def _memory(records: Sequence[Record], name: str) -> Quantity | None:
    if name == "host_peak":
        reached = [float(record.memory.get(name) or 0.0) for record in records if record.status == "memory"]
        if most := max(reached, default=0.0):
            return Quantity(text=f"> {wording.size(most)}", interval="when it was stopped", value=most, relation=">")
    peaks = [
        float(peak)
        for record in records
        if (peak := record.memory.get(name)) and record.status in ("ok", "wrong_answer")
    ]
    return Quantity(text=wording.size(max(peaks)), value=max(peaks)) if peaks else None


def _processes(found: Side) -> tuple[str, str]:
    finished = sum(record.status in ("ok", "wrong_answer") for record in found.records)
    planned, recorded = max(found.planned, len(found.records)), len(found.records)
    notes = []
    if found.planned and found.planned < found.usual and found.role != "control":
        notes.append("fewer by configuration")
    if recorded < planned:
        stopped = [record.status for record in found.records if record.status not in ("ok", "wrong_answer")]
        skipped = planned - recorded
        notes.append(f"{skipped} skipped: {wording.STATUS_WORDS[stopped[-1]]}" if stopped else f"{skipped} not run")
    return f"{finished} of {planned}", "; ".join(notes)


def _outcome(found: Side, now: str) -> str:
    if now == "absent":
        return "not run"
    bad = [record for record in found.records if record.status != "ok"]
    if not bad or now == "wrong":
        return ""
    said = Counter(
        wording.outcome(record, 120) for record in bad if now == "unavailable" or record.status in UNFINISHED
    )
    words, times = said.most_common(1)[0]
    return words if times == len(found.records) else f"{words} ({times} of {len(found.records)})"


def _detail(records: Sequence[Record], threads: bool) -> str:
    if not records:
        return ""
    last = records[-1]
    parts = [
        last.player_version,
        f"engine {last.engine}" if last.engine and last.engine.lower() not in last.player.lower() else "",
        last.device if last.device != "cpu" else "",
        wording.count(last.threads, "thread") if threads else "",
    ]
    return wording.shorten(", ".join(part for part in parts if part), 90)


def _notes(records: Sequence[Record]) -> tuple[str, ...]:
    finished = [record for record in records if record.status in ("ok", "wrong_answer")]
    notes = []
    if any(record.repeatable is False for record in finished):
        notes.append("its answer changed from call to call")
    if any(record.cold for record in finished):
        notes.append("first call, not warmed up")
    clocks = {record.clock for record in finished} - {"wall"}
    notes += [CLOCKS.get(clock, f"clock: {wording.shorten(clock, 20)}") for clock in sorted(clocks)]
    sources = {str(record.memory.get("host_source", "")) for record in finished} - {"VmHWM", ""}
    notes += [f"memory {wording.shorten(source, 20)}" for source in sorted(sources)]
    return tuple(notes)


def _stages(records: Sequence[Record]) -> Mapping[str, float]:
    seconds: dict[str, list[float]] = {}
    for record in records:
        for name, values in record.stages.items():
            if values and record.status == "ok":
                seconds.setdefault(wording.shorten(name, 30), []).append(median(values))
    return {name: median(values) for name, values in seconds.items()}


def _metrics(records: Sequence[Record]) -> Mapping[str, str]:
    """What was measured besides: the median over processes, with its unit."""
    values: dict[tuple[str, str], list[float]] = {}
    for record in records:
        for name, metric in record.metrics.items():
            values.setdefault((wording.shorten(name, 40), str(metric.get("unit", ""))), []).append(metric["value"])
    return {name: wording.amount(median(found), unit) for (name, unit), found in values.items()}
