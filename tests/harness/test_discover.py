"""Cases and players are read from the text: nothing is imported, and what is wrong is named with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.config import PlayerConfig
from harness.discover import registry
from harness.errors import ConfigurationError, UnknownName

CASE = '@case(version=1, task="t", check="benchmarks.s:check")\ndef one(seed):\n    """One."""\n'
PLAYER = (
    '@player(name="p", task="t", packages={"numpy": ">=1"})\ndef p(inputs, stage):\n    """A player.\n\n    More."""\n'
)


def project(folder: Path, text: str) -> Path:
    (folder / "benchmarks" / "s").mkdir(parents=True)
    (folder / "benchmarks" / "s" / "suite.py").write_text(text)
    return folder


def test_nothing_is_imported(tmp_path: Path) -> None:
    """A suite whose imports are missing, or that would raise, is still listed."""
    found = registry(project(tmp_path, "import no_such_thing\nraise SystemExit(1)\n" + CASE + PLAYER))
    case, player = found.case("s.one"), found.player("p")
    assert (case.target, case.version, case.summary) == ("benchmarks.s.suite:one", 1, "One.")
    assert (player.summary, player.engine, dict(player.packages)) == ("A player.", "p", {"numpy": ">=1"})
    assert found.answering("t") == ["p"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("def x(:\n@case(", "not valid Python"),
        (CASE.replace("version=1", "version=VERSION"), "suite.py:1: version must be a literal"),
        (CASE.replace("version=1", "verzion=1"), "Did you mean 'version'"),
        (CASE.replace("version=1, ", ""), "suite.py:2.*version"),
        (CASE.replace("version=1", "**x"), r"\*\*arguments"),
        ('@player("p", task="t")\ndef p(inputs, stage): ...\n', "keyword"),
        ('@player(task="t")\ndef p(inputs, stage): ...\n', "needs a name"),
        (PLAYER + PLAYER, "taken"),
        (PLAYER.replace('task="t"', 'task="t", role="boss"'), "candidate, peer, baseline, control"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, words: str) -> None:
    """File, line, the thing and the next step."""
    with pytest.raises(ConfigurationError, match=words):
        registry(project(tmp_path, text))


@pytest.mark.parametrize(
    ("signature", "parameters", "required"),
    [
        ("seed", (), ()),
        ("n, k=2, *, seed, recording=None, model=None, wide", ("n", "k", "wide"), ("n", "wide")),
        ("n: int, /, k: int = 3, seed: int = 0", ("n", "k"), ("n",)),
        ("n, seed, **others", None, ("n",)),
    ],
)
def test_the_parameters_of_a_case(
    tmp_path: Path, signature: str, parameters: tuple[str, ...] | None, required: tuple[str, ...]
) -> None:
    """What its function takes, without what the run itself gives, and what of it has no default."""
    found = registry(project(tmp_path, CASE.replace("(seed)", f"({signature})"))).case("s.one")
    assert (found.parameters, found.required) == (parameters, required)


def test_wrong_names_get_near_misses(tmp_path: Path) -> None:
    """For cases and for players."""
    found = registry(project(tmp_path, CASE + PLAYER))
    with pytest.raises(UnknownName, match=r"Did you mean 's\.one'"):
        found.case("s.on")
    with pytest.raises(UnknownName, match="Known: p"):
        found.player("quite another")


def test_the_configuration_adds_and_changes_players(tmp_path: Path) -> None:
    """An external command is added; a registered player gets an interpreter of its own."""
    changes = {
        "mine": PlayerConfig(task="t", command=["./mine"]),
        "p": PlayerConfig(interpreter="/opt/python", env={"A": "1"}),
    }
    found = registry(project(tmp_path, CASE + PLAYER), changes)
    assert found.player("mine").command == ("./mine",)
    assert (found.player("p").interpreter, found.player("p").env, found.player("p").target) == (
        "/opt/python",
        {"A": "1"},
        "benchmarks.s.suite:p",
    )
    with pytest.raises(ConfigurationError, match="needs both task and command"):
        registry(tmp_path, {"other": PlayerConfig(task="t")})
