"""A suite of players that misbehave, each in its own way; a test's project holds it as ``benchmarks/echo.py``."""

from __future__ import annotations

import importlib
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from harness import Check, Problem, Unavailable, case, player
from harness.case import Stage

Inputs = dict[str, Any]
Solve = Callable[[], Any]


@case(version=1, task="echo", check="benchmarks.echo:check")
def numbers(n: int, seed: int) -> Problem:
    """Some numbers."""
    return Problem(inputs={"values": np.random.default_rng(seed).random(n), "scale": 2.0}, known={"n": n})


@case(version=1, task="echo", check="benchmarks.echo:check")
def broken(seed: int) -> Problem:
    """A case that cannot be made."""
    raise ValueError("the cloud is empty; give n >= 1")


@case(version=1, task="echo", check="benchmarks.echo:check")
def no_number(seed: int) -> Problem:
    """A case whose input is no number."""
    return Problem(inputs={"values": np.array([np.nan]), "scale": float("nan")})


def check(inputs: Inputs, known: Mapping[str, Any], answer: Mapping[str, Any]) -> Check:
    """Twice the input."""
    values = np.asarray(answer["values"])
    right = bool(np.array_equal(values, inputs["values"] * inputs["scale"]))
    return Check(
        ok=right,
        oracle="twice the input",
        detail="" if right else "not twice the input",
        canonical={name: np.asarray(value) for name, value in answer.items()},
        metrics={"size": {"value": float(values.size), "unit": "1", "direction": "higher"}},
        distance=float("inf"),
    )


@player(name="right", task="echo", packages={"numpy": ">=1"})
def right(inputs: Inputs, stage: Stage) -> Solve:
    """Right."""

    def solve() -> Any:
        with stage("double"):
            return {"values": inputs["values"] * inputs["scale"]}

    return solve


@player(name="wrong", task="echo")
def wrong(inputs: Inputs, stage: Stage) -> Solve:
    """Wrong."""
    return lambda: {"values": inputs["values"]}


@player(name="wrong at first", task="echo")
def wrong_at_first(inputs: Inputs, stage: Stage) -> Solve:
    """Right but for its first call."""
    calls = []

    def solve() -> Any:
        calls.append(1)
        return {"values": inputs["values"] * (2.0 if len(calls) > 1 else 3.0)}

    return solve


@player(name="scribbles", task="echo")
def scribbles(inputs: Inputs, stage: Stage) -> Solve:
    """Doubles its input in place, so that the second call gets another problem."""

    def solve() -> Any:
        inputs["values"] *= 2
        return {"values": inputs["values"].copy()}

    return solve


@player(name="hangs", task="echo")
def hangs(inputs: Inputs, stage: Stage) -> Solve:
    """Never ends."""
    return lambda: time.sleep(600)


@player(name="forks", task="echo")
def forks(inputs: Inputs, stage: Stage) -> Solve:
    """Leaves a child behind."""

    def solve() -> Any:
        if os.fork() == 0:
            os.setsid()
            time.sleep(600)
        return {"values": inputs["values"] * 2}

    return solve


@player(name="floods", task="echo")
def floods(inputs: Inputs, stage: Stage) -> Solve:
    """Prints 20 MB."""

    def solve() -> Any:
        for _ in range(200):
            os.write(1, b"x" * 100_000)
        return {"values": inputs["values"] * 2}

    return solve


@player(name="eats", task="echo")
def eats(inputs: Inputs, stage: Stage) -> Solve:
    """Takes memory until it is stopped."""

    def solve() -> Any:
        kept = []
        while True:
            kept.append(np.ones(10_000_000))

    return solve


@player(name="segfaults", task="echo")
def segfaults(inputs: Inputs, stage: Stage) -> Solve:
    """Dies by a signal."""
    return lambda: os.kill(os.getpid(), signal.SIGSEGV)


@player(name="exits", task="echo")
def exits(inputs: Inputs, stage: Stage) -> Solve:
    """Exits 0 without an answer."""
    return lambda: os._exit(0)


