"""resume= and repeat=: the configuration that was saved, and nothing else beside it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

import fabricate
import projects
from harness.cli.compose import compose
from harness.cli.runs import FOLDER
from harness.cli.saved import differences, resolve
from harness.config import RunConfig
from harness.errors import ConfigurationError, UnknownName
from harness.store import create


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A project with one run, `first`, made from conf=alpha seed=5."""
    home = projects.project(tmp_path / "p")
    manifest = {"schema": 1, "run": "first", "created": "2026-11-21T00:00:00+00:00", "environment": fabricate.MACHINE}
    create(home / FOLDER / "first", manifest=manifest, config=compose(home, ["conf=alpha", "seed=5"]), plan=[])
    return home


def asked(home: Path, *overrides: str) -> RunConfig:
    """What `harness run` would perform for these overrides."""
    return resolve(compose(home, overrides), overrides, home)


def test_without_either_nothing_changes(home: Path) -> None:
    """A new run is performed as it was composed."""
    composed = compose(home, ["seed=3"])
    assert resolve(composed, ["seed=3"], home) is composed


@pytest.mark.parametrize(
    "overrides", [["resume=first"], ["resume=latest", "progress=none"], ["resume=fi", "lock_wait_s=9"]]
)
def test_resume_alone_takes_what_was_saved(home: Path, overrides: list[str]) -> None:
    """Without conf= the run goes on with its own configuration, not with the default one."""
    config = asked(home, *overrides)
    assert (config.seed, config.phase, config.resume) == (5, "Alpha", str(home / FOLDER / "first"))
    assert config.progress == ("none" if "progress=none" in overrides else "auto")
    assert config.lock_wait_s == (9.0 if "lock_wait_s=9" in overrides else 0.0)


def test_resume_with_the_same_overrides(home: Path) -> None:
    """The command that started a run, with resume= added, goes on with it."""
    assert asked(home, "conf=alpha", "seed=5", "resume=first").seed == 5


def test_resume_with_another_configuration(home: Path) -> None:
    """A difference is refused, with every key that differs and both values."""
    with pytest.raises(ConfigurationError) as error:
        asked(home, "seed=6", "cases.torus.params.n=[1,4]", "resume=first")
    assert "seed: saved 5, asked 6" in str(error.value)
    assert "cases.torus.params.n: saved [1, 2], asked [1, 4]" in str(error.value)
    assert "harness run resume=first" in str(error.value)
    with pytest.raises(ConfigurationError, match=r"cases\.torus\.case: saved 'x\.torus', asked nothing"):
        asked(home, "conf=beta", "resume=first")


def test_repeat_takes_what_was_saved(home: Path) -> None:
    """A repetition has the same cases and seeds; where it goes and how it shows is its own."""
    config = asked(home, "repeat=first", "runs=elsewhere/../reports/runs")
    assert (config.seed, config.repeat, config.resume) == (5, str(home / FOLDER / "first"), None)
    assert not differences(config, compose(home, ["seed=5"]))


def test_repeat_takes_no_other_key(home: Path) -> None:
    """A repetition with a change is no repetition."""
    with pytest.raises(ConfigurationError, match=r"drop seed=6, or drop repeat="):
        asked(home, "repeat=first", "seed=6")


def test_both_at_once(home: Path) -> None:
    """resume= and repeat= exclude each other."""
    with pytest.raises(ConfigurationError, match="give one of them"):
        asked(home, "repeat=first", "resume=first")


@pytest.mark.parametrize("key", ["resume", "repeat"])
def test_a_run_that_does_not_exist(home: Path, key: str) -> None:
    """A wrong name gets near misses."""
    with pytest.raises(UnknownName, match="Did you mean 'first'"):
        asked(home, f"{key}=frist")


def test_every_field_takes_part_in_the_comparison() -> None:
    """A field that is added to the configuration later is compared too, unless it is the session's own."""
    others = {"phase": "x", "title": "x", "seed": 9, "recording": "x", "model": "x", "tolerate": ["BLOCKED"]}
    own = {"resume": "x", "repeat": "x", "progress": "none", "runs": "x", "lock_wait_s": 3.0}
    assert {f.name for f in dataclasses.fields(RunConfig)} == {*others, *own, "cases", "players", "gates"}
    assert {line.split(":")[0] for line in differences(RunConfig(), RunConfig(**others))} == set(others)  # type: ignore[arg-type]
    assert differences(RunConfig(), RunConfig(**own)) == []  # type: ignore[arg-type]
