"""An import that fails is no fast import."""

from __future__ import annotations

import pytest

from benchmarks.persistence import startup
from playing import answer


@pytest.mark.parametrize(("statement", "right"), [("import json", True), ("raise SystemExit(3)", False)])
def test_only_a_statement_that_runs_to_its_end_counts(statement: str, right: bool) -> None:
    """The exit status of the fresh interpreter is what the check sees."""
    problem = startup.startup(statement=statement)
    found = startup.ended_well(problem.inputs, problem.known, answer("fresh interpreter", problem))
    assert found.ok is right
    assert ("exit status 3" in found.detail) is not right
