"""One run from its configuration to its report: plan, measure under the machine's lock, judge, write."""

from __future__ import annotations

import datetime
import itertools
import json
import shutil
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness import __version__, store
from harness.config import OF_THE_SESSION, RunConfig
from harness.discover import Registry, registry
from harness.errors import ConfigurationError, Taken, WorkerError
from harness.machine import environment
from harness.machine.lock import machine_lock
from harness.project import git_state
from harness.record import DID_NOT_FINISH, SCHEMA
from harness.trials.plan import Trial, plan
from harness.trials.progress import for_terminal
from harness.trials.runner import WORK, Runner, slug
from harness.verdict import Verdict, exit_status


def perform(config: RunConfig, project: Path) -> int:
    """Do a whole run, or what is left of one, and return its exit status.

    Raises:
        HarnessError: the configuration makes no sense, the folder cannot be written, the lock is taken.
        KeyboardInterrupt: stopped by Ctrl-C or SIGTERM; what was measured is kept.
    """
    facts = environment.facts(project)
    known = registry(project, config.players)
    trials = plan(config, known, threads=int(facts["cpu"]["cores"]))
    run = _resumed(config, project, trials, facts) if config.resume else None
    if run is None:
        run = _created(config, project, trials, facts)
    print(f"run {run.name}: {len(trials)} trials, {run.path}", file=sys.stderr, flush=True)
    with machine_lock(f"run {run.name}", wait_s=config.lock_wait_s), stopped_by_sigterm():
        store.cut_torn_line(run)
        try:
            measure(run, trials, Runner(run=run, registry=known, project=project, facts=facts), config.progress)
        except KeyboardInterrupt:
            _note(run, interrupted="stopped by a signal")
            print(
                f"\nstopped; {len(run.records)} of {len(trials)} trials are kept. "
                f"Go on with: harness run resume={run.path}",
                file=sys.stderr,
            )
            raise
    draw_answers(run, known, project)
    return conclude(run)


def measure(run: store.Run, trials: Sequence[Trial], runner: Runner, progress_kind: str = "none") -> None:
    """Play every trial that has no record yet, and append its record before the next one starts."""
    done = {record.trial for record in run.records}
    gone = {(record.instance, record.player) for record in run.records if record.status in DID_NOT_FINISH}
    progress = for_terminal(progress_kind, len(trials))
    try:
        for index, trial in enumerate(trials):
            if trial.trial in done or (trial.instance, trial.player) in gone:
                progress.done(trial, None)
            else:
                following = [
                    t for t in trials[index + 1 :] if (t.instance, t.player) not in gone and t.trial not in done
                ]
                progress.begin(trial, following)
                record = run.append(runner.play(trial))
                if record.status in DID_NOT_FINISH:
                    gone.add((trial.instance, trial.player))
                progress.done(trial, record)
            if index + 1 == len(trials) or trials[index + 1].instance != trial.instance:
                runner.forget(trial.instance)
    finally:
        progress.close()
    shutil.rmtree(run.path / WORK, ignore_errors=True)


def conclude(run: store.Run) -> int:
    """Judge the records, write the reports and print the verdicts; returns the exit status."""
    from harness import report
    from harness.judging import gates

    _note(
        run,
        finished=_now().isoformat(timespec="seconds"),
        interrupted=None,
        head=run.records[-1].digest if run.records else "",
    )
    verdicts = gates.judge(run)
    report.write(run, verdicts)
    status = exit_status(verdicts)
    _print(run, verdicts, status)
    return status


def draw_answers(run: store.Run, known: Registry, project: Path) -> None:
    """One picture an instance, of the first right answer; a picture that fails is a note, never a failure."""
    folder = run.path / "plots"
    folder.mkdir(exist_ok=True)
    runner = Runner(run=run, registry=known, project=project, facts=run.environment)
    drawn: set[str] = set()
    for record in run.records:
        answer = record.check.get("answer")
        target = known.case(record.case).picture
        stem = folder / f"answer-{slug(record.instance)}"
        if record.status != "ok" or not answer or not target or record.role == "control" or record.instance in drawn:
            continue
        drawn.add(record.instance)
        if stem.with_suffix(".svg").exists():
            continue
        job = {
            "mode": "picture",
            "picture": target,
            "answer": str(run.path / "answers" / f"{answer}.npz"),
            "title": record.instance,
            "stem": str(stem),
        }
        try:
            failed = runner.referee(job, folder).get("reason")
        except WorkerError as error:
            failed = str(error)
        if failed:
            print(f"note: no picture of {record.instance}: {failed}", file=sys.stderr)
    for leftover in folder.glob("picture*.json"):
        leftover.unlink()


@contextmanager
def stopped_by_sigterm() -> Iterator[None]:
    """SIGTERM stops a run as Ctrl-C does: children killed, records kept."""

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _created(config: RunConfig, project: Path, trials: Sequence[Trial], facts: dict[str, Any]) -> store.Run:
    if not trials and not config.gates:
        raise ConfigurationError(
            "nothing to do: the configuration has neither cases nor gates; choose one with conf=NAME"
        )
    created = _now()
    stem = f"{created:%Y%m%d-%H%M%S}-{slug(config.phase) or 'run'}"
    asked = replace(config, **{name: getattr(RunConfig(), name) for name in OF_THE_SESSION})
    manifest = {
        "schema": SCHEMA,
        "phase": config.phase,
        "project_name": project.name,
        "created": created.isoformat(timespec="seconds"),
        "harness": __version__,
        "environment": facts,
        "git": git_state(project),
    }
    for count in itertools.count(1):
        name = stem if count == 1 else f"{stem}-{count}"
        try:
            return store.create(
                project / config.runs / name,
                manifest={**manifest, "run": name},
                config=asked,
                plan=[trial.to_dict() for trial in trials],
            )
        except Taken:
            continue
    raise AssertionError("unreachable")


def _resumed(config: RunConfig, project: Path, trials: Sequence[Trial], facts: dict[str, Any]) -> store.Run:
    run = store.load(Path(str(config.resume)))
    if run.environment["key"] != facts["key"]:
        raise ConfigurationError(
            f"run {run.name} was begun on {run.environment['key']}, this machine is {facts['key']}; "
            "times of two machines do not mix. Start a new run here"
        )
    planned = [trial["trial"] for trial in run.plan]
    if planned != [trial.trial for trial in trials]:
        raise ConfigurationError(
            f"run {run.name} planned other trials than its configuration gives now: a case's version or a "
            "player was changed since. Start a new run, or check out the commit "
            f"{run.manifest['git']['commit'][:12]}"
        )
    return run


def _note(run: store.Run, **changes: Any) -> None:
    """Change the manifest; None removes a key."""
    values = {**run.manifest, **changes}
    run.manifest = {name: value for name, value in values.items() if value is not None}
    store.write_text(run.path / store.MANIFEST, json.dumps(run.manifest, indent=1))


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def _print(run: store.Run, verdicts: Sequence[Verdict], status: int) -> None:
    for verdict in verdicts:
        mark = " (tolerated)" if verdict.tolerated else ""
        print(f"{verdict.verdict:13}{mark} {verdict.gate}: {verdict.reason}")
        if verdict.next_step:
            print(f"{'':13} next: {verdict.next_step}")
    bad = sum(record.status != "ok" and record.role != "control" for record in run.records)
    print(f"{len(run.records)} records, {bad} of them not ok; report: {run.path / 'report.html'}; exit status {status}")
