"""TCS: the persistence engine of this project, on the CPU."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.persistence import inputs as problem
from benchmarks.persistence.barcode import as_answer
from benchmarks.persistence.players.packages import need
from benchmarks.persistence.players.steps import Answer, Solve
from harness.case import Stage, player
from harness.errors import Unavailable

INSTALL = "pip install -e '.[persistence]' -c constraints.txt"
HIGHEST = 2


@player(
    name="tcs",
    task="persistence.rips",
    role="candidate",
    engine="tcs",
    packages={"numba": ">=0.60"},
    install="pip install -e '.[persistence]' -c constraints.txt",
    cite="tcs.persistence; reduced Vietoris-Rips complex: Koyama, Memoli, Robins and Turner, arXiv:2307.16333",
    note="from points; compiled before it is timed, as the peers are",
)
def tcs(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """tcs.persistence.rips, from points to bars."""
    task = problem.rips(inputs)
    need("numba", INSTALL)
    from tcs.persistence import rips

    if task.max_dimension > HIGHEST:
        raise Unavailable(f"tcs computes H0 to H{HIGHEST}, not H{task.max_dimension}")

    def solve() -> Answer:
        found = rips(
            task.points, threshold=task.threshold, max_dimension=task.max_dimension, threads=task.threads, span=stage
        )
        return as_answer(found.bars)

    return solve


@player(
    name="tcs alpha",
    task="persistence.alpha",
    role="candidate",
    engine="tcs",
    packages={"numba": ">=0.60"},
    install="pip install -e '.[persistence]' -c constraints.txt",
    cite="tcs.persistence; Edelsbrunner and Muecke (1994); Bauer and Edelsbrunner (2017)",
    note="own Delaunay triangulation with exact predicates; compiled before it is timed, as the peers are",
)
def tcs_alpha(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """tcs.persistence.alpha in float64, from points to bars."""
    points, threads = problem.cloud(inputs["points"]), problem.threads(inputs)
    need("numba", INSTALL)
    from tcs.persistence.alpha_complex import alpha_diagrams

    return lambda: as_answer(alpha_diagrams(points, threads=threads, span=stage).bars)
