"""Who gave which answer, and which answer independent engines agree on.

Only exact answers that passed their own check take part. Players of one engine share code and with it
mistakes, so they confirm nothing for each other: a consensus needs two engines.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from harness.record import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """What the players of one instance agree on.

    Attributes:
        instance: its readable label.
        consensus: digest of the answer that most engines gave, at least two; None where there is none.
        confirmed_by: the engines that gave it, sorted.
        groups: digest of an answer to the players that gave it, sorted; controls are left out.
        wrong: players (no controls) whose check failed, whose answer is not the consensus, or who gave two
            different answers to the same question; sorted.
        unconfirmed: an answer passed its check, but no second engine gave it.
        disputed: two answers have equally many engines behind them.
        tolerated: right answers are not compared bit for bit here, and one passed its check within a tolerance.
        controls_caught, controls_missed: controls told from a right answer, and those that were not; one
            that did not finish is neither.
    """

    instance: str
    consensus: str | None = None
    confirmed_by: tuple[str, ...] = ()
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    wrong: tuple[str, ...] = ()
    unconfirmed: bool = False
    disputed: bool = False
    tolerated: bool = False
    controls_caught: tuple[str, ...] = ()
    controls_missed: tuple[str, ...] = ()


def agreement(records: Iterable[Record]) -> dict[str, Agreement]:
    """The agreement on every instance, in the order in which the instances first appear."""
    instances: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        instances[record.instance].append(record)
    return {name: _agreement(name, found) for name, found in instances.items()}


def takes_part(record: Record) -> bool:
    """Whether a record's answer is compared with others: exact, and right as far as its own check can tell."""
    check = record.check
    return record.status == "ok" and bool(check.get("ok")) and bool(check.get("exact")) and bool(check.get("answer"))


def within_tolerance(record: Record) -> bool:
    """Whether an answer passed a check that leaves room for rounding, so that it need equal no other bit for bit."""
    return record.status == "ok" and bool(record.check.get("ok")) and not record.check.get("exact")


def failed_check(record: Record) -> bool:
    """Whether the referee found the answer wrong by itself, without looking at other players."""
    return record.status == "wrong_answer" or (record.status == "ok" and record.check.get("ok") is False)


def _agreement(instance: str, records: Sequence[Record]) -> Agreement:
    players = [record for record in records if record.role != "control"]
    given: dict[str, set[str]] = defaultdict(set)
    groups: dict[str, set[str]] = defaultdict(set)
    engine_of = {record.player: record.engine or record.player for record in players}
    failed = {record.player for record in players if failed_check(record)}
    for record in filter(takes_part, players):
        answer = str(record.check["answer"])
        given[record.player].add(answer)
        groups[answer].add(record.player)
    engines: dict[str, set[str]] = defaultdict(set)
    for player, answers in given.items():
        # A player that gives several answers, or a wrong one in another process, vouches for none of them.
        if len(answers) == 1 and player not in failed:
            engines[next(iter(answers))].add(engine_of[player])
    consensus, disputed = _consensus(engines)
    differing = {
        player
        for player, answers in given.items()
        if len(answers) > 1 or (consensus is not None and answers != {consensus})
    }
    caught, missed = _controls(records, consensus)
    return Agreement(
        instance=instance,
        consensus=consensus,
        confirmed_by=tuple(sorted(engines[consensus])) if consensus is not None else (),
        groups={answer: tuple(sorted(names)) for answer, names in groups.items()},
        wrong=tuple(sorted(failed | differing)),
        unconfirmed=consensus is None and not disputed and bool(given),
        disputed=disputed,
        tolerated=not given and any(within_tolerance(record) for record in players),
        controls_caught=caught,
        controls_missed=missed,
    )


def _consensus(engines: Mapping[str, set[str]]) -> tuple[str | None, bool]:
    """The answer with the most engines, if it has two and no rival has as many; and whether one has."""
    ranked = sorted(engines, key=lambda answer: len(engines[answer]), reverse=True)
    if not ranked:
        return None, False
    most = len(engines[ranked[0]])
    if len(ranked) > 1 and len(engines[ranked[1]]) == most:
        return None, True
    return (ranked[0], False) if most >= 2 else (None, False)


def _controls(records: Iterable[Record], consensus: str | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    caught: set[str] = set()
    missed: set[str] = set()
    for record in records:
        if record.role != "control" or record.status not in ("ok", "wrong_answer"):
            continue
        differs = takes_part(record) and consensus is not None and record.check["answer"] != consensus
        (caught if failed_check(record) or differs else missed).add(record.player)
    return tuple(sorted(caught - missed)), tuple(sorted(missed))
