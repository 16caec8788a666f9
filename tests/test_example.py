"""A user's own project, outside this repository: the harness knows no suite by name."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness import store
from harness.judging import gates, verify

ROOT = Path(__file__).parents[1]
ENV = {**os.environ, "PYTHONPATH": str(ROOT), "CI": "true"}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example, copied elsewhere, its player in C built, and run once."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler: the example's external player cannot be built")
    folder = tmp_path_factory.mktemp("own") / "sorting"
    shutil.copytree(ROOT / "examples" / "sorting", folder, ignore=shutil.ignore_patterns("reports", "merge_sort"))
    source = folder / "players" / "merge_sort.c"
    subprocess.run([compiler, "-O2", "-Wall", "-Wextra", "-Werror", "-o", source.with_suffix(""), source], check=True)
    return folder


def harness(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a verb in the project, with a lock of its own."""
    env = {**ENV, "HARNESS_LOCK": str(project / "lock")}
    argv = [sys.executable, "-P", "-m", "harness", *words]
    return subprocess.run(argv, cwd=project, env=env, capture_output=True, text=True, timeout=300, check=False)


def test_the_whole_way(project: Path) -> None:
    """Run, read back, verify, tamper, and see it caught; the C program and numpy agree, the control is caught."""
    done = harness(project, "run")
    assert done.returncode in (0, 13), done.stdout + done.stderr
    (folder,) = (project / "reports" / "runs").glob("*-sorting")
    run = store.load(folder)
    verdicts = {verdict.gate: verdict for verdict in gates.judge(run)}
    assert (verdicts["answers"].verdict, verdicts["planted"].verdict) == ("PASS", "PASS")
    by_player = {(r.player, r.status) for r in run.records}
    assert by_player == {("numpy", "ok"), ("python", "ok"), ("merge_sort", "ok"), ("swaps the ends", "wrong_answer")}
    assert {r.clock for r in run.records if r.player == "merge_sort"} == {"player"}
    for name in ("report.html", "table.md", "verdicts.json", "junit.xml"):
        assert (folder / name).stat().st_size > 100, name
    assert not [finding for finding in verify.verify(run) if finding.severity == "error"]
    assert harness(project, "verify", str(folder)).returncode == 0

    lines = (folder / "records.jsonl").read_text().splitlines()
    values = json.loads(lines[0])
    values["samples"] = [sample / 2 for sample in values["samples"]]
    (folder / "records.jsonl").write_text("\n".join([json.dumps(values), *lines[1:]]) + "\n")
    caught = harness(project, "verify", str(folder))
    assert caught.returncode not in (0, 2)
    assert "records.jsonl" in caught.stdout + caught.stderr


def test_it_lists_its_own_and_nothing_else(project: Path) -> None:
    """The listing names the example's case and players; no suite of this repository shows up."""
    done = harness(project, "list")
    assert done.returncode == 0, done.stderr
    assert "sorting.uniform" in done.stdout
    assert "merge_sort" in done.stdout
    assert "persistence" not in done.stdout


def test_a_player_that_was_not_built(project: Path) -> None:
    """Without its program the player is unavailable, the rest is measured, and the reason says how to build it."""
    done = harness(project, "run", "players.merge_sort.command=['{project}/players/none']", "cases.uniform.processes=1")
    assert "not there" in done.stdout + done.stderr


def test_the_tutorial_builds_a_project_that_runs(tmp_path: Path) -> None:
    """The blocks of docs/tutorial/own-project.md, put where the page puts them, are a whole project."""
    text = (ROOT / "docs" / "tutorial" / "own-project.md").read_text()
    python, yaml = (re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL) for language in ("python", "yaml"))
    for name, content in {
        "benchmarks/sorting/__init__.py": "",
        "benchmarks/sorting/suite.py": "\n\n".join(python),
        "conf/config.yaml": yaml[0],
        "conf/conf/smoke.yaml": yaml[1],
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    done = harness(tmp_path, "run")
    assert done.returncode in (0, 13), done.stdout + done.stderr
    (folder,) = (tmp_path / "reports" / "runs").glob("*-sorting")
    by_player = {(r.player, r.status) for r in store.load(folder).records}
    assert by_player == {
        ("numpy", "ok"), ("python", "ok"), ("swaps the ends", "wrong_answer"), ("merge_sort", "unavailable"),
    }  # fmt: skip
