"""Made-up records and runs for the tests: every field has a sound default, each test names what it changes."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from harness import __version__, files, store
from harness.config import CaseConfig, GateConfig, RunConfig
from harness.machine.environment import machine_key
from harness.record import Record, digest

MACHINE = {
    "key": "test-machine",
    "cpu": {"model": "Test CPU", "cores": 2},
    "memory_bytes": 24 * 2**30,
    "gpus": [],
    "os": "Linux",
    "python": "3.11.7",
    "packages": {"numpy": "2.4.6"},
}


def record(**changes: Any) -> Record:
    """A sound record; ``n`` and ``player`` shape the ids unless those are given."""
    player = changes.get("player", "ripser.py")
    params = changes.get("params", {"n": 1000, "k": 20})
    entry = changes.get("entry", "torus")
    label = ",".join(f"{name}={value}" for name, value in sorted(params.items()))
    process = changes.get("process", 0)
    values: dict[str, Any] = {
        "run": "run-1",
        "trial": digest([entry, params, player, process])[:16],
        "entry": entry,
        "case": "persistence.torus",
        "instance": f"{entry}[{label}]",
        "case_version": 1,
        "params": params,
        "task": "persistence.rips",
        "seed": 0,
        "player": player,
        "player_version": "1.0",
        "engine": player,
        "status": "ok",
        "limits": {"wall_s": 60.0, "memory_bytes": 2**32},
        "warmup": [0.12],
        "samples": [0.1, 0.101, 0.099],
        "cpu": [0.1, 0.1, 0.1],
        "stages": {"neighbours": [0.02, 0.02, 0.02], "reduction": [0.08, 0.08, 0.08]},
        "check": {
            "oracle": "known counts",
            "ok": True,
            "detail": "",
            "distance": 0.0,
            "tolerance": 0.0,
            "exact": True,
            "answer": "a" * 64,
        },
        "repeatable": True,
        "memory": {"host_peak": 100 * 2**20, "host_source": "VmHWM", "device_peak": None},
        "data": {"inputs": "b" * 64, "provenance": "synthetic", "sets": {}},
        "interference": {"load": 0.1, "steal": 0.0, "throttled": 0, "foreign_gpu": []},
        "environment": "test-machine",
        "configuration": "c" * 64,
        "git": {"commit": "d" * 40, "dirty": False},
        "started": "2026-11-21T00:00:00+00:00",
        "wall": 0.5,
        "setup": 0.1,
    }
    return Record(**{**values, **changes})


def run(folder: Path, records: list[Record], *, gates: dict[str, GateConfig] | None = None, **config: Any) -> store.Run:
    """A whole run folder that holds these records and nothing else."""
    entries = sorted({r.entry for r in records})
    settings = RunConfig(
        phase="Test",
        cases=config.pop("cases", {entry: CaseConfig(case="persistence.torus") for entry in entries}),
        gates=gates or {},
        **config,
    )
    plan = [
        {"trial": r.trial, "entry": r.entry, "instance": r.instance, "player": r.player, "process": r.process}
        for r in records
    ]
    manifest = {
        "schema": 1,
        "run": "run-1",
        "created": "2026-11-21T00:00:00+00:00",
        "harness": "0.1.0",
        "environment": MACHINE,
        "git": {"commit": "d" * 40, "dirty": False},
    }
    made = store.create(folder, manifest=manifest, config=settings, plan=plan)
    for one in records:
        made.append(one)
    return made


def finished(
    folder: Path,
    *,
    seconds: Mapping[str, float],
    params: Mapping[str, Sequence[Any]] | None = None,
    processes: int = 3,
    gates: Mapping[str, GateConfig] | None = None,
    status: Mapping[str, str] | None = None,
    answer: float = 1.0,
    case_version: int = 1,
) -> store.Run:
    """A finished run that verifies: planned, measured (1 % apart), answered, judged; ready to be tampered with.

    Args:
        seconds: player to its time. ``params``: the grid. ``status``: of players that do not finish.
        answer: content of the one answer that all give. ``case_version``: of the case.
    """
    import json

    import numpy

    from harness import answers
    from harness.judging.gates import judge
    from harness.report import judgement
    from harness.trials.plan import instance_name, trial_id

    grid = {name: list(values) for name, values in (params or {"n": [1000]}).items()}
    entry = CaseConfig(case="persistence.torus", params=grid, players=list(seconds), processes=processes)
    config = RunConfig(phase="Test", cases={"torus": entry}, gates=dict(gates or {}))
    plan: list[dict[str, Any]] = []
    for values in itertools.product(*grid.values()):
        chosen = dict(zip(grid, values, strict=True))
        for process, player in itertools.product(range(processes), seconds):
            trial: dict[str, Any] = {
                "entry": "torus",
                "case": "persistence.torus",
                "case_version": case_version,
                "task": "persistence.rips",
                "instance": instance_name("torus", chosen),
                "params": chosen,
                "seed": 0,
                "player": player,
                "engine": player,
                "role": "candidate" if player == "tcs" else "peer",
                "device": "cpu",
                "process": process,
                "threads": 1,
                "limits": {"wall_s": 60.0, "memory_bytes": 4 * 2**30},
                "sampling": asdict(entry.sampling),
            }
            plan.append({"trial": trial_id(trial), **trial})
    manifest: dict[str, Any] = {
        "schema": 1,
        "run": "run-1",
        "created": "2026-11-21T00:00:00+00:00",
        "harness": __version__,
        "environment": {**MACHINE, "key": machine_key(MACHINE)},
        "git": {"commit": "d" * 40, "dirty": False},
    }
    made = store.create(folder, manifest=manifest, config=config, plan=plan)
    name = answers.save(folder / "answers", {"h1": numpy.array([[0.0, answer]])})
    gone: set[tuple[str, str]] = set()
    for trial in plan:
        if (trial["instance"], trial["player"]) in gone:
            continue
        how = (status or {}).get(trial["player"], "ok")
        each = seconds[trial["player"]] * (1 + 0.01 * (trial["process"] % 3 - 1))
        asked = {key: value for key, value in trial.items() if key != "sampling"}
        found: dict[str, Any] = {"samples": [each], "warmup": [each], "wall": 3 * each + 1, "status": how}
        found["check"] = {"oracle": "known counts", "ok": True, "detail": "", "exact": True, "answer": name}
        if how != "ok":
            gone.add((trial["instance"], trial["player"]))
            found.update(samples=(), warmup=(), check={}, reason=f"{how} for a test")
        made.append(
            record(
                **asked,
                **found,
                environment=manifest["environment"]["key"],
                configuration=made.manifest["configuration"],
            )
        )
    made.manifest.update(finished="2026-11-21T01:00:00+00:00", head=made.records[-1].digest if made.records else "")
    files.write_text(folder / store.MANIFEST, json.dumps(made.manifest))
    files.write_text(folder / "verdicts.json", judgement.render(made, judge(made)))
    return made
