"""Many small clouds: every player gives each cloud its own bars, and the check sees what is wrong with an answer."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from benchmarks.persistence import batches, oracle
from benchmarks.persistence.batches import as_batch_answer, batch, tori
from benchmarks.persistence.neighbours import neighbours
from harness.case import Problem
from playing import KNOWN, answer

PLAYERS = sorted(name for name in KNOWN.answering("persistence.rips_batch") if KNOWN.player(name).device == "cpu")
SOUND = [name for name in PLAYERS if KNOWN.player(name).role != "control"]


def small() -> Problem:
    """Clouds of 12 points, some of them twice, which the textbook reduces."""
    points = np.random.default_rng(0).integers(0, 6, (9, 12, 2)).astype(float)
    return Problem(inputs={"points": points, "threshold": 2.6, "max_dimension": 1})


def right(problem: Problem) -> dict[str, Any]:
    return as_batch_answer([oracle.rips(task.points, task.threshold, 1) for task in batches.tasks(problem.inputs)], 2)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("player", SOUND)
def test_each_cloud_has_the_bars_of_the_textbook(player: str, threads: int) -> None:
    problem = small()
    found = batch(problem.inputs, {}, answer(player, problem, threads=threads))
    assert found.ok, found.detail
    assert "textbook" in found.oracle
    expected = batch(problem.inputs, {}, right(problem)).canonical
    assert {name: rows.tobytes() for name, rows in found.canonical.items()} == {
        name: rows.tobytes() for name, rows in expected.items()
    }


def test_clouds_in_another_order_are_caught() -> None:
    problem = small()
    found = batch(problem.inputs, {}, answer("control clouds in another order", problem))
    assert not found.ok
    assert found.detail.startswith("cloud 0: ")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda it: it.pop("sizes_1"), "sizes_1 does not part"),
        (lambda it: it["sizes_0"].__setitem__(0, it["sizes_0"][0] + 1), "sizes_0 does not part"),
        (lambda it: it.update(sizes_0=it["sizes_0"].astype(float)), "sizes_0 does not part"),
        (lambda it: it["sizes_0"].__setitem__(slice(0, 2), it["sizes_0"][:2] + [1, -1]), "cloud 0: H0"),
        (lambda it: it["bars_1"].__setitem__((0, 0), 0.25), "cloud [0-9]: "),
    ],
)
def test_answers_that_are_not_right(change: Any, words: str) -> None:
    problem = small()
    found = right(problem)
    change(found)
    check = batch(problem.inputs, {}, found)
    assert not check.ok
    assert re.match(words, check.detail), check.detail


def test_the_case() -> None:
    problem = tori(200, 20, 3)
    assert problem.inputs["points"].shape == (3, 200, 3)
    found = [neighbours(cloud, problem.inputs["threshold"]) for cloud in problem.inputs["points"]]
    degrees = [2 * len(each.i) / 200 for each in found]
    assert 15 < np.mean(degrees) < 25


def test_a_cloud_that_cannot_be_meant_is_named() -> None:
    points = np.zeros((3, 5, 2))
    points[1, 0, 0] = np.nan
    with pytest.raises(ValueError, match="cloud 1: points: 1 entries are not finite"):
        batches.tasks({"points": points, "threshold": 1.0, "max_dimension": 1})
