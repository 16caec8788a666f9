"""Composition: the choices, the types, and a message that names the key when something is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

import projects
from harness.cli.compose import SETTINGS, compose, with_settings
from harness.config import CaseConfig
from harness.errors import ConfigurationError, UnknownName, UsageError


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A project with conf=alpha and conf=beta."""
    return projects.project(tmp_path / "p")


def test_the_default_and_a_choice(home: Path) -> None:
    """Without an override the default is composed; conf= picks another."""
    assert compose(home).phase == "Alpha"
    assert compose(home, ["conf=beta"]).gates["someday"].blocked == "nobody wrote it yet"


def test_keys_are_overridden_one_by_one(home: Path) -> None:
    """One key changes, its neighbours and the defaults of the schema stay; an entry can be taken out with ~."""
    config = compose(home, ["cases.torus.processes=8", "cases.torus.limits.wall_s=7"])
    assert config.cases["torus"] == CaseConfig(
        case="x.torus", params={"n": [1, 2]}, processes=8, limits=config.cases["torus"].limits
    )
    assert config.cases["torus"].limits.wall_s == 7.0
    assert compose(home, ["~cases.torus"]).cases == {}


@pytest.mark.parametrize(
    ("override", "error", "says"),
    [
        ("conf=alhpa", UnknownName, r"no conf option is named 'alhpa'. Did you mean 'alpha'\? Known: alpha, beta"),
        (
            "cases.torus.procesess=3",
            ConfigurationError,
            r"under cases\.torus is named 'procesess'. Did you mean 'processes'",
        ),
        ("cases.tours.processes=3", ConfigurationError, r"under cases is named 'tours'. Did you mean 'torus'"),
        ("sead=3", ConfigurationError, r"no key is named 'sead'. Did you mean 'seed'"),
        ("cases.torus.processes=abc", ConfigurationError, r"cases\.torus\.processes: value 'abc' of type 'str'"),
        ("cases.torus.limits=3", ConfigurationError, r"cases\.torus\.limits"),
        ("cases.torus.processes=0", ConfigurationError, r"cases\.torus: processes must be at least 1"),
        ("+cases.other.case=x.y", ConfigurationError, "a new one is written in a file under conf/"),
        ("hydra/launcher=submitit_slrum", UnknownName, r"tcs-harness\[slurm\]"),
        (
            "conf=alpha,beta",
            UsageError,
            r"several values: add -m for one run of each \(harness run -m conf=alpha,beta\)",
        ),
        ("progress=plan", ConfigurationError, "progress 'plan' is not one of .* Did you mean 'plain'"),
        ("beta", UsageError, r"not of the form key=value. Did you mean conf=beta\?"),
        ("cases.torus.params.n=[1", UsageError, "not of the form key=value"),
    ],
)
def test_what_is_wrong_is_named(home: Path, override: str, error: type[Exception], says: str) -> None:
    """A wrong choice, key, type or value comes out as one message with near misses."""
    with pytest.raises(error, match=says):
        compose(home, [override])


def test_a_wrong_key_in_a_file_names_the_file(home: Path) -> None:
    """The message leads to the file and the key."""
    (home / "conf" / "conf" / "alpha.yaml").write_text("# @package _global_\nphase: A\ncasse: {}\n")
    with pytest.raises(
        ConfigurationError, match=r"in conf/conf/alpha\.yaml: no key is named 'casse'. Did you mean 'cases'"
    ):
        compose(home)


def test_a_file_that_is_no_yaml(home: Path) -> None:
    """The message leads to the line."""
    (home / "conf" / "conf" / "alpha.yaml").write_text("phase: [A\ncases: }\n")
    with pytest.raises(ConfigurationError, match=r"not valid YAML.*(?s:.*)alpha\.yaml"):
        compose(home)


def test_a_project_without_config_yaml(home: Path) -> None:
    """The message shows how the file begins."""
    (home / "conf" / "config.yaml").unlink()
    with pytest.raises(ConfigurationError, match=r"no config\.yaml; it needs one that begins with"):
        compose(home)


@pytest.mark.parametrize(
    ("arguments", "overrides", "options"),
    [
        (["conf=a"], ["conf=a"], []),
        (["-m", "conf=a,b"], ["conf=a,b"], ["-m"]),
        (["seed=1", "-m", "conf=a,b"], ["seed=1", "conf=a,b"], ["-m"]),
        (["--cfg", "job", "conf=a"], ["conf=a"], ["--cfg", "job"]),
        (["--info"], [], ["--info"]),
        (["typo", "-m"], ["typo"], ["-m"]),
    ],
)
def test_overrides_stand_side_by_side(arguments: list[str], overrides: list[str], options: list[str]) -> None:
    """Hydra's parser needs that, and people write them anywhere."""
    settings = [f"{key}={value}" for key, value in SETTINGS.items()]
    assert with_settings(arguments) == [*settings, *overrides, *options]


def test_a_setting_can_be_changed() -> None:
    """What the command line says itself is not said twice."""
    assert sum(text.startswith("hydra/job_logging=") for text in with_settings(["hydra/job_logging=stdout"])) == 1
