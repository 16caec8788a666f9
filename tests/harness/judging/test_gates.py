"""Records become verdicts in the order that docs/explanation/verdicts.md gives; nothing unmeasured is green."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import fabricate
from fabricate import record
from harness import store
from harness.config import GateConfig
from harness.errors import ConfigurationError
from harness.judging import gates
from harness.record import Record
from harness.verdict import Verdict

GIB = 2**30
A100 = {"name": "NVIDIA A100-SXM4-80GB", "memory_bytes": 80 * GIB}


def processes(player: str, seconds: float, count: int = 8, **changes: Any) -> list[Record]:
    """Processes of one player, 1 % apart around these seconds."""
    spread = [seconds * (1 + 0.01 * ((i * 7) % 5 - 2)) for i in range(count)]
    return [
        record(player=player, process=i, samples=[each, each * 1.01, each * 0.99], **changes)
        for i, each in enumerate(spread)
    ]


def tcs(seconds: float, count: int = 8, **changes: Any) -> list[Record]:
    """The candidate's processes."""
    return processes("tcs", seconds, count, role="candidate", **changes)


def dnf(player: str, status: str, **changes: Any) -> Record:
    """A trial that gave no answer."""
    blank: dict[str, Any] = {"samples": (), "warmup": (), "cpu": (), "check": {}, "reason": f"{status} for a test"}
    return record(player=player, status=status, **{**blank, **changes})


def checked(**changes: Any) -> dict[str, Any]:
    """A check that passed, changed in what is named."""
    return {"check": {"oracle": "known counts", "ok": True, "detail": "", "exact": True, "answer": "a" * 64, **changes}}


def planned(run: store.Run, player: str, process: int = 0, **values: Any) -> None:
    """Plan a trial that has no record."""
    trial = {"trial": f"{player}{process}", "entry": "torus", "instance": "torus[k=20,n=1000]", "player": player}
    run.plan.append({**trial, "process": process, "params": {"n": 1000, "k": 20}, "role": "peer", **values})


@pytest.fixture
def verdict(tmp_path: Path) -> Any:
    """Judge these records by one gate, given by its fields, and return its verdict."""

    def of(
        records: list[Record], *, plan: tuple[str, ...] = (), facts: dict[str, Any] | None = None, **fields: Any
    ) -> Verdict:
        fields = {"case": "torus", "player": "tcs", **fields}
        settings = {name: fields.pop(name) for name in ("cases", "tolerate") if name in fields}
        run = fabricate.run(tmp_path / "run", records, gates={"gate": GateConfig(**fields)}, **settings)
        run.manifest["environment"] = {**fabricate.MACHINE, **(facts or {})}
        for player in plan:
            planned(run, player)
        (found,) = gates.judge(run)
        assert found.reason.endswith(".")
        assert bool(found.next_step) == (found.verdict != "PASS")
        return found

    return of


def test_a_cleared_bound_passes(verdict: Any) -> None:
    """0.1 s with 1 % spread is below 0.2 s; number, interval, processes and evidence are given."""
    records = tcs(0.1) + processes("gudhi", 2.0, 3)
    found = verdict(records, below=0.2)
    assert found.verdict == "PASS"
    assert found.low < found.value < found.high < 0.2
    assert found.value == pytest.approx(0.1, rel=0.02)
    assert (found.processes, found.unit, found.bound) == (8, "s", {"below": 0.2})
    assert set(found.evidence) == {one.trial for one in records if one.player == "tcs"}
    assert "answer confirmed by gudhi" in found.reason


def test_an_excluded_bound_fails(verdict: Any) -> None:
    """The whole interval lies above."""
    found = verdict(tcs(0.1), below=0.05)
    assert found.verdict == "FAIL"
    assert "not below 0.05 s" in found.reason


def test_a_straddled_bound_is_inconclusive(verdict: Any) -> None:
    """The next step says how many processes would do."""
    found = verdict(tcs(0.1), below=0.1002)
    assert found.verdict == "INCONCLUSIVE"
    assert found.low < 0.1002 < found.high
    assert "process" in found.next_step


@pytest.mark.parametrize(("count", "wanted"), [(1, 3), (2, 3), (7, 8)])
def test_too_few_processes_are_never_a_verdict(verdict: Any, count: int, wanted: int) -> None:
    """However clear the number; it is printed all the same."""
    found = verdict(tcs(0.1, count), below=100.0, processes=wanted)
    assert (found.verdict, found.processes) == ("INCONCLUSIVE", count)
    assert found.value == pytest.approx(0.1, rel=0.03)
    assert f"a verdict needs {wanted} processes" in found.reason


