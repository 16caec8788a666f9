"""Gates on one player's number, the kinds absolute and accuracy; and what every gate on a number starts with."""

from __future__ import annotations

import math
from collections.abc import Callable

from harness.config import CaseConfig, GateConfig
from harness.judging.evidence import Evidence, Instance, Standing, standing
from harness.judging.outcome import LEAST_PROCESSES, Outcome, Weighed, blocked, trials, weigh, worst
from harness.judging.quantity import NoQuantity, interval, quantity, unit_of
from harness.wording import number, with_unit


def absolute(gate: GateConfig, evidence: Evidence) -> Outcome:
    """A number of one player against a bound, on every instance."""
    return everywhere(gate, evidence, _absolute)


def everywhere(
    gate: GateConfig, evidence: Evidence, one_by_one: Callable[[GateConfig, Instance, CaseConfig], Outcome]
) -> Outcome:
    """Judge every matching instance and return the worst outcome."""
    if not gate.player:
        return blocked("the gate names no player", "Name one under 'player'.")
    instances = evidence.instances(gate)
    if not instances:
        return no_instance(gate, evidence)
    case = evidence.config.cases.get(gate.case, CaseConfig())
    return worst([one_by_one(gate, one, case) for one in instances])


def no_instance(gate: GateConfig, evidence: Evidence) -> Outcome:
    """The plan holds no instance with the parameters in ``where``."""
    where = (
        " has " + ", ".join(f"{name}={value}" for name, value in gate.where.items()) if gate.where else " was planned"
    )
    known = ", ".join(one.instance for one in evidence.entries.get(gate.case, ())[:5]) or "none"
    return blocked(
        f"no trial of case {gate.case!r}{where} (instances: {known})",
        f"Add the parameters under cases.{gate.case}.params, or correct 'where'.",
    )


def stopped(gate: GateConfig, one: Instance, ours: Standing) -> Outcome | None:
    """The outcome where the player has no right answer from every process; None where it has."""
    text = f"{gate.player} {ours.why} on {one.instance}"
    evidence = trials(one.players.get(gate.player, ()))
    steps = {
        "absent": f"Write the player, or add it under cases.{one.entry}.players; 'harness list' shows those there are.",
        "pending": "Let the run finish: harness run resume=, and this folder.",
        "unavailable": "Install or plug in what it needs; 'harness list' says what that is.",
    }
    if ours.state in steps:
        return blocked(text, steps[ours.state])
    if ours.state == "unchecked":
        return Outcome(verdict="INCONCLUSIVE", reason=text, evidence=evidence, next_step="Give the case a check.")
    step = "Make it finish within the limits; the record keeps the end of its log."
    if ours.state == "wrong":
        text, step = f"{text}, so its numbers do not count", "Mend the answer first; the records say what differs."
    elif ours.state == "ok":
        if not ours.unfinished:
            return None
        of = f"{len(ours.records)} of {len(ours.records) + len(ours.unfinished)} processes"
        text = f"{gate.player} finished in {of} on {one.instance}; another one ended as {ours.unfinished[0].status}"
    return Outcome(verdict="FAIL", reason=text, evidence=evidence, next_step=step, margin=math.inf)


def no_number(gate: GateConfig, one: Instance, ours: Standing, error: NoQuantity) -> Outcome:
    """The player finished, but its records do not hold what the gate asks for."""
    text = f"{gate.player} finished on {one.instance}, but {error}"
    if not error.needs_samples:
        step = "Correct 'metric', 'statistic' or 'unit' of the gate, or let the check report the metric."
        return blocked(text, step)
    return Outcome(
        verdict="INCONCLUSIVE",
        reason=text,
        next_step=f"Raise cases.{gate.case}.sampling.min_samples and max_samples.",
        processes=len(ours.records),
        evidence=trials(ours.records),
    )


def confirmation(one: Instance, ours: Standing) -> str:
    """By whom the answer was confirmed, or that nobody independent did."""
    check, agreed = ours.records[0].check, one.agreement
    engine = ours.records[0].engine or ours.records[0].player
    others = [name for name in agreed.confirmed_by if name != engine]
    if check.get("exact") and others:
        return f"answer confirmed by {', '.join(others)}"
    alone = "; no independent player confirmed it" if check.get("exact") else ""
    return f"answer checked against {check.get('oracle') or 'its oracle'}{alone}"


def named(gate: GateConfig) -> str:
    """The quantity of a gate in words."""
    return f"{gate.statistic} {gate.metric}" if gate.metric == "time" else gate.metric


def _absolute(gate: GateConfig, one: Instance, case: CaseConfig) -> Outcome:
    ours = standing(one, gate.player)
    if outcome := stopped(gate, one, ours):
        return outcome
    try:
        values = [quantity(record, gate.metric, gate.statistic, gate.unit) for record in ours.records]
        found = interval(values, gate.metric, gate.confidence)
        unit = unit_of(ours.records[0], gate.metric, gate.unit)
    except NoQuantity as error:
        return no_number(gate, one, ours, error)
    remarks = [confirmation(one, ours)]
    if gate.metric == "time" and any(record.clock == "player" for record in ours.records):
        remarks.append("timed by the player itself")
    ceiling = ours.records[0].metrics.get(gate.metric, {}).get("ceiling")
    if ceiling is not None:
        remarks.append(f"ceiling {with_unit(number(ceiling), unit)}")
    weighed = Weighed(
        what=f"{gate.player}: {named(gate)}",
        where=one.instance,
        value=found.value if found else values[0],
        interval=found,
        unit=unit,
        counts=(len(values),),
        needed=(max(gate.processes, LEAST_PROCESSES),),
        remarks=tuple(remarks),
        evidence=trials(ours.records),
    )
    return weigh(gate, weighed)
