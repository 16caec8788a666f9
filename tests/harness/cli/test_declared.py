"""What conf/ declares is read without composing it, whichever of the two layouts a file uses."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.cli.declared import declared
from harness.errors import ConfigurationError
from machines import project

SMOKE = """\
# @package _global_
defaults:
- /gates: phase2
cases:
  small: {case: toy.sort}
gates:
  quick: {case: small}
"""
GATES = "# @package gates\nfast:\n  case: big\n  below: 1.0\n  wrong_key: 1\n"


def test_groups_and_whole_files(tmp_path: Path) -> None:
    """A group's file is the dict itself; a file of the whole configuration holds it under its name."""
    found = declared(
        project(
            tmp_path,
            gates__phase2=GATES,
            cases__phase2="# @package cases\nbig:\n  case: toy.sort\n",
            conf__smoke=SMOKE,
            gates__shared="# @package _global_\ngates:\n  common: {case: small}\n",
            players__mine="# @package players\nours: {task: t, command: [./x]}\n",
        )
    )
    assert set(found.gates) == {("phase2", "fast"), ("smoke", "quick"), ("shared", "common")}
    assert found.gates["phase2", "fast"].below == 1.0
    assert found.entries == {("phase2", "big"): "toy.sort", ("smoke", "small"): "toy.sort"}
    assert found.players["ours"].command == ["./x"]
    assert found.case_of("smoke", "small") == found.case_of("shared", "small") == "toy.sort"
    assert found.case_of("x", "y") == ""


def test_no_conf_at_all(tmp_path: Path) -> None:
    """A project that declares nothing has nothing."""
    assert not declared(project(tmp_path)).gates


def test_what_is_no_yaml(tmp_path: Path) -> None:
    """The file is named."""
    with pytest.raises(ConfigurationError, match=r"phase2\.yaml is no valid YAML"):
        declared(project(tmp_path, gates__phase2="a: [\n"))
