"""A run folder of made-up records, to time the report and the verification of large runs."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from harness import store
from harness.case import CaseInfo, PlayerInfo
from harness.config import CaseConfig, GateConfig, RunConfig
from harness.discover import Registry
from harness.machine.environment import machine_key
from harness.record import Record, digest
from harness.trials.plan import Trial, plan

MACHINE: dict[str, Any] = {"cpu": {"model": "made up", "cores": 2}, "memory_bytes": 2**34, "gpus": [], "os": "Linux"}
PLAYERS, PROCESSES = 10, 10


def run_folder(folder: Path, count: int) -> Path:
    """Write a whole run with ``count`` records: 10 players, 10 processes each, as many instances as it takes."""
    draw = random.Random(0)
    sizes = list(range(1, count // (PLAYERS * PROCESSES) + 1))
    names = [f"player {index}" for index in range(PLAYERS)]
    known = Registry(
        cases={
            "made_up.case": CaseInfo(name="made_up.case", target="none:none", version=1, task="t", check="none:none")
        },
        players={name: PlayerInfo(name=name, task="t", engine=name) for name in names},
    )
    entry = CaseConfig(case="made_up.case", params={"n": list(sizes)}, processes=PROCESSES)
    gates = {"agree": GateConfig(title="All agree", kind="agreement", case="entry", processes=3)}
    config = RunConfig(phase="Made up", cases={"entry": entry}, gates=gates)
    trials = plan(config, known, threads=2)
    manifest = {
        "schema": 1,
        "run": "made-up",
        "phase": "Made up",
        "created": "2026-01-01T00:00:00+00:00",
        "harness": "0",
        "environment": {**MACHINE, "key": machine_key(MACHINE)},
        "git": {"commit": "0" * 40, "dirty": False},
    }
    run = store.create(folder, manifest=manifest, config=config, plan=[trial.to_dict() for trial in trials])
    for trial in trials:
        run.append(_record(trial, draw, run))
    return folder


def _record(trial: Trial, draw: random.Random, run: store.Run) -> Record:
    seconds = trial.params["n"] * 1e-3
    asked = {name: value for name, value in trial.to_dict().items() if name != "sampling"}
    return Record(
        **asked,
        run=run.name,
        status="ok",
        samples=[seconds * draw.lognormvariate(0, 0.05) for _ in range(20)],
        check={"oracle": "none", "ok": True, "exact": False, "detail": "", "answer": None},
        data={"inputs": digest(dict(trial.params)), "provenance": "synthetic", "sets": {}},
        memory={"host_peak": 10**8, "host_source": "VmHWM", "device_peak": None},
        environment=run.environment["key"],
        configuration=run.manifest["configuration"],
        git=run.manifest["git"],
        wall=seconds * 25,
    )
