"""Made-up records and runs for the tests: every field has a sound default, each test names what it changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness import store
from harness.config import CaseConfig, GateConfig, RunConfig
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
