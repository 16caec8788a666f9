"""The model that all reports print: ratios, censoring, agreement and omissions, each against a known answer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import fabricate
from fabricate import record
from harness import report
from harness.config import GateConfig, RunConfig
from harness.judging.gates import judge
from harness.judging.stats import log_t_interval, welch_log_ratio
from harness.record import Record
from harness.report.claims import headline
from harness.report.model import Report, Row
from harness.report.summary import summarise
from harness.store import Run
from harness.verdict import Verdict

Full = tuple[Run, list[Verdict]]


def rows(report: Report, entry: int = 0, table: int = 0) -> dict[str, Row]:
    return {row.player: row for row in report.entries[entry].tables[table].rows}


def timed(player: str, times: list[float], **changes: Any) -> list[Record]:
    return [record(player=player, process=process, samples=[time], **changes) for process, time in enumerate(times)]


def test_time_and_ratio_are_those_of_the_statistics(tmp_path: Path) -> None:
    """Time is the log-t interval over processes; the ratio is Welch's, over the best peer."""
    slow, fast = [2.0, 2.1, 2.2], [1.0, 1.1, 1.05]
    found = rows(summarise(fabricate.run(tmp_path / "run", [*timed("slow", slow), *timed("fast", fast)]), []))
    time, ratio = found["slow"].time, found["slow"].ratio
    assert time is not None
    assert ratio is not None
    own, both = log_t_interval(slow), welch_log_ratio(slow, fast)
    assert (time.value, time.low, time.high) == (own.value, own.low, own.high)
    assert (ratio.value, ratio.low, ratio.high) == (both.value, both.low, both.high)
    assert found["fast"].best
    assert not found["slow"].best
    assert time.text == "2.10 s"


def test_a_candidate_is_never_the_best_peer(tmp_path: Path) -> None:
    """However fast it is; nor is a control, nor a peer whose answer is wrong."""
    records = [
        *timed("ours", [0.1, 0.1, 0.1], role="candidate"),
        *timed("planted", [0.01, 0.01, 0.01], role="control"),
        *timed("wrong", [0.2, 0.2, 0.2], check={"oracle": "o", "ok": True, "exact": True, "answer": "e" * 64}),
        *timed("a", [1.0, 1.1, 1.2]),
        *timed("b", [3.0, 3.1, 3.2]),
    ]
    found = rows(summarise(fabricate.run(tmp_path / "run", records), []))
    assert [name for name, row in found.items() if row.best] == ["a"]
    assert found["wrong"].ratio is None
    assert found["wrong"].answer == "wrong: differs from a, b, ours"
    assert found["planted"].ratio is None


def test_a_peer_that_was_stopped_gives_a_lower_bound(tmp_path: Path) -> None:
    """What its last call had lasted over the upper end of the best peer's interval, with >= and never =."""
    stopped = [record(player="slow", status="timeout", samples=[], check={}, memory={}, unfinished=59.2)]
    stopped.append(replace(stopped[0], player="unknown", trial="u", unfinished=0.0))
    found = rows(summarise(fabricate.run(tmp_path / "run", [*timed("fast", [1.0, 1.1, 1.2]), *stopped]), []))
    ratio, time = found["slow"].ratio, found["slow"].time
    assert (found["unknown"].ratio, found["unknown"].time) == (None, None)
    assert found["unknown"].outcome == "timed out at 60 s"
    assert ratio is not None
    assert time is not None
    assert ratio.value == pytest.approx(59.2 / log_t_interval([1.0, 1.1, 1.2]).high)
    assert ratio.relation == "≥"
    assert ratio.text.startswith("≥ ")
    assert (time.text, time.interval) == ("> 59.2 s", "stopped at the 60 s limit")


def test_the_best_peer_is_that_of_the_gate(tmp_path: Path) -> None:
    """A peer with the lower median and one with the lower geometric mean: table and gate name the latter."""
    records = [
        *timed("tcs", [0.1, 0.1, 0.1], role="candidate"),
        *timed("median", [1.0, 1.0, 9.0]),
        *timed("mean", [1.1, 1.1, 1.1]),
    ]
    gate = GateConfig(case="torus", player="tcs", kind="ratio", over="best_peer", above=1000.0, processes=3, unit="x")
    run = fabricate.run(tmp_path / "run", records, gates={"gate": gate})
    (found,) = judge(run)
    assert found.reason.startswith("mean over tcs")
    assert found.value == pytest.approx(11)
    assert rows(summarise(run, []))["mean"].best