def test_two_records_of_one_trial_are_one_process(verdict: Any) -> None:
    """A record that was copied does not make a process more."""
    records = tcs(0.1, 3)
    assert verdict([*records, *records], below=1.0, processes=4).verdict == "INCONCLUSIVE"


def test_units(verdict: Any) -> None:
    """A bound in ms is held against times in seconds."""
    found = verdict(tcs(0.1), below=150.0, unit="ms")
    assert (found.verdict, found.unit) == ("PASS", "ms")
    assert found.value == pytest.approx(100, rel=0.02)


def test_memory(verdict: Any) -> None:
    """Peak memory in GiB."""
    found = verdict(tcs(0.1), metric="memory", below=1.0, unit="GiB")
    assert (found.verdict, found.value) == ("PASS", pytest.approx(100 / 1024))


def test_a_number_that_no_record_holds_blocks(verdict: Any) -> None:
    """Nothing to judge."""
    found = verdict(tcs(0.1), metric="recall", above=0.9)
    assert found.verdict == "BLOCKED"
    assert "no recall was recorded" in found.reason


@pytest.mark.parametrize(("samples", "expected"), [(100, "PASS"), (99, "INCONCLUSIVE")])
def test_p99_needs_samples(verdict: Any, samples: int, expected: str) -> None:
    """A p99 of fewer than 100 samples is the maximum and no p99."""
    records = [record(player="tcs", process=i, samples=[0.01] * (samples - 1) + [0.05 + i / 1000]) for i in range(8)]
    found = verdict(records, statistic="p99", below=0.1)
    assert found.verdict == expected
    if expected == "PASS":
        assert found.value > 0.03
    else:
        assert "p99 needs 100 samples" in found.reason


def test_every_instance_has_to_clear(verdict: Any) -> None:
    """The worst of the matching instances is the verdict; ``where`` picks instances."""
    records = tcs(0.1) + tcs(0.5, params={"n": 2000, "k": 20}) + tcs(9.0, params={"n": 9000, "k": 60})
    found = verdict(records, below=0.3, where={"k": 20})
    assert (found.verdict, found.value) == ("FAIL", pytest.approx(0.5, rel=0.02))
    assert "the worst of 2 instances" in found.reason
    assert len(found.evidence) == 16


def test_a_planned_instance_that_was_not_run_blocks(tmp_path: Path) -> None:
    """An interrupted run is not green for what is missing."""
    run = fabricate.run(tmp_path / "run", tcs(0.1), gates={"gate": GateConfig(case="torus", player="tcs", below=1.0)})
    assert gates.judge(run)[0].verdict == "PASS"
    planned(run, "tcs", instance="torus[k=20,n=9]", params={"n": 9, "k": 20})
    (found,) = gates.judge(run)
    assert found.verdict == "BLOCKED"
    assert "tcs was planned and not run on torus[k=20,n=9]" in found.reason


def test_pending_player_blocks(verdict: Any) -> None:
    """Planned, not run."""
    found = verdict(processes("gudhi", 1.0), below=1.0, plan=("tcs",))
    assert found.verdict == "BLOCKED"
    assert "tcs was planned and not run" in found.reason
    assert "resume" in found.next_step


def test_absent_player_case_and_instance_block(tmp_path: Path) -> None:
    """Each says what is missing."""
    named = {
        "player": GateConfig(case="torus", player="tcs-cuda", below=1.0),
        "case": GateConfig(case="swiss", player="gudhi", below=1.0),
        "where": GateConfig(case="torus", player="gudhi", below=1.0, where={"n": 10**6}),
        "blocked": GateConfig(kind="absolute", blocked="There is no embedder yet.", row="Q1"),
        "nobody": GateConfig(case="torus", below=1.0),
    }
    found = {
        one.gate: one for one in gates.judge(fabricate.run(tmp_path / "run", processes("gudhi", 1.0), gates=named))
    }
    assert {one.verdict for one in found.values()} == {"BLOCKED"}
    assert "tcs-cuda is not among the players" in found["player"].reason
    assert "'swiss' is not in this configuration" in found["case"].reason
    assert "has n=1000000 (instances: torus[k=20,n=1000])" in found["where"].reason
    assert found["blocked"].reason == "There is no embedder yet."
    assert "Q1" in found["blocked"].next_step
    assert "names no player" in found["nobody"].reason


