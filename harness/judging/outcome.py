"""What the numbers of one gate come to before conditions and prerequisites are looked at, and in which words."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from harness.config import GateConfig
from harness.judging.stats import Interval
from harness.record import Record
from harness.wording import number, with_unit

SEVERITY = {"FAIL": 3, "BLOCKED": 2, "INCONCLUSIVE": 1, "PASS": 0}
LEAST_PROCESSES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A verdict to be, with its number; the fields are those of :class:`harness.verdict.Verdict`.

    ``margin`` is how far the number lies on the wrong side of the bound, for finding the worst instance.
    """

    verdict: str
    reason: str
    next_step: str = ""
    value: float | None = None
    low: float | None = None
    high: float | None = None
    relation: str = "="
    unit: str = ""
    processes: int = 0
    evidence: tuple[str, ...] = ()
    margin: float = -math.inf


def blocked(reason: str, next_step: str) -> Outcome:
    """Something that the gate rests on is not there."""
    return Outcome(verdict="BLOCKED", reason=reason, next_step=next_step)


def worst(outcomes: Sequence[Outcome]) -> Outcome:
    """The worst of several instances, resting on the trials of all of them; every one has to pass."""
    chosen = max(outcomes, key=lambda outcome: (SEVERITY[outcome.verdict], outcome.margin))
    if len(outcomes) == 1:
        return chosen
    evidence = tuple(dict.fromkeys(trial for outcome in outcomes for trial in outcome.evidence))
    return replace(chosen, reason=f"{chosen.reason} (the worst of {len(outcomes)} instances)", evidence=evidence)


def against_bound(gate: GateConfig, low: float, high: float) -> str:
    """PASS where the whole interval lies on the right side, FAIL where it lies on the wrong one."""
    if gate.below is not None:
        return "PASS" if high < gate.below else "FAIL" if low >= gate.below else "INCONCLUSIVE"
    assert gate.above is not None
    return "PASS" if low > gate.above else "FAIL" if high <= gate.above else "INCONCLUSIVE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """A number that is to be held against a bound.

    Attributes:
        what: the quantity, for example ``tcs: median time``. ``where``: the instance.
        value, interval, unit: the number; no interval where a side has one process.
        counts: processes of each side. ``needed``: how many each needs.
        remarks: phrases that follow the verdict. ``evidence``: ids of the trials.
    """

    what: str
    where: str
    value: float
    interval: Interval | None
    unit: str
    counts: tuple[int, ...]
    needed: tuple[int, ...]
    remarks: tuple[str, ...]
    evidence: tuple[str, ...]


def weigh(gate: GateConfig, one: Weighed) -> Outcome:
    """A number and its interval against the bound, in a sentence."""
    interval = one.interval
    verdict, ending, step = _against(gate, one)
    sentence = f"{one.what} {_with_interval(one)} on {one.where}: {ending}"
    return Outcome(
        verdict=verdict,
        reason="; ".join([sentence, *one.remarks]),
        next_step=step,
        value=one.value,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        unit=one.unit,
        processes=min(one.counts),
        evidence=one.evidence,
        margin=margin(gate, one.value),
    )


def _against(gate: GateConfig, one: Weighed) -> tuple[str, str, str]:
    """Verdict, how its sentence ends, and the next step."""
    if one.interval is None or any(count < need for count, need in zip(one.counts, one.needed, strict=True)):
        needs = " and ".join(str(need) for need in one.needed)
        step = f"Run more processes: cases.{gate.case}.processes={max(one.needed)}, and none fewer under 'fewer'."
        return "INCONCLUSIVE", f"a verdict needs {needs} processes", step
    verdict = against_bound(gate, one.interval.low, one.interval.high)
    if verdict == "PASS":
        return verdict, asked(gate, one.unit), ""
    if verdict == "FAIL":
        step = "Make it better; 'harness compare' with an earlier run shows since when it misses the bound."
        return verdict, f"not {asked(gate, one.unit)}", step
    straddles = f"the interval straddles the bound of {with_unit(number(_bound(gate)), one.unit)}"
    return verdict, straddles, more_processes(gate, one.interval)


def _with_interval(one: Weighed) -> str:
    counts = " and ".join(str(count) for count in one.counts)
    text = with_unit(number(one.value), one.unit)
    if one.interval is None:
        return f"{text} ({counts} process{'' if counts == '1' else 'es'}, too few for an interval)"
    ends = with_unit(f"{number(one.interval.low)} to {number(one.interval.high)}", one.unit)
    return f"{text} ({one.interval.confidence * 100:g} % interval {ends}, {counts} processes)"


def more_processes(gate: GateConfig, interval: Interval) -> str:
    """How many processes would settle a straddling interval, if the estimate and the spread stay as they are."""
    bound, half = _bound(gate), (interval.high - interval.low) / 2
    distance = abs(interval.value - bound)
    wanted = interval.n * (half / distance) ** 2 if distance > 0 else math.inf
    if wanted > 200:
        return "The number is at the bound itself; more processes will hardly settle it."
    count = max(interval.n + 1, math.ceil(wanted * 1.2))
    return (
        f"Run more processes: about {count} would settle it if the spread stays (cases.{gate.case}.processes={count})."
    )


def asked(gate: GateConfig, unit: str) -> str:
    """The bound in words."""
    return f"{'below' if gate.below is not None else 'above'} {with_unit(number(_bound(gate)), unit)}"


def margin(gate: GateConfig, value: float) -> float:
    """How far a value lies on the wrong side of the bound, relative to it."""
    bound = _bound(gate)
    scale = abs(bound) or 1.0
    return (value - bound) / scale if gate.below is not None else (bound - value) / scale


def trials(*groups: Iterable[Record]) -> tuple[str, ...]:
    """Ids of the trials of several groups of records."""
    return tuple(record.trial for group in groups for record in group)


def _bound(gate: GateConfig) -> float:
    bound = gate.below if gate.below is not None else gate.above
    assert bound is not None
    return bound
