"""A run from its configuration to its end: resumed after any death, refused where its records would not fit."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, strategies as st

import fabricate
import sessions
from harness import session, store
from harness.config import PlayerConfig
from harness.errors import ConfigurationError, Locked, StoreError, UnknownName
from harness.machine.lock import machine_lock
from harness.record import Record
from harness.trials.plan import Trial
from sessions import configured, only, run


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with the suite of misbehaving players."""
    return sessions.project(tmp_path, monkeypatch)


def test_a_failed_player_is_not_tried_again(project: Path) -> None:
    """After a player did not finish, its other processes on that instance are left out; others go on."""
    found = run(configured("raises", "right", processes=3), project)
    assert sorted(r.player for r in found.records) == ["raises", "right", "right", "right"]
    assert len(found.plan) == 6


class Watch:
    """A display of the progress that keeps what it is told: the trial, the next one, and what is left by pair."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, dict[tuple[str, str], int]]] = []

    def begin(self, trial: Trial, upcoming: Trial | None, left: Mapping[tuple[str, str], int]) -> None:
        """A trial starts."""
        remaining = {pair: number for pair, number in left.items() if number}
        self.told.append((trial.trial, upcoming.trial if upcoming else "", remaining))

    def done(self, trial: Trial, record: Record | None) -> None:
        """A trial ended."""

    def close(self) -> None:
        """The run is over."""


class Counted(Sequence[Trial]):
    """Trials that count how many of them were looked at."""

    def __init__(self, trials: Sequence[Trial]) -> None:
        self.trials, self.looks = trials, 0

    def __len__(self) -> int:
        return len(self.trials)

    def __getitem__(self, index: Any) -> Any:
        found = self.trials[index]
        self.looks += len(found) if isinstance(index, slice) else 1
        return found


def trial(number: int, instance: str, player: str) -> Trial:
    """The trial of a number."""
    asked = {"entry": "c", "case": "s.c", "case_version": 1, "task": "t", "params": {}, "seed": 0, "threads": 1}
    who = {"player": player, "engine": player, "role": "peer", "device": "cpu", "process": number}
    return Trial(trial=str(number), instance=instance, **asked, **who)  # type: ignore[arg-type]


def ended(trial: Trial, status: str) -> Record:
    """The record of a trial."""
    return fabricate.record(trial=trial.trial, instance=trial.instance, player=trial.player, status=status)


def measured(trials: Sequence[Trial], statuses: Sequence[str], before: Sequence[Record] = ()) -> Watch:
    """Measure trials, the one of each number ending with the status of that number; what the display was told."""
    watch, records = Watch(), list(before)
    run: Any = SimpleNamespace(records=records, append=lambda record: record, path=Path("no-such-run"))
    runner: Any = SimpleNamespace(
        play=lambda trial: ended(trial, statuses[int(trial.trial)]), forget=lambda instance: None
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("harness.session.for_terminal", lambda kind, total: watch)
        session.measure(run, trials, runner)
    return watch


PLAYED = st.tuples(st.sampled_from("xyz"), st.sampled_from("ab"), st.sampled_from(["ok", "error"]), st.booleans())


@given(st.lists(PLAYED, max_size=12))
def test_what_follows_a_trial(asked: list[tuple[str, str, str, bool]]) -> None:
    """The next one and the numbers left are those of all later trials that have no record and no failed player."""
    trials = [trial(number, instance, player) for number, (instance, player, _, _) in enumerate(asked)]
    statuses = [status for _, _, status, _ in asked]
    known = [ended(one, status) for one, (_, _, status, before) in zip(trials, asked, strict=True) if before]
    done = {record.trial for record in known}
    gone = {(record.instance, record.player) for record in known if record.status == "error"}
    expected = []
    for index, one in enumerate(trials):
        if one.trial in done or one.pair in gone:
            continue
        later = [t for t in trials[index + 1 :] if t.trial not in done and t.pair not in gone]
        expected.append((one.trial, later[0].trial if later else "", Counter(t.pair for t in later)))
        if statuses[index] == "error":
            gone.add(one.pair)
    assert measured(trials, statuses, known).told == expected


def test_the_work_between_trials_does_not_grow_with_their_number() -> None:
    """All in all each trial is looked at a few times, whoever fails meanwhile."""
    trials = Counted([trial(number, str(number // 50), "ab"[number % 2]) for number in range(1000)])
    assert len(measured(trials, ["ok", "error"] * 500).told) == 520
    assert trials.looks < 8 * len(trials)


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
        "from sessions import configured; from harness import session\n"
        "session.perform(configured('right', 'wrong', processes=3), Path.cwd())\n"
    )
    here = Path(__file__)
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(here.parents[2]), str(here.parents[1])], cwd=project, stderr=subprocess.DEVNULL
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
        "from sessions import configured; from harness import session\n"
        "session.perform(configured('right', 'hangs', processes=1), Path.cwd())\n"
    )
    here = Path(__file__)
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(here.parents[2]), str(here.parents[1])],
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


def test_another_commit_or_version_does_not_resume(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run's records come from one state of the code and one set of packages."""
    found = run(configured("right"), project)
    monkeypatch.setattr("harness.session.git_state", lambda project: {"commit": "f" * 40, "dirty": False})
    with pytest.raises(ConfigurationError, match="begun at commit"):
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
