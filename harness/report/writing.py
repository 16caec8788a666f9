"""All reports of one run, written into its folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.errors import StoreError
from harness.files import refuse_link, write_text
from harness.report import html, judgement, junit, markdown, plots
from harness.report.summary import summarise
from harness.store import Run
from harness.verdict import Verdict
from harness.wording import clean


def write(run: Run, verdicts: Sequence[Verdict]) -> list[Path]:
    """Write verdicts.json, junit.xml, table.md, plots/ and report.html, the ones for programs first.

    Returns:
        The files written.

    Raises:
        StoreError: the folder cannot be written; the records are intact.
    """
    folder = run.path / "plots"
    refuse_link(folder)
    report = summarise(run, verdicts)
    texts = {
        "verdicts.json": judgement.render(run, verdicts),
        "junit.xml": junit.render(report),
        "table.md": markdown.render(report),
    }
    written = []
    for name, text in texts.items():
        written.append(run.path / name)
        write_text(run.path / name, clean(text))
    try:
        drawn, files, left_out = plots.draw(report, folder)
        page = html.render(report, drawn=drawn, left_out=left_out, plots=folder)
    except OSError as error:
        raise StoreError(
            f"cannot write {folder}: {error.strerror}; the records are intact. Make room, then: "
            f"harness report {run.path}"
        ) from error
    write_text(run.path / "report.html", clean(page))
    return [*written, *files, run.path / "report.html"]
