"""Gates on a ratio: a peer's number over the player's own, also where the peer was stopped at its limit."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from harness.config import CaseConfig, GateConfig
from harness.judging.absolute import confirmation, everywhere, named, no_number, stopped
from harness.judging.evidence import Evidence, Instance, Standing, standing, stopped_after
from harness.judging.outcome import (
    LEAST_PROCESSES,
    SEVERITY,
    Outcome,
    Weighed,
    against_bound,
    asked,
    blocked,
    margin,
    trials,
    weigh,
)
from harness.judging.quantity import NoQuantity, interval, quantity
from harness.judging.rivals import rivals as names_of
from harness.judging.stats import Interval, censored_ratio, geometric_mean, welch_log_ratio
from harness.record import Record
from harness.wording import number, with_unit

BASE_UNIT = "s"
"""Both sides are taken in base units, whatever unit the gate writes its bound in."""


def ratio(gate: GateConfig, evidence: Evidence) -> Outcome:
    """The number of a peer, or of the hardest one, over the player's own against a bound, on every instance."""
    return everywhere(gate, evidence, _ratio)


@dataclass(slots=True, kw_only=True)
class _Side:
    """One side of a ratio; without ``values`` it has no number, and ``why`` says so."""

    name: str
    standing: Standing
    values: Sequence[float] = ()
    why: str = ""


def _ratio(gate: GateConfig, one: Instance, case: CaseConfig) -> Outcome:
    stands = standing(one, gate.player)
    if outcome := stopped(gate, one, stands):
        return outcome
    try:
        ours = _Side(name=gate.player, standing=stands, values=_numbers(gate, stands.records))
    except NoQuantity as error:
        return no_number(gate, one, stands, error)
    rivals = [_rival(gate, one, name) for name in names_of(gate.over, gate.player, one)]
    pending = [rival.name for rival in rivals if rival.standing.state == "pending"]
    if pending:
        text = f"{', '.join(pending)} {'was' if len(pending) == 1 else 'were'} planned and not run on {one.instance}"
        return blocked(text, "Let the run finish: harness run resume=, and this folder.")
    finished = [rival for rival in rivals if rival.values]
    if finished:
        return _hardest([_compared(gate, one, ours, rival, rivals) for rival in finished])
    bounds = {
        rival.name: least
        for rival in rivals
        if rival.standing.state == "timeout" and (least := stopped_after(rival.standing.unfinished)) is not None
    }
    if gate.metric == "time" and bounds and len(ours.values) >= 2:
        return _censored(gate, one, ours, bounds, rivals)
    return _no_rival(gate, one, rivals)


def _hardest(outcomes: Sequence[Outcome]) -> Outcome:
    """The worst outcome over all peers that finished, resting on the trials of all of them."""
    chosen = max(outcomes, key=lambda outcome: (SEVERITY[outcome.verdict], outcome.margin))
    evidence = tuple(dict.fromkeys(trial for outcome in (chosen, *outcomes) for trial in outcome.evidence))
    return replace(chosen, evidence=evidence)


def _rival(gate: GateConfig, one: Instance, name: str) -> _Side:
    stands = standing(one, name)
    side = _Side(name=name, standing=stands, why=stands.why)
    if stands.state != "ok":
        return side
    # Leaving out the processes that did not finish makes a peer look faster: fair only where that is harder for us.
    if stands.unfinished and gate.below is not None:
        side.why = "did not finish in every process"
        return side
    try:
        side.values = _numbers(gate, stands.records)
    except NoQuantity as error:
        side.why = f"has no number: {error}"
    return side


def _numbers(gate: GateConfig, records: Sequence[Record]) -> list[float]:
    values = [quantity(record, gate.metric, gate.statistic, BASE_UNIT) for record in records]
    if min(values) <= 0:
        raise NoQuantity(f"a ratio needs a {gate.metric} above 0, and there is one of {number(min(values))}")
    return values


