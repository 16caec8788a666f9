"""A run's tables as a file for reports/: what was found, and everything that it takes to trace it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.answers import slug
from harness.errors import StoreError
from harness.files import write_text
from harness.report import markdown
from harness.report.markdown import code, escape
from harness.report.model import Report
from harness.report.summary import summarise
from harness.store import Run
from harness.verdict import Verdict
from harness.wording import clean


def publish(run: Run, verdicts: Sequence[Verdict], folder: Path) -> list[Path]:
    """Write ``<phase>-<machine key>.md`` into a folder; an earlier table of that phase and machine is replaced.

    Its history is that of the file under version control.

    Raises:
        StoreError: the folder cannot be written.
    """
    report = summarise(run, verdicts)
    path = folder / f"{slug(report.phase) or 'run'}-{slug(report.machine_key) or 'machine'}.md"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"cannot make {folder}: {error.strerror}; choose another folder") from error
    lines = [*markdown.heading(report), *markdown.gates(report), *markdown.cases(report), *provenance(report)]
    write_text(path, clean("\n".join(lines) + "\n"))
    return [path]


def provenance(report: Report) -> Iterator[str]:
    """Commit, machine, date, data, conditions, configuration and the command that repeats it."""
    origin = report.provenance
    dirty = " with uncommitted changes" if origin.dirty else ", nothing uncommitted"
    commit = f"{code(origin.commit)}{dirty}" if origin.commit else "none: not under version control"
    yield from ("## Provenance", "")
    yield from markdown.table(
        ["", ""],
        "ll",
        [
            ["run", code(origin.run)],
            ["started", escape(origin.created)],
            ["finished", escape(origin.finished or "not finished")],
            ["commit", commit],
            ["harness", escape(origin.harness)],
            ["machine key", code(report.machine_key)],
            ["configuration, sha256", code(origin.configuration_hash)],
            ["records", str(origin.records)],
            ["last record of the chain, sha256", code(origin.head) or "none"],
            ["repeat it with", code(origin.command)],
        ],
    )
    yield from ("", "### Machine", "")
    yield from markdown.table(["Fact", "Value"], "ll", [[escape(name), escape(value)] for name, value in report.facts])
    yield from ("", "### Conditions", "", escape(report.interference.sentence), "")
    if report.interference.measures:
        yield from markdown.table(
            ["Measure", "Median", "Worst"],
            "lrr",
            [[escape(cell) for cell in row] for row in report.interference.measures],
        )
        yield ""
    yield from ("### Data", "")
    if origin.data:
        yield from markdown.table(
            ["Instance", "Provenance", "Input, sha256", "Data sets, sha256"],
            "llll",
            [
                [escape(one.instance), escape(one.provenance), code(one.inputs), escape(one.sets or "none")]
                for one in origin.data
            ],
        )
    else:
        yield "No record names its input."
    fence = "`" * (max([2, *(len(run) for run in re.findall(r"`+", report.configuration))]) + 1)
    yield from ("", "### Configuration", "", "<details><summary>All of it, resolved</summary>", "", f"{fence}yaml")
    yield from (report.configuration.rstrip("\n"), fence, "", "</details>")
