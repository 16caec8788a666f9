"""The referee's process: what it writes for the players, what it keeps from them, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness import answers
from harness.trials import referee

SUITE = '''
import numpy as np
from harness import Check, Problem, case

def count(n, seed):
    """Numbers 0 .. n - 1 in the order of the seed."""
    values = np.random.default_rng(seed).permutation(n)
    known = {"total": n * (n - 1) // 2}
    return Problem(inputs={"values": values, "step": np.int64(1)}, known=known, data={"toy": "0" * 64})

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


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with one suite, and an empty folder for an instance."""
    for name in ("benchmarks", "instance", "job", "answers"):
        (tmp_path / name).mkdir()
    (tmp_path / "benchmarks" / "toy.py").write_text(SUITE)
    return tmp_path


def play(project: Path, mode: str, **job: Any) -> dict[str, Any]:
    """Give the referee a job file, as the runner does, and read its result."""
    file, result = project / "job.json", project / "result.json"
    file.write_text(json.dumps({"mode": mode, "project": str(project), "result": str(result), **job}))
    assert referee.main(str(file)) == 0
    found: dict[str, Any] = json.loads(result.read_text())
    return found


def prepared(project: Path, function: str = "count", **params: Any) -> dict[str, Any]:
    """The inputs of one instance."""
    job = {"target": f"benchmarks.toy:{function}", "params": params, "seed": 3, "recording": None}
    return play(project, "prepare", folder=str(project / "instance"), **job)


def checked(project: Path, answer: dict[str, Any], check: str = "right") -> dict[str, Any]:
    """What the referee says of an answer to the instance with n = 10."""
    job = {"inputs": prepared(project, n=10)["inputs"], "known": str(project / "instance" / "known.json")}
    folders = {"folder": str(project / "job"), "answers": str(project / "answers")}
    return play(project, "check", check=f"benchmarks.toy:{check}", answer=answer, **job, **folders)


def test_inputs_are_files_and_what_is_known_lies_apart(project: Path) -> None:
    """Arrays as .npy, numbers besides as plain JSON; the known answer is not in the folder that a player reads."""
    found = prepared(project, n=10)
    values = np.load(project / "instance" / "inputs" / "values.npy", allow_pickle=False)
    assert np.array_equal(values, np.random.default_rng(3).permutation(10))
    assert found["inputs"]["values"]["shape"] == [10]
    assert found["inputs"]["step"] == 1
    assert sorted(path.name for path in (project / "instance" / "inputs").iterdir()) == ["step.npy", "values.npy"]
    assert json.loads((project / "instance" / "known.json").read_text()) == {"total": 45}
    assert found["data"]["inputs"] == answers.answer_digest({"values": values, "step": np.asarray(1)})
    assert (found["data"]["provenance"], found["data"]["sets"]) == ("synthetic", {"toy": "0" * 64})


def test_a_case_that_makes_no_problem(project: Path) -> None:
    """What is wrong with a suite is a result, not a traceback."""
    assert prepared(project, "nothing") == {
        "failed": "error", "reason": "TypeError: benchmarks.toy:nothing returned dict, not a harness.Problem",
    }  # fmt: skip
    assert prepared(project, "absent")["failed"] == "error"


@pytest.mark.parametrize(("total", "ok"), [(45, True), (46, False)])
def test_a_right_answer_is_told_from_a_wrong_one(project: Path, total: int, ok: bool) -> None:
    """From a .npy file of the job folder; its canonical form is kept under its digest."""
    np.save(project / "job" / "total.npy", np.array(total))
    found = checked(project, {"total": "total.npy"})
    assert (found["check"]["ok"], found["check"]["oracle"], found["check"]["distance"]) == (ok, "sum", 0.0)
    assert found["metrics"]["error"]["value"] == total - 45
    kept = answers.load(next((project / "answers").glob(f"{found['check']['answer']}*")))
    assert kept["total"].tolist() == [total]


def test_an_answer_may_be_plain_json(project: Path) -> None:
    """As external programs give it that have no writer of .npy."""
    assert checked(project, {"total": 45})["check"]["ok"]


@pytest.mark.parametrize("path", ["../outside.npy", "/etc/passwd", "link.npy"])
def test_an_answer_outside_the_job_folder_is_refused(project: Path, path: str) -> None:
    """By a relative path, an absolute one, and a link: a player must not point at another's answer."""
    np.save(project / "outside.npy", np.array(45))
    (project / "job" / "link.npy").symlink_to(project / "outside.npy")
    found = checked(project, {"total": path})
    assert found["failed"] == "error"
    assert "outside the job folder" in found["reason"]


def test_nothing_is_unpickled(project: Path) -> None:
    """An .npy file that holds Python objects is refused."""
    np.save(project / "job" / "total.npy", np.array([45, "x"], dtype=object), allow_pickle=True)
    assert "allow_pickle" in checked(project, {"total": "total.npy"})["reason"]


def test_a_metric_that_is_no_number_is_refused(project: Path) -> None:
    """A gate could not judge on it."""
    assert "'error' of the check is nan" in checked(project, {"total": 45}, "no_number")["reason"]
