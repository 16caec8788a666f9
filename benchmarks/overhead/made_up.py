"""A run folder of made-up records, to time the report and the verification of large runs."""

from __future__ import annotations

import random
from pathlib import Path

from harness import store
from harness.config import CaseConfig, GateConfig, RunConfig
from harness.plan import Trial, instance_name, trial_id
from harness.record import Record, digest

MACHINE = {"key": "made-up", "cpu": {"model": "made up", "cores": 2}, "memory_bytes": 2**34, "gpus": [], "os": "Linux"}
PLAYERS, PROCESSES = 10, 10


def run_folder(folder: Path, count: int) -> Path:
    """Write a whole run with ``count`` records: 10 players, 10 processes each, as many instances as it takes."""
    draw = random.Random(0)
    sizes = list(range(1, count // (PLAYERS * PROCESSES) + 1))
    players = [f"player {index}" for index in range(PLAYERS)]
    entry = CaseConfig(case="made_up.case", params={"n": sizes}, players=players, processes=PROCESSES)
    gates = {"agree": GateConfig(title="All agree", kind="agreement", case="entry", processes=3)}
    config = RunConfig(phase="Made up", cases={"entry": entry}, gates=gates)
    planned = []
    for n in sizes:
        for process in range(PROCESSES):
            for name in players:
                asked = {
                    "entry": "entry", "case": "made_up.case", "case_version": 1, "task": "t",
                    "instance": instance_name("entry", {"n": n}), "params": {"n": n}, "seed": 0, "player": name,
                    "engine": name, "role": "peer", "device": "cpu", "process": process, "threads": 2,
                    "limits": {"wall_s": 60.0, "memory_bytes": 2**32}, "sampling": {},
                }  # fmt: skip
                planned.append(Trial(trial=trial_id(asked), **asked))
    manifest = {
        "schema": 1, "run": "made-up", "phase": "Made up", "created": "2026-01-01T00:00:00+00:00", "harness": "0",
        "environment": MACHINE, "git": {"commit": "0" * 40, "dirty": False},
    }  # fmt: skip
    run = store.create(folder, manifest=manifest, config=config, plan=[trial.to_dict() for trial in planned])
    for trial in planned:
        values = {name: value for name, value in trial.to_dict().items() if name != "sampling"}
        run.append(_record(values, trial.params["n"] * 1e-3, draw, run))
    return folder


def _record(values: dict[str, object], seconds: float, draw: random.Random, run: store.Run) -> Record:
    samples = [seconds * draw.lognormvariate(0, 0.05) for _ in range(20)]
    return Record(
        run=run.name, status="ok", samples=samples, environment="made-up",
        check={"oracle": "none", "ok": True, "exact": False, "detail": "", "answer": None},
        configuration=run.manifest["configuration"], git=run.manifest["git"],
        data={"inputs": digest(values["params"]), "provenance": "synthetic", "sets": {}},
        memory={"host_peak": 10**8, "host_source": "VmHWM", "device_peak": None}, wall=seconds * 25, **values,  # type: ignore[arg-type]
    )  # fmt: skip
