"""The export to asv: what asv itself makes of it is the oracle."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import fabricate
from harness import store
from harness.errors import StoreError
from harness.report import asv

NAME = "harness.persistence.torus.time"


def git(folder: Path, *arguments: str) -> str:
    """Run git as somebody, whatever the machine's own settings are."""
    who = ["-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *who, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository with two commits and an asv configuration."""
    folder = tmp_path / "project"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    settings = {"version": 1, "project": "p", "repo": ".", "branches": ["main"], "benchmark_dir": "benchmarks",
                "results_dir": "results", "html_dir": "html", "show_commit_url": "#"}  # fmt: skip
    (folder / "asv.conf.json").write_text(json.dumps(settings))
    for number in (1, 2):
        (folder / "file").write_text(str(number))
        git(folder, "add", "-A")
        git(folder, "commit", "-q", "-m", f"commit {number}")
    return folder


def measured(folder: Path, commit: str, seconds: float, **changes: Any) -> store.Run:
    """A run of two players on two sizes, three processes each; gudhi timed out at the larger size."""
    records = []
    for n in (1000, 10000):
        for player in ("ripser.py", "gudhi"):
            out = player == "gudhi" and n == 10000
            for process in range(1 if out else 3):
                records.append(
                    fabricate.record(
                        player=player,
                        params={"n": n, "k": 20},
                        process=process,
                        samples=() if out else (seconds * n / 1000 * (1 + process / 100),) * 3,
                        status="timeout" if out else "ok",
                        **changes,
                    )
                )
    records.append(fabricate.record(player="control", role="control"))
    run = fabricate.run(folder, records)
    run.manifest["git"] = {"commit": commit, "dirty": False}
    return run


def cells(path: Path, name: str = NAME) -> dict[str, Any]:
    """The columns of one benchmark in a result file."""
    stored = json.loads(path.read_text())
    return dict(zip(stored["result_columns"], stored["results"][name], strict=True))


def test_values_are_geometric_means_and_gaps_are_told_apart(tmp_path: Path, project: Path) -> None:
    """A time-out is null, what was not asked is NaN, and the rest is the geometric mean with its interval."""
    run = measured(tmp_path / "run", git(project, "rev-parse", "HEAD"), 0.1)
    run.records.append(fabricate.record(player="holos", samples=(0.5,), params={"n": 1000, "k": 20}))
    path = asv.export(run, project / "results", project=project)[0]
    found = cells(path)
    assert found["params"] == [["20"], ["1000", "10000"], ["'gudhi'", "'holos'", "'ripser.py'"]]
    gudhi, holos, ripser, gudhi_large, holos_large, ripser_large = found["result"]
    assert gudhi == pytest.approx(0.1 * (1 * 1.01 * 1.02) ** (1 / 3))
    assert ripser_large == pytest.approx(10 * ripser)
    assert gudhi_large is None
    assert math.isnan(holos_large)
    assert holos == 0.5
    assert found["stats_ci_99_a"][0] < gudhi < found["stats_ci_99_b"][0]
    assert found["stats_repeat"][0] == 3
    assert found["version"] == "1:k,n,player"


def test_controls_and_unavailable_players_are_left_out(tmp_path: Path, project: Path) -> None:
    """A planted wrong answer is no result, and an absent package is no failure."""
    run = measured(tmp_path / "run", git(project, "rev-parse", "HEAD"), 0.1)
    run.records.append(fabricate.record(player="absent", status="unavailable", samples=()))
    found = cells(asv.export(run, project / "results", project=project)[0])
    assert found["params"][-1] == ["'gudhi'", "'ripser.py'"]


def test_asv_publishes_one_history(tmp_path: Path, project: Path) -> None:
    """asv itself reads two exported runs and its own results, and draws all of them."""
    pytest.importorskip("asv")
    results = project / "results"
    results.mkdir()
    own = {"name": "suite.time_own", "type": "time", "unit": "seconds", "param_names": [], "params": [],
           "version": "1", "code": "def time_own(): ..."}  # fmt: skip
    (results / "benchmarks.json").write_text(json.dumps({"version": 2, "suite.time_own": own}))
    for number, (commit, seconds) in enumerate(zip(git(project, "rev-list", "HEAD").split(), (0.2, 0.1), strict=True)):
        asv.export(measured(tmp_path / f"run{number}", commit, seconds), results, project=project)
    done = subprocess.run(
        [sys.executable, "-m", "asv", "publish", "--no-pull"], cwd=project, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    index = json.loads((project / "html" / "index.json").read_text())
    assert {NAME, "harness.persistence.torus.peak_memory", "suite.time_own"} <= set(index["benchmarks"])
    graphs = [path for path in (project / "html" / "graphs").rglob(f"{NAME}.json") if "summary" not in path.parts]
    assert len(graphs) == 1
    points = json.loads(graphs[0].read_text())
    assert len(points) == 2
    older, newer = (values for _, values in points)
    assert newer[1] == pytest.approx(2 * older[1])
    assert newer[2] is None


def test_exporting_again_changes_nothing(tmp_path: Path, project: Path) -> None:
    """The same run exported twice is one result file with the same content."""
    run = measured(tmp_path / "run", git(project, "rev-parse", "HEAD"), 0.1)
    first = {path: path.read_text() for path in asv.export(run, project / "results", project=project)}
    asv.export(run, project / "results", project=project)
    assert {path: path.read_text() for path in first} == first
    assert len(list((project / "results").rglob("*-harness-*.json"))) == 1


def test_the_newest_version_of_a_case_is_drawn(tmp_path: Path, project: Path) -> None:
    """A case whose version was raised starts a new line; asv shows results of that version only."""
    new, old = git(project, "rev-list", "HEAD").split()
    asv.export(measured(tmp_path / "a", old, 0.1), project / "results", project=project)
    later = measured(tmp_path / "b", new, 0.1, case_version=2, started="2026-11-22T00:00:00+00:00")
    path = asv.export(later, project / "results", project=project)[-1]
    assert json.loads(path.read_text())[NAME]["version"] == "2:k,n,player"


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        ({"git": {"commit": "", "dirty": False}}, "no git commit"),
        ({"git": {"commit": "--output=x", "dirty": False}}, "no git commit"),
        ({"git": {"commit": "d" * 40, "dirty": True}}, "uncommitted changes"),
        ({"git": {"commit": "d" * 40, "dirty": False}}, "not in the repository"),
        ({"environment": {"key": "../../elsewhere"}}, "cannot name a folder"),
    ],
)
def test_runs_that_asv_cannot_place_are_refused(
    tmp_path: Path, project: Path, manifest: dict[str, Any], message: str
) -> None:
    """No commit, a dirty tree, a foreign commit and a key that climbs out of the folder are said plainly."""
    run = measured(tmp_path / "run", git(project, "rev-parse", "HEAD"), 0.1)
    run.manifest.update(manifest)
    with pytest.raises(StoreError, match=message):
        asv.export(run, project / "results", project=project)


def test_a_damaged_file_is_named(tmp_path: Path, project: Path) -> None:
    """A benchmarks.json that is not JSON is an error that names it, not a traceback."""
    (project / "results").mkdir()
    (project / "results" / "benchmarks.json").write_text("{")
    run = measured(tmp_path / "run", git(project, "rev-parse", "HEAD"), 0.1)
    with pytest.raises(StoreError, match=r"benchmarks\.json cannot be read"):
        asv.export(run, project / "results", project=project)
