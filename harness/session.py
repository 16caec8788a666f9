"""One run from its configuration to its report: plan, measure under the machine's lock, judge, write."""

from __future__ import annotations

import datetime
import itertools
import json
import os
import shutil
import signal
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness import __version__, answers, files, store
from harness.config import OF_THE_SESSION, VERDICTS, RunConfig
from harness.discover import registry
from harness.errors import ConfigurationError, HarnessError, Taken, WorkerError
from harness.machine import environment
from harness.machine.lock import machine_lock
from harness.project import git_state
from harness.record import DID_NOT_FINISH, SCHEMA
from harness.trials.plan import Trial, plan
from harness.trials.process import die_with
from harness.trials.progress import for_terminal
from harness.trials.runner import WORK, Runner
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
    state = git_state(project)
    what = f"run {Path(config.resume).name}" if config.resume else f"a run of {config.phase or 'no phase'}"
    with machine_lock(what, wait_s=config.lock_wait_s), stopped_by_sigterm():
        if config.resume:
            run = _resumed(Path(config.resume), trials, facts, state)
        else:
            run = _created(config, project, trials, facts, state)
        with store.held(run):
            return _perform(
                run, trials, Runner(run=run, registry=known, project=project, facts=facts, git=state), config
            )


def _perform(run: store.Run, trials: Sequence[Trial], runner: Runner, config: RunConfig) -> int:
    print(f"run {run.name}: {len(trials)} trials, {run.path}", file=sys.stderr, flush=True)
    try:
        measure(run, trials, runner, config.progress)
    except KeyboardInterrupt:
        _note(run, interrupted="stopped by a signal")
        print(
            f"\nstopped; {len(run.records)} of {len(trials)} trials are kept. "
            f"Go on with: harness run resume={run.path}",
            file=sys.stderr,
        )
        raise
    draw_answers(run, runner)
    _note(
        run,
        finished=_now().isoformat(timespec="seconds"),
        interrupted=None,
        head=run.records[-1].digest if run.records else "",
    )
    return _apart(lambda: conclude(run))


def measure(run: store.Run, trials: Sequence[Trial], runner: Runner, progress_kind: str = "none") -> None:
    """Play every trial that has no record yet, and append its record before the next one starts. Linear in trials."""
    done = {record.trial for record in run.records}
    gone = {(record.instance, record.player) for record in run.records if record.status in DID_NOT_FINISH}

    def waits(trial: Trial) -> bool:
        return trial.trial not in done and trial.pair not in gone

    left = Counter(trial.pair for trial in trials if waits(trial))
    progress = for_terminal(progress_kind, len(trials))
    try:
        for index, trial in enumerate(trials):
            if waits(trial):
                left[trial.pair] -= 1
                later = (trials[number] for number in range(index + 1, len(trials)))
                progress.begin(trial, next(filter(waits, later), None), left)
                record = run.append(runner.play(trial))
                if record.status in DID_NOT_FINISH:
                    gone.add(trial.pair)
                    del left[trial.pair]
                progress.done(trial, record)
            else:
                progress.done(trial, None)
            if index + 1 == len(trials) or trials[index + 1].instance != trial.instance:
                runner.forget(trial.instance)
    finally:
        progress.close()
    shutil.rmtree(run.path / WORK, ignore_errors=True)


def conclude(run: store.Run) -> int:
    """Judge the records, write the reports and print the verdicts; returns the exit status."""
    from harness import report
    from harness.judging import gates

    verdicts = gates.judge(run)
    report.write(run, verdicts)
    status = exit_status(verdicts)
    _print(run, verdicts, status)
    return status


def draw_answers(run: store.Run, runner: Runner) -> None:
    """One picture an instance, of the first right answer; a picture that fails is a note, never a failure."""
    folder = run.path / "plots"
    folder.mkdir(exist_ok=True)
    drawn: set[str] = set()
    for record in run.records:
        answer = record.check.get("answer")
        target = runner.registry.case(record.case).picture
        stem = folder / f"answer-{answers.stem(record.instance)}"
        if record.status != "ok" or not answer or not target or record.role == "control" or record.instance in drawn:
            continue
        drawn.add(record.instance)
        if stem.with_name(f"{stem.name}.svg").exists():
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


