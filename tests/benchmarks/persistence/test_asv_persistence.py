"""The asv views: asv itself finds and runs them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
DISCOVER = "import sys; from asv_runner.discovery import list_benchmarks; list_benchmarks('benchmarks', sys.stdout)"


@pytest.fixture(scope="module")
def found() -> dict[str, dict[str, Any]]:
    """Every benchmark that asv discovers under benchmarks/, by name."""
    pytest.importorskip("asv_runner")
    done = subprocess.run([sys.executable, "-c", DISCOVER], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return {entry["name"]: entry for entry in json.loads(done.stdout)}


def test_asv_finds_the_views_and_nothing_else(found: dict[str, dict[str, Any]]) -> None:
    """Importing every module of the suite gives the two views: nothing looks like a benchmark by accident."""
    prefix = "persistence.asv_persistence"
    assert {name for name in found if name.startswith("persistence.")} == {
        f"{prefix}.Torus.time_solve",
        f"{prefix}.AlphaCube.time_solve",
    }


def test_views_have_the_players_of_the_task_and_no_control(found: dict[str, dict[str, Any]]) -> None:
    """The axes are the size and the player; the version is the case's."""
    view = found["persistence.asv_persistence.Torus.time_solve"]
    assert view["param_names"] == ["n", "player"]
    assert view["version"].startswith("persistence.torus ")
    assert len(view["params"][1]) >= 4
    assert not [player for player in view["params"][1] if "control" in player]


def test_a_view_checks_the_answer_before_it_is_timed() -> None:
    """A right answer sets up; one that the case's check finds wrong raises, which asv shows as failed."""
    pytest.importorskip("ripser")
    pytest.importorskip("gudhi")
    from benchmarks.persistence.asv_persistence import Torus

    view = Torus()
    view.setup(1_000, next(name for name in Torus.params[1] if name.startswith("ripser")))
    view.time_solve(1_000, "")
    with pytest.raises(ValueError, match=r"answers persistence\.torus wrongly"):
        Torus().setup(1_000, "control float32 points")


def test_a_player_that_cannot_run_is_skipped() -> None:
    """asv takes NotImplementedError in the set-up as a skip; the reason is the harness's own."""
    from benchmarks.persistence.asv_persistence import KNOWN, Torus

    with pytest.raises(NotImplementedError, match="GPU"):
        Torus().setup(1_000, next(p.name for p in KNOWN.players.values() if p.device == "cuda"))
