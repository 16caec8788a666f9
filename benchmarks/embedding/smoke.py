"""The smoke test of the embedder: everything about its answers, on tiny models, in a run of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.embedding.models import PROVENANCE
from harness import store
from harness.case import Check, Problem, Stage, case, player
from harness.record import Record

ROOT = Path(__file__).parents[2]


@case(version=1, task="embedding.smoke", check="benchmarks.embedding.smoke:sound")
def smoke(seed: int = 0) -> Problem:
    """Every case of ``conf=embedding``, each player once."""
    import yaml

    keys = sorted(yaml.safe_load((ROOT / "conf/cases/embedding_phase1.yaml").read_text(encoding="utf-8")))
    return Problem(inputs={"cases": " ".join(keys)}, provenance=PROVENANCE)


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
    """``harness run conf=embedding`` from its start to its report, with a lock and a folder of its own."""
    home = Path(tempfile.mkdtemp(prefix="smoke-"))
    once = [f"cases.{key}.processes=1" for key in inputs["cases"].split()]
    argv = [sys.executable, "-m", "harness", "run", "conf=embedding", "progress=none", f"runs={home}", *once]
    env = {**os.environ, "HARNESS_LOCK": str(home / "lock")}

    def solve() -> Mapping[str, Any]:
        done = subprocess.run(argv, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
        print(done.stdout[-2000:], done.stderr[-2000:])
        counts = dict.fromkeys(("right", "unavailable", "caught", "wrong", "missed"), 0)
        run = max(home.glob("*/run.json"), key=lambda path: path.stat().st_mtime).parent
        for record in store.load(run).records:
            counts[said(record)] += 1
        return counts

    return solve


def said(record: Record) -> str:
    """What a record says of its player; those of planted bugs must be wrong."""
    if record.status == "unavailable":
        return record.status
    if record.role == "control":
        return "caught" if record.status == "wrong_answer" else "missed"
    return "right" if record.status == "ok" else "wrong"


def sound(inputs: Mapping[str, Any], known: Mapping[str, Any], answer: Mapping[str, Any]) -> Check:
    """Every player was right and every planted bug caught; what needs packages or data that are not here may lack."""
    counts = {name: int(value) for name, value in answer.items()}
    ok = counts["right"] > 0 and counts["caught"] > 0 and not counts["wrong"] and not counts["missed"]
    said = ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "nothing was played"
    return Check(ok=ok, oracle="records of the run", detail="" if ok else said, exact=False)
