"""Whatever a player does becomes a record of the right status, and nothing measured is lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness import answers, session, store
from harness.config import CaseConfig, Limits, PlayerConfig, RunConfig, Sampling
from harness.errors import ConfigurationError, Locked, StoreError, UnknownName
from harness.machine.lock import machine_lock
from harness.record import Record

SUITE = '''
"""A suite of players that misbehave."""
import os, signal, sys, time
import numpy as np
from harness import Check, Problem, Unavailable, case, player

@case(version=1, task="echo", check="benchmarks.echo:check")
def numbers(n, seed):
    """Some numbers."""
    return Problem(inputs={"values": np.random.default_rng(seed).random(n), "scale": 2.0}, known={"n": n})

@case(version=1, task="echo", check="benchmarks.echo:check")
def broken(seed):
    """A case that cannot be made."""
    raise ValueError("the cloud is empty; give n >= 1")

@case(version=1, task="echo", check="benchmarks.echo:check")
def no_number(seed):
    """A case whose input is no number."""
    return Problem(inputs={"values": np.array([np.nan]), "scale": float("nan")})

def check(inputs, known, answer):
    values = np.asarray(answer["values"])
    right = bool(np.array_equal(values, inputs["values"] * inputs["scale"]))
    size = {"value": float(values.size), "unit": "1", "direction": "higher"}
    return Check(ok=right, oracle="twice the input", detail="" if right else "not twice the input",
                 canonical={name: np.asarray(value) for name, value in answer.items()}, metrics={"size": size},
                 distance=float("inf"))

@player(name="right", task="echo", packages={"numpy": ">=1"})
def right(inputs, stage):
    """Right."""
    def solve():
        with stage("double"):
            return {"values": inputs["values"] * inputs["scale"]}
    return solve

@player(name="wrong", task="echo")
def wrong(inputs, stage):
    """Wrong."""
    return lambda: {"values": inputs["values"]}

@player(name="wrong at first", task="echo")
def wrong_at_first(inputs, stage):
    """Right but for its first call."""
    calls = []
    def solve():
        calls.append(1)
        return {"values": inputs["values"] * (2.0 if len(calls) > 1 else 3.0)}
    return solve

@player(name="scribbles", task="echo")
def scribbles(inputs, stage):
    """Doubles its input in place, so that the second call gets another problem."""
    def solve():
        inputs["values"] *= 2
        return {"values": inputs["values"].copy()}
    return solve

@player(name="hangs", task="echo")
def hangs(inputs, stage):
    """Never ends."""
    return lambda: time.sleep(600)

@player(name="forks", task="echo")
def forks(inputs, stage):
    """Leaves a child behind."""
    def solve():
        if os.fork() == 0:
            os.setsid()
            time.sleep(600)
        return {"values": inputs["values"] * 2}
    return solve

@player(name="floods", task="echo")
def floods(inputs, stage):
    """Prints 20 MB."""
    def solve():
        for _ in range(200):
            os.write(1, b"x" * 100_000)
        return {"values": inputs["values"] * 2}
    return solve

@player(name="eats", task="echo")
def eats(inputs, stage):
    """Takes memory until it is stopped."""
    def solve():
        kept = []
        while True:
            kept.append(np.ones(10_000_000))
    return solve

@player(name="segfaults", task="echo")
def segfaults(inputs, stage):
    """Dies by a signal."""
    return lambda: os.kill(os.getpid(), signal.SIGSEGV)

@player(name="exits", task="echo")
def exits(inputs, stage):
    """Exits 0 without an answer."""
    return lambda: os._exit(0)

@player(name="sys.exit", task="echo")
def sys_exit(inputs, stage):
    """Raises SystemExit."""
    return lambda: sys.exit(0)

@player(name="raises", task="echo")
def raises(inputs, stage):
    """Raises."""
    def solve():
        raise RuntimeError("index overflow")
    return solve

@player(name="no mapping", task="echo")
def no_mapping(inputs, stage):
    """Answers with a list."""
    return lambda: [1, 2]

@player(name="declines", task="echo")
def declines(inputs, stage):
    """Cannot answer this size."""
    raise Unavailable("needs n < 10; use another player")

@player(name="not installed", task="echo", packages={"no-such-distribution": ">=1"},
        install="pip install no-such-distribution")
def not_installed(inputs, stage):
    """Its package is missing."""
    import no_such_module

@player(name="pickles", task="echo")
def pickles(inputs, stage):
    """Answers with an object array, which only a pickle could hold."""
    return lambda: {"values": np.array([object()], dtype=object)}

@player(name="lazy", task="echo")
def lazy(inputs, stage):
    """Computes only when somebody looks at the answer, which is after the clock has stopped."""
    class Later:
        def __array__(self, dtype=None, copy=None):
            return inputs["values"] * 2
    return lambda: {"values": Later()}

@player(name="two answers", task="echo")
def two_answers(inputs, stage):
    """Both pass the check, whose canonical form tells them apart."""
    calls = []
    def solve():
        calls.append(1)
        values = inputs["values"] * 2
        return {"values": values, "extra": np.array([min(len(calls), 2)])}
    return solve

@player(name="is slow", task="echo")
def is_slow(inputs, stage):
    """Its second call does not end."""
    calls = []
    def solve():
        calls.append(1)
        time.sleep(0.002 if len(calls) == 1 else 600)
        return {"values": inputs["values"] * 2}
    return solve

@player(name="fills the disk", task="echo")
def fills_the_disk(inputs, stage):
    """Stands for a worker whose answer does not fit."""
    def solve():
        raise OSError(28, "No space left on device")
    return solve

@player(name="elsewhere", task="echo", interpreter="/no/such/python")
def elsewhere(inputs, stage):
    """Its interpreter is missing."""
    return lambda: {}
'''


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "conf").mkdir()
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "echo.py").write_text(SUITE)
    monkeypatch.setenv("HARNESS_LOCK", str(tmp_path / "lock"))
    monkeypatch.setattr("harness.report.write", lambda run, verdicts: [], raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def configured(
    *players: str, case: str = "echo.numbers", params: dict[str, Any] | None = None, **changes: Any
) -> RunConfig:
    entry = CaseConfig(
        case=case,
        params={"n": [50]} if params is None else params,
        players=list(players),
        processes=changes.pop("processes", 1),
        limits=changes.pop("limits", Limits(wall_s=20, memory_gib=1)),
        sampling=Sampling(budget_s=0.01, max_samples=3),
    )
    return RunConfig(phase="Test", progress="none", cases={"numbers": entry}, **changes)


def run(config: RunConfig, project: Path) -> store.Run:
    before = set((project / config.runs).glob("*")) if (project / config.runs).exists() else set()
    session.perform(config, project)
    (folder,) = set((project / config.runs).glob("*")) - before
    return store.load(folder)


def only(config: RunConfig, project: Path) -> Record:
    (record,) = run(config, project).records
    return record


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
        suite.write_text(SUITE.replace(raising, new))
        assert only(configured("right", case="echo.broken", params={}), project).status == status


def test_another_commit_or_version_does_not_resume(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run's records come from one state of the code and one set of packages."""
    found = run(configured("right"), project)
    monkeypatch.setattr("harness.session.git_state", lambda project: {"commit": "f" * 40, "dirty": False})
    with pytest.raises(ConfigurationError, match="begun at commit"):
        session.perform(configured("right", resume=str(found.path)), project)


