"""The smoke test of the embedder: everything about its answers, on tiny models, in a run of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.embedding.models import PROVENANCE
from harness.case import Check, Problem, Stage, case, player

ROOT = Path(__file__).parents[2]


@case(version=1, task="embedding.smoke", check="benchmarks.embedding.smoke:sound")
def smoke(configuration: str = "embedding", seed: int = 0) -> Problem:
    """One run of a configuration of this project."""
    return Problem(inputs={"configuration": configuration}, provenance=PROVENANCE)


@player(
    name="tcs-embedder smoke",
    task="embedding.smoke",
    role="candidate",
    engine="tcs",
    packages={"onnxruntime": ">=1.23", "onnx": ">=1.18"},
    install="pip install -e '.[embedding,onnx]' -c constraints.txt",
    note="processes of the harness, report and verdicts are in the time",
)
def play(inputs: Mapping[str, Any], stage: Stage) -> Callable[[], Mapping[str, Any]]:
    """``harness run conf=...`` from its start to its report, with a lock and a folder of its own."""
    home = Path(tempfile.mkdtemp(prefix="smoke-"))
    argv = [sys.executable, "-m", "harness", "run", f"conf={inputs['configuration']}", "progress=none", f"runs={home}"]
    env = {**os.environ, "HARNESS_LOCK": str(home / "lock")}

    def solve() -> Mapping[str, Any]:
        done = subprocess.run(argv, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
        print(done.stdout[-2000:], done.stderr[-2000:])
        found = max(home.glob("*/verdicts.json"), key=lambda path: path.stat().st_mtime)
        verdicts = [each["verdict"] for each in json.loads(found.read_text())["verdicts"]]
        return {name: verdicts.count(name) for name in ("PASS", "FAIL", "INCONCLUSIVE", "BLOCKED", "OFF-CONDITION")}

    return solve


def sound(inputs: Mapping[str, Any], known: Mapping[str, Any], answer: Mapping[str, Any]) -> Check:
    """No gate failed or was undecided, and at least one passed; those that need real weights may be off condition."""
    counts = {name: int(value) for name, value in answer.items()}
    ok = counts["PASS"] > 0 and not counts["FAIL"] and not counts["INCONCLUSIVE"]
    said = ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "no verdict at all"
    return Check(ok=ok, oracle="verdicts of the run", detail="" if ok else said, exact=False)
