"""Two runs, case by case: ratio with its interval, answers equal or not, and an exit status for CI.

A case is matched by its name, version, seed, parameters and player; controls are left out. The ratio is new
over old: above 1 is slower. A regression is established only where the whole interval lies above what is
tolerated; where the interval holds more than that and less, nothing is established and nothing excluded. What
was measured before and is not there any more, be it that the newer run was stopped, is not known either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.judging.agreement import failed_check
from harness.judging.evidence import arrange
from harness.judging.outcome import LEAST_PROCESSES
from harness.judging.stats import Interval, process_statistic, welch_log_ratio
from harness.record import Record, canonical_json
from harness.wording import number

if TYPE_CHECKING:
    from harness.store import Run

TOLERANCE = 0.1
SLOWER, INCONCLUSIVE, NOTHING_IN_COMMON = 10, 13, 14
COLUMNS = ("case", "player", "time", "95 % interval", "memory", "answer", "status", "remark")
Key = tuple[str, int, int, str, str]
"""Case, version, seed, parameters as canonical JSON, player."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One player on one instance in both runs.

    Attributes:
        label: case and parameters. ``before``, ``after``: status there, the worst of the processes.
        time: ratio of the medians, after over before; None where a side has fewer than two processes.
        memory: ratio of the median peaks, if both were recorded.
        answer: ``equal``, ``differ`` or ``not comparable``.
        remark: what makes the two less alike than one would think.
    """

    label: str
    player: str
    before: str
    after: str
    time: Interval | None
    memory: float | None
    answer: str
    remark: str = ""

    def status(self, tolerance: float) -> int:
        """0 not slower and the same answer, 10 worse (established), 13 not known."""
        if self.answer == "differ" or (self.before == "ok" and self.after not in ("ok", "unavailable")):
            return SLOWER
        if self.before != "ok" or self.after == "unavailable":
            return 0 if self.after == "ok" or self.before == self.after else INCONCLUSIVE
        if self.time is None or self.time.n < LEAST_PROCESSES:
            return INCONCLUSIVE
        if self.time.low > 1 + tolerance:
            return SLOWER
        return 0 if self.time.high <= 1 + tolerance else INCONCLUSIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Run ``b`` against run ``a``, the earlier one.

    Attributes:
        only_a, only_b: what has no counterpart. ``finished``: run ``b`` came to its end.
    """

    a: str
    b: str
    confidence: float
    rows: tuple[Row, ...]
    only_a: tuple[str, ...] = ()
    only_b: tuple[str, ...] = ()
    finished: bool = True
    warnings: tuple[str, ...] = ()

    def exit_status(self, tolerance: float = TOLERANCE) -> int:
        """0 nothing slower or different, 10 something is, 13 something is not known or gone, 14 nothing in common.

        Args:
            tolerance: slowdown that does not count, as a share: 0.1 lets a ratio of 1.1 pass.
        """
        statuses = {row.status(tolerance) for row in self.rows}
        if not statuses:
            return NOTHING_IN_COMMON
        if SLOWER in statuses:
            return SLOWER
        return INCONCLUSIVE if self.only_a or not self.finished else max(statuses)


def compare(a: Run, b: Run, confidence: float = 0.95) -> Comparison:
    """Compare two runs; nothing in them is executed.

    Args:
        a: the earlier run, or the baseline. ``b``: the one that is held against it.
    """
    before, after = _sides(a), _sides(b)
    common = [key for key in before if key in after]
    return Comparison(
        a=a.name,
        b=b.name,
        confidence=confidence,
        rows=tuple(_row(key, before[key], after[key], confidence) for key in common),
        only_a=tuple(_named(key) for key in before if key not in after),
        only_b=tuple(_named(key) for key in after if key not in before),
        finished="finished" in b.manifest,
        warnings=tuple(_warnings(a, b)),
    )


def table(comparison: Comparison, tolerance: float = TOLERANCE) -> list[tuple[str, ...]]:
    """The rows as cells under :data:`COLUMNS`, the worst first."""
    verdicts = {0: "no regression", SLOWER: "REGRESSION", INCONCLUSIVE: "not known"}
    rank = {SLOWER: 0, INCONCLUSIVE: 1, 0: 2}
    rows = sorted(comparison.rows, key=lambda row: rank[row.status(tolerance)])
    return [
        (
            row.label,
            row.player,
            f"{number(row.time.value)} x" if row.time else _statuses(row),
            f"{number(row.time.low)} to {number(row.time.high)}" if row.time else "",
            f"{number(row.memory)} x" if row.memory is not None else "",
            row.answer,
            verdicts[row.status(tolerance)],
            row.remark,
        )
        for row in rows
    ]


