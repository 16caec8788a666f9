"""The asv views of the embedder: found by asv, and right before they are timed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
DISCOVER = "import sys; from asv_runner.discovery import list_benchmarks; list_benchmarks('benchmarks', sys.stdout)"


def test_asv_finds_the_views_and_nothing_else() -> None:
    """Importing every module of the suite gives the two views, whose players run in this interpreter."""
    pytest.importorskip("asv_runner")
    done = subprocess.run([sys.executable, "-c", DISCOVER], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    found = {entry["name"]: entry for entry in json.loads(done.stdout) if entry["name"].startswith("embedding.")}
    prefix = "embedding.asv_embedding"
    assert set(found) == {f"{prefix}.Decode.time_solve", f"{prefix}.Prefill.time_solve"}
    assert "'tcs-embedder session'" in found[f"{prefix}.Decode.time_solve"]["params"][1]
    assert "'transformers'" not in found[f"{prefix}.Decode.time_solve"]["params"][1]


def test_a_view_is_set_up_with_a_right_answer() -> None:
    """The tiny graph is embedded and checked in the set-up."""
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    from benchmarks.embedding.asv_embedding import Decode

    view = Decode()
    view.setup(16, "tcs-embedder session")
    view.time_solve(16, "")