def test_children_left_behind_and_floods_are_noted(project: Path) -> None:
    """They do no harm and the log says what happened."""
    record = only(configured("forks"), project)
    assert record.status == "ok"
    assert "outlived the player" in record.log
    record = only(configured("floods"), project)
    assert record.status == "ok"
    assert "left out" in record.log


def test_a_failed_player_is_not_tried_again(project: Path) -> None:
    """After a player did not finish, its other processes on that instance are left out; others go on."""
    found = run(configured("raises", "right", processes=3), project)
    assert sorted(r.player for r in found.records) == ["raises", "right", "right", "right"]
    assert len(found.plan) == 6


def test_a_case_that_cannot_be_made(project: Path) -> None:
    """The reason of the case reaches every player's record."""
    record = only(configured("right", case="echo.broken", params={}), project)
    assert record.status == "error"
    assert "the cloud is empty; give n >= 1" in record.reason
    record = only(configured("right", case="echo.no_number", params={}), project)
    assert record.status in ("error", "wrong_answer")


def test_names_that_do_not_exist(project: Path) -> None:
    """A wrong name of a case or a player gets near misses."""
    with pytest.raises(UnknownName, match=r"Did you mean 'echo\.numbers'"):
        session.perform(configured("right", case="echo.number"), project)
    with pytest.raises(UnknownName, match="Did you mean 'right'"):
        session.perform(configured("rihgt"), project)
    with pytest.raises(ConfigurationError, match="needs both task and command"):
        session.perform(configured("right", players={"mine": PlayerConfig(task="echo")}), project)


def test_the_same_seed_gives_the_same_inputs_and_trials(project: Path) -> None:
    """Two runs of one configuration have the same trials, input digests and answers, bit for bit."""
    first, second = (run(configured("right", processes=2), project) for _ in range(2))
    assert [t["trial"] for t in first.plan] == [t["trial"] for t in second.plan]
    assert [r.data for r in first.records] == [r.data for r in second.records]
    assert [r.check["answer"] for r in first.records] == [r.check["answer"] for r in second.records]
    other = run(configured("right", processes=2, seed=1), project)
    assert other.records[0].data["inputs"] != first.records[0].data["inputs"]


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


