"""From records to verdicts: a pure function of configuration, records and facts, in a fixed order.

``requires`` not met -> OFF-CONDITION (the number is still printed); data, player or a gate under ``needs``
absent -> BLOCKED; a wrong answer -> FAIL; the interval clears the bound -> PASS; excludes it -> FAIL;
straddles it, or rests on too few processes -> INCONCLUSIVE. docs/explanation/verdicts.md has examples.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from harness import conditions
from harness.config import GateConfig
from harness.errors import ConfigurationError
from harness.judging import soundness
from harness.judging.absolute import absolute
from harness.judging.calibration import calibration
from harness.judging.evidence import Evidence, arrange
from harness.judging.outcome import Outcome, blocked
from harness.judging.ratio import ratio
from harness.judging.rivals import rivals
from harness.record import Record
from harness.verdict import Verdict

if TYPE_CHECKING:
    from harness.store import Run

JUDGES: Mapping[str, Callable[[GateConfig, Evidence], Outcome]] = {
    "absolute": absolute,
    "accuracy": absolute,
    "ratio": ratio,
    "agreement": soundness.agreement,
    "control": soundness.control,
    "calibration": calibration,
}


def judge(run: Run) -> list[Verdict]:
    """A verdict for every gate of a run, in the order of its configuration.

    Nothing of the run is executed and nothing is read but its configuration, plan, records and facts, so the
    same files give the same verdicts on any machine.

    Raises:
        ConfigurationError: a gate names a condition that does not exist; the message names the gate.
    """
    evidence = arrange(run)
    done: dict[str, Verdict] = {}
    for name in run.config.gates:
        _judge(name, evidence, done, ())
    return [done[name] for name in run.config.gates]


def _judge(name: str, evidence: Evidence, done: dict[str, Verdict], path: tuple[str, ...]) -> Verdict:
    if name in done:
        return done[name]
    gate = evidence.config.gates[name]
    if name in path:
        circle = blocked(f"gates need each other: {' -> '.join((*path, name))}", "Break the circle.")
        return _verdict(name, gate, circle, {}, set())
    needed = [_judge(other, evidence, done, (*path, name)) for other in gate.needs]
    outcome = _outcome(gate, evidence)
    try:
        met, found, why = conditions.match(gate.requires, evidence.facts, _records(gate, evidence))
    except ConfigurationError as error:
        raise ConfigurationError(f"gates.{name}.requires: {error}") from None
    unmet = [other for other in needed if other.verdict != "PASS"]
    if not met:
        outcome = _instead(
            outcome,
            "OFF-CONDITION",
            "; ".join(why),
            "Run it where the conditions are met: "
            + ", ".join(f"{key} {asked}" for key, asked in gate.requires.items())
            + ".",
        )
    elif unmet:
        reason = "it needs " + ", ".join(f"gate {other.gate!r}, which is {other.verdict}" for other in unmet)
        outcome = _instead(outcome, "BLOCKED", reason, f"Look at gate {unmet[0].gate!r} first.")
    done[name] = _verdict(name, gate, outcome, found, {*evidence.config.tolerate, *gate.tolerate})
    return done[name]


def _outcome(gate: GateConfig, evidence: Evidence) -> Outcome:
    row = f" (requirement {gate.row})" if gate.row else ""
    if gate.blocked:
        return blocked(gate.blocked.rstrip("."), f"Add what is missing{row}, then drop 'blocked' from the gate.")
    if gate.case and gate.case not in evidence.config.cases:
        return blocked(f"case {gate.case!r} is not in this configuration", f"Add it under cases{row}.")
    return JUDGES[gate.kind](gate, evidence)


def _instead(outcome: Outcome, verdict: str, why: str, step: str) -> Outcome:
    """Another verdict with its own reason, that keeps the number and says what it would have come to."""
    from dataclasses import replace

    if outcome.verdict == "BLOCKED":
        reason, step = f"{why}; besides, {outcome.reason}", f"{step} {outcome.next_step}"
    else:
        reason = f"{why}; all the same, for the record: {outcome.reason}"
    return replace(outcome, verdict=verdict, reason=reason, next_step=step)


def _records(gate: GateConfig, evidence: Evidence) -> list[Record]:
    """The trials that conditions on trials are held against: those of both sides of a ratio, or all of its case."""
    return [
        record
        for one in evidence.instances(gate)
        for player, records in one.players.items()
        if not gate.player or player == gate.player or (gate.over and player in rivals(gate.over, gate.player, one))
        for record in records
    ]


def _verdict(name: str, gate: GateConfig, outcome: Outcome, found: Mapping[str, str], tolerate: set[str]) -> Verdict:
    sides = {"below": gate.below, "above": gate.above}
    return Verdict(
        gate=name,
        title=gate.title,
        row=gate.row,
        kind=gate.kind,
        verdict=outcome.verdict,
        reason=f"{outcome.reason.rstrip('.')}.",
        next_step=outcome.next_step,
        value=outcome.value,
        low=outcome.low,
        high=outcome.high,
        relation=outcome.relation,
        unit=outcome.unit or ("" if outcome.value is not None else gate.unit),
        bound={side: bound for side, bound in sides.items() if bound is not None},
        confidence=gate.confidence,
        processes=outcome.processes,
        required=dict(gate.requires),
        found=dict(found),
        evidence=outcome.evidence,
        tolerated=outcome.verdict in tolerate and outcome.verdict not in ("PASS", "FAIL"),
    )
