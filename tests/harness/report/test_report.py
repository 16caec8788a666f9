"""What the package hands on, what it writes, and what happens when it cannot."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import fabricate
from harness import report
from harness.errors import StoreError
from harness.store import Run
from harness.verdict import Verdict


def test_public_names() -> None:
    """Two functions, no more."""
    assert sorted(report.__all__) == ["publish", "write"]


def test_import_is_light() -> None:
    """Nothing heavy is imported before a report is written."""
    heavy = ("numpy", "matplotlib", "jinja2", "scipy", "pandas")
    code = f"import sys, harness.report; print([name for name in {heavy} if name in sys.modules])"
    here = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=here)
    assert done.stdout.strip() == "[]"


def test_all_files_are_named(full: tuple[Run, list[Verdict]]) -> None:
    """Everything that is returned exists, and nothing else was left behind."""
    run, verdicts = full
    before = set(run.path.rglob("*"))
    files = report.write(run, verdicts)
    assert {path.name for path in files} >= {"report.html", "table.md", "verdicts.json", "junit.xml"}
    assert {path for path in set(run.path.rglob("*")) - before if path.is_file()} == set(files)


def test_plots_that_cannot_be_written(full: tuple[Run, list[Verdict]], monkeypatch: pytest.MonkeyPatch) -> None:
    """The verdicts are on disk before the plots are drawn, and the message says how to go on."""
    run, verdicts = full

    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("harness.report.plots.draw", full_disk)
    with pytest.raises(StoreError, match=r"No space left on device; the records are intact.*harness report"):
        report.write(run, verdicts)
    assert (run.path / "verdicts.json").exists()


def test_a_run_from_elsewhere_runs_nothing(full: tuple[Run, list[Verdict]]) -> None:
    """A folder with an answers file that is no archive, and a configuration naming modules, is only read."""
    run, verdicts = full
    (run.path / "answers" / f"{'a' * 64}.npz").write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    assert report.write(run, verdicts)


def test_a_parameter_that_begins_at_zero(tmp_path: Path) -> None:
    """A sweep over 0, 1, 2 is reported: what a logarithmic axis cannot show is left out of the plot only."""
    records = [fabricate.record(params={"round": n}, process=i) for n in range(3) for i in range(3)]
    run = fabricate.run(tmp_path / "run", records)
    report.write(run, [])
    text = (run.path / "report.html").read_text()
    assert all(f"torus[round={n}]" in text for n in range(3))
