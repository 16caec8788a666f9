"""Players of the cubical complex with values on the vertices (the V-construction)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.persistence import inputs as problem
from benchmarks.persistence.players.packages import need
from benchmarks.persistence.players.steps import PEERS, Answer, Solve, gudhi_bars, oineus_bars
from harness.case import Stage, player


@player(
    name="GUDHI CubicalComplex",
    task="persistence.cubical",
    engine="GUDHI",
    packages={"gudhi": ">=3.11"},
    install="pip install -e '.[peers]' -c constraints.txt",
    cite="Dlotko, Cubical complex, GUDHI 3.13; Wagner, Chen and Vucini (2012)",
    note="vertices=...: with top_dimensional_cells it would be another complex, with other bars",
)
def gudhi_cubical(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """GUDHI's CubicalComplex."""
    values = problem.grid(inputs["values"])
    gudhi = need("gudhi", PEERS)

    def solve() -> Answer:
        with stage("filtration"):
            complex_ = gudhi.CubicalComplex(vertices=values)
        with stage("reduction"):
            complex_.compute_persistence(homology_coeff_field=2)
        return gudhi_bars(complex_, values.ndim)

    return solve


@player(
    name="oineus cubes",
    task="persistence.cubical",
    engine="oineus",
    packages={"oineus": ">=0.9.39"},
    install="pip install -e '.[peers]' -c constraints.txt",
    cite="Nigmetov and Morozov, Topological Optimization with Big Steps, DCG (2024)",
    note="cube_filtration; its compute_diagrams_ls triangulates the grid, which is another complex",
)
def oineus_cubical(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """Oineus on a grid of cubes."""
    values = problem.grid(inputs["values"])
    threads = problem.threads(inputs)
    package = need("oineus", PEERS)

    def solve() -> Answer:
        with stage("filtration"):
            filtration = package.cube_filtration(values, values_on="vertices", n_threads=threads)
        return oineus_bars(package, filtration, stage, cohomology=False, dimensions=values.ndim, threads=threads)

    return solve
