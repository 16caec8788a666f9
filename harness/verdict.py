"""A verdict, and the exit status that a set of verdicts comes to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

EXIT_STATUS = {"PASS": 0, "FAIL": 10, "BLOCKED": 11, "OFF-CONDITION": 12, "INCONCLUSIVE": 13}
NO_VERDICT = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one gate came to.

    Attributes:
        gate, title, row, kind: from the configuration.
        verdict: PASS, FAIL, BLOCKED, OFF-CONDITION or INCONCLUSIVE.
        reason: one sentence with the numbers. ``next_step``: what to do, one sentence (empty for PASS).
        value, low, high: the number and its interval, where there is one, in ``unit``.
        relation: ``=``, or ``>=`` / ``<=`` where a process did not finish (a censored value).
        bound: ``{"below": x}`` or ``{"above": x}``.
        confidence, processes: of the interval, and how many processes it rests on.
        required, found: the conditions, as asked and as they were here.
        evidence: ids of the trials that it rests on.
        tolerated: the configuration lets this verdict leave the exit status alone.
    """

    gate: str
    title: str
    row: str
    kind: str
    verdict: str
    reason: str
    next_step: str = ""
    value: float | None = None
    low: float | None = None
    high: float | None = None
    relation: str = "="
    unit: str = ""
    bound: Mapping[str, float] = field(default_factory=dict)
    confidence: float = 0.95
    processes: int = 0
    required: Mapping[str, str] = field(default_factory=dict)
    found: Mapping[str, str] = field(default_factory=dict)
    evidence: tuple[str, ...] = ()
    tolerated: bool = False

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {**asdict(self), "evidence": list(self.evidence)}


def exit_status(verdicts: Iterable[Verdict]) -> int:
    """The worst verdict as an exit status: FAIL before BLOCKED before OFF-CONDITION before INCONCLUSIVE.

    Tolerated verdicts count as passed. No verdict at all is 14.
    """
    statuses = [0 if verdict.tolerated else EXIT_STATUS[verdict.verdict] for verdict in verdicts]
    if not statuses:
        return NO_VERDICT
    return worst_status(statuses)


def worst_status(statuses: Iterable[int]) -> int:
    """The worst of several exit statuses: a crash (1), then the lowest of the verdicts, then 0."""
    bad = [status for status in statuses if status != 0]
    return min(bad) if bad else 0
