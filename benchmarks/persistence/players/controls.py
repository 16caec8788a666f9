"""Planted wrong answers: every report must catch them, or its checks are worth nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from benchmarks.persistence import inputs as problem
from benchmarks.persistence.barcode import as_answer
from benchmarks.persistence.players.packages import need
from benchmarks.persistence.players.simplex_engines import simplex_tree_collapsed
from harness.case import Stage, player
from harness.errors import Unavailable

Solve = Callable[[], Mapping[str, Any]]


@player(
    name="control lost bar",
    task="persistence.rips",
    engine="control",
    role="control",
    packages={"gudhi": ">=3.11"},
    install="pip install -e '.[peers]' -c constraints.txt",
    note="the longest finite bar of the highest homology is left out",
)
def lost_bar(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """A right answer without its longest finite bar (an essential one, or one of H0, if there is no other)."""
    right = simplex_tree_collapsed(inputs, stage)
    top = f"bars_{int(inputs['max_dimension'])}"

    def solve() -> Mapping[str, Any]:
        answer = dict(right())
        name = _holding_bars(answer, top)
        bars = answer[name]
        answer[name] = np.delete(bars, _longest(bars), axis=0)
        return answer

    return solve


@player(
    name="control shifted bar",
    task="persistence.rips",
    engine="control",
    role="control",
    packages={"gudhi": ">=3.11"},
    install="pip install -e '.[peers]' -c constraints.txt",
    note="the longest bar of the highest homology is born one float32 unit of rounding too early",
)
def shifted_bar(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """A right answer with one number moved by the least float32 step."""
    right = simplex_tree_collapsed(inputs, stage)
    top = f"bars_{int(inputs['max_dimension'])}"

    def solve() -> Mapping[str, Any]:
        answer = dict(right())
        name = _holding_bars(answer, top)
        bars = answer[name].astype(np.float32)
        row, column = _longest(bars), int(name == "bars_0")
        bars[row, column] = np.nextafter(bars[row, column], np.float32(0))
        answer[name] = bars
        return answer

    return solve


@player(
    name="control float32 points",
    task="persistence.rips",
    engine="control",
    role="control",
    packages={"gudhi": ">=3.11"},
    install="pip install -e '.[peers]' -c constraints.txt",
    note="coordinates are rounded to float32 first, a trap that real programs fall into",
)
def float32_points(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """An exact engine on points that were rounded to float32."""
    points = problem.cloud(inputs["points"])
    rounded = points.astype(np.float32).astype(np.float64)
    if np.array_equal(rounded, points):
        raise Unavailable("these coordinates are float32 numbers already, so that rounding them plants nothing wrong")
    return simplex_tree_collapsed({**inputs, "points": rounded}, stage)


@player(
    name="control radii",
    task="persistence.alpha",
    engine="control",
    role="control",
    packages={"gudhi": ">=3.11"},
    install="pip install -e '.[peers]' -c constraints.txt",
    note="radii instead of squared radii",
)
def alpha_radii(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """An alpha filtration in the other of the two usual units."""
    points = problem.cloud(inputs["points"])
    gudhi = need("gudhi", "pip install -e '.[peers]' -c constraints.txt")

    def solve() -> Mapping[str, Any]:
        tree = gudhi.AlphaComplex(points=points, precision="safe").create_simplex_tree()
        tree.compute_persistence(homology_coeff_field=2)
        squares = [tree.persistence_intervals_in_dimension(d) for d in range(points.shape[1])]
        return as_answer([np.sqrt(np.maximum(np.asarray(bars).reshape(-1, 2), 0)) for bars in squares])

    return solve


@player(
    name="control top cells",
    task="persistence.cubical",
    engine="control",
    role="control",
    packages={"gudhi": ">=3.11"},
    install="pip install -e '.[peers]' -c constraints.txt",
    note="values on the top cells instead of the vertices: the other of the two cubical complexes",
)
def top_cells(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """The T-construction, answered for the V-construction."""
    values = problem.grid(inputs["values"])
    gudhi = need("gudhi", "pip install -e '.[peers]' -c constraints.txt")

    def solve() -> Mapping[str, Any]:
        complex_ = gudhi.CubicalComplex(top_dimensional_cells=values)
        complex_.compute_persistence(homology_coeff_field=2)
        return as_answer([complex_.persistence_intervals_in_dimension(d) for d in range(values.ndim)])

    return solve


def _holding_bars(answer: Mapping[str, Any], top: str) -> str:
    return top if len(answer[top]) else "bars_0"


def _longest(bars: Any) -> int:
    """Row of the longest finite bar, of any if none is finite."""
    length = bars[:, 1] - bars[:, 0]
    return int(np.where(np.isfinite(length), length, -1).argmax())