@player(name="sys.exit", task="echo")
def sys_exit(inputs: Inputs, stage: Stage) -> Solve:
    """Raises SystemExit."""
    return lambda: sys.exit(0)


@player(name="raises", task="echo")
def raises(inputs: Inputs, stage: Stage) -> Solve:
    """Raises."""

    def solve() -> Any:
        raise RuntimeError("index overflow")

    return solve


@player(name="no mapping", task="echo")
def no_mapping(inputs: Inputs, stage: Stage) -> Solve:
    """Answers with a list."""
    return lambda: [1, 2]


@player(name="declines", task="echo")
def declines(inputs: Inputs, stage: Stage) -> Solve:
    """Cannot answer this size."""
    raise Unavailable("needs n < 10; use another player")


@player(
    name="not installed",
    task="echo",
    packages={"no-such-distribution": ">=1"},
    install="pip install no-such-distribution",
)
def not_installed(inputs: Inputs, stage: Stage) -> Solve:
    """Its package is missing."""
    package: Any = importlib.import_module("no_such_module")
    return lambda: package.solve(inputs)


@player(name="pickles", task="echo")
def pickles(inputs: Inputs, stage: Stage) -> Solve:
    """Answers with an object array, which only a pickle could hold."""
    return lambda: {"values": np.array([object()], dtype=object)}


@player(name="lazy", task="echo")
def lazy(inputs: Inputs, stage: Stage) -> Solve:
    """Computes only when somebody looks at the answer, which is after the clock has stopped."""

    class Later:
        def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
            return inputs["values"] * 2

    return lambda: {"values": Later()}


@player(name="two answers", task="echo")
def two_answers(inputs: Inputs, stage: Stage) -> Solve:
    """Both pass the check, whose canonical form tells them apart."""
    calls = []

    def solve() -> Any:
        calls.append(1)
        values = inputs["values"] * 2
        return {"values": values, "extra": np.array([min(len(calls), 2)])}

    return solve


@player(name="is slow", task="echo")
def is_slow(inputs: Inputs, stage: Stage) -> Solve:
    """Its second call does not end."""
    calls = []

    def solve() -> Any:
        calls.append(1)
        time.sleep(0.002 if len(calls) == 1 else 600)
        return {"values": inputs["values"] * 2}

    return solve


class Telling:
    """Right, and tells something of itself."""

    def __init__(self, inputs: Inputs, told: Callable[[], Any]) -> None:
        self.inputs, self.metrics = inputs, told

    def __call__(self) -> Any:
        return {"values": self.inputs["values"] * 2}


@player(name="tells", task="echo")
def tells(inputs: Inputs, stage: Stage) -> Solve:
    """Its own numbers stand beside the check's."""
    return Telling(inputs, lambda: {"words": {"value": 3, "unit": "words", "direction": "lower"}})


@player(name="flatters", task="echo")
def flatters(inputs: Inputs, stage: Stage) -> Solve:
    """Tells a better number than the check found."""
    return Telling(inputs, lambda: {"size": {"value": 1e9, "unit": "1", "direction": "higher"}})


@player(name="tells nonsense", task="echo")
def tells_nonsense(inputs: Inputs, stage: Stage) -> Solve:
    """Its number is none."""
    return Telling(inputs, lambda: {"words": {"value": float("nan"), "unit": "words", "direction": "lower"}})


@player(name="stumbles", task="echo")
def stumbles(inputs: Inputs, stage: Stage) -> Solve:
    """Raises when it is asked about itself."""
    return Telling(inputs, lambda: 1 // 0)


@player(name="fills the disk", task="echo")
def fills_the_disk(inputs: Inputs, stage: Stage) -> Solve:
    """Stands for a worker whose answer does not fit."""

    def solve() -> Any:
        raise OSError(28, "No space left on device")

    return solve


@player(name="elsewhere", task="echo", interpreter="/no/such/python")
def elsewhere(inputs: Inputs, stage: Stage) -> Solve:
    """Its interpreter is missing."""
    return dict
