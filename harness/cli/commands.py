"""The verbs over run folders: report, verify, compare, publish and asv. Nothing of a run is executed.

The folder of a run is enough for each of them; ``project`` is None outside any project.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.runs import FOLDER, find, manifest
from harness.errors import StoreError
from harness.project import find as project_of, has_commit
from harness.verdict import EXIT_STATUS, exit_status

if TYPE_CHECKING:
    from harness.config import GateConfig
    from harness.store import Run

RUN = f"a run folder, a name under {FOLDER}, the beginning of one, 'latest', or a commit: its newest run"


def report(argv: Sequence[str], project: Path | None) -> int:
    """The verb ``report``. Returns the exit status of the run's verdicts."""
    parser = argparse.ArgumentParser(prog="harness report", description="Write a run's reports again from its records.")
    parser.add_argument("run", metavar="RUN", help=RUN)
    parser.add_argument("--open", choices=("yes", "no"), default="no", help="open it in a browser (default: no)")
    parser.add_argument(
        "--export", metavar="FOLDER", type=Path, help="write records.csv and records.parquet there instead"
    )
    words = parser.parse_args(argv)
    run = _load(words.run, project)
    if words.export:
        from harness import store

        _list(store.export(run, words.export))
        return 0
    from harness.judging import gates
    from harness.report import write

    verdicts = gates.judge(run)
    _list(write(run, verdicts))
    if words.open == "yes":
        import webbrowser

        webbrowser.open((run.path / "report.html").resolve().as_uri())
    status = exit_status(verdicts)
    print(f"exit status {status}, that of the verdicts")
    return status


def verify(argv: Sequence[str], project: Path | None) -> int:
    """The verb ``verify``. Returns 0 if everything fits together, 10 if not."""
    parser = argparse.ArgumentParser(
        prog="harness verify", description="Recompute every verdict from the raw records, and say what does not fit."
    )
    parser.add_argument("run", metavar="RUN", help=RUN)
    parser.add_argument("--head", metavar="SHA", default="", help="the published digest of the run's last record")
    parser.add_argument(
        "--gates", choices=("yes", "no"), default="yes",
        help="name the saved gates that this project has otherwise now, where the run is one of it (default: yes)",
    )  # fmt: skip
    words = parser.parse_args(argv)
    run = _load(words.run, project)
    from harness.judging import verify as verification

    ours = _gates_now(run, project) if words.gates == "yes" and project and _is_of(run, project) else {}
    findings = verification.verify(run, gates=ours, expected_head=words.head)
    for finding in findings:
        print(f"{finding.severity:5} {finding.where}: {finding.what}")
    bad = verification.failed(findings)
    head = run.records[-1].digest if run.records else "none"
    against = f"{len(ours)} of them held against their namesakes in this project"
    counts = f"{len(run.records)} records, {len(run.config.gates)} gates, {against if ours else 'judged by themselves'}"
    print(f"{'DOES NOT VERIFY' if bad else 'verified'}: {run.name}, {counts}; head {head}")
    return EXIT_STATUS["FAIL"] if bad else 0


def compare(argv: Sequence[str], project: Path | None) -> int:
    """The verb ``compare``. Returns 0 no regression, 10 a regression, 13 not known, 14 nothing in common."""
    from harness.judging import compare as comparison

    parser = argparse.ArgumentParser(prog="harness compare", description="Two runs, or two commits, case by case.")
    parser.add_argument("before", metavar="RUN", help=f"the earlier one: {RUN}")
    parser.add_argument("after", metavar="RUN", help="the one that is held against it")
    parser.add_argument(
        "--tolerance", metavar="SHARE", type=float, default=comparison.TOLERANCE,
        help=f"slowdown that does not count (default: {comparison.TOLERANCE:g})",
    )  # fmt: skip
    parser.add_argument(
        "--confidence", metavar="LEVEL", type=float, default=0.95, help="of the intervals (default: 0.95)"
    )
    parser.add_argument("--markdown", metavar="FILE", type=Path, help="write the table there, for a pull request")
    words = parser.parse_args(argv)
    if words.tolerance < 0 or not 0.5 < words.confidence < 1:
        parser.error("--tolerance must be 0 or more, --confidence between 0.5 and 1")
    after = find(words.after, project)
    before = find(words.before, project, phase=str(manifest(after).get("phase", "")))
    from harness import store
    from harness.cli.table import show
    from harness.files import write_text

    found = comparison.compare(store.load(before), store.load(after), words.confidence)
    if words.markdown:
        write_text(words.markdown, comparison.markdown(found, words.tolerance))
    show(f"{found.b} against {found.a}: ratios are new over old, above 1 is slower", list(comparison.COLUMNS),
         comparison.table(found, words.tolerance), empty="the runs have nothing in common")  # fmt: skip
    for text in found.warnings:
        print(f"warning: {text}")
    for run, only in ((found.a, found.only_a), (found.b, found.only_b)):
        if only:
            print(f"only in {run}: {', '.join(only)}")
    return found.exit_status(words.tolerance)


