"""The records of a run, arranged the way that a gate asks for them: instance by instance, player by player."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness import wording
from harness.config import GateConfig, RunConfig
from harness.judging.agreement import Agreement, agreement, failed_check
from harness.record import Record

if TYPE_CHECKING:
    from harness.store import Run


@dataclass(slots=True, kw_only=True)
class Instance:
    """One instance of a case: its parameters, and who was to play it and did.

    Attributes:
        entry, instance, params: as in the plan.
        planned: player to role, of everyone who was to play it.
        players: player to its records, of everyone who did.
        agreement: on the answers.
    """

    entry: str
    instance: str
    params: Mapping[str, Any]
    planned: dict[str, str] = field(default_factory=dict)
    players: dict[str, list[Record]] = field(default_factory=dict)
    agreement: Agreement

    @property
    def roles(self) -> dict[str, str]:
        """Player to role, of everyone who was to play it or did."""
        return {**self.planned, **{player: records[0].role for player, records in self.players.items()}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a player stands on an instance, before any number is looked at.

    Attributes:
        state: ``ok``, ``absent`` (not planned), ``pending`` (planned, not run), ``unavailable``, ``wrong``,
            ``unchecked`` (nobody looked at the answer), ``timeout`` or ``died`` (of memory, a signal, an error).
        why: a phrase that goes on from the player's name.
        records: those that finished. ``unfinished``: those that ran and did not.
    """

    state: str
    why: str = ""
    records: tuple[Record, ...] = ()
    unfinished: tuple[Record, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything that a run's gates can be judged on; a second record of one trial is ignored."""

    config: RunConfig
    facts: Mapping[str, Any]
    entries: Mapping[str, Sequence[Instance]]

    def instances(self, gate: GateConfig) -> list[Instance]:
        """The instances of a gate's case whose parameters are those in ``where`` (a list means any of them)."""
        pools = [self.entries.get(gate.case, ())] if gate.case else self.entries.values()
        return [one for pool in pools for one in pool if _matches(gate.where, one.params)]


def arrange(run: Run) -> Evidence:
    """Arrange a run's plan and records. Linear in their number."""
    records = list({record.trial: record for record in reversed(run.records)}.values())[::-1]
    agreements = agreement(records)
    found: dict[str, Instance] = {}

    def place(entry: str, instance: str, params: Mapping[str, Any]) -> Instance:
        if instance not in found:
            agreed = agreements.get(instance) or Agreement(instance=instance)
            found[instance] = Instance(entry=entry, instance=instance, params=params, agreement=agreed)
        return found[instance]

    for record in records:
        place(record.entry, record.instance, record.params).players.setdefault(record.player, []).append(record)
    for trial in run.plan:
        one = place(trial["entry"], trial["instance"], trial.get("params", {}))
        one.planned.setdefault(trial["player"], trial.get("role", ""))
    entries: dict[str, list[Instance]] = {}
    for one in found.values():
        entries.setdefault(one.entry, []).append(one)
    return Evidence(config=run.config, facts=run.environment, entries=entries)


def standing(one: Instance, player: str) -> Standing:
    """Where a player stands on an instance."""
    records = one.players.get(player, [])
    if not records:
        return (
            Standing(state="pending", why="was planned and not run")
            if player in one.planned
            else (Standing(state="absent", why="is not among the players of this case"))
        )
    if wrong := _wrong(one, player, records):
        return Standing(state="wrong", why=wrong)
    finished = tuple(record for record in records if record.status == "ok")
    unfinished = tuple(record for record in records if record.status not in ("ok", "unavailable"))
    if any(record.check.get("ok") is not True for record in finished):
        return Standing(state="unchecked", why="gave an answer that nobody checked")
    if finished:
        return Standing(state="ok", records=finished, unfinished=unfinished)
    if not unfinished:
        return Standing(state="unavailable", why=f"was not available here ({_reason(records[0])})")
    timeouts = [record for record in unfinished if record.status == "timeout"]
    if timeouts:
        return Standing(
            state="timeout", why=f"did not finish in {timeouts[0].limits['wall_s']:g} s", unfinished=unfinished
        )
    words = {"memory": "ran out of memory", "crash": "crashed", "error": "failed"}[unfinished[0].status]
    return Standing(state="died", why=f"did not finish: it {words} ({_reason(unfinished[0])})", unfinished=unfinished)


def stopped_after(records: Iterable[Record]) -> float | None:
    """Seconds that a call takes at least, of a player that was stopped at its limit in the middle of one.

    None where it was not stopped, or where it is not known for how long the call had been going on.
    """
    lasted = [record.unfinished for record in records if record.status == "timeout"]
    return min(lasted) if lasted and min(lasted) > 0 else None


def _wrong(one: Instance, player: str, records: Iterable[Record]) -> str:
    for record in records:
        if failed_check(record):
            detail = record.check.get("detail") or record.reason or "no detail"
            return f"answered wrongly ({detail}; checked against {record.check.get('oracle', 'its oracle')})"
    agreed = one.agreement
    if player in agreed.wrong and agreed.consensus is not None:
        return f"gave another answer than {wording.join(agreed.confirmed_by)}, who agree"
    if player in agreed.wrong:
        return "gave different answers to the same question in different processes"
    if agreed.disputed and any(player in players for players in agreed.groups.values()):
        sides = " against ".join(wording.join(players) for players in agreed.groups.values())
        return f"gave an answer that is disputed ({sides})"
    return ""


def _reason(record: Record) -> str:
    return record.reason.strip().split("\n", 1)[0].rstrip(".") or record.status


def _matches(where: Mapping[str, Any], params: Mapping[str, Any]) -> bool:
    return all(
        name in params and (params[name] == value or (isinstance(value, list) and params[name] in value))
        for name, value in where.items()
    )
