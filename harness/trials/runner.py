"""Plays trials: one fresh process each, from an instance's inputs to a record with a checked answer."""

from __future__ import annotations

import datetime
import json
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness import answers
from harness.case import PlayerInfo, place
from harness.config import OF_THE_USER
from harness.discover import Registry
from harness.errors import StoreError, WorkerError
from harness.machine import availability
from harness.machine.disturbance import interference, snapshot
from harness.record import Record
from harness.store import Run
from harness.trials.plan import Trial
from harness.trials.process import Outcome, supervise
from harness.trials.result import ending, log_tail, peak_memory, read_result, worst_metrics
from harness.trials.worker import PROTOCOL

WORK = "work"
LEAST_DISK = 2**20
REFEREE_WALL_S = 900.0
REFEREE_MEMORY = 16 * 2**30
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "RAYON_NUM_THREADS")


@dataclass(slots=True, kw_only=True)
class Runner:
    """Plays the trials of one run, one at a time.

    Attributes:
        run: where records go. ``registry``, ``project``: who plays. ``facts``: about this
            machine. ``git``: state of the project's code now.
    """

    run: Run
    registry: Registry
    project: Path
    facts: Mapping[str, Any]
    git: Mapping[str, Any]
    _prepared: dict[str, dict[str, Any]] = field(default_factory=dict)
    _checked: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    def play(self, trial: Trial) -> Record:
        """Play one trial; whatever the player does becomes a record (not yet stored).

        Raises:
            StoreError: the disk is full or read-only: that is nobody's result, so there is no record.
        """
        try:
            return self._play(trial)
        except OSError as error:
            raise self._no_room(error.strerror or str(error)) from error

    def _play(self, trial: Trial) -> Record:
        player = self.registry.player(trial.player)
        reason = availability.why_not(player, self.facts, self.project)
        if reason:
            return self._record(trial, {"status": "unavailable", "reason": reason}, None, {})
        prepared = self.prepare(trial)
        if "failed" in prepared:
            status = "unavailable" if prepared["failed"] == "data" else "error"
            reason = f"the inputs could not be made: {prepared['reason']}"
            return self._record(trial, {"status": status, "reason": reason}, None, {})
        folder = self._fresh(self.run.path / WORK / trial.trial)
        job = self._job(trial, player, prepared, folder)
        (folder / "job.json").write_text(json.dumps(job, indent=1))
        gpu = trial.device == "cuda"
        before = snapshot(gpu=gpu)
        argv = self._argv(player, folder)
        try:
            outcome = supervise(
                argv,
                cwd=folder,
                env=self._environment(player, trial.threads, folder),
                wall_s=trial.limits["wall_s"],
                memory_bytes=trial.limits["memory_bytes"],
            )
        except (FileNotFoundError, PermissionError) as error:
            result = {"status": "unavailable", "reason": f"cannot start {argv[0]}: {error.strerror}"}
            return self._record(trial, result, None, prepared["data"])
        disturbed = interference(before, snapshot(gpu=gpu))
        result = read_result(folder, outcome, trial, external=bool(player.command))
        if result.pop("disk", False) or (result["status"] == "error" and self._is_full()):
            raise self._no_room(str(result.get("reason")))
        if result["status"] == "ok":
            self._check(trial, result, prepared, folder)
        record = self._record(trial, result, outcome, prepared["data"], disturbed)
        shutil.rmtree(folder, ignore_errors=True)
        return record

    def _is_full(self) -> bool:
        found = os.statvfs(self.run.path)
        return found.f_bavail * found.f_frsize < LEAST_DISK or bool(found.f_flag & os.ST_RDONLY)

    def _no_room(self, what: str) -> StoreError:
        return StoreError(
            f"the run folder {self.run.path} cannot be written ({what}); what was measured before is intact. "
            f"Make room, then go on with: harness run resume={self.run.path}"
        )

    def forget(self, instance: str) -> None:
        """Drop the inputs of an instance that is done."""
        self._prepared.pop(instance, None)
        shutil.rmtree(self._instance(instance), ignore_errors=True)

    def referee(self, job: Mapping[str, Any], folder: Path) -> dict[str, Any]:
        """Run one job of :mod:`harness.trials.referee` in its own process.

        Raises:
            WorkerError: it died or ran into its limits.
        """
        result = folder / f"{job['mode']}-result.json"
        result.unlink(missing_ok=True)
        file = folder / f"{job['mode']}.json"
        file.write_text(json.dumps({**job, "project": str(self.project), "result": str(result)}))
        env = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH")])),
        }
        outcome = supervise(
            [sys.executable, "-P", "-m", "harness.trials.referee", str(file)],
            cwd=self.project,
            env=env,
            wall_s=REFEREE_WALL_S,
            memory_bytes=REFEREE_MEMORY,
        )
        if not result.is_file() and self._is_full():
            raise self._no_room(f"the referee's {job['mode']} could not write its result")
        if not result.is_file():
            raise WorkerError(
                f"the referee's {job['mode']} ended without a result ({ending(outcome)}):\n{outcome.log[-2000:]}"
            )
        values: dict[str, Any] = json.loads(result.read_text())
        return values

    def prepare(self, trial: Trial) -> dict[str, Any]:
        """Make the inputs of a trial's instance, once; ``failed`` is among the keys where that was not possible."""
        if trial.instance not in self._prepared:
            folder = self._fresh(self._instance(trial.instance))
            job = {
                "mode": "prepare",
                "target": self.registry.case(trial.case).target,
                "params": dict(trial.params),
                "seed": trial.seed,
                "brought": {name: getattr(self.run.config, name) for name in OF_THE_USER},
                "folder": str(folder),
            }
            try:
                self._prepared[trial.instance] = self.referee(job, folder)
            except WorkerError as error:
                self._prepared[trial.instance] = {"failed": "error", "reason": str(error)}
        return self._prepared[trial.instance]

    def _check(self, trial: Trial, result: dict[str, Any], prepared: Mapping[str, Any], folder: Path) -> None:
        """Check every distinct answer of a process; the first wrong one decides."""
        prints = result.get("fingerprints") or [""] * len(result["answers"])
        for answer, fingerprint in zip(result["answers"], prints, strict=True):
            known = self._checked.get((trial.instance, fingerprint)) if fingerprint else None
            if known is None:
                job = {
                    "mode": "check",
                    "check": self.registry.case(trial.case).check,
                    "inputs": prepared["inputs"],
                    "known": str(self._instance(trial.instance) / "known.json"),
                    "answer": answer,
                    "folder": str(folder),
                    "answers": str(self.run.path / "answers"),
                }
                try:
                    known = self.referee(job, folder)
                except WorkerError as error:
                    known = {"failed": "error", "reason": str(error)}
                if fingerprint:
                    self._checked[trial.instance, fingerprint] = known
            if "failed" in known:
                result.update(status="error", reason=f"the answer could not be checked: {known['reason']}")
                return
            before = result.get("check", known["check"])
            result["check"] = known["check"]
            result["metrics"] = worst_metrics(result.get("metrics", {}), known["metrics"])
            if not known["check"]["ok"]:
                result.update(status="wrong_answer", reason=known["check"]["detail"])
                return
            if known["check"]["exact"] and before["answer"] != known["check"]["answer"]:
                result["check"] = {**known["check"], "ok": False, "detail": "two calls gave two different answers"}
                result.update(status="wrong_answer", reason="two calls of one process gave two different answers")
                return

    def _job(self, trial: Trial, player: PlayerInfo, prepared: Mapping[str, Any], folder: Path) -> dict[str, Any]:
        (folder / "answer").mkdir()
        (folder / "inputs").symlink_to(self._instance(trial.instance) / "inputs")
        return {
            "protocol": PROTOCOL,
            "trial": trial.trial,
            "case": trial.case,
            "task": trial.task,
            "params": dict(trial.params),
            "seed": trial.seed,
            "process": trial.process,
            "threads": trial.threads,
            "device": trial.device,
            "sampling": dict(trial.sampling),
            "inputs": prepared["inputs"],
            "result": str(folder / "result.json"),
            "project": str(self.project),
            "target": player.target,
            "packages": list(player.packages),
        }

    def _argv(self, player: PlayerInfo, folder: Path) -> list[str]:
        """Programs are looked up from the project, since the child itself works in its job folder."""
        if player.command:
            command = player.command if any("{job}" in part for part in player.command) else (*player.command, "{job}")
            program, *rest = (place(part, str(self.project), str(folder)) for part in command)
            return [availability.executable(program, self.project) or program, *rest]
        interpreter = (
            availability.executable(player.interpreter, self.project) if player.interpreter else sys.executable
        )
        worker = Path(__file__).with_name("worker.py")
        return [interpreter or player.interpreter, str(worker), str(folder / "job.json")]

    def _environment(self, player: PlayerInfo, threads: int, folder: Path) -> dict[str, str]:
        foreign = bool(player.interpreter or player.command)
        kept = {
            k: v for k, v in os.environ.items() if not (foreign and k in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"))
        }
        return {
            **kept,
            **dict.fromkeys(_THREADS, str(threads)),
            "PYTHONHASHSEED": "0",
            "TMPDIR": str(folder),
            **player.env,
        }

    def _instance(self, instance: str) -> Path:
        return self.run.path.resolve() / WORK / answers.stem(instance)

    def _fresh(self, folder: Path) -> Path:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

    def _record(
        self,
        trial: Trial,
        result: Mapping[str, Any],
        outcome: Outcome | None,
        data: Mapping[str, Any],
        disturbed: Mapping[str, Any] | None = None,
    ) -> Record:
        asked = {name: value for name, value in trial.to_dict().items() if name != "sampling"}
        wall = outcome.wall if outcome else 0.0
        started = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=wall)
        return Record(
            run=self.run.name,
            **asked,
            player_version=str(result.get("version", ""))[:200],
            data=dict(data),
            status=result["status"],
            reason=str(result.get("reason", ""))[:1000],
            warmup=result.get("warmup", ()),
            samples=result.get("samples", ()),
            number=result.get("number", 1),
            cold=result.get("cold", False),
            unfinished=result.get("unfinished", 0.0),
            clock=result.get("clock", "wall"),
            cpu=result.get("cpu", ()),
            stages=result.get("stages", {}),
            metrics=result.get("metrics", {}),
            check=result.get("check", {}),
            repeatable=result.get("repeatable"),
            memory=peak_memory(result.get("memory"), outcome),
            interference=dict(disturbed or {}),
            environment=self.facts["key"],
            configuration=self.run.manifest["configuration"],
            git=dict(self.git),
            started=started.isoformat(timespec="seconds"),
            wall=wall,
            setup=result.get("setup", 0.0),
            log=log_tail(outcome) if outcome else "",
        )