def test_unavailable_player_blocks(verdict: Any) -> None:
    """With the reason that was recorded."""
    found = verdict([dnf("tcs", "unavailable", reason="needs a GPU")], below=1.0)
    assert found.verdict == "BLOCKED"
    assert "needs a GPU" in found.reason


def test_off_condition_comes_first_and_keeps_the_number(verdict: Any) -> None:
    """No A100 here: OFF-CONDITION, with the number all the same."""
    asked = {"gpu": "A100 80GB", "cuda": "12.2"}
    found = verdict(tcs(0.1), below=1.0, requires=asked)
    assert found.verdict == "OFF-CONDITION"
    assert found.value == pytest.approx(0.1, rel=0.02)
    assert (found.required, found.found) == (asked, {"gpu": "no GPU", "cuda": "no CUDA"})
    assert "gpu must be A100 80GB, here: no GPU" in found.reason
    assert "0.1" in found.reason
    assert "gpu A100 80GB" in found.next_step


def test_off_condition_names_what_else_is_missing(verdict: Any) -> None:
    """Neither hardware nor player: conditions first, and both in the reason."""
    found = verdict(
        processes("gudhi", 1.0),
        player="tcs-cuda",
        kind="ratio",
        over="gudhi",
        above=500.0,
        requires={"gpu": "A100 80GB"},
    )
    assert found.verdict == "OFF-CONDITION"
    assert "here: no GPU" in found.reason
    assert "tcs-cuda is not among the players" in found.reason


def test_conditions_met(verdict: Any) -> None:
    """On the right machine the number decides."""
    found = verdict(
        tcs(0.1), below=1.0, requires={"gpu": "A100 80GB", "cuda": "12.2"}, facts={"gpus": [A100], "cuda": "12.2"}
    )
    assert (found.verdict, found.found) == ("PASS", {"gpu": "NVIDIA A100-SXM4-80GB (80.0 GiB)", "cuda": "12.2"})


def test_unknown_condition_names_the_gate(verdict: Any) -> None:
    """A misspelt condition is never met by accident."""
    with pytest.raises(ConfigurationError, match=r"gates\.gate\.requires.*Did you mean 'cores'"):
        verdict(tcs(0.1), below=1.0, requires={"core": ">=2"})


def test_needs(tmp_path: Path) -> None:
    """A gate whose prerequisite is not PASS is BLOCKED and keeps its number; circles are named."""
    named = {
        "open": GateConfig(case="torus", player="tcs", below=1.0, needs=["fast"]),
        "fast": GateConfig(case="torus", player="tcs", below=0.01),
        "fine": GateConfig(case="torus", player="tcs", below=1.0, needs=["slow enough"]),
        "slow enough": GateConfig(case="torus", player="tcs", above=0.01),
        "hen": GateConfig(case="torus", player="tcs", below=1.0, needs=["egg"]),
        "egg": GateConfig(case="torus", player="tcs", below=1.0, needs=["hen"]),
    }
    found = {one.gate: one for one in gates.judge(fabricate.run(tmp_path / "run", tcs(0.1), gates=named))}
    assert list(found) == list(named)
    assert found["open"].verdict == "BLOCKED"
    assert "it needs gate 'fast', which is FAIL" in found["open"].reason
    assert found["open"].value is not None
    assert found["fine"].verdict == "PASS"
    assert found["hen"].verdict == found["egg"].verdict == "BLOCKED"


def test_wrong_answers_fail_whatever_the_time(verdict: Any) -> None:
    """The check failed in one process of eight."""
    records = tcs(0.1, 7)
    records.append(
        record(
            player="tcs",
            role="candidate",
            process=7,
            status="wrong_answer",
            samples=[0.0001],
            **checked(ok=False, detail="3 bars too few"),
        )
    )
    found = verdict(records, below=1.0)
    assert (found.verdict, found.value) == ("FAIL", None)
    assert "3 bars too few" in found.reason


def test_an_answer_unlike_the_consensus_fails(verdict: Any) -> None:
    """It passed its own check, but two engines agree on another answer."""
    found = verdict(
        tcs(0.1, **checked(answer="b" * 64)) + processes("gudhi", 1.0, 3) + processes("ripser.py", 1.0, 3), below=1.0
    )
    assert found.verdict == "FAIL"
    assert "gave another answer than gudhi and ripser.py, who agree" in found.reason


