"""Engines that build every simplex first: GUDHI's SimplexTree, oineus, dionysus."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from benchmarks.persistence import inputs as problem
from benchmarks.persistence.barcode import as_answer
from benchmarks.persistence.players.packages import need
from benchmarks.persistence.players.steps import PEERS, Answer, Solve, graph_of, gudhi_bars, oineus_bars
from harness.case import Stage, player
from harness.errors import Unavailable

# A full distance matrix takes 3.2 GB at this number of points, a condensed one half of that.
MATRIX_POINTS = 20_000
OINEUS_DIMENSION = 5


@player(
    name="GUDHI SimplexTree",
    task="persistence.rips",
    engine="GUDHI",
    packages={"gudhi": ">=3.11"},
    install="pip install -e '.[peers]' -c constraints.txt",
    cite="Boissonnat and Maria, The Simplex Tree, Algorithmica 70 (2014); GUDHI 3.13",
    note="edges from a sparse matrix, then expansion; GUDHI's RipsComplex(points) would try all pairs",
)
def simplex_tree(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """GUDHI's SimplexTree, expanded from the neighbourhood graph."""
    return _tree(inputs, stage, collapse=False)


@player(
    name="GUDHI SimplexTree collapsed",
    task="persistence.rips",
    engine="GUDHI",
    packages={"gudhi": ">=3.11"},
    install="pip install -e '.[peers]' -c constraints.txt",
    cite="Boissonnat and Pritam, Edge Collapse and Persistence of Flag Complexes, SoCG 2020; GUDHI 3.13",
    note="one round of edge collapse before the expansion",
)
def simplex_tree_collapsed(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """GUDHI's SimplexTree after one round of edge collapse."""
    return _tree(inputs, stage, collapse=True)


@player(
    name="GUDHI RipsComplex",
    task="persistence.rips",
    engine="GUDHI",
    packages={"gudhi": ">=3.11"},
    install="pip install -e '.[peers]' -c constraints.txt",
    cite="Maria, Dlotko, Rouvreau and Glisse, Rips complex, GUDHI 3.13",
    note="the class of GUDHI's tutorials, from points; it tries all pairs, which GUDHI's other routes avoid",
)
def rips_complex(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """GUDHI's RipsComplex from points, as its documentation shows it."""
    task = problem.rips(inputs)
    gudhi = need("gudhi", PEERS)

    def solve() -> Answer:
        with stage("filtration"):
            graph = gudhi.RipsComplex(points=task.points, max_edge_length=task.threshold)
            tree = graph.create_simplex_tree(max_dimension=task.max_dimension + 1)
        with stage("reduction"):
            return _bars_of(tree, task.max_dimension)

    return solve


@player(
    name="oineus",
    task="persistence.rips",
    engine="oineus",
    packages={"oineus": ">=0.9.39"},
    install="pip install -e '.[peers]' -c constraints.txt",
    cite="Nigmetov and Morozov, Topological Optimization with Big Steps, DCG (2024)",
    note="max_dim is that of simplices, one above that of homology: with the latter it answers wrong silently",
)
def oineus(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """Oineus, cohomology, from points (from a distance matrix above 5 dimensions)."""
    task = problem.rips(inputs)
    package = need("oineus", PEERS)
    n, d = task.points.shape
    from_matrix = d > OINEUS_DIMENSION
    if from_matrix and n > MATRIX_POINTS:
        raise Unavailable(
            f"oineus is compiled for points in up to {OINEUS_DIMENSION} dimensions, and a matrix of {n} points "
            f"takes {n * n * 8 / 2**30:.0f} GiB; take {MATRIX_POINTS} points at most"
        )

    def solve() -> Answer:
        data = task.points
        if from_matrix:
            from scipy.spatial.distance import pdist, squareform

            with stage("neighbours"):
                data = squareform(pdist(task.points))
        with stage("filtration"):
            filtration = package.vr_filtration(
                data, from_pwdists=from_matrix, max_dim=task.max_dimension + 1, max_diameter=task.threshold,
                n_threads=task.threads,
            )  # fmt: skip
        return oineus_bars(
            package, filtration, stage, cohomology=True, dimensions=task.max_dimension + 1, threads=task.threads
        )

    return solve


@player(
    name="dionysus",
    task="persistence.rips",
    engine="dionysus",
    packages={"dionysus": ">=2.2"},
    install="pip install -e '.[dionysus]' -c constraints.txt (source: 2.2.3 needs CMake, a C++ compiler, Boost > 1.74)",
    cite="Morozov, Dionysus 2",
    note="from a condensed distance matrix: from points, its own lengths are rounded otherwise than float32",
)
def dionysus(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """Dionysus 2, homology with clearing, from a condensed distance matrix."""
    task = problem.rips(inputs)
    package = need(
        "dionysus",
        "pip install -e '.[dionysus]' -c constraints.txt (source: 2.2.3 needs CMake, a C++ compiler, Boost > 1.74)",
    )
    if len(task.points) > MATRIX_POINTS:
        raise Unavailable(f"dionysus tries all pairs: take {MATRIX_POINTS} points at most, not {len(task.points)}")

    def solve() -> Answer:
        from scipy.spatial.distance import pdist

        with stage("neighbours"):
            lengths = pdist(task.points)
        with stage("filtration"):
            filtration = package.fill_rips(lengths, task.max_dimension + 1, task.threshold)
        with stage("reduction"):
            diagrams = package.init_diagrams(package.homology_persistence(filtration), filtration)
        found = [[(bar.birth, bar.death) for bar in diagram] for diagram in diagrams[: task.max_dimension + 1]]
        return as_answer(found + [[]] * (task.max_dimension + 1 - len(found)))

    return solve


def _tree(inputs: Mapping[str, Any], stage: Stage, *, collapse: bool) -> Solve:
    task = problem.rips(inputs)
    gudhi = need("gudhi", PEERS)
    # loaded before the clock starts
    need("scipy.sparse", PEERS)

    def solve() -> Answer:
        n = len(task.points)
        with stage("neighbours"):
            graph = graph_of(task)
        with stage("filtration"):
            tree = gudhi.SimplexTree()
            tree.insert_batch(np.arange(n, dtype=np.int32).reshape(1, -1), np.zeros(n))
            tree.insert_edges_from_coo_matrix(graph)
            if collapse:
                tree.collapse_edges()
            tree.expansion(task.max_dimension + 1)
        with stage("reduction"):
            return _bars_of(tree, task.max_dimension)

    return solve


def _bars_of(tree: Any, max_dimension: int) -> Answer:
    # a complex that has no simplex above max_dimension keeps the classes of its top dimension, if asked to
    tree.compute_persistence(homology_coeff_field=2, persistence_dim_max=tree.dimension() <= max_dimension)
    return gudhi_bars(tree, max_dimension + 1)
