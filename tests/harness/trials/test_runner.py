"""Whatever a player does becomes a record of the right status, and nothing measured is lost."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

import sessions
from harness import answers, session, store
from harness.config import Limits, PlayerConfig
from harness.errors import StoreError
from sessions import configured, only, run


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with the suite of misbehaving players."""
    return sessions.project(tmp_path, monkeypatch)


def test_a_right_answer(project: Path) -> None:
    """Samples, stages, memory, version, input digest and a checked answer are in the record."""
    found = run(configured("right"), project)
    (record,) = found.records
    assert record.status == "ok"
    assert len(record.samples) == len(record.cpu) == len(record.stages["double"]) > 0
    assert record.player_version.startswith("numpy ")
    assert record.memory["host_source"] == "VmHWM"
    assert 5e6 < record.memory["host_peak"] < 5e8
    assert record.check["ok"]
    assert record.repeatable is True
    assert record.metrics["size"]["value"] == 50
    kept = answers.load(found.path / "answers" / f"{record.check['answer']}.npz")
    assert answers.answer_digest(kept) == record.check["answer"]
    assert not (found.path / "work").exists()


@pytest.mark.parametrize(
    ("player", "status", "words"),
    [
        ("wrong", "wrong_answer", "not twice"),
        ("wrong at first", "wrong_answer", "not twice"),
        ("scribbles", "error", "changed its inputs"),
        ("segfaults", "crash", "SIGSEGV"),
        ("exits", "error", "no result.json"),
        ("sys.exit", "error", "SystemExit"),
        ("raises", "error", "RuntimeError: index overflow"),
        ("no mapping", "error", "not list"),
        ("declines", "unavailable", "needs n < 10"),
        ("not installed", "unavailable", "pip install no-such-distribution"),
        ("pickles", "error", "Object arrays cannot be saved"),
        ("lazy", "error", "must return finished numpy arrays"),
        ("two answers", "wrong_answer", "two different answers"),
        ("elsewhere", "unavailable", "/no/such/python"),
    ],
)
def test_misbehaviour_is_told_apart(project: Path, player: str, status: str, words: str) -> None:
    """Each way to fail has its own status and a reason that names it."""
    record = only(configured(player), project)
    assert (record.status, words in record.reason) == (status, True), record.reason


def test_limits(project: Path) -> None:
    """A hang is a timeout, a hog is out of memory; both say at what."""
    limits = Limits(wall_s=1.0, memory_gib=0.25)
    hang = only(configured("hangs", limits=limits), project)
    assert (hang.status, hang.reason) == ("timeout", "killed after 1 s")
    hog = only(configured("eats", limits=Limits(wall_s=20, memory_gib=0.25)), project)
    assert hog.status == "memory"
    assert "limit 0.25 GiB" in hog.reason


def test_a_stopped_call_says_how_long_it_had_lasted(project: Path) -> None:
    """Not the limit, which covers start and set-up too, but the time since the last call began."""
    record = only(configured("is slow", limits=Limits(wall_s=2.0, memory_gib=1)), project)
    assert record.status == "timeout"
    assert 0.5 < record.unfinished < 2.0


def test_a_full_disk_is_nobodys_result(project: Path) -> None:
    """When a worker or the referee cannot write, the run stops with the way to go on, and has no record of it."""
    with pytest.raises(StoreError, match="Make room, then go on with: harness run resume="):
        session.perform(configured("right", "fills the disk"), project)
    (folder,) = (project / "reports/runs").glob("*")
    assert {record.player for record in store.load(folder).records} <= {"right"}


def test_an_interpreter_of_its_own(project: Path) -> None:
    """A player runs in the Python that it names, which needs numpy but not the harness."""
    players = {"right": PlayerConfig(interpreter=sys.executable)}
    assert only(configured("right", players=players), project).status == "ok"


