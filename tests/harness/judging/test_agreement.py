"""Who agrees with whom: independent engines make a consensus, everything else is said to be less."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st

from fabricate import record
from harness.judging.agreement import Agreement, agreement
from harness.record import Record

A, B, C = "a" * 64, "b" * 64, "c" * 64


def answered(player: str, answer: str = A, **changes: Any) -> Record:
    """A record of a right-looking answer; ``check`` changes only what it names."""
    check = {"oracle": "counts", "ok": True, "exact": True, "answer": answer, **changes.pop("check", {})}
    return record(player=player, check=check, **changes)


def of(*records: Record) -> Agreement:
    """The agreement on the one instance of these records."""
    (found,) = agreement(records).values()
    return found


def test_two_engines_make_a_consensus() -> None:
    """Same answer, two engines: confirmed, nobody wrong."""
    found = of(answered("gudhi"), answered("ripser.py"))
    assert (found.consensus, found.confirmed_by) == (A, ("gudhi", "ripser.py"))
    assert (found.wrong, found.unconfirmed, found.disputed) == ((), False, False)
    assert found.groups == {A: ("gudhi", "ripser.py")}


def test_one_engine_confirms_nothing_for_itself() -> None:
    """Two players that share an engine are one voice."""
    found = of(answered("ripser.py", engine="ripser"), answered("giotto-ph", engine="ripser"))
    assert (found.consensus, found.unconfirmed, found.disputed) == (None, True, False)


def test_the_odd_one_out_is_wrong() -> None:
    """Two engines against one."""
    found = of(answered("a"), answered("b"), answered("c", B))
    assert (found.consensus, found.wrong) == (A, ("c",))


@pytest.mark.parametrize("sides", [(1, 1), (2, 2)])
def test_a_tie_is_a_dispute(sides: tuple[int, int]) -> None:
    """Equally many engines on two answers: nobody is right, nobody is called wrong."""
    found = of(*[answered(f"x{i}") for i in range(sides[0])], *[answered(f"y{i}", B) for i in range(sides[1])])
    assert (found.consensus, found.disputed, found.unconfirmed, found.wrong) == (None, True, False, ())


def test_a_failed_check_has_no_voice() -> None:
    """What the referee found wrong supports nothing and is wrong."""
    found = of(answered("a"), answered("b", status="wrong_answer", check={"ok": False}))
    assert (found.consensus, found.unconfirmed, found.wrong) == (None, True, ("b",))


def test_inexact_answers_are_not_compared() -> None:
    """Approximations may differ; that one was right within its tolerance is told, and no one's consensus."""
    found = of(answered("a", check={"exact": False}), answered("b", B, check={"exact": False}))
    assert found == Agreement(instance=found.instance, tolerated=True)
    assert not of(answered("a", status="wrong_answer", check={"ok": False, "exact": False})).tolerated
    assert not of(answered("a"), answered("b")).tolerated


def test_a_player_that_contradicts_itself_is_wrong_and_no_witness() -> None:
    """Two answers to one question: at least one is wrong, and neither counts."""
    found = of(answered("a"), answered("a", B, process=1), answered("b"))
    assert (found.consensus, found.wrong, found.unconfirmed) == (None, ("a",), True)


def test_controls_are_caught_by_check_or_by_consensus() -> None:
    """A failed check, or an answer unlike the consensus."""
    by_check = of(answered("a"), answered("planted", status="wrong_answer", role="control", check={"ok": False}))
    by_others = of(answered("a"), answered("b"), answered("planted", B, role="control"))
    assert by_check.controls_caught == by_others.controls_caught == ("planted",)
    assert by_others.wrong == by_check.wrong == ()


def test_controls_are_missed_without_a_consensus() -> None:
    """Nothing tells the planted answer from a right one; and it never supports one."""
    found = of(answered("a"), answered("planted", B, role="control"), answered("planted2", A, role="control"))
    assert (found.controls_caught, found.controls_missed) == ((), ("planted", "planted2"))
    assert (found.consensus, found.disputed) == (None, False)
    copied = of(answered("a"), answered("b"), answered("planted", A, role="control"))
    assert copied.controls_missed == ("planted",)


@pytest.mark.parametrize("status", ["unavailable", "crash", "timeout", "memory", "error"])
def test_a_control_that_gave_no_answer_is_neither(status: str) -> None:
    """Not caught, not missed."""
    found = of(answered("a"), record(player="planted", role="control", status=status, check={}))
    assert (found.controls_caught, found.controls_missed) == ((), ())


answers = st.lists(st.tuples(st.sampled_from("uvwxyz"), st.sampled_from([A, B, C])), min_size=1, max_size=10)


@given(answers, st.randoms())
def test_the_order_of_records_does_not_matter(given_: list[tuple[str, str]], shuffle: Any) -> None:
    """A shuffled run agrees as the first one did, and a consensus always has two engines."""
    records = [answered(player, answer, process=index) for index, (player, answer) in enumerate(given_)]
    one = of(*records)
    shuffle.shuffle(records)
    other = of(*records)
    assert (one.consensus, one.wrong, one.disputed, one.unconfirmed) == (
        other.consensus,
        other.wrong,
        other.disputed,
        other.unconfirmed,
    )
    assert (one.consensus is not None) + one.disputed + one.unconfirmed == 1
    assert one.consensus is None or len(one.confirmed_by) >= 2
