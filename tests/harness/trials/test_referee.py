"""The referee's process: what it writes for the players, what it keeps from them, and what it refuses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness import answers

ROOT = Path(__file__).parents[3]
Checked = Callable[..., dict[str, Any]]
SUITE = '''
import numpy as np
from harness import Check, Problem, case

def count(n, seed):
    """Numbers 0 .. n - 1 in the order of the seed."""
    values = np.random.default_rng(seed).permutation(n)
    known = {"total": n * (n - 1) // 2}
    return Problem(inputs={"values": values, "step": np.int64(1)}, known=known, data={"toy": "0" * 64})

def brought(seed, model):
    """What a user brings, for a case that asks for it."""
    return Problem(inputs={"model": model})

def nothing(seed):
    return {"values": 1}

def right(inputs, known, answer):
    total = int(answer["total"])
    ok = total == known["total"] == int(inputs["values"].sum())
    metrics = {"error": {"value": float(total - known["total"]), "unit": "1", "direction": "lower"}}
    return Check(ok=ok, oracle="sum", canonical={"total": np.array([total])}, distance=0.0, metrics=metrics)

def no_number(inputs, known, answer):
    metrics = {"error": {"value": float("nan"), "unit": "1", "direction": "lower"}}
    return Check(ok=True, oracle="none", exact=False, metrics=metrics)
'''


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with one suite, a folder for an instance and one for answers."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("benchmarks", "instance", "answers"):
        (folder / name).mkdir()
    (folder / "benchmarks" / "toy.py").write_text(SUITE)
    return folder


def play(project: Path, mode: str, **job: Any) -> dict[str, Any]:
    """Give the referee a job file, in a process of its own as the runner does, and read its result."""
    file, result = project / "job.json", project / "result.json"
    file.write_text(json.dumps({"mode": mode, "project": str(project), "result": str(result), **job}))
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    argv = [sys.executable, "-P", "-m", "harness.trials.referee", str(file)]
    subprocess.run(argv, cwd=project, env=env, check=True, capture_output=True)
    found: dict[str, Any] = json.loads(result.read_text())
    return found


def prepared(project: Path, function: str, **params: Any) -> dict[str, Any]:
    """What the referee says of a case."""
    job = {"target": f"benchmarks.toy:{function}", "params": params, "seed": 3}
    brought = {"recording": None, "model": "/mine.onnx"}
    return play(project, "prepare", folder=str(project / "instance"), brought=brought, **job)


@pytest.fixture(scope="module")
def instance(project: Path) -> dict[str, Any]:
    """The instance with n = 10, prepared once."""
    return prepared(project, "count", n=10)


@pytest.fixture
def checked(project: Path, instance: dict[str, Any], tmp_path: Path) -> Checked:
    """What the referee says of an answer to it; the job folder of the answer is tmp_path."""

    def of(answer: dict[str, Any], check: str = "right") -> dict[str, Any]:
        job = {"inputs": instance["inputs"], "known": str(project / "instance" / "known.json"), "answer": answer}
        folders = {"folder": str(tmp_path), "answers": str(project / "answers")}
        return play(project, "check", check=f"benchmarks.toy:{check}", **job, **folders)

    return of


def test_inputs_are_files_and_what_is_known_lies_apart(project: Path, instance: dict[str, Any]) -> None:
    """Arrays as .npy, numbers besides as plain JSON; the known answer is not in the folder that a player reads."""
    found = instance
    values = np.load(project / "instance" / "inputs" / "values.npy", allow_pickle=False)
    assert np.array_equal(values, np.random.default_rng(3).permutation(10))
    assert found["inputs"]["values"]["shape"] == [10]
    assert found["inputs"]["step"] == 1
    assert sorted(path.name for path in (project / "instance" / "inputs").iterdir()) == ["step.npy", "values.npy"]
    assert json.loads((project / "instance" / "known.json").read_text()) == {"total": 45}
    assert found["data"]["inputs"] == answers.answer_digest({"values": values, "step": np.asarray(1)})
    assert (found["data"]["provenance"], found["data"]["sets"]) == ("synthetic", {"toy": "0" * 64})


def test_what_a_user_brings_goes_to_cases_that_ask_for_it(project: Path) -> None:
    """A case with an argument `model` gets the path; one without (count, above) is called as ever."""
    job = {"target": "benchmarks.toy:brought", "params": {}, "seed": 3, "folder": str(project / "brought")}
    (project / "brought").mkdir()
    found = play(project, "prepare", brought={"recording": None, "model": "/mine.onnx"}, **job)
    assert found["inputs"] == {"model": "/mine.onnx"}


def test_a_case_that_makes_no_problem(project: Path) -> None:
    """What is wrong with a suite is a result, not a traceback."""
    assert prepared(project, "nothing") == {
        "failed": "error", "reason": "TypeError: benchmarks.toy:nothing returned dict, not a harness.Problem",
    }  # fmt: skip
    assert prepared(project, "absent")["failed"] == "error"


@pytest.mark.parametrize(("total", "ok"), [(45, True), (46, False)])
def test_a_right_answer_is_told_from_a_wrong_one(
    project: Path, tmp_path: Path, checked: Checked, total: int, ok: bool
) -> None:
    """From a .npy file of the job folder; its canonical form is kept under its digest."""
    np.save(tmp_path / "total.npy", np.array(total))
    found = checked({"total": "total.npy"})
    assert (found["check"]["ok"], found["check"]["oracle"], found["check"]["distance"]) == (ok, "sum", 0.0)
    assert found["metrics"]["error"]["value"] == total - 45
    kept = answers.load(next((project / "answers").glob(f"{found['check']['answer']}*")))
    assert kept["total"].tolist() == [total]


def test_an_answer_may_be_plain_json(checked: Checked) -> None:
    """As external programs give it that have no writer of .npy."""
    assert checked({"total": 45})["check"]["ok"]


@pytest.mark.parametrize("path", ["../outside.npy", "/etc/passwd", "link.npy"])
def test_an_answer_outside_the_job_folder_is_refused(tmp_path: Path, checked: Checked, path: str) -> None:
    """By a relative path, an absolute one, and a link: a player must not point at another's answer."""
    outside = tmp_path.with_name("outside.npy")
    np.save(outside, np.array(45))
    (tmp_path / "link.npy").symlink_to(outside)
    found = checked({"total": path})
    assert found["failed"] == "error"
    assert "outside the job folder" in found["reason"]


def test_nothing_is_unpickled(tmp_path: Path, checked: Checked) -> None:
    """An .npy file that holds Python objects is refused."""
    np.save(tmp_path / "total.npy", np.array([45, "x"], dtype=object), allow_pickle=True)
    assert "allow_pickle" in checked({"total": "total.npy"})["reason"]


def test_a_metric_that_is_no_number_is_refused(checked: Checked) -> None:
    """A gate could not judge on it."""
    assert "'error' of the check is nan" in checked({"total": 45}, "no_number")["reason"]
