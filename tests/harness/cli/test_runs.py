"""A word for a run: a path, a name, its beginning, or `latest`."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from harness.cli.runs import FOLDER, find, names
from harness.errors import UnknownName


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A project with three runs; the one made last does not have the last name."""
    for name, created in (("20261101-a", "2026-11-01"), ("20261102-a", "2026-11-09"), ("20261102-b", "2026-11-02")):
        folder = tmp_path / FOLDER / name
        folder.mkdir(parents=True)
        (folder / "run.json").write_text(json.dumps({"run": name, "created": f"{created}T00:00:00+00:00"}))
    (tmp_path / FOLDER / ".sweeps").mkdir()
    (tmp_path / FOLDER / "notes").mkdir()
    return tmp_path


def test_names_are_in_the_order_of_time(home: Path) -> None:
    """Oldest first, and only folders that are runs."""
    assert names(home) == ["20261101-a", "20261102-b", "20261102-a"]


@pytest.mark.parametrize(
    ("word", "name"),
    [("20261101-a", "20261101-a"), ("20261101", "20261101-a"), ("20261102-b", "20261102-b"), ("latest", "20261102-a")],
)
def test_a_run_is_found(home: Path, word: str, name: str) -> None:
    """By its name, by the beginning of it, and the newest by `latest`."""
    assert find(word, home) == home / FOLDER / name


def test_a_path_is_a_run(home: Path, tmp_path: Path) -> None:
    """A folder from elsewhere is taken as it is."""
    assert find(str(home / FOLDER / "20261101-a"), tmp_path / "elsewhere") == home / FOLDER / "20261101-a"


def test_an_ambiguous_beginning(home: Path) -> None:
    """Two runs that begin so are both named."""
    with pytest.raises(UnknownName, match=r"Several names begin with '20261102'; write more of one\.") as error:
        find("20261102", home)
    assert error.value.known == ["20261102-a", "20261102-b"]


def test_a_wrong_name_gets_near_misses(home: Path, tmp_path: Path) -> None:
    """The message names the runs that there are; a folder that is no run is told apart."""
    with pytest.raises(UnknownName, match="Did you mean '20261101-a' or '20261102-a'"):
        find("20261101-aa", home)
    with pytest.raises(UnknownName, match=r"exists but holds no run\.json"):
        find(str(home / FOLDER / "notes"), home)
    with pytest.raises(UnknownName, match="No run is known here"):
        find("latest", tmp_path / "empty")


def test_a_damaged_manifest_breaks_nothing(home: Path) -> None:
    """A run whose manifest cannot be read is still found, and never the latest."""
    (home / FOLDER / "20261102-a" / "run.json").write_text("{")
    assert names(home)[0] == "20261102-a"
    assert find("latest", home).name == "20261102-b"


def test_a_commit_means_its_newest_run(home: Path) -> None:
    """By its first digits, or as git names it; of a phase, where one is asked for."""
    git = ["git", "-C", str(home), "-c", "user.name=a", "-c", "user.email=a@b.c"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "one"], check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    for name, phase in (("20261101-a", "Smoke"), ("20261102-b", "Phase 2")):
        path = home / FOLDER / name / "run.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "phase": phase, "git": {"commit": head}}))
    assert find("HEAD", home).name == "20261102-b"
    assert find(head[:10], home, phase="Smoke").name == "20261101-a"
    with pytest.raises(UnknownName, match="or a measured commit"):
        find("HEAD", home, phase="Phase 3")
    with pytest.raises(UnknownName):
        find("f" * 40, home)
    with pytest.raises(UnknownName):
        find("--all", home)
