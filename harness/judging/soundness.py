"""Gates on answers: do independent engines agree, and is every planted wrong answer caught."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TypedDict

from harness import wording
from harness.config import GateConfig
from harness.judging.absolute import no_instance
from harness.judging.evidence import Evidence, Instance, standing
from harness.judging.outcome import Outcome, blocked, trials
from harness.record import Record


class _Basis(TypedDict):
    evidence: tuple[str, ...]
    processes: int


def agreement(gate: GateConfig, evidence: Evidence) -> Outcome:
    """Every matching instance has an answer that two engines gave, and no player gave another one."""
    instances = evidence.instances(gate)
    if not instances:
        return no_instance(gate, evidence)
    alone = [text for one in instances if (text := _alone(gate, one))]
    outcome = Outcome(
        verdict="PASS",
        reason=_agreed(instances),
        value=1 - len(alone) / len(instances),
        **_resting_on(record for one in instances for record in _played(one)),
    )
    contradicted = [text for one in instances for text in _contradictions(one)]
    if contradicted:
        step = "Find out who is right: the answers lie in the run folder, under answers/."
        return replace(outcome, verdict="FAIL", reason=_first(contradicted), next_step=step)
    missing = [text for one in instances for text in (*_missing(gate, one), *_unavailable(one))]
    if missing:
        step = "Make the player available, or let the run finish; 'harness list' shows what it needs."
        return replace(outcome, verdict="BLOCKED", reason=_first(missing), next_step=step)
    if alone:
        step = "Add a player of another engine, or give those that did not finish more time."
        return replace(outcome, verdict="INCONCLUSIVE", reason=_first(alone), next_step=step)
    return outcome


def _contradictions(one: Instance) -> list[str]:
    found = [f"{player} {standing(one, player).why} on {one.instance}" for player in one.agreement.wrong]
    if one.agreement.disputed:
        sides = " against ".join(", ".join(players) for players in one.agreement.groups.values())
        found.append(f"the engines disagree on {one.instance} ({sides})")
    return found


def _missing(gate: GateConfig, one: Instance) -> list[str]:
    if gate.player:
        stands = standing(one, gate.player)
        return [] if stands.state in ("ok", "wrong", "unchecked") else [f"{gate.player} {stands.why} on {one.instance}"]
    return [f"{name} was planned and not run on {one.instance}" for name in one.planned if name not in one.players]


def _unavailable(one: Instance) -> list[str]:
    """Why nothing at all could be measured on an instance: its data, or all of its players, are absent."""
    players = [name for name, role in one.planned.items() if role != "control"]
    stands = [standing(one, name) for name in players]
    if not stands or any(stand.state != "unavailable" for stand in stands):
        return []
    return [f"nobody could answer {one.instance}: {players[0]} {stands[0].why}"]


def _alone(gate: GateConfig, one: Instance) -> str:
    """What is short of a consensus that the gate's player, if it names one, is part of."""
    agreed = one.agreement
    if agreed.consensus is None:
        return f"no two engines gave an exact answer that passed its check on {one.instance}"
    if gate.player and gate.player not in agreed.groups[agreed.consensus]:
        return f"{gate.player} is not among those who agree on {one.instance}"
    return ""


def _agreed(instances: Sequence[Instance]) -> str:
    left = _unanswering(instances)
    if len(instances) == 1:
        return f"{wording.join(instances[0].agreement.confirmed_by)} agree on {instances[0].instance}{left}"
    engines = sorted(set.intersection(*(set(one.agreement.confirmed_by) for one in instances)))
    always = f", {wording.join(engines)} on all of them" if engines else ""
    return f"independent engines agree on {len(instances)} instances{always}{left}"


def _unanswering(instances: Sequence[Instance]) -> str:
    """Players that gave no answer to compare, with the number of instances where that is not all of them."""
    players = dict.fromkeys(name for one in instances for name in (*one.planned, *one.players))
    left = []
    for player in players:
        asked = [one for one in instances if player in (*one.planned, *one.players) and player not in _controls(one)]
        silent = [one for one in asked if not any(player in names for names in one.agreement.groups.values())]
        if silent:
            left.append(f"{player} (on {len(silent)} of {len(asked)})" if len(silent) < len(asked) else player)
    return f"; no answer to compare from {wording.join(left)}" if left else ""


def control(gate: GateConfig, evidence: Evidence) -> Outcome:
    """Every control, a player with planted wrong answers, was told from a right one wherever it answered."""
    instances = evidence.instances(gate)
    planned = [
        (one, player) for one in instances for player in _controls(one) if not gate.player or player == gate.player
    ]
    if not planned:
        return blocked(
            "no control is among the players, so nothing shows that a wrong answer would be seen",
            "Add a player with role 'control' to the case.",
        )
    missed = [
        f"{player} answered wrongly by design and was not caught on {one.instance}"
        for one, player in planned
        if player in one.agreement.controls_missed
    ]
    caught = [(one, player) for one, player in planned if player in one.agreement.controls_caught]
    idle = sorted({player for _, player in planned} - {player for _, player in caught})
    used = _resting_on(record for one, player in planned for record in one.players.get(player, ()))
    share = len(caught) / (len(caught) + len(missed)) if caught or missed else None
    if missed:
        return Outcome(
            verdict="FAIL",
            reason=_first(missed),
            value=share,
            **used,
            next_step="Sharpen the case's check, or add a second engine that answers it.",
        )
    if idle:
        states = {standing(one, player).state for one, player in planned if player in idle}
        how = ", ".join(sorted(states))
        text = f"{', '.join(idle)} gave no answer anywhere ({how}), so nothing shows that a wrong one would be seen"
        if states <= {"pending", "unavailable", "absent"}:
            return blocked(text, "Make the control available, or let the run finish.")
        return Outcome(verdict="INCONCLUSIVE", reason=text, **used, next_step="Give the control more time or memory.")
    names = ", ".join(sorted({player for _, player in caught}))
    seen = len({one.instance for one, _ in caught})
    return Outcome(
        verdict="PASS",
        value=share,
        **used,
        reason=f"every planted wrong answer was caught ({names}, {seen} instance{'' if seen == 1 else 's'})",
    )


def _resting_on(records: Iterable[Record]) -> _Basis:
    """The trials that a verdict rests on, and how many of their processes gave an answer."""
    found = list(records)
    return {
        "evidence": trials(found),
        "processes": sum(record.status in ("ok", "wrong_answer") for record in found),
    }


def _played(one: Instance) -> Iterator[Record]:
    """The records of everyone but the controls, which take no part in an agreement."""
    controls = _controls(one)
    return (record for player, records in one.players.items() if player not in controls for record in records)


def _controls(one: Instance) -> list[str]:
    return sorted(name for name, role in one.roles.items() if role == "control")


def _first(texts: Sequence[str]) -> str:
    """The first of several sentences, and how many there are besides."""
    more = f" (and {len(texts) - 1} more like that)" if len(texts) > 1 else ""
    return f"{texts[0]}{more}"
