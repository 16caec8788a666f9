"""What a case and a player are: two decorators that mark a function, read without importing it.

The decorators do nothing but attach their arguments; :mod:`harness.discover` reads the same arguments
from the source text, so that a listing or a plan imports no suite. For that reason every argument is a
literal (a string, a number, a tuple, a dict of those).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])

ROLES = ("candidate", "peer", "baseline", "control")
DEVICES = ("cpu", "cuda")
PROVENANCES = ("real", "derived", "synthetic")


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One instance of a case: what the players see, and what only the referee knows.

    Attributes:
        inputs: name to numpy array or JSON scalar. Written once a case instance and handed to every
            player as the same bytes.
        known: what is known about the right answer (JSON values). Never shown to a player.
        provenance: ``real``, ``derived`` or ``synthetic``.
        data: name to sha256 of the data sets that the inputs were made from.
    """

    inputs: Mapping[str, Any]
    known: Mapping[str, Any] = field(default_factory=dict)
    provenance: str = "synthetic"
    data: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.provenance not in PROVENANCES:
            raise ValueError(f"the provenance of a problem is one of {', '.join(PROVENANCES)}, not {self.provenance!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What the referee found about one answer.

    Attributes:
        ok: whether the answer is right, as far as the oracle can tell.
        oracle: what it was held against, in words.
        detail: one sentence; for a wrong answer, what differs.
        distance, tolerance: how far from the oracle, and how far is allowed (same unit).
        canonical: the answer in the one form in which right answers of all players are equal bit for bit,
            name to array. Its digest is what agreement between players is judged on.
        exact: False where right answers may differ (approximations): then digests are not compared.
        metrics: name to ``{"value": float, "unit": str, "direction": "lower" | "higher"}`` (and ``ceiling``
            where there is one), for accuracy gates.
    """

    ok: bool
    oracle: str
    detail: str = ""
    distance: float | None = None
    tolerance: float | None = None
    canonical: Mapping[str, Any] = field(default_factory=dict)
    exact: bool = True
    metrics: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def place(part: str, project: str, job: str = "{job}") -> str:
    """One argument of an external command with its places filled in.

    >>> place("{project}/target/release/rips", "/home/me/mine")
    '/home/me/mine/target/release/rips'
    """
    for name, value in (("{project}", project), ("{job}", job), ("{python}", sys.executable)):
        part = part.replace(name, value)
    return part


class Stage(Protocol):
    """Handed to a player: ``with stage("neighbours"): ...`` times a part of the solve."""

    def __call__(self, name: str) -> Any:
        """A context manager that times what stands inside it under this name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseInfo:
    """A registered case.

    Attributes:
        target, check, picture: ``"module:function"`` each.
        parameters: names that its function takes besides ``seed`` and what a user brings; None where it takes any.
            ``required``: those of them without a default.
    """

    name: str
    target: str
    version: int
    task: str
    check: str
    datasets: tuple[str, ...] = ()
    picture: str = ""
    summary: str = ""
    parameters: tuple[str, ...] | None = None
    required: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayerInfo:
    """A registered player: a Python function (``target``) or an external ``command``.

    Attributes:
        engine: the family of code behind it; players of one engine do not confirm each other.
        packages: distribution name to the versions that work, for example ``{"ripser": ">=0.6.12"}``.
        interpreter: a Python of its own, where its packages conflict with the main environment's.
        command: an argument list, never a shell string; ``{job}`` stands for the job folder,
            ``{project}`` for the project, ``{python}`` for the interpreter of the harness.
        note: what a reader of a table should know.
    """

    name: str
    task: str
    target: str = ""
    engine: str = ""
    role: str = "peer"
    device: str = "cpu"
    packages: Mapping[str, str] = field(default_factory=dict)
    interpreter: str = ""
    command: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    install: str = ""
    cite: str = ""
    note: str = ""
    summary: str = ""


def case(
    *, version: int, task: str, check: str, datasets: tuple[str, ...] = (), picture: str = ""
) -> Callable[[Function], Function]:
    """Register a case: a function from parameters (keywords) and ``seed`` to a :class:`Problem`.

    Its name is ``<suite>.<function>``, where the suite is the folder under ``benchmarks/``. Raise
    ``version`` whenever the scores of the case can change.

    Args:
        version: of the definition, from 1.
        task: what is asked, for example ``persistence.rips``; players name the task that they answer.
        check: ``"module:function"``, called as ``check(inputs, known, answer)``, returning a :class:`Check`.
        datasets: names of the data sets that it reads.
        picture: ``"module:function"``, called as ``picture(answer, title)`` with a canonical answer (name to
            array), returning a matplotlib figure for the report.
    """

    def mark(function: Function) -> Function:
        function.__case__ = {"version": version, "task": task}  # type: ignore[attr-defined]
        return function

    return mark


def player(
    *,
    name: str,
    task: str,
    engine: str = "",
    role: str = "peer",
    device: str = "cpu",
    packages: Mapping[str, str] | None = None,
    interpreter: str = "",
    install: str = "",
    cite: str = "",
    note: str = "",
) -> Callable[[Function], Function]:
    """Register a player: a function ``(inputs, stage) -> solve``.

    The function itself is the set-up and is not timed. It returns ``solve``, which takes no argument, is
    timed, and returns the answer: a mapping from name to array. A player that cannot answer a problem
    raises :class:`harness.errors.Unavailable` with its reason. Heavy imports belong inside the function.
    If ``solve`` has a method ``metrics``, it is called after the last timed call and tells what the player has measured
    of itself: name to ``{"value": float, "unit": str, "direction": "lower" | "higher"}``.
    ``stage`` is a :class:`Stage`; ``inputs["threads"]`` is the number of threads that it may use.
    """

    def mark(function: Function) -> Function:
        function.__player__ = {"name": name, "task": task}  # type: ignore[attr-defined]
        return function

    return mark
