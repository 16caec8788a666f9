"""The same cases and players as asv sees them: thin views at small sizes, for a history over commits.

asv measures without the harness's processes, limits and agreement, so nothing here gates. A player that cannot
run is skipped; an answer that the case's check finds wrong fails. No peakmem views: asv reads ``ru_maxrss``,
which counts the parent, too; the harness's records, exported, have the child's own peak.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from harness import Unavailable
from harness.discover import registry
from harness.machine.availability import why_not
from harness.trials.target import load

PROJECT = Path(__file__).resolve().parents[2]
KNOWN = registry(PROJECT)


def _answering(case: str) -> list[str]:
    """Players that a view can call: Python, on the CPU, in this interpreter, and not wrong on purpose."""
    names = KNOWN.answering(KNOWN.case(case).task)
    players = [KNOWN.player(name) for name in names]
    return [p.name for p in players if p.target and not p.interpreter and p.device == "cpu" and p.role != "control"]


class _View:
    """One case over a size and its players; subclasses name the case, the sizes and the other parameters."""

    case: str
    fixed: dict[str, Any]
    timeout = 120
    rounds = 2
    repeat = (1, 5, 2.0)
    warmup_time = 0.0

    def setup(self, n: int, player: str) -> None:
        case, info = KNOWN.case(self.case), KNOWN.player(player)
        if reason := why_not(info, {"gpus": []}, PROJECT):
            raise NotImplementedError(reason)
        problem = load(case.target, PROJECT)(n, **self.fixed)
        inputs = {**problem.inputs, "threads": 1}
        try:
            self.solve: Callable[[], Any] = load(info.target, PROJECT)(inputs, nullcontext)
            answer = self.solve()
        except Unavailable as error:
            raise NotImplementedError(str(error)) from None
        found = load(case.check, PROJECT)(inputs, problem.known, answer)
        if not found.ok:
            raise ValueError(f"{player} answers {self.case} wrongly: {found.detail}")

    def time_solve(self, n: int, player: str) -> None:
        self.solve()


class Torus(_View):
    """Vietoris-Rips on the noisy torus at mean degree 20."""

    case = "persistence.torus"
    version = f"{case} {KNOWN.case(case).version}"
    fixed = {"k": 20}
    param_names = ("n", "player")
    params = ((1_000, 10_000), _answering(case))


class AlphaCube(_View):
    """The alpha filtration of uniform points in the cube."""

    case = "persistence.alpha_cube"
    version = f"{case} {KNOWN.case(case).version}"
    fixed: dict[str, Any] = {}
    param_names = ("n", "player")
    params = ((1_000, 10_000), _answering(case))
