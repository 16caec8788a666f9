"""A published table carries everything that it takes to trace and to repeat it."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import report
from harness.errors import StoreError
from harness.store import Run
from harness.verdict import Verdict


def test_provenance_is_complete(full: tuple[Run, list[Verdict]], tmp_path: Path) -> None:
    """Commit, machine, date, data, conditions, configuration, the chain's head and the command stand in it."""
    run, verdicts = full
    (path,) = report.publish(run, verdicts, tmp_path / "reports")
    text = path.read_text()
    for words in (
        "d" * 40,
        "test-machine",
        "2026-11-21 00:00 UTC",
        "b" * 64,
        run.manifest["configuration"],
        run.records[-1].digest,
        "harness run repeat=",
        "phase: Test",
        "may have been disturbed",
        "24.0 GiB",
        "nothing uncommitted",
    ):
        assert words in text, words
    assert path.name == "test-test-machine.md"
    assert str(tmp_path) not in text


def test_published_again_replaces(full: tuple[Run, list[Verdict]], tmp_path: Path) -> None:
    """The same phase on the same machine is one file, whose history version control keeps."""
    run, verdicts = full
    first = report.publish(run, verdicts, tmp_path / "reports")
    assert report.publish(run, verdicts, tmp_path / "reports") == first
    assert sorted((tmp_path / "reports").iterdir()) == first


def test_folder_that_cannot_be_made(empty: Run, tmp_path: Path) -> None:
    """The message names the folder and the next step."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="choose another folder"):
        report.publish(empty, [], tmp_path / "file" / "reports")