def _compared(gate: GateConfig, one: Instance, ours: _Side, rival: _Side, rivals: Sequence[_Side]) -> Outcome:
    counts = (len(rival.values), len(ours.values))
    found = welch_log_ratio(rival.values, ours.values, gate.confidence) if min(counts) >= 2 else None
    weighed = Weighed(
        what=f"{rival.name} over {ours.name}: ratio of {named(gate)}",
        where=one.instance,
        value=found.value if found else geometric_mean(rival.values) / geometric_mean(ours.values),
        interval=found,
        unit="x",
        counts=counts,
        needed=(LEAST_PROCESSES, max(gate.processes, LEAST_PROCESSES)),
        remarks=(confirmation(one, ours.standing), *_unlike(ours, rival), *_left_out(rivals)),
        evidence=trials(rival.standing.records, ours.standing.records),
    )
    return weigh(gate, weighed)


def _censored(
    gate: GateConfig, one: Instance, ours: _Side, bounds: Mapping[str, float], rivals: Sequence[_Side]
) -> Outcome:
    own = interval(ours.values, gate.metric, gate.confidence)
    assert own is not None
    over = min((rival for rival in rivals if rival.name in bounds), key=lambda rival: bounds[rival.name])
    value = censored_ratio(bounds[over.name], own)
    needed = max(gate.processes, LEAST_PROCESSES)
    verdict = against_bound(gate, value, math.inf) if own.n >= needed else "INCONCLUSIVE"
    ending, step = _ending(gate, verdict, own, over.name, needed)
    sentence = (
        f"{over.name} over {ours.name}: ratio of time >= {with_unit(number(value), 'x')} on {one.instance}, "
        f"as {over.name} {over.why}, {number(bounds[over.name])} s of it in one call, and {ours.name} took at most "
        f"{number(own.high)} s ({own.n} processes): {ending}"
    )
    remarks = [confirmation(one, ours.standing), *_left_out([rival for rival in rivals if rival is not over])]
    return Outcome(
        verdict=verdict,
        reason="; ".join([sentence, *remarks]),
        next_step=step,
        value=value,
        low=value,
        relation=">=",
        unit="x",
        processes=own.n,
        evidence=trials(over.standing.unfinished, ours.standing.records),
        margin=margin(gate, value),
    )


def _ending(gate: GateConfig, verdict: str, own: Interval, name: str, needed: int) -> tuple[str, str]:
    """How a censored ratio's sentence ends, and the next step."""
    if verdict == "PASS":
        return asked(gate, "x"), ""
    if verdict == "FAIL":
        return f"not {asked(gate, 'x')}", "Look at what the peer does better; it is slower than the gate allows."
    if own.n < needed:
        return f"a verdict needs {needed} processes", f"Run more processes: cases.{gate.case}.processes={needed}."
    wall = math.ceil((gate.above or gate.below or 0.0) * own.high * 1.05)
    return (
        f"nothing is known beyond that, and the gate asks for {asked(gate, 'x')}",
        f"Give {name} more time: cases.{gate.case}.limits.wall_s={wall} would settle it.",
    )


def _no_rival(gate: GateConfig, one: Instance, rivals: Sequence[_Side]) -> Outcome:
    reasons = "; ".join(f"{rival.name} {rival.why}" for rival in rivals) or "no peer is in the plan"
    text = f"{gate.player} finished on {one.instance}, but there is nothing to take a ratio over: {reasons}"
    if all(rival.standing.state in ("absent", "unavailable") for rival in rivals):
        return blocked(text, "Install the peer or add it to the case; 'harness list' shows what it needs.")
    step = "Give the peer more memory or time, or name another one."
    return Outcome(verdict="INCONCLUSIVE", reason=text, next_step=step)


def _unlike(ours: _Side, over: _Side) -> list[str]:
    """What makes the two sides less alike than a reader would think."""
    mine, theirs = ours.standing.records[0], over.standing.records[0]
    remarks = []
    if over.standing.unfinished:
        remarks.append(f"{len(over.standing.unfinished)} more process(es) of {over.name} did not finish")
    if mine.threads != theirs.threads:
        remarks.append(f"threads differ: {theirs.threads} against {mine.threads}")
    if mine.clock != theirs.clock:
        remarks.append(f"clocks differ: {theirs.clock} against {mine.clock}")
    if theirs.cold and not mine.cold:
        remarks.append(f"{over.name} was timed on its first call, which took longer than the sampling budget")
    return remarks


def _left_out(rivals: Sequence[_Side]) -> list[str]:
    left = [f"{rival.name} {rival.why}" for rival in rivals if not rival.values]
    return [f"left out: {', '.join(left)}"] if left else []
