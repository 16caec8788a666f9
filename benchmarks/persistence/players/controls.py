"""Planted wrong answers: every report must catch them, or its checks are worth nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.persistence import inputs as problem
from benchmarks.persistence.players.packages import need
from benchmarks.persistence.players.simplex_engines import simplex_tree_collapsed
from benchmarks.persistence.players.steps import PEERS, Answer, Solve, gudhi_bars
from harness.case import Stage, player
from harness.errors import Unavailable

if TYPE_CHECKING:
    from numpy.typing import NDArray


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
    return _spoilt(inputs, stage, lambda bars, _: np.delete(bars, _longest(bars), axis=0))


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

    def shift(bars: NDArray[np.float64], dimension: int) -> NDArray[np.float32]:
        rounded = bars.astype(np.float32)
        row, column = _longest(rounded), int(dimension == 0)
        rounded[row, column] = np.nextafter(rounded[row, column], np.float32(0))
        return rounded

    return _spoilt(inputs, stage, shift)


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
    gudhi = need("gudhi", PEERS)

    def solve() -> Answer:
        tree = gudhi.AlphaComplex(points=points, precision="safe").create_simplex_tree()
        tree.compute_persistence(homology_coeff_field=2)
        return {name: np.sqrt(np.maximum(bars, 0)) for name, bars in gudhi_bars(tree, points.shape[1]).items()}

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
    gudhi = need("gudhi", PEERS)

    def solve() -> Answer:
        complex_ = gudhi.CubicalComplex(top_dimensional_cells=values)
        complex_.compute_persistence(homology_coeff_field=2)
        return gudhi_bars(complex_, values.ndim)

    return solve


def _spoilt(inputs: Mapping[str, Any], stage: Stage, spoil: Callable[[NDArray[np.float64], int], Any]) -> Solve:
    """A right answer whose bars of the highest homology are spoilt, those of H0 where it has none.

    Args:
        spoil: from the bars, shape (m, 2), and their dimension to what takes their place.
    """
    right = simplex_tree_collapsed(inputs, stage)

    def solve() -> Answer:
        answer = dict(right())
        top = int(inputs["max_dimension"])
        dimension = top if len(answer[f"bars_{top}"]) else 0
        answer[f"bars_{dimension}"] = spoil(answer[f"bars_{dimension}"], dimension)
        return answer

    return solve


def _longest(bars: NDArray[np.floating[Any]]) -> int:
    """Row of the longest finite bar, of any if none is finite."""
    length = bars[:, 1] - bars[:, 0]
    return int(np.where(np.isfinite(length), length, -1).argmax())
