"""What the harness costs: its start, its verbs, each trial, its parent process, its reports, its clock.

A referee that is slow or that disturbs what it measures is no referee, so it is measured like any player.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from benchmarks.overhead.outside import BLOCK
from harness import Check, Problem, case


@case(version=1, task="overhead.command", check="benchmarks.overhead.cases:ended_well")
def command(verb: str, seed: int) -> Problem:
    """One verb of the command line, from the start of the interpreter to its end."""
    return Problem(inputs={"verb": verb})


@case(version=2, task="overhead.trials", check="benchmarks.overhead.cases:small_costs")
def trials(count: int, seed: int) -> Problem:
    """Small runs that do nothing: from ``harness run`` to its first trial, cost of each trial, and of the parent."""
    return Problem(inputs={"count": count})


@case(version=1, task="overhead.records", check="benchmarks.overhead.cases:sound")
def records(count: int, seed: int) -> Problem:
    """Report and verify a run of this many records."""
    return Problem(inputs={"count": count})


@case(version=2, task="overhead.loop", check="benchmarks.overhead.cases:counted")
def loop(work: str, steps: int, seed: int) -> Problem:
    """A loop of some 10 ms, the same inside the harness and outside it."""
    return Problem(inputs={"work": work, "steps": steps}, known={"total": total_of(work, steps)})


@case(version=2, task="overhead.twins", check="benchmarks.overhead.cases:counted")
def twins(round: int, work: str, steps: int, seed: int) -> Problem:
    """Two players that are one and the same: what differs between them is a false alarm (A/A)."""
    return Problem(inputs={"work": work, "steps": steps}, known={"total": total_of(work, steps)})


def total_of(work: str, steps: int) -> int:
    """What a loop arrives at, without the loop: the sum in closed form, the hash of all blocks in one piece."""
    if work == "add":
        return steps * (steps - 1) // 2
    return int.from_bytes(hashlib.sha256(BLOCK * steps).digest()[:6])


def ended_well(inputs: Mapping[str, Any], known: Mapping[str, Any], answer: Mapping[str, Any]) -> Check:
    """The command exited with status 0 and said something."""
    status, said = int(answer["status"]), int(answer["characters"])
    return Check(
        ok=status == 0 and said > 100,
        oracle="exit status 0 and some output",
        detail="" if status == 0 else f"exit status {status}, {said} characters of output",
        exact=False,
    )


def small_costs(inputs: Mapping[str, Any], known: Mapping[str, Any], answer: Mapping[str, Any]) -> Check:
    """Every trial has its record; the costs become metrics for the gates."""
    found = int(answer["records"])
    units = {"first_trial": "s", "trial_cost": "s", "parent_share": "1"}
    metrics = {name: {"value": float(answer[name]), "unit": unit, "direction": "lower"} for name, unit in units.items()}
    return Check(
        ok=found == inputs["count"],
        oracle="one record a trial",
        detail="" if found == inputs["count"] else f"{found} records of {inputs['count']}",
        exact=False,
        metrics=metrics,
    )


def sound(inputs: Mapping[str, Any], known: Mapping[str, Any], answer: Mapping[str, Any]) -> Check:
    """The untouched run verifies without an error, and its report is there."""
    findings, size = int(answer["errors"]), int(answer["html_bytes"])
    return Check(
        ok=findings == 0 and size > 1000,
        oracle="verify finds nothing and report.html is written",
        detail="" if findings == 0 else f"{findings} finding(s)",
        exact=False,
    )


def counted(inputs: Mapping[str, Any], known: Mapping[str, Any], answer: Mapping[str, Any]) -> Check:
    """The total that is known without the loop."""
    total = int(answer["total"])
    right = total == known["total"]
    return Check(
        ok=right,
        oracle="closed form or one-shot hash",
        detail="" if right else f"{total} instead of {known['total']}",
        canonical={"total": np.array([total])},
    )


@case(version=1, task="overhead.repeated", check="benchmarks.overhead.cases:the_same")
def repeated(count: int, seed: int) -> Problem:
    """A small run and its repetition from the configuration that it saved."""
    return Problem(inputs={"count": count})


def the_same(inputs: Mapping[str, Any], known: Mapping[str, Any], answer: Mapping[str, Any]) -> Check:
    """Nothing but the times may differ."""
    differences, compared = int(answer["differences"]), int(answer["compared"])
    return Check(
        ok=compared > 0,
        oracle="trial ids, input digests and answer digests of both runs",
        detail="" if compared else "the two runs have no trial in common",
        exact=False,
        metrics={"differences": {"value": float(differences), "unit": "1", "direction": "lower"}},
    )