def publish(argv: Sequence[str], project: Path | None) -> int:
    """The verb ``publish``. Returns 0: what the tables say is in the tables. A run has to be finished and to verify."""
    parser = argparse.ArgumentParser(prog="harness publish", description="Write a run's tables, with their provenance.")
    parser.add_argument("run", metavar="RUN", help=RUN)
    parser.add_argument("--to", metavar="FOLDER", type=Path, help="where to (default: reports/ of the project)")
    words = parser.parse_args(argv)
    to = words.to or (project / "reports" if project else None)
    if to is None:
        parser.error("there is no project here whose reports/ they could go to; say where with --to FOLDER")
    run = _load(words.run, project)
    from harness.judging import gates, verify as verification
    from harness.report import publish as write

    ours = _gates_now(run, project) if project and _is_of(run, project) else {}
    findings = verification.verify(run, gates=ours)
    if verification.failed(findings):
        bad = [finding for finding in findings if finding.severity == "error"]
        step = f"see: harness verify {words.run}"
        if all(finding.where == verification.VERDICTS for finding in bad):
            step = f"all else fits, so write the verdicts and their reasons anew: harness report {words.run}"
        raise StoreError(
            f"run {run.name} does not verify, so it is not published: {bad[0].where}: {bad[0].what}"
            + (f" (and {len(bad) - 1} more)" if len(bad) > 1 else "")
            + f"; {step}"
        )
    if "finished" not in run.manifest:
        raise StoreError(
            f"run {run.name} is not finished, so it is not published; go on with: harness run resume={run.path}"
        )
    _list(write(run, gates.judge(run), to))
    return 0


def asv(argv: Sequence[str], project: Path | None) -> int:
    """The verb ``asv``. Returns 0."""
    parser = argparse.ArgumentParser(prog="harness asv", description="Write a run's records as results of asv.")
    parser.add_argument("run", metavar="RUN", help=RUN)
    parser.add_argument(
        "--to", metavar="FOLDER", type=Path, help="asv's results_dir (default: .asv/results of the project)"
    )
    words = parser.parse_args(argv)
    run = _load(words.run, project)
    home = project or project_of(run.path)
    from harness.report.asv import export

    _list(export(run, words.to or home / ".asv" / "results", project=home))
    return 0


def _load(word: str, project: Path | None) -> Run:
    from harness import store

    return store.load(find(word, project))


def _is_of(run: Run, project: Path) -> bool:
    """Whether a run is one of a project: by its name, its place, or a commit that the project's repository holds."""
    git = run.manifest.get("git")
    return (
        run.manifest.get("project_name") == project.name
        or run.path.resolve().is_relative_to(project)
        or has_commit(project, str(git.get("commit", "")) if isinstance(git, dict) else "")
    )


def _gates_now(run: Run, project: Path) -> dict[str, GateConfig]:
    """For every gate of the run its namesake in the project's files; of several the one that is equal, if any."""
    from harness.cli.declared import declared

    now: dict[str, GateConfig] = {}
    for (_, key), gate in declared(project).gates.items():
        if key in run.config.gates and now.get(key) != run.config.gates[key]:
            now[key] = gate
    return now


def _list(paths: Sequence[Path]) -> None:
    for path in paths:
        print(path)