def test_a_disputed_answer_fails(verdict: Any) -> None:
    """One against one."""
    found = verdict(tcs(0.1, **checked(answer="b" * 64)) + processes("gudhi", 1.0, 3), below=1.0)
    assert found.verdict == "FAIL"
    assert "disputed" in found.reason


def test_an_unconfirmed_answer_passes_and_says_so(verdict: Any) -> None:
    """Nobody independent answered; nor do controls or players of the same engine count."""
    records = tcs(0.1, engine="tcs") + processes("tcs-old", 0.5, 3, engine="tcs")
    found = verdict(records, below=1.0)
    assert found.verdict == "PASS"
    assert "answer checked against known counts; no independent player confirmed it" in found.reason


def test_approximate_answers_rest_on_their_check(verdict: Any) -> None:
    """Digests of approximations are not compared."""
    found = verdict(
        tcs(0.1, **checked(exact=False)) + processes("gudhi", 1.0, 3, **checked(answer="b" * 64)), below=1.0
    )
    assert found.verdict == "PASS"
    assert found.reason.endswith("answer checked against known counts.")


def test_an_unchecked_answer_is_inconclusive(verdict: Any) -> None:
    """Nobody looked at it."""
    assert verdict(tcs(0.1, check={}), below=1.0).verdict == "INCONCLUSIVE"


@pytest.mark.parametrize("status", ["timeout", "memory", "crash", "error"])
def test_not_finishing_fails(verdict: Any, status: str) -> None:
    """Our own time-out or crash is FAIL, whether in the first process or a later one."""
    found = verdict([dnf("tcs", status)], below=100.0)
    assert found.verdict == "FAIL"
    assert "did not finish" in found.reason


def test_not_always_finishing_fails(verdict: Any) -> None:
    """Seven of eight are not enough."""
    found = verdict([*tcs(0.1, 7), dnf("tcs", "crash", process=7)], below=100.0)
    assert found.verdict == "FAIL"
    assert "7 of 8 processes" in found.reason


def test_ratio(verdict: Any) -> None:
    """Twenty times faster than the named peer, which ran in three processes only."""
    found = verdict(tcs(0.1) + processes("gudhi", 2.0, 3), kind="ratio", over="gudhi", above=15.0, unit="x")
    assert (found.verdict, found.unit, found.relation) == ("PASS", "x", "=")
    assert found.low < 20 * 1.02
    assert found.value == pytest.approx(20, rel=0.05)
    assert len(found.evidence) == 11
    assert "gudhi over tcs" in found.reason


def test_ratio_that_misses(verdict: Any) -> None:
    """Excluded: FAIL."""
    assert verdict(tcs(0.1) + processes("gudhi", 2.0), kind="ratio", over="gudhi", above=30.0).verdict == "FAIL"


def test_ratio_below(verdict: Any) -> None:
    """An upper bound on a ratio, as for overheads."""
    assert verdict(tcs(1.0) + processes("gudhi", 0.5), kind="ratio", over="gudhi", below=0.6).verdict == "PASS"


def test_best_peer_is_the_fastest_right_one(verdict: Any) -> None:
    """A wrong peer's time does not count, controls are no peers, and what is left out is named."""
    records = [
        *tcs(0.1),
        *processes("gudhi", 2.0),
        *processes("ripser.py", 1.0),
        *processes("quick", 0.2, status="wrong_answer", **checked(ok=False, detail="no loops")),
        *processes("planted", 0.1, role="control", **checked(answer="c" * 64)),
        dnf("ripserplusplus", "unavailable", reason="no GPU"),
        dnf("dory", "memory"),
    ]
    found = verdict(records, kind="ratio", over="best_peer", above=5.0)
    assert found.verdict == "PASS"
    assert found.value == pytest.approx(10, rel=0.05)
    assert "ripser.py over tcs" in found.reason
    for phrase in ("quick answered wrongly", "ripserplusplus was not available here (no GPU)", "dory did not finish"):
        assert phrase in found.reason