def test_damaged_data_is_an_error_and_missing_data_is_not(project: Path) -> None:
    """What is not there makes the player unavailable (BLOCKED); altered bytes are an error: never tolerated."""
    suite = project / "benchmarks" / "echo.py"
    raising = 'raise ValueError("the cloud is empty; give n >= 1")'
    for kind, status in (("DataMissing", "unavailable"), ("DataError", "error")):
        new = f"from harness.errors import {kind}; raise {kind}('its sha256 is another one')"
        suite.write_text(sessions.SUITE.replace(raising, new))
        assert only(configured("right", case="echo.broken", params={}), project).status == status


def test_children_left_behind_and_floods_are_noted(project: Path) -> None:
    """They do no harm and the log says what happened."""
    record = only(configured("forks"), project)
    assert record.status == "ok"
    assert "outlived the player" in record.log
    record = only(configured("floods"), project)
    assert record.status == "ok"
    assert "left out" in record.log


def test_what_a_player_tells_of_itself(project: Path) -> None:
    """It stands beside the check's own numbers, and never above them."""
    told = only(configured("tells"), project).metrics
    assert told["words"] == {"value": 3.0, "unit": "words", "direction": "lower"}
    assert told["size"]["value"] == 50
    assert only(configured("flatters"), project).metrics["size"]["value"] == 50


@pytest.mark.parametrize(("player", "words"), [("tells nonsense", "'words' is"), ("stumbles", "ZeroDivisionError")])
def test_no_measurement_is_lost_for_what_a_player_tells(project: Path, player: str, words: str) -> None:
    """Its times and its answer stand, and the log says what went wrong."""
    record = only(configured(player), project)
    assert record.status == "ok"
    assert record.samples
    assert set(record.metrics) == {"size"}
    assert words in record.log


def test_a_case_that_cannot_be_made(project: Path) -> None:
    """The reason of the case reaches every player's record."""
    record = only(configured("right", case="echo.broken", params={}), project)
    assert record.status == "error"
    assert "the cloud is empty; give n >= 1" in record.reason
    record = only(configured("right", case="echo.no_number", params={}), project)
    assert record.status in ("error", "wrong_answer")


COMMAND = """
import json, sys
from collections.abc import Callable
from pathlib import Path
import numpy as np
job = Path(sys.argv[1])
asked = json.loads((job / "job.json").read_text())
values = np.load(job / "inputs" / "values.npy") * np.load(job / "inputs" / "scale.npy")
np.save(job / "answer" / "values.npy", values)
result = {"protocol": 1, "version": "7", "answer": {"values": "answer/values.npy"}}
result.update(json.loads(sys.argv[2]))
(job / "result.json").write_text(json.dumps(result))
"""


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({}, "ok", ""),
        ({"samples": [0.002, 0.001], "stages": {"read": [0.001, 0.001]}, "peak_bytes": 2**40}, "ok", ""),
        ({"protocol": 2}, "error", "protocol 2"),
        ({"samples": [-1]}, "error", "not negative"),
        ({"samples": [3600.0]}, "error", "lived for"),
        ({"stages": {"read": [float("nan")]}}, "error", "finite"),
        ({"answer": {"values": "../../../../etc/passwd"}}, "error", "outside the job folder"),
        ({"answer": {}}, "error", "KeyError"),
        ({"status": "unavailable", "reason": "no licence"}, "unavailable", "no licence"),
        ({"answer": 7}, "error", "protocol"),
    ],
)
def test_an_external_command(project: Path, changes: dict[str, Any], status: str, words: str) -> None:
    """A command speaks the file protocol; what does not follow it is an error that says so."""
    (project / "command.py").write_text(COMMAND)
    command = [sys.executable, "{project}/command.py", "{job}", json.dumps(changes)]
    players = {"mine": PlayerConfig(task="echo", command=command)}
    record = only(configured("mine", players=players), project)
    assert (record.status, words in record.reason) == (status, True), record.reason
    if status == "ok":
        assert record.clock == ("player" if changes else "process")
        assert record.player_version == "7"
        assert record.check["ok"]
