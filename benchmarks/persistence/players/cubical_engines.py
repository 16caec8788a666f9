"""Players of the cubical complex with values on the vertices (the V-construction)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.persistence import inputs as problem
from benchmarks.persistence.barcode import as_answer
from benchmarks.persistence.players.packages import need
from harness.case import Stage, player

Solve = Callable[[], Mapping[str, Any]]


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
    gudhi = need("gudhi", "pip install -e '.[peers]' -c constraints.txt")

    def solve() -> Mapping[str, Any]:
        with stage("filtration"):
            complex_ = gudhi.CubicalComplex(vertices=values)
        with stage("reduction"):
            complex_.compute_persistence(homology_coeff_field=2)
        return as_answer([complex_.persistence_intervals_in_dimension(d) for d in range(values.ndim)])

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
    package = need("oineus", "pip install -e '.[peers]' -c constraints.txt")

    def solve() -> Mapping[str, Any]:
        with stage("filtration"):
            filtration = package.cube_filtration(values, values_on="vertices", n_threads=threads)
        with stage("reduction"):
            parameters = package.ReductionParams()
            parameters.n_threads = threads
            decomposition = package.Decomposition(filtration, False)
            decomposition.reduce(parameters)
        diagrams = decomposition.diagram(fil=filtration, include_inf_points=True)
        highest = len(diagrams)
        return as_answer([diagrams.in_dimension(d) if d < highest else [] for d in range(values.ndim)])

    return solve
