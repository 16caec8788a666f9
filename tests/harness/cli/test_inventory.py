"""``harness list``: what is shown, what is filtered, and that it stays light."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import machines
from harness.cli.inventory import main
from harness.errors import UnknownName, UsageError

ROOT = Path(__file__).resolve().parents[3]
SUITE = """\
@player(name="alpha", task="t", packages={"no-such-thing": ""})
def a(inputs, stage): ...

@player(name="beta", task="t")
def b(inputs, stage): ...
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with two players."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return machines.project(tmp_path / "p", benchmarks=SUITE)


def test_everything(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every kind has its line, and what is empty says how to begin."""
    assert main([], here) == 0
    out = capsys.readouterr().out
    assert "players: 1 of 2 can be run here\n       player  task  role  about, or what is lacking\n" in out
    assert "no   alpha   t     peer  no-such-thing is not installed; install it with: pip install" in out
    assert "yes  beta" in out
    assert "runs: 0" in out
    assert "none yet: 'harness run conf=smoke' makes one" in out


def test_one_kind_and_a_filter(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A kind in the singular or plural, and any other word as a filter by name."""
    assert main(["player", "BET"], here) == 0
    out = capsys.readouterr().out
    assert "beta" in out
    assert "alpha" not in out
    assert "cases" not in out


def test_a_filter_that_fits_nothing(here: Path) -> None:
    """It gets near misses, and is an error of usage."""
    with pytest.raises(UsageError, match=r"no entry is named 'alhpa'\. Did you mean 'alpha'"):
        main(["alhpa"], here)


def test_a_long_list_of_names_is_cut() -> None:
    """A message shows a dozen known names and counts the rest; programs still get all of them."""
    error = UnknownName("entry", "foo", [f"n{number:02}" for number in range(30)])
    assert str(error).endswith("n10, n11 and 18 more")
    assert len(error.known) == 30


def test_json(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same for programs."""
    assert main(["players", "--json"], here) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found) == {"machine", "players"}
    assert [(row["name"], row["available"]) for row in found["players"]] == [("alpha", False), ("beta", True)]


def test_a_listing_is_light() -> None:
    """No numerical package, no suite and not Hydra is imported to list this project."""
    code = (
        "import sys; from pathlib import Path; from harness.cli.inventory import main; main(['--json'], Path.cwd());"
        "heavy = {'numpy', 'scipy', 'pandas', 'matplotlib', 'hydra', 'omegaconf', 'jinja2', 'benchmarks', 'rich'};"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
