"""holos-tda: a Vietoris-Rips engine in Rust."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from benchmarks.persistence import inputs as problem
from benchmarks.persistence.barcode import as_answer
from benchmarks.persistence.neighbours import TREE_DIMENSION, neighbours
from benchmarks.persistence.players.packages import need
from harness.case import Stage, player

Solve = Callable[[], Mapping[str, Any]]


@player(
    name="holos-tda",
    task="persistence.rips",
    engine="holos",
    packages={"holos-tda": ">=0.9"},
    install="pip install -e '.[peers]' -c constraints.txt",
    cite="holos 0.9, github.com/t0rsion/holos",
    note="its own neighbour search up to 12 dimensions; it takes lists, not arrays, and the conversion is charged",
)
def holos_tda(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """holos-tda from points (from a list of edges above 12 dimensions)."""
    task = problem.rips(inputs)
    package = need("holos_tda", "pip install -e '.[peers]' -c constraints.txt")

    def solve() -> Mapping[str, Any]:
        if task.points.shape[1] <= TREE_DIMENSION:
            with stage("reduction"):
                found = package.rips_points(task.points, task.max_dimension, task.threshold, threads=task.threads)
        else:
            with stage("neighbours"):
                i, j, lengths = neighbours(task.points, task.threshold)
                edges = list(zip(i.tolist(), j.tolist(), lengths.tolist(), strict=True))
            with stage("reduction"):
                found = package.rips_sparse(len(task.points), edges, task.max_dimension, threads=task.threads)
        with stage("bars"):
            rows = np.array(found, dtype=np.float64).reshape(-1, 3)
            return as_answer([rows[rows[:, 0] == d, 1:] for d in range(task.max_dimension + 1)])

    return solve
