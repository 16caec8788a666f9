"""A target is loaded from the project that names it, and from no other."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_a_projects_benchmarks_win(tmp_path: Path) -> None:
    """Where this repository's own benchmarks are on the path, too, the user's project is the one that is loaded."""
    suite = tmp_path / "benchmarks" / "mine"
    suite.mkdir(parents=True)
    (suite / "cases.py").write_text("WHERE = __file__\n")
    code = f"from harness.trials.target import load; print(load('benchmarks.mine.cases:WHERE', {str(tmp_path)!r}))"
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(suite / "cases.py")


def test_the_worker_takes_nothing_from_the_main_environment(tmp_path: Path) -> None:
    """Until the player's module is imported, the worker has imported the standard library and light parts only."""
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "spy.py").write_text(
        "import sys\n"
        "HEAVY = {'numpy', 'hydra', 'yaml', 'pandas', 'scipy'}\n"
        "SEEN = sorted(HEAVY & set(sys.modules))\n"
        "def play(inputs, stage):\n    raise RuntimeError(f'seen {SEEN}')\n"
    )
    result = tmp_path / "result.json"
    asked = {
        "target": "benchmarks.spy:play",
        "project": str(tmp_path),
        "result": str(result),
        "inputs": {},
        "threads": 1,
    }
    job = tmp_path / "job.json"
    job.write_text(json.dumps({**asked, "device": "cpu", "packages": [], "sampling": {}}))
    worker = ROOT / "harness" / "trials" / "worker.py"
    subprocess.run([sys.executable, "-P", "-S", str(worker), str(job)], cwd=tmp_path, check=True, capture_output=True)
    assert "seen []" in result.read_text()