def test_what_else_was_measured_of_candidates(tmp_path: Path) -> None:
    """The median over processes; of peers, and where an answer is wrong, nothing."""

    def told(player: str, **changes: Any) -> list[Record]:
        sizes = [{"value": i * 2.0**20, "unit": "B", "direction": "lower"} for i in (7, 8, 30)]
        found = timed(player, [1.0, 1.1, 1.2], **changes)
        return [replace(one, metrics={"pool": size}) for one, size in zip(found, sizes, strict=True)]

    run = fabricate.run(tmp_path / "run", [*told("ours", role="candidate"), *told("peer")])
    found = rows(summarise(run, []))
    assert found["ours"].metrics == {"pool": "8.00 MiB"}
    assert found["peer"].metrics == {}
    report.write(run, [])
    assert "Of ours: pool 8.00 MiB." in (run.path / "table.md").read_text()
    assert "pool 8.00 MiB." in (run.path / "report.html").read_text()
    wrong = told("ours", role="candidate", status="wrong_answer")
    assert rows(summarise(fabricate.run(tmp_path / "wrong", wrong), []))["ours"].metrics == {}


def test_a_kill_for_memory_says_what_was_reached(tmp_path: Path) -> None:
    """The peak that was seen, in the words of the record, not the limit."""
    reached = {"host_peak": 2**31, "host_source": "sampled", "device_peak": None}
    reason = "killed at 2.00 GiB, since the machine had no more memory to give"
    died = record(player="big", status="memory", reason=reason, samples=[], check={}, memory=reached)
    found = rows(summarise(fabricate.run(tmp_path / "run", [died]), []))["big"]
    assert found.memory is not None
    assert (found.memory.text, found.outcome) == ("> 2.00 GiB", reason)


@pytest.mark.parametrize("status", ["memory", "crash", "error", "unavailable"])
def test_a_peer_that_died_gives_no_ratio(tmp_path: Path, status: str) -> None:
    """Dead of memory or a signal says nothing about how long it would have taken."""
    died = record(player="slow", status=status, reason="signal 9", samples=[], check={}, memory={})
    found = rows(summarise(fabricate.run(tmp_path / "run", [*timed("fast", [1.0, 1.1]), died]), []))
    assert found["slow"].ratio is None
    assert found["slow"].time is None
    assert found["slow"].outcome


def test_one_process_has_no_interval(tmp_path: Path) -> None:
    """A number without an interval is printed without one."""
    found = rows(summarise(fabricate.run(tmp_path / "run", timed("alone", [1.0])), []))
    assert found["alone"].time is not None
    assert found["alone"].time.interval == ""
    assert found["alone"].answer_kind == "unconfirmed"


def test_omitted_processes_are_said(tmp_path: Path) -> None:
    """Fewer by configuration, skipped after a time-out, and not run at all are three things."""
    run = fabricate.run(tmp_path / "run", [*timed("full", [1.0, 1.1, 1.2]), *timed("fewer", [2.0])])
    run.records.append(record(player="stopped", status="timeout", samples=[], check={}))
    first = run.plan[0]
    run.plan += [
        {**first, "player": player, "process": process} for player in ("stopped", "never") for process in range(3)
    ]
    found = rows(summarise(run, []))
    assert (found["full"].processes, found["full"].processes_note) == ("3 of 3", "")
    assert found["fewer"].processes_note == "fewer by configuration"
    assert (found["stopped"].processes, found["stopped"].processes_note) == ("0 of 3", "2 skipped: timed out")
    assert (found["never"].state, found["never"].outcome) == ("absent", "not run")


def test_disputed_answers_are_said(tmp_path: Path) -> None:
    """Two engines, two answers: neither is called right."""
    other = {"oracle": "o", "ok": True, "exact": True, "answer": "e" * 64}
    found = summarise(fabricate.run(tmp_path / "run", [*timed("a", [1.0]), *timed("b", [1.0], check=other)]), [])
    assert {row.answer_kind for row in rows(found).values()} == {"disputed"}
    assert "disputed" in found.headline.answers


