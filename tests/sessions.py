"""Whole runs of the suite of misbehaving players, in a project of the test's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import session, store
from harness.config import CaseConfig, Limits, RunConfig, Sampling
from harness.record import Record

if TYPE_CHECKING:
    import pytest

SUITE = Path(__file__).with_name("misbehaving.py").read_text()


def project(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with the suite ``echo``, a lock and reports of its own; it becomes the working directory."""
    (folder / "conf").mkdir()
    (folder / "benchmarks").mkdir()
    (folder / "benchmarks" / "echo.py").write_text(SUITE)
    monkeypatch.setenv("HARNESS_LOCK", str(folder / "lock"))
    monkeypatch.setattr("harness.report.write", lambda run, verdicts: [], raising=False)
    monkeypatch.chdir(folder)
    return folder


def configured(
    *players: str, case: str = "echo.numbers", params: dict[str, Any] | None = None, **changes: Any
) -> RunConfig:
    """A run of one case, as small as can be; ``changes`` are those of the run, of ``processes`` and of ``limits``."""
    entry = CaseConfig(
        case=case,
        params={"n": [50]} if params is None else params,
        players=list(players),
        processes=changes.pop("processes", 1),
        limits=changes.pop("limits", Limits(wall_s=20, memory_gib=1)),
        sampling=Sampling(budget_s=0.01, max_samples=3),
    )
    return RunConfig(phase="Test", progress="none", cases={"numbers": entry}, **changes)


def run(config: RunConfig, project: Path) -> store.Run:
    """Do it, and return what it left."""
    before = set((project / config.runs).glob("*")) if (project / config.runs).exists() else set()
    session.perform(config, project)
    (folder,) = set((project / config.runs).glob("*")) - before
    return store.load(folder)


def only(config: RunConfig, project: Path) -> Record:
    """The record of a run of one trial."""
    (record,) = run(config, project).records
    return record
