"""How a process ended, in words, and what its result.json is taken for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.trials.plan import Trial
from harness.trials.process import Outcome
from harness.trials.result import LOG_CHARACTERS, ending, log_tail, peak_memory, read_result
from harness.trials.worker import DIARY


class Asked:
    """The only part of a trial that is looked at."""

    limits = {"wall_s": 60.0, "memory_bytes": 2**31}


def outcome(**changes: Any) -> Outcome:
    """A process that ended well after two seconds."""
    values: dict[str, Any] = {"how": "exit", "code": 0, "wall": 2.0, "log": "", "peak": 2**30, **changes}
    return Outcome(**values)


def read(folder: Path, how: Outcome, result: object = None, *, external: bool = True) -> dict[str, Any]:
    """What a process with this result.json is taken for."""
    if result is not None:
        (folder / "result.json").write_text(result if isinstance(result, str) else json.dumps(result))
    trial: Trial = Asked()  # type: ignore[assignment]
    return read_result(folder, how, trial, external=external)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"code": 3}, "exited with status 3"),
        ({"code": -9}, "died by signal 9 (SIGKILL)"),
        ({"code": -63}, "died by signal 63"),
        ({"how": "timeout", "code": -9}, "killed: timeout"),
        ({"how": "memory", "code": -9}, "killed: memory"),
    ],
)
def test_endings(changes: dict[str, Any], words: str) -> None:
    """Exit status, signals with a name and without one, limits."""
    assert ending(outcome(**changes)) == words


@pytest.mark.parametrize(
    ("changes", "status", "reason"),
    [
        ({"how": "timeout", "code": -9}, "timeout", "killed after 60 s"),
        ({"how": "memory", "code": -9}, "memory", "killed at 1.00 GiB (limit 2 GiB)"),
        ({"code": -11}, "crash", "died by signal 11 (SIGSEGV)"),
        ({}, "error", "exited with status 0 but wrote no result.json"),
    ],
)
def test_a_process_without_an_answer(tmp_path: Path, changes: dict[str, Any], status: str, reason: str) -> None:
    """Limits, signals and silence are told apart."""
    found = read(tmp_path, outcome(**changes))
    assert (found["status"], found["reason"]) == (status, reason)


@pytest.mark.parametrize(("diary", "lasted"), [("100.0\n130.0\n", 20.0), ("", 0.0), (None, 0.0), ("torn", 0.0)])
def test_how_long_the_stopped_call_had_lasted(tmp_path: Path, diary: str | None, lasted: float) -> None:
    """From its own beginning, the last line of the diary; a torn or missing diary says nothing."""
    if diary is not None:
        (tmp_path / DIARY).write_text(diary)
    assert read(tmp_path, outcome(how="timeout", code=-9, ended=150.0))["unfinished"] == lasted


def test_a_program_that_times_itself(tmp_path: Path) -> None:
    """Its own samples count; without them the whole process is the sample."""
    answer = {"protocol": 1, "answer": {"sorted": "sorted.npy"}}
    found = read(tmp_path, outcome(), {**answer, "samples": [0.5, 0.25], "peak_bytes": 7, "stages": {"sort": [0.1]}})
    assert (found["status"], found["clock"], found["samples"]) == ("ok", "player", [0.5, 0.25])
    assert (found["memory"]["host_peak"], found["stages"]) == (7, {"sort": [0.1]})
    found = read(tmp_path, outcome(), answer)
    assert (found["clock"], found["samples"], found["cold"], found["memory"]) == ("process", [2.0], True, None)


@pytest.mark.parametrize(
    ("result", "status", "phrase"),
    [
        ("{", "error", "does not follow the protocol"),
        ([], "error", "does not follow the protocol"),
        ({"protocol": 2, "answer": {}}, "error", "protocol 2, expected 1"),
        ({"protocol": 1}, "error", "answer"),
        ({"protocol": 1, "answer": {}, "samples": [-1.0]}, "error", "finite and not negative"),
        ({"protocol": 1, "answer": {}, "samples": [1.5, 1.5]}, "error", "lived for 2 s"),
        ({"protocol": 1, "status": "unavailable", "reason": "no licence"}, "unavailable", "no licence"),
        ({"protocol": 1, "status": "tired", "reason": "later"}, "error", "later"),
    ],
)
def test_results_that_are_none(tmp_path: Path, result: object, status: str, phrase: str) -> None:
    """A wrong result is the player's error, said in a sentence; it can say itself that it cannot answer."""
    found = read(tmp_path, outcome(), result)
    assert found["status"] == status
    assert phrase in found["reason"]


def test_the_log_keeps_its_end() -> None:
    """The last part, and what else was noticed."""
    text = log_tail(outcome(log="x" * LOG_CHARACTERS + "end", flooded=9, leftover=2))
    assert text.startswith("[9 bytes of output before this were left out]\n")
    assert "end\n[2 process(es) outlived the player and were killed]" in text
    assert text.count("x") == LOG_CHARACTERS - len("end")


def test_the_peak_is_the_largest_that_anyone_saw() -> None:
    """A process knows its own memory, the parent sees that of its children, too."""
    own = {"host_peak": 2**29, "host_source": "VmHWM", "device_peak": None}
    assert peak_memory(own, outcome(members=2)) == {"host_peak": 2**30, "host_source": "sampled", "device_peak": None}
    assert peak_memory(own, outcome()) == own
    assert peak_memory(own, outcome(peak=1)) == own
    assert peak_memory(None, None) == {}