def test_a_missed_control_is_loud(tmp_path: Path) -> None:
    """A planted error that nobody noticed is said in the row and on the first screen."""
    found = summarise(
        fabricate.run(tmp_path / "run", [*timed("a", [1.0]), *timed("planted", [1.0], role="control")]), []
    )
    assert rows(found)["planted"].answer_kind == "missed"
    assert "planted wrong answers caught: 0 of 1" in found.headline.answers


def test_unrepeatable_answers_and_clocks_are_noted(tmp_path: Path) -> None:
    """What a reader must know about a number stands beside it."""
    odd = record(repeatable=False, cold=True, clock="player", memory={"host_peak": 1, "host_source": "sampled"})
    (row,) = rows(summarise(fabricate.run(tmp_path / "run", [odd]), [])).values()
    assert row.notes == (
        "its answer changed from call to call",
        "first call, not warmed up",
        "timed by the player itself",
        "memory sampled",
    )


def test_interference_finds_the_disturbed(full: Full) -> None:
    """The processes with stolen time are found, worst first, with links to their records."""
    run, verdicts = full
    found = summarise(run, verdicts).interference
    assert found.sentence.startswith("3 of ")
    assert {one.label.split(" on ")[0] for one in found.worst} == {"near"}
    lines = [int(one.anchor[1:]) for one in found.worst]
    assert all(run.records[line - 1].player == "near" for line in lines)


def test_evidence_points_at_its_records(full: Full) -> None:
    """A gate's evidence is gathered by player and instance, and counts the processes."""
    run, verdicts = full
    report = summarise(run, verdicts)
    groups = {group.anchor: group for group in report.groups}
    gate = next(gate for gate in report.gates if gate.key == "fast")
    assert {groups[one.anchor].player for one in gate.evidence} == {"ours", "ripser.py"}
    assert all(one.text.endswith("(3)") for one in gate.evidence)


def test_trouble_of_the_run_is_said(tmp_path: Path) -> None:
    """Interrupted, uncommitted, from two machines or torn: each is a sentence on the first screen."""
    run = fabricate.run(
        tmp_path / "run", [record(), record(process=1, environment="elsewhere", git={"commit": "e" * 40})]
    )
    run.manifest["interrupted"] = "stopped by a signal"
    run.manifest["git"] = {"commit": "d" * 40, "dirty": True}
    run.torn = 7
    said = " ".join(summarise(run, []).headline.warnings)
    for words in ("interrupted (stopped by a signal)", "resume=", "uncommitted", "elsewhere", "2 commits", "7 bytes"):
        assert words in said


def verdict(word: str, *, tolerated: bool = False) -> Verdict:
    return Verdict(gate=word, title=word, row="", kind="absolute", verdict=word, reason="because", tolerated=tolerated)


@pytest.mark.parametrize(
    ("verdicts", "word", "tone", "status"),
    [
        ([], "NO VERDICT", "none", 14),
        ([verdict("PASS")], "PASS", "pass", 0),
        ([verdict("PASS"), verdict("BLOCKED", tolerated=True)], "PASS", "partial", 0),
        ([verdict("BLOCKED", tolerated=True)], "BLOCKED", "blocked", 0),
        ([verdict("PASS"), verdict("INCONCLUSIVE"), verdict("OFF-CONDITION")], "OFF-CONDITION", "off-condition", 12),
        ([verdict("BLOCKED"), verdict("FAIL"), verdict("PASS")], "FAIL", "fail", 10),
    ],
)
def test_headline_is_the_worst_that_counts(verdicts: list[Verdict], word: str, tone: str, status: int) -> None:
    """Nothing that was not measured is green: a tolerated gap takes the plain green away."""
    from harness.report.claims import gates

    config = RunConfig(phase="Test")
    found = headline(verdicts, gates(verdicts, config, {}), config, agreed={}, progress="", warnings=())
    assert (found.word, found.tone, found.exit_status) == (word, tone, status)


def test_without_version_control(tmp_path: Path) -> None:
    """No commit is said as such, not as uncommitted changes."""
    run = fabricate.run(tmp_path / "run", [record()])
    run.manifest["git"] = {"commit": "", "dirty": True}
    said = " ".join(summarise(run, []).headline.warnings)
    assert "not under version control" in said
    assert "uncommitted" not in said
