"""A whole suite in one file: one case, two Python players, a planted wrong one, and the check."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from harness import Check, Problem, case, player

Answer = Mapping[str, Any]


@case(version=1, task="sorting", check="benchmarks.sorting.suite:is_sorted")
def uniform(n: int, seed: int) -> Problem:
    """Numbers, n of them, uniform on [0, 1)."""
    return Problem(inputs={"values": np.random.default_rng(seed).random(n)})


@player(name="numpy", task="sorting", engine="numpy", packages={"numpy": ">=1.24"})
def numpy_sort(inputs: Mapping[str, Any], stage: Any) -> Callable[[], Answer]:
    """numpy.sort, the introsort of C."""
    values = inputs["values"]
    return lambda: {"sorted": np.sort(values)}


@player(name="python", task="sorting", engine="CPython")
def python_sort(inputs: Mapping[str, Any], stage: Any) -> Callable[[], Answer]:
    """The built-in sorted on a list, conversion from and to arrays included, as two stages."""
    values = inputs["values"]

    def solve() -> Answer:
        with stage("to list"):
            items = values.tolist()
        with stage("sort"):
            items.sort()
        return {"sorted": np.array(items)}

    return solve


@player(name="swaps the ends", task="sorting", role="control")
def planted(inputs: Mapping[str, Any], stage: Any) -> Callable[[], Answer]:
    """A planted fault: the referee must catch it in every report."""

    def solve() -> Answer:
        values = np.sort(inputs["values"])
        values[[0, -1]] = values[[-1, 0]]
        return {"sorted": values}

    return solve


def is_sorted(inputs: Mapping[str, Any], known: Mapping[str, Any], answer: Mapping[str, Any]) -> Check:
    """Right if it is in order and a permutation of the input."""
    oracle = "in order, and the same numbers as the input"
    got = np.asarray(answer.get("sorted", np.empty(0)), dtype=np.float64)
    if got.shape != inputs["values"].shape:
        return Check(ok=False, oracle=oracle, detail=f"expected {inputs['values'].size} numbers, found {got.size}")
    wrong = int(np.count_nonzero(np.diff(got) < 0))
    if wrong:
        return Check(ok=False, oracle=oracle, detail=f"{wrong} neighbours are out of order")
    same = np.array_equal(np.bincount((got * 1000).astype(int)), np.bincount((inputs["values"] * 1000).astype(int)))
    return Check(ok=same, oracle=oracle, detail="" if same else "not the same numbers", canonical={"sorted": got})