def _apart(work: Callable[[], int]) -> int:
    """Do the work in a child and return its status: the next run of a sweep finds its parent as lean as before."""
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getpid()
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    status = 1
    try:
        die_with(parent)
        status = work()
    except HarnessError as error:
        print(f"harness: {error}", file=sys.stderr)
    except BaseException:  # noqa: BLE001 - the edge of the child
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


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


def _created(
    config: RunConfig, project: Path, trials: Sequence[Trial], facts: dict[str, Any], state: dict[str, Any]
) -> store.Run:
    if not trials and not config.gates:
        raise ConfigurationError(
            "nothing to do: the configuration has neither cases nor gates; choose one with conf=NAME"
        )
    created = _now()
    stem = f"{created:%Y%m%d-%H%M%S}-{answers.slug(config.phase) or 'run'}"
    asked = replace(config, **{name: getattr(RunConfig(), name) for name in OF_THE_SESSION})
    manifest = {
        "schema": SCHEMA,
        "phase": config.phase,
        "project_name": project.name,
        "created": created.isoformat(timespec="seconds"),
        "harness": __version__,
        "environment": facts,
        "git": state,
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


def _resumed(path: Path, trials: Sequence[Trial], facts: dict[str, Any], state: dict[str, Any]) -> store.Run:
    """The run to go on with, if this machine, these packages and this code are the ones that it was begun with."""
    run = store.load(path)
    began = run.environment
    if began["key"] != facts["key"]:
        raise ConfigurationError(
            f"run {run.name} was begun on {began['key']}, this machine is {facts['key']}; "
            "times of two machines do not mix. Start a new run here"
        )
    commit = run.manifest["git"]["commit"]
    if state["commit"] != commit:
        raise ConfigurationError(
            f"run {run.name} was begun at commit {commit[:12] or 'none'}, the project is at "
            f"{state['commit'][:12] or 'none'} now; check out {commit[:12]} to go on, or start a new run"
        )
    for what in ("python", "packages"):
        if began.get(what) != facts.get(what):
            raise ConfigurationError(
                f"run {run.name} was begun with other versions: {_difference(began.get(what), facts.get(what))}. "
                "Install those again, or start a new run"
            )
    if [trial["trial"] for trial in run.plan] != [trial.trial for trial in trials]:
        raise ConfigurationError(
            f"run {run.name} planned other trials than its configuration gives now: a case's version or a "
            "player was changed since. Start a new run"
        )
    return run


def _difference(before: Any, now: Any) -> str:
    if isinstance(before, dict) and isinstance(now, dict):
        names = [name for name in sorted(before.keys() | now.keys()) if before.get(name) != now.get(name)]
        return ", ".join(f"{name} {before.get(name, 'absent')}, now {now.get(name, 'absent')}" for name in names[:5])
    return f"{before}, now {now}"


def _note(run: store.Run, **changes: Any) -> None:
    """Change the manifest; None removes a key."""
    values = {**run.manifest, **changes}
    run.manifest = {name: value for name, value in values.items() if value is not None}
    files.write_text(run.path / store.MANIFEST, json.dumps(run.manifest, indent=1))


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def _print(run: store.Run, verdicts: Sequence[Verdict], status: int) -> None:
    """The verdicts, those with one and the same reason together."""
    groups: dict[tuple[str, bool, str, str], list[str]] = {}
    for verdict in verdicts:
        key = (verdict.verdict, verdict.tolerated, verdict.reason, verdict.next_step)
        groups.setdefault(key, []).append(verdict.gate)
    for (word, tolerated, reason, step), gates in groups.items():
        names = ", ".join(gates[:6]) + (f" and {len(gates) - 6} more" if len(gates) > 6 else "")
        print(f"{word:13}{' (tolerated)' if tolerated else ''} {names}: {reason}")
        if step:
            print(f"{'':13} next: {step}")
    bad = sum(record.status != "ok" and record.role != "control" for record in run.records)
    counts = Counter(verdict.verdict for verdict in verdicts)
    print(", ".join(f"{counts[word]} {word}" for word in VERDICTS if counts[word]) or "no gates")
    print(f"{len(run.records)} records, {bad} of them not ok; report: {run.path / 'report.html'}; exit status {status}")
