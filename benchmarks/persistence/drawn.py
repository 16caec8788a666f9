"""Clouds that are too large to be handed over as a file, and fit into memory: every player draws the same points.

Answers are the bars themselves; what is kept of them, and compared between players, is how many there are and a digest.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from benchmarks.persistence.barcode import canonical, counts, sha256
from benchmarks.persistence.inputs import Rips, rips as read
from benchmarks.persistence.thresholds import threshold
from benchmarks.persistence.tiles import torus_in_chunks
from harness.case import Check, Problem, case

_ORACLE = "form and number of bars"


@case(version=1, task="persistence.rips_drawn", check="benchmarks.persistence.drawn:bars")
def torus_drawn(n: int, k: int, seed: int = 0) -> Problem:
    """W(n, k) of :func:`benchmarks.persistence.workloads.torus`, bit for bit, H0 and H1, drawn by the player itself."""
    return Problem(inputs={"n": n, "seed": seed, "threshold": threshold("torus", n, k), "max_dimension": 1})


def draw(inputs: Mapping[str, Any]) -> Rips:
    """The problem with its points."""
    points = np.concatenate(list(torus_in_chunks(int(inputs["n"]), int(inputs["seed"]))))
    return read({**inputs, "points": points})


def bars(inputs: Mapping[str, Any], known: Mapping[str, Any], answer: Mapping[str, Any]) -> Check:
    """No more bars than points in H0, one of them essential at least, and no bar that cannot be one.

    Nothing else is checked of so many: what an answer is worth, the other players' digests say.
    """
    n, longest = int(inputs["n"]), float(inputs["threshold"])
    try:
        found = canonical(answer, 1, ceiling=longest)
    except ValueError as error:
        return Check(ok=False, oracle=_ORACLE, detail=str(error))
    number = counts(found)
    numbers = np.array([[number[kind][d] for kind in ("finite", "essential")] for d in ("0", "1")])
    finite, essential = numbers[0].tolist()
    wrong = ""
    if finite + essential > n or essential == 0 or found["bars_0"][:, 0].any():
        wrong = f"H0 of {n:,} points has {finite:,} finite and {essential:,} essential bars, or one that is born late"
    digest = np.frombuffer(bytes.fromhex("".join(sha256(rows) for rows in found.values())), dtype=np.uint8)
    return Check(ok=not wrong, oracle=_ORACLE, detail=wrong, canonical={"counts": numbers, "digest": digest})