@pytest.mark.parametrize(
    ("bound", "expected", "over"), [(9.0, "INCONCLUSIVE", "bursty"), (20.0, "FAIL", "steady"), (0.01, "PASS", "steady")]
)
def test_best_peer_is_the_hardest(verdict: Any, bound: float, expected: str, over: str) -> None:
    """A peer that is quick in most processes and slow in some has the lower median: the worst of all counts."""
    bursts = [record(player="bursty", process=i, samples=[0.5 if i < 5 else 50.0]) for i in range(8)]
    found = verdict([*tcs(0.1), *processes("steady", 1.0), *bursts], kind="ratio", over="best_peer", above=bound)
    assert (found.verdict, len(found.evidence)) == (expected, 24)
    assert f"{over} over tcs" in found.reason


def test_a_rivals_trials_meet_conditions_too(verdict: Any) -> None:
    """A peer that was robbed of CPU time makes a ratio look better."""
    robbed = processes("gudhi", 2.0, interference={"steal": 0.3})
    found = verdict(tcs(0.1) + robbed, kind="ratio", over="best_peer", above=5.0, requires={"steal": "<=0.02"})
    assert found.verdict == "OFF-CONDITION"
    assert "steal must be <=0.02, here: 0, 0.3" in found.reason


def test_the_players_own_clock_is_said(verdict: Any) -> None:
    """Nobody else timed it."""
    assert "timed by the player itself" in verdict(tcs(0.1, clock="player"), below=1.0).reason


def test_a_peer_with_too_few_processes(verdict: Any) -> None:
    """Two processes of the peer are no comparison."""
    found = verdict(tcs(0.1) + processes("gudhi", 2.0, 2), kind="ratio", over="gudhi", above=2.0)
    assert found.verdict == "INCONCLUSIVE"
    assert "a verdict needs 3 and 8 processes" in found.reason


def test_censored_ratio_passes_on_its_lower_bound(verdict: Any) -> None:
    """A peer stopped at 60 s against at most 0.103 s: at least 580."""
    found = verdict([*tcs(0.1), dnf("gudhi", "timeout", unfinished=59.2)], kind="ratio", over="gudhi", above=500.0)
    assert (found.verdict, found.relation, found.high) == ("PASS", ">=", None)
    assert 500 < found.value < 600
    assert ">=" in found.reason
    assert "did not finish in 60 s" in found.reason


def test_censored_ratio_never_fails_from_above(verdict: Any) -> None:
    """Beyond the limit nothing is known; the next step names the limit that would settle it."""
    found = verdict([*tcs(0.1), dnf("gudhi", "timeout", unfinished=59.2)], kind="ratio", over="gudhi", above=1000.0)
    assert found.verdict == "INCONCLUSIVE"
    assert "cases.torus.limits.wall_s=10" in found.next_step


def test_censored_ratio_below_a_bound_fails(verdict: Any) -> None:
    """At least 580 is not below 2."""
    assert (
        verdict([*tcs(0.1), dnf("gudhi", "timeout", unfinished=59.2)], kind="ratio", over="gudhi", below=2.0).verdict
        == "FAIL"
    )


def test_only_the_call_that_was_going_on_bounds(verdict: Any) -> None:
    """Two processes were stopped at 60 s, in calls that had lasted 29.9 s and 45 s: a call takes at least 29.9 s."""
    stopped = [dnf("gudhi", "timeout", process=number, unfinished=lasted) for number, lasted in enumerate((45.0, 29.9))]
    found = verdict([*tcs(0.1), *stopped], kind="ratio", over="gudhi", above=500.0)
    assert found.verdict == "INCONCLUSIVE"
    assert 285 < found.value < 299
    assert "29.9 s of it in one call" in found.reason


def test_a_peer_stopped_in_no_known_call_gives_no_bound(verdict: Any) -> None:
    """Stopped in its set-up, or a program that stamps nothing: no ratio, of however many processes."""
    stopped = [dnf("gudhi", "timeout"), dnf("gudhi", "timeout", process=1, unfinished=59.0)]
    found = verdict([*tcs(0.1), *stopped], kind="ratio", over="gudhi", above=500.0)
    assert (found.verdict, found.value) == ("INCONCLUSIVE", None)


def test_a_finished_peer_beats_a_censored_one(verdict: Any) -> None:
    """The best peer is one that finished."""
    found = verdict(
        [*tcs(0.1), *processes("gudhi", 2.0), dnf("dory", "timeout")], kind="ratio", over="best_peer", above=15.0
    )
    assert (found.verdict, found.relation) == ("PASS", "=")
    assert "dory did not finish in 60 s" in found.reason


