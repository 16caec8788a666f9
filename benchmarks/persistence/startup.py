"""How long an import takes, in an interpreter of its own: what a user waits for before the first line of work."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any

from harness.case import Check, Problem, Stage, case, player


@case(version=1, task="persistence.import", check="benchmarks.persistence.startup:ended_well")
def startup(statement: str, seed: int = 0) -> Problem:
    """One import, from the start of the interpreter to its end."""
    return Problem(inputs={"statement": statement})


@player(
    name="fresh interpreter",
    task="persistence.import",
    role="baseline",
    engine="Python",
    note="the interpreter's own start and end are in the time",
)
def fresh_interpreter(inputs: Mapping[str, Any], stage: Stage) -> Callable[[], Mapping[str, Any]]:
    """The statement alone, in a new process."""
    command = [sys.executable, "-c", inputs["statement"]]
    return lambda: {"status": subprocess.run(command, check=False).returncode}


def ended_well(inputs: Mapping[str, Any], known: Mapping[str, Any], answer: Mapping[str, Any]) -> Check:
    """The statement raised nothing: exit status 0."""
    status = int(answer["status"])
    detail = f"{inputs['statement']!r} ended with exit status {status}" if status else ""
    return Check(ok=status == 0, oracle="exit status 0", detail=detail, exact=False)
