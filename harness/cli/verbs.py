"""The verbs: ``harness VERB ...``, each loaded only when it is asked for."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from harness.errors import HarnessError, UsageError
from harness.project import find

VERBS = {
    "run": ("harness.cli.app:main", "plan, measure, judge and report: harness run conf=smoke"),
    "list": ("harness.cli.inventory:main", "cases, players, gates, data sets and runs, and what this machine can run"),
    "doctor": ("harness.cli.doctor:main", "this machine: what it is, and what that makes unmeasurable"),
    "report": ("harness.cli.commands:report", "write a run's reports again, or export its records"),
    "verify": ("harness.cli.commands:verify", "recompute every verdict from the raw records"),
    "compare": (
        "harness.cli.commands:compare",
        "two runs or commits, case by case: ratios with intervals, answers equal or not",
    ),
    "fetch": ("harness.data.fetch:main", "download a data set and check its hash"),
    "publish": ("harness.cli.commands:publish", "write a run's tables, with their provenance, under reports/"),
    "asv": ("harness.cli.commands:asv", "write a run's records as results of asv, for one history of both"),
}
OF_RUNS = ("report", "verify", "compare", "publish", "asv")
"""Verbs that take runs; what they need is in the run's folder."""
INTERRUPTED, BROKEN_PIPE = 130, 141


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb and return the exit status; errors end here, as one message."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        status = dispatch(words)
        sys.stdout.flush()
        return status
    except HarnessError as error:
        if os.environ.get("HARNESS_DEBUG") == "1":
            import traceback

            traceback.print_exc()
        print(f"harness: {error}", file=sys.stderr)
        return error.exit_status
    except KeyboardInterrupt:
        print("harness: stopped", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE


def dispatch(words: Sequence[str]) -> int:
    """Find the verb and hand it the rest.

    Raises:
        UsageError: there is no such verb; the message has near misses.
    """
    if not words or words[0] in ("-h", "--help", "help"):
        if len(words) > 1 and words[0] == "help":
            return dispatch([words[1], "--help"])
        print(usage())
        return 0 if words else UsageError.exit_status
    if words[0] in ("-V", "--version", "version"):
        from harness import __version__

        print(f"harness {__version__}")
        return 0
    if words[0] in ("-sc", "--shell-completion"):
        from harness.cli.completion import complete

        return complete(words, verbs=VERBS, of_runs=OF_RUNS, run=lambda rest: dispatch(["run", *rest]))
    verb, rest = words[0], list(words[1:])
    if verb not in VERBS:
        near = difflib.get_close_matches(verb, VERBS, n=2, cutoff=0.5)
        if "=" in verb:
            near = [f"run {verb}"]
        meant = f" Did you mean 'harness {near[0]}'?" if near else ""
        raise UsageError(
            f"there is no verb {verb!r}.{meant} Verbs: {', '.join(VERBS)}. 'harness --help' says what each does"
        )
    import importlib

    module, _, function = VERBS[verb][0].partition(":")
    return int(getattr(importlib.import_module(module), function)(rest, _project(verb, rest)))


def _project(verb: str, rest: Sequence[str]) -> Path | None:
    """The project that the verb works on. ``doctor``, a run's folder and a verb's own help need none."""
    try:
        return find()
    except HarnessError:
        if verb in ("doctor", *OF_RUNS) or {"-h", "--help", "-sc", "--shell-completion"} & set(rest):
            return None
        raise


def usage() -> str:
    """What ``harness --help`` prints."""
    verbs = "\n".join(f"  {name:8} {summary}" for name, (_, summary) in VERBS.items())
    return f"""\
usage: harness VERB [ARGUMENTS]

{verbs}

'harness VERB --help' has the arguments of each; 'harness run --help' lists the configurations.
RUN is a folder, a name under reports/runs, the beginning of one, 'latest', or a commit: its newest run.
Exit status: 0 all passed, 1 crash or configuration, 2 usage, 10 FAIL, 11 BLOCKED, 12 OFF-CONDITION,
13 INCONCLUSIVE, 14 no verdict, 130 stopped by Ctrl-C. HARNESS_DEBUG=1 shows tracebacks."""