@pytest.mark.parametrize("status", ["memory", "crash", "error"])
def test_a_dead_peer_gives_no_ratio(verdict: Any, status: str) -> None:
    """Only 'did not finish'."""
    found = verdict([*tcs(0.1), dnf("gudhi", status)], kind="ratio", over="gudhi", above=2.0)
    assert (found.verdict, found.value) == ("INCONCLUSIVE", None)
    assert "did not finish" in found.reason


def test_a_wrong_named_peer_gives_no_ratio(verdict: Any) -> None:
    """Its time is no comparison."""
    wrong = processes("gudhi", 2.0, status="wrong_answer", **checked(ok=False, detail="no loops"))
    found = verdict(tcs(0.1) + wrong, kind="ratio", over="gudhi", above=2.0)
    assert (found.verdict, found.value) == ("INCONCLUSIVE", None)


def test_peers_that_are_not_there_block(verdict: Any) -> None:
    """Unavailable is not 'did not finish'."""
    found = verdict([*tcs(0.1), dnf("gudhi", "unavailable")], kind="ratio", over="best_peer", above=2.0)
    assert found.verdict == "BLOCKED"


def test_a_pending_peer_blocks(verdict: Any) -> None:
    """The best of the peers is not known before all have run."""
    found = verdict(tcs(0.1) + processes("gudhi", 2.0), kind="ratio", over="best_peer", above=2.0, plan=("ripser.py",))
    assert found.verdict == "BLOCKED"
    assert "ripser.py was planned and not run" in found.reason


def test_unlike_sides_are_named(verdict: Any) -> None:
    """Threads, clocks and a cold call are said beside the ratio."""
    records = tcs(0.1, threads=2) + processes("gudhi", 2.0, clock="process", cold=True)
    reason = verdict(records, kind="ratio", over="gudhi", above=2.0).reason
    assert "threads differ: 1 against 2" in reason
    assert "clocks differ: process against wall" in reason
    assert "gudhi was timed on its first call" in reason


def metric(value: float, **changes: Any) -> dict[str, Any]:
    """A record's metrics: one accuracy."""
    return {"metrics": {"recall": {"value": value, "unit": "", "direction": "higher", **changes}}}


def test_accuracy(verdict: Any) -> None:
    """A t interval over processes, which may hold zero and negative numbers; its ceiling is said."""
    records = [record(player="tcs", process=i, **metric(0.9 + i / 1000, ceiling=0.95)) for i in range(8)]
    found = verdict(records, kind="accuracy", metric="recall", above=0.8)
    assert (found.verdict, found.value, found.unit) == ("PASS", pytest.approx(0.9035), "")
    assert "ceiling 0.95" in found.reason


def test_accuracy_of_a_deterministic_player(verdict: Any) -> None:
    """No spread between processes: the interval has no width."""
    records = [record(player="tcs", process=i, **metric(-1.0)) for i in range(8)]
    found = verdict(records, kind="accuracy", metric="recall", above=0.8)
    assert (found.verdict, found.low, found.high) == ("FAIL", -1.0, -1.0)


def test_accuracy_in_another_unit_blocks(verdict: Any) -> None:
    """A metric in points cannot be held against a bound in ms."""
    records = [record(player="tcs", process=i, **metric(1.0, unit="points")) for i in range(8)]
    found = verdict(records, kind="accuracy", metric="recall", above=0.8, unit="ms")
    assert found.verdict == "BLOCKED"
    assert "points" in found.reason


def test_tolerated(verdict: Any) -> None:
    """What the configuration tolerates is marked; FAIL never is."""
    found = verdict(tcs(0.1), below=1.0, requires={"gpu": "any"}, tolerate=["OFF-CONDITION"])
    assert (found.verdict, found.tolerated) == ("OFF-CONDITION", True)


def test_judging_is_pure_and_the_same_from_disk(tmp_path: Path) -> None:
    """Twice the same, and the same again from the saved files."""
    named = {"g": GateConfig(case="torus", player="tcs", kind="ratio", over="best_peer", above=3.0, where={"n": 1000})}
    run = fabricate.run(tmp_path / "run", tcs(0.1) + processes("gudhi", 2.0), gates=named)
    first = gates.judge(run)
    assert gates.judge(run) == first == gates.judge(store.load(tmp_path / "run"))
    assert replace(first[0], verdict="FAIL") != first[0]