def test_two_runs_at_once(project: Path) -> None:
    """The second run is refused and told who holds the lock; with a wait it goes on afterwards."""
    with machine_lock("run other"), pytest.raises(Locked, match=r"run other.*lock_wait_s"):
        session.perform(configured("right"), project)
    assert only(configured("right", lock_wait_s=5.0), project).status == "ok"


MOMENTS: dict[str, Callable[[Path], bool]] = {
    "it was made": lambda folder: (folder / "run.json").exists(),
    "inputs are made": lambda folder: any(folder.glob("work/*/prepare.json")),
    "a player plays": lambda folder: any(folder.glob("work/*/diary")),
    "two records are in": lambda folder: (folder / "records.jsonl").read_bytes().count(b"\n") >= 2,
    "it is judged": lambda folder: "finished" in (folder / "run.json").read_text(),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_run_killed_at_any_moment_is_resumed(project: Path, moment: str) -> None:
    """SIGKILL; the resumed run keeps the old records, measures only the rest, and ends whole."""
    code = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1]); sys.path.insert(0, sys.argv[2])\n"
        "from test_runner import configured; from harness import session\n"
        "session.perform(configured('right', 'wrong', processes=3), Path.cwd())\n"
    )
    here = Path(__file__)
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(here.parents[3]), str(here.parent)], cwd=project, stderr=subprocess.DEVNULL
    )
    runs = project / "reports/runs"
    for _ in range(4000):
        if any((folder / "run.json").exists() and MOMENTS[moment](folder) for folder in runs.glob("*")):
            break
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    (folder,) = runs.glob("*")
    with open(folder / "records.jsonl", "ab") as file:
        file.write(b'{"schema": 1, "run": "torn')
    before = store.load(folder)
    assert before.torn
    session.perform(configured("right", "wrong", processes=3, resume=str(folder)), project)
    after = store.load(folder)
    assert after.records[: len(before.records)] == before.records
    assert sorted(r.trial for r in after.records) == sorted(t["trial"] for t in after.plan)
    assert "finished" in after.manifest
    session.perform(configured("right", "wrong", processes=3, resume=str(folder)), project)
    assert store.load(folder).records == after.records


def test_a_clock_set_back_loses_nothing(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wall clock that jumps back between two runs, or stands still, gives neither a lost run nor a negative time."""
    import datetime

    times = iter(datetime.datetime(2026, 1, day, tzinfo=datetime.UTC) for day in (9, 9, 3, 3, 3, 3))
    monkeypatch.setattr("harness.session._now", lambda: next(times))
    runs = [run(configured("right"), project) for _ in range(3)]
    assert len({one.name for one in runs}) == 3
    assert all(record.wall > 0 and min(record.samples) > 0 for one in runs for record in one.records)


def test_sigterm_stops_cleanly(project: Path) -> None:
    """SIGTERM ends the run at once with the way to go on, and keeps what was measured."""
    code = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1]); sys.path.insert(0, sys.argv[2])\n"
        "from test_runner import configured; from harness import session\n"
        "session.perform(configured('right', 'hangs', processes=1), Path.cwd())\n"
    )
    here = Path(__file__)
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(here.parents[3]), str(here.parent)],
        cwd=project,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(3)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=20)
    assert process.returncode != 0
    assert "Go on with: harness run resume=" in errors
    (folder,) = (project / "reports/runs").glob("*")
    assert "interrupted" in store.load(folder).manifest


def test_another_machine_does_not_resume(project: Path) -> None:
    """Times of two machines do not mix."""
    found = run(configured("right"), project)
    manifest = json.loads((found.path / "run.json").read_text())
    manifest["environment"]["key"] = "another"
    (found.path / "run.json").write_text(json.dumps(manifest))
    with pytest.raises(ConfigurationError, match="begun on another"):
        session.perform(configured("right", resume=str(found.path)), project)


def test_a_changed_case_does_not_resume(project: Path) -> None:
    """A case whose version was raised since is another question."""
    found = run(configured("right"), project)
    suite = project / "benchmarks" / "echo.py"
    suite.write_text(suite.read_text().replace("version=1", "version=2"))
    with pytest.raises(ConfigurationError, match="planned other trials"):
        session.perform(configured("right", resume=str(found.path)), project)


def test_a_full_disk(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When a record does not fit, the message says how to go on, and the records before are whole."""
    found = run(configured("right", processes=2), project)
    whole = (found.path / "records.jsonl").read_bytes()
    real = os.write

    def full(descriptor: int, data: Any) -> int:
        real(descriptor, bytes(data)[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("harness.files.os.write", full)
    with pytest.raises(StoreError, match=r"No space left on device.*resume="):
        found.append(found.records[0])
    assert (found.path / "records.jsonl").read_bytes() == whole


def test_a_read_only_folder(project: Path) -> None:
    """A runs folder that cannot be written is named, with the next step."""
    (project / "file").write_text("")
    with pytest.raises(StoreError, match="runs=FOLDER"):
        session.perform(configured("right", runs="file/runs"), project)
