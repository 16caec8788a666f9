"""Let a persistence player answer a problem in this process, or skip the test with the reason why it cannot."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from harness.case import Problem
from harness.discover import registry
from harness.machine.availability import why_not
from harness.trials.target import load

PROJECT = Path(__file__).resolve().parents[1]
KNOWN = registry(PROJECT)
CPU = sorted(name for name in KNOWN.answering("persistence.rips") if KNOWN.player(name).device == "cpu")
RIPS = [name for name in CPU if KNOWN.player(name).role != "control"]
CONTROLS = [name for name in CPU if KNOWN.player(name).role == "control"]


def answer(name: str, problem: Problem | Mapping[str, Any], *, threads: int = 1) -> Mapping[str, Any]:
    """The answer of a player; skips where its package is not installed."""
    info = KNOWN.player(name)
    if reason := why_not(info, {"gpus": []}, PROJECT):
        pytest.skip(reason)
    inputs = problem.inputs if isinstance(problem, Problem) else problem
    return load(info.target, PROJECT)({**inputs, "threads": threads}, lambda stage: nullcontext())()  # type: ignore[no-any-return]
