"""Gates on answers and on the harness itself: agreement, controls, and the A/A false-alarm rate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy
import pytest

import fabricate
from fabricate import record
from harness.config import GateConfig
from harness.judging import gates
from harness.record import Record
from harness.verdict import Verdict

A, B = "a" * 64, "b" * 64


def answered(player: str, answer: str = A, **changes: Any) -> Record:
    """A record with this answer."""
    check = {"oracle": "counts", "ok": True, "exact": True, "answer": answer, **changes.pop("check", {})}
    return record(player=player, check=check, **changes)


def judged(tmp_path: Path, records: list[Record], plan: tuple[tuple[str, str], ...] = (), **gate: Any) -> Verdict:
    """The verdict of one gate."""
    run = fabricate.run(tmp_path / "run", records, gates={"gate": GateConfig(case="torus", **gate)})
    for player, role in plan:
        run.plan.append(
            {"trial": player, "entry": "torus", "instance": records[0].instance, "player": player, "role": role}
        )
    (verdict,) = gates.judge(run)
    return verdict


def test_agreement_passes_when_all_agree(tmp_path: Path) -> None:
    """Two engines on every instance, nobody else."""
    found = judged(tmp_path, [answered("a"), answered("b")], kind="agreement")
    assert (found.verdict, found.value) == ("PASS", 1.0)
    assert found.reason == "a and b agree on torus[k=20,n=1000]."


def test_agreement_rests_on_those_who_take_part(tmp_path: Path) -> None:
    """A control is not among the trials that an agreement rests on; who gave no answer is, but is not counted."""
    records = [answered("planted", B, role="control")]
    records += [answered(player, process=process) for player in ("a", "b", "c") for process in (0, 1)]
    records.append(record(player="d", status="unavailable", check={}))
    found = judged(tmp_path, records, kind="agreement")
    assert found.reason.startswith("a, b and c agree on torus[k=20,n=1000]")
    assert found.evidence == tuple(one.trial for one in records[1:])
    assert found.processes == 6


def test_agreement_names_who_was_left_out(tmp_path: Path) -> None:
    """An agreement of two engines is not one of all that were asked; a control has nothing to agree."""
    records = [answered(player, params={"n": n}) for n in (1, 2) for player in ("a", "b")]
    records += [record(player="gone", status="unavailable", check={}, params={"n": n}) for n in (1, 2)]
    records += [answered("slow", params={"n": 1}), record(player="slow", status="timeout", check={}, params={"n": 2})]
    records += [record(player="planted", role="control", status="crash", check={}, params={"n": 1})]
    found = judged(tmp_path, records, kind="agreement")
    assert found.verdict == "PASS"
    assert found.reason.endswith("a and b on all of them; no answer to compare from gone and slow (on 1 of 2).")


def test_agreement_on_many_instances(tmp_path: Path) -> None:
    """The engines that answered everywhere are named."""
    records = [answered(player, params={"n": n}) for n in (1, 2) for player in ("a", "b", "c" if n == 1 else "d")]
    found = judged(tmp_path, records, kind="agreement")
    assert found.reason == "independent engines agree on 2 instances, a and b on all of them."


@pytest.mark.parametrize(
    ("records", "verdict", "phrase"),
    [
        ([answered("a"), answered("b"), answered("c", B)], "FAIL", "c gave another answer than a and b, who agree"),
        ([answered("a"), answered("b", B)], "FAIL", "the engines disagree"),
        (
            [answered("a"), answered("b"), answered("c", status="wrong_answer", check={"ok": False})],
            "FAIL",
            "c answered wrongly",
        ),
        ([answered("a")], "INCONCLUSIVE", "no two engines"),
        (
            [answered("a"), answered("b", params={"n": 9}), answered("c", params={"n": 9})],
            "INCONCLUSIVE",
            "torus[k=20,n=1000]",
        ),
        (
            [answered("a", check={"exact": False}), answered("b", check={"exact": False})],
            "INCONCLUSIVE",
            "no two engines",
        ),
    ],
)
def test_agreement_that_is_none(tmp_path: Path, records: list[Record], verdict: str, phrase: str) -> None:
    """Contradictions FAIL, lonely answers are INCONCLUSIVE."""
    found = judged(tmp_path, records, kind="agreement")
    assert found.verdict == verdict
    assert phrase in found.reason


def test_agreement_waits_for_everybody(tmp_path: Path) -> None:
    """Who has not run yet could still disagree."""
    found = judged(tmp_path, [answered("a"), answered("b")], plan=(("c", "peer"),), kind="agreement")
    assert found.verdict == "BLOCKED"


def test_agreement_with_a_player(tmp_path: Path) -> None:
    """The named player has to be among those who agree."""
    records = [answered("a"), answered("b"), answered("c", check={"exact": False})]
    found = judged(tmp_path, records, kind="agreement", player="c")
    assert (found.verdict, "c is not among those who agree" in found.reason) == ("INCONCLUSIVE", True)


def test_control_caught(tmp_path: Path) -> None:
    """By its check or by the others."""
    records = [answered("a"), answered("b"), answered("planted", B, role="control")]
    found = judged(tmp_path, records, kind="control")
    assert (found.verdict, found.value) == ("PASS", 1.0)
    assert found.reason == "every planted wrong answer was caught (planted, 1 instance)."
    assert (found.evidence, found.processes) == ((records[-1].trial,), 1)


def test_control_missed(tmp_path: Path) -> None:
    """On one of two instances nothing told it from a right answer."""
    there: dict[str, Any] = {"params": {"n": 9}}
    records = [answered("a"), answered("b"), answered("planted", B, role="control")]
    records += [answered("a", **there), answered("planted", B, role="control", **there)]
    found = judged(tmp_path, records, kind="control")
    assert (found.verdict, found.value) == ("FAIL", 0.5)
    assert "not caught on torus[n=9]" in found.reason


@pytest.mark.parametrize(("status", "verdict"), [("unavailable", "BLOCKED"), ("crash", "INCONCLUSIVE")])
def test_control_without_an_answer(tmp_path: Path, status: str, verdict: str) -> None:
    """Nothing was shown."""
    records = [answered("a"), answered("b"), record(player="planted", role="control", status=status, check={})]
    assert judged(tmp_path, records, kind="control").verdict == verdict


def test_no_control_blocks(tmp_path: Path) -> None:
    """Without one, nothing shows that a wrong answer would be seen; planned and not run is no better."""
    assert judged(tmp_path, [answered("a")], kind="control").verdict == "BLOCKED"


def test_pending_control_blocks(tmp_path: Path) -> None:
    """Planned, not run."""
    found = judged(tmp_path, [answered("a")], plan=(("planted", "control"),), kind="control")
    assert found.verdict == "BLOCKED"


def comparisons(instances: int, *, bias: float, between: float = 0.02) -> list[Record]:
    """A/A records: two players on many instances, three processes each, one of them slower by ``bias``."""
    generator = numpy.random.default_rng(7)
    return [
        record(
            player=player,
            process=process,
            params={"n": n},
            samples=[float(numpy.exp(shift + generator.normal(0, between)))],
        )
        for n in range(instances)
        for player, shift in (("same", bias), ("same-again", 0.0))
        for process in range(3)
    ]


@pytest.mark.parametrize(
    ("instances", "bias", "verdict"), [(250, 0.0, "PASS"), (250, 0.1, "FAIL"), (20, 0.0, "INCONCLUSIVE")]
)
def test_calibration(tmp_path: Path, instances: int, bias: float, verdict: str) -> None:
    """A fair harness passes, a biased one fails, a short one says nothing."""
    gate: dict[str, Any] = {"kind": "calibration", "player": "same", "over": "same-again", "below": 0.1, "unit": ""}
    found = judged(tmp_path, comparisons(instances, bias=bias), **gate)
    assert found.verdict == verdict
    assert found.low is not None
    assert found.value is not None
    assert found.high is not None
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert f"of {instances} comparisons" in found.reason


def test_calibration_without_its_players(tmp_path: Path) -> None:
    """Nothing to compare."""
    gate: dict[str, Any] = {"kind": "calibration", "player": "same", "over": "other", "below": 0.1}
    found = judged(tmp_path, comparisons(2, bias=0.0), **gate)
    assert found.verdict == "BLOCKED"
    assert "other is not among the players" in found.reason
