"""The smoke test fails where the embedder does, and where a planted bug is not seen."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks.embedding import smoke

WELL = {"right": 3, "unavailable": 1, "caught": 2, "wrong": 0, "missed": 0}


@pytest.mark.parametrize(
    ("change", "right"),
    [({}, True), ({"wrong": 1}, False), ({"missed": 1}, False), ({"right": 0}, False), ({"caught": 0}, False)],
)
def test_one_wrong_answer_or_missed_bug_is_enough(change: dict[str, int], right: bool) -> None:
    """Nothing right, or nothing caught, is no smoke test either."""
    found = smoke.sound({}, {}, {**WELL, **change})
    assert found.ok is right
    assert bool(found.detail) is not right


@pytest.mark.parametrize(
    ("role", "status", "said"),
    [
        ("candidate", "ok", "right"),
        ("peer", "error", "wrong"),
        ("candidate", "wrong_answer", "wrong"),
        ("control", "wrong_answer", "caught"),
        ("control", "ok", "missed"),
        ("control", "crash", "missed"),
        ("peer", "unavailable", "unavailable"),
    ],
)
def test_a_planted_bug_is_caught_only_by_the_check(role: str, status: str, said: str) -> None:
    """A control that crashes proves nothing."""
    record: Any = SimpleNamespace(role=role, status=status)
    assert smoke.said(record) == said
