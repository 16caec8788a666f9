"""For everything that a project holds, whether this machine can run it and, if not, what is lacking."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

import fabricate
import machines
from harness import files
from harness.cli.holdings import Holdings, Row
from harness.config import GateConfig
from harness.data import datasets

SUITE = '''
from harness import case, player

@case(version=1, task="sorting", check="benchmarks.toy.checks:check", datasets=("s",))
def sort(n=10, seed=0):
    """Sort numbers."""

@case(version=2, task="nobody", check="benchmarks.toy.checks:check")
def lonely(seed=0):
    """Nobody answers it."""

@case(version=1, task="sorting", check="benchmarks.toy.checks:check", datasets=("missing",))
def orphan(seed=0):
    """Its data set has no manifest."""

@player(name="plain", task="sorting")
def plain(inputs, stage):
    """Python's own sort."""

@player(name="gpu", task="sorting", device="cuda")
def gpu(inputs, stage): ...

@player(name="planted", task="nobody", role="control")
def planted(inputs, stage): ...
'''
GATES = """\
# @package gates
sound: {title: Sorts, case: big, player: plain, below: 1, requires: {os: Linux}}
blocked: {title: Later, blocked: not built yet, requires: {gpu: A100 80GB}}
needs_gpu: {case: big, player: gpu, below: 1}
over_gpu: {case: big, player: plain, over: gpu, kind: ratio, above: 1}
elsewhere: {case: big, player: plain, below: 1, requires: {gpu: A100 80GB}}
lost: {case: nowhere, player: plain, below: 1}
odd: {case: big, player: plain, below: 1, requires: {colour: red}}
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one suite, one data set that is here and one that is not."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv(datasets.DATA_ROOT, str(tmp_path / "data"))
    machines.tree(tmp_path / "data", {"s/a.csv": "1\n"})
    return machines.project(
        tmp_path / "p",
        benchmarks=SUITE,
        gates__phase1=GATES,
        cases__phase1="# @package cases\nbig: {case: toy.sort}\n",
        datasets={
            "s": machines.manifest("s", {"a.csv": b"1\n"}),
            "far": machines.manifest("far", {"b": b""}, url="https://example.org"),
        },
    )


def rows(found: list[Row]) -> dict[str, str]:
    return {row.name: row.why for row in found}


def held(project: Path, **facts: Any) -> Holdings:
    return Holdings(project, {**fabricate.MACHINE, **facts})


def test_players(here: Path) -> None:
    """A GPU player cannot run on a machine without one, and can on one with."""
    found = rows(held(here).players)
    assert found["plain"] == found["planted"] == ""
    assert "needs a CUDA GPU" in found["gpu"]
    assert rows(held(here, gpus=[{"name": "A10", "memory_bytes": 2**34}]).players)["gpu"] == ""


def test_cases(here: Path) -> None:
    """A case needs its data and a player that is no control."""
    found = rows(held(here).cases)
    assert found["toy.sort"] == ""
    assert "no player that can run here answers nobody" in found["toy.lonely"]
    assert found["toy.orphan"] == "needs the data set missing: no manifest has that name"
    assert next(row for row in held(here).cases if row.name == "toy.sort").about["players"] == ["plain"]


def test_gates(here: Path) -> None:
    """The first thing that stands in a gate's way is what its row says."""
    found = rows(held(here).gates)
    assert found["sound"] == ""
    assert found["blocked"].startswith("not built yet; and gpu must be A100 80GB, here: no GPU")
    assert found["needs_gpu"].startswith("its player gpu: needs a CUDA GPU")
    assert found["over_gpu"].startswith("its player gpu: ")
    assert found["elsewhere"] == "OFF-CONDITION here: gpu must be A100 80GB, here: no GPU; run it on such a machine"
    assert found["lost"] == "its case 'nowhere' stands for nothing, which is not registered"
    assert "no condition is named 'colour'" in found["odd"]


def test_datasets(here: Path) -> None:
    """A data set that is not here says how to get it."""
    found = rows(held(here).datasets)
    assert found["s"] == ""
    assert "Run 'harness fetch far'" in found["far"]


def test_a_gate_whose_data_is_missing(here: Path, tmp_path: Path) -> None:
    """The reason reaches through the case to the data set."""
    (tmp_path / "data/s/a.csv").unlink()
    assert rows(held(here).gates)["sound"].startswith("its case toy.sort: needs the data set s: not here")


def test_runs(here: Path) -> None:
    """A run says how far it came and how it ended; a damaged one says that."""
    folder = here / "reports/runs"
    folder.mkdir(parents=True)
    made = fabricate.run(
        folder / "one", [fabricate.record()], gates={"g": GateConfig(case="torus", player="x", below=1.0)}
    )
    machines.tree(folder, {"two/run.json": "{"})
    found = {row.name: row for row in held(here).runs}
    assert found["one"].about["records"] == 1
    assert "resume it with 'harness run resume=one'" in found["one"].about["state"]
    assert found["two"].why == "its run.json cannot be read"
    files.write_text(
        made.path / "verdicts.json", '{"verdicts": [{"verdict": "PASS"}, {"verdict": "BLOCKED"}, {"verdict": "PASS"}]}'
    )
    files.write_text(made.path / "run.json", '{"run": "one", "finished": "2026-01-01"}')
    about = next(row for row in held(here).runs if row.name == "one").about
    assert about["verdicts"] == {"PASS": 2, "BLOCKED": 1}
    assert about["state"] == "finished"


def test_a_row_is_plain_values(here: Path) -> None:
    """What a listing prints as JSON is JSON."""
    import json

    for kind in ("cases", "players", "gates", "datasets", "runs"):
        json.dumps([asdict(row) for row in getattr(held(here), kind)])