def markdown(comparison: Comparison, tolerance: float = TOLERANCE) -> str:
    """The comparison as Markdown, for a pull request."""
    columns = [name.replace("95", f"{comparison.confidence * 100:g}") for name in COLUMNS]
    lines = [f"# {comparison.b} against {comparison.a}", "", "Ratios are new over old: above 1 is slower.", ""]
    lines += [f"> {text}" for text in comparison.warnings] + ([""] if comparison.warnings else [])
    lines += [
        _line(columns),
        _line(["---"] * len(columns)),
        *(_line(cells) for cells in table(comparison, tolerance)),
        "",
    ]
    for run, only in ((comparison.a, comparison.only_a), (comparison.b, comparison.only_b)):
        if only:
            lines += [f"Only in {run}: {', '.join(_cell(label) for label in only)}.", ""]
    return "\n".join(lines)


def _sides(run: Run) -> dict[Key, list[Record]]:
    found: dict[Key, list[Record]] = {}
    for instances in arrange(run).entries.values():
        for one in instances:
            for player, records in one.players.items():
                first = records[0]
                if first.role == "control":
                    continue
                key = (first.case, first.case_version, first.seed, canonical_json(first.params), player)
                found.setdefault(key, []).extend(records)
    return found


def _row(key: Key, before: Sequence[Record], after: Sequence[Record], confidence: float) -> Row:
    sides = [[record for record in side if record.status == "ok"] for side in (before, after)]
    times = [[value for record in side if (value := process_statistic(record)) > 0] for side in sides]
    peaks = [sorted(peak for record in side if (peak := record.memory.get("host_peak"))) for side in sides]
    finished = all(sides)
    return Row(
        label=_named(key, player=False),
        player=key[-1],
        before=_status(before),
        after=_status(after),
        time=welch_log_ratio(times[1], times[0], confidence) if min(map(len, times)) >= 2 else None,
        memory=peaks[1][len(peaks[1]) // 2] / peaks[0][len(peaks[0]) // 2] if all(peaks) and finished else None,
        answer=_answers(sides[0], sides[1]) if finished else "not comparable",
        remark="; ".join(_unlike(before[0], after[0])),
    )


def _status(records: Sequence[Record]) -> str:
    """The worst status: a wrong answer, then whatever else is not ok."""
    if any(failed_check(record) for record in records):
        return "wrong_answer"
    return next((record.status for record in records if record.status != "ok"), "ok")


def _answers(before: Sequence[Record], after: Sequence[Record]) -> str:
    given = [{record.check.get("answer") for record in side} for side in (before, after)]
    exact = all(record.check.get("exact") and record.check.get("answer") for record in (*before, *after))
    same_input = {record.data.get("inputs") for record in (*before, *after)}
    if not exact or len(same_input) > 1:
        return "not comparable"
    return "equal" if given[0] == given[1] and len(given[0]) == 1 else "differ"


def _unlike(before: Record, after: Record) -> list[str]:
    pairs = {
        "threads": (before.threads, after.threads),
        "clock": (before.clock, after.clock),
        "cold": (before.cold, after.cold),
        "wall limit": (before.limits.get("wall_s"), after.limits.get("wall_s")),
        "inputs": (before.data.get("inputs"), after.data.get("inputs")),
        "version": (before.player_version, after.player_version),
    }
    return [
        f"other {name}" + ("" if name == "inputs" else f": {old} -> {new}")
        for name, (old, new) in pairs.items()
        if old != new
    ]


def _warnings(a: Run, b: Run) -> list[str]:
    found = []
    keys = [run.environment.get("key") for run in (a, b)]
    if keys[0] != keys[1]:
        found.append(f"Two machines ({keys[0]} and {keys[1]}): the ratios are theirs, not the code's.")
    found += [f"Run {run.name} is not finished." for run in (a, b) if "finished" not in run.manifest]
    for run in (a, b):
        git = run.manifest.get("git", {})
        if not git.get("commit"):
            found.append(f"Run {run.name} is of a project that is not under version control: no commit names its code.")
        elif git.get("dirty"):
            found.append(f"Run {run.name} is of a tree with uncommitted changes.")
    return found


def _named(key: Key, *, player: bool = True) -> str:
    case, version, seed, params, name = key
    seeded = f" seed {seed}" if seed else ""
    return f"{case} v{version} {params}{seeded}" + (f" by {name}" if player else "")


def _statuses(row: Row) -> str:
    return row.before if row.before == row.after else f"{row.before} -> {row.after}"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def _cell(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("\n", " ").replace("`", "\\`")
