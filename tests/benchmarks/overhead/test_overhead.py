"""The suite that measures the harness: its answers are checked like anybody's."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.overhead import cases, made_up, outside, players
from harness import store

ROOT = Path(__file__).parents[3]


@contextlib.contextmanager
def stage(name: str) -> Iterator[None]:
    """A stage that times nothing."""
    yield


@pytest.mark.parametrize("work", sorted(outside.LOOPS))
def test_the_loops_arrive_at_what_is_known(work: str) -> None:
    """Each loop's total is found by another way, and the same function is timed inside and outside."""
    inside = players.inside({"work": work, "steps": 1000}, stage)
    assert inside()["total"] == outside.LOOPS[work](1000) == cases.total_of(work, 1000) != cases.total_of(work, 999)


def test_the_loop_outside_speaks_the_protocol(tmp_path: Path) -> None:
    """It reads a job and leaves thirty samples and the right sum."""
    (tmp_path / "job.json").write_text(json.dumps({"inputs": {"work": "add", "steps": 10}}))
    subprocess.run([sys.executable, outside.__file__, str(tmp_path)], check=True)
    result = json.loads((tmp_path / "result.json").read_text())
    assert (len(result["samples"]), result["answer"]) == (30, {"total": 45})
    assert cases.counted({}, {"total": 45}, result["answer"]).ok
    assert not cases.counted({}, {"total": 46}, result["answer"]).ok


@pytest.mark.parametrize("verb", ["--help", "list", "run --help"])
def test_the_verbs_end_well(verb: str) -> None:
    """The timed verbs answer; a verb that does not exist is told from one that does."""
    answer = players.verb({"verb": verb}, stage)()
    assert cases.ended_well({}, {}, answer).ok, answer
    assert not cases.ended_well({}, {}, players.verb({"verb": "lits"}, stage)()).ok


def test_a_small_run_gives_its_costs() -> None:
    """Every trial has its record, and the three costs are positive and small enough to be costs."""
    answer = players.small_run({"count": 3}, stage)()
    found = cases.small_costs({"count": 3}, {}, answer)
    assert found.ok
    assert {name: 0 <= metric["value"] < 5 for name, metric in found.metrics.items()} == {
        "first_trial": True,
        "trial_cost": True,
        "parent_share": True,
    }
    assert not cases.small_costs({"count": 4}, {}, answer).ok
    assert answer["first_trial"] > 0.2, "Hydra alone takes longer than that: what was timed is not `harness run`"


def test_a_repeated_run_is_the_same() -> None:
    """repeat= gives the same trials, inputs and answers (row H1)."""
    answer: dict[str, Any] = dict(players.repeat({"count": 2}, stage)())
    assert answer == {"differences": 0, "compared": 2}


def test_a_made_up_run_is_whole_and_verifies(tmp_path: Path) -> None:
    """As many records as asked, chained and planned; reported and verified without a finding."""
    folder = made_up.run_folder(tmp_path / "run", 200)
    assert len(store.load(folder).records) == 200
    answer = players.report_and_verify({"count": 200}, stage)()
    found = cases.sound({}, {}, answer)
    assert found.ok, found.detail
