"""Ripser and what descends from it: ripser.py, GUDHI's RipsPersistence, giotto-ph, Ripser++.

They share one algorithm and much code (Bauer 2021), so they count as one engine: none confirms another.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from benchmarks.persistence import inputs as problem
from benchmarks.persistence.barcode import as_answer
from benchmarks.persistence.neighbours import TREE_DIMENSION
from benchmarks.persistence.players.packages import need
from benchmarks.persistence.players.steps import PEERS, Answer, Solve, graph_of
from harness.case import Stage, player
from harness.errors import Unavailable

# ripser.py numbers simplices with 64 bits, of which 8 hold a coefficient and one the sign
RIPSER_INDEX_BITS = 55


@player(
    name="ripser.py",
    task="persistence.rips",
    engine="Ripser",
    packages={"ripser": ">=0.6.12", "scipy": ""},
    install="pip install -e '.[peers]' -c constraints.txt",
    cite="Tralie, Saul and Bar-On, JOSS 3(29), 925 (2018); Bauer, J. Appl. Comput. Topol. 5 (2021)",
    note="sparse distance matrix, upper triangle in row order (scikit-tda/ripser.py #103, #112)",
)
def ripser_py(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """ripser.py on a sparse distance matrix."""
    task = problem.rips(inputs)
    ripser = need("ripser", PEERS)
    n = len(task.points)
    if math.comb(n, min(task.max_dimension + 2, n)) >= 2**RIPSER_INDEX_BITS:
        raise Unavailable(
            f"ripser.py numbers simplices with {RIPSER_INDEX_BITS} bits, which {n} points overflow in H"
            f"{task.max_dimension} (above some 600,000 points in H1 it aborts the process); use a peer with wider keys"
        )

    def solve() -> Answer:
        with stage("neighbours"):
            matrix = graph_of(task).tocsr()
        with stage("reduction"):
            found = ripser.ripser(matrix, maxdim=task.max_dimension, distance_matrix=True)
        return as_answer(found["dgms"])

    return solve


@player(
    name="GUDHI RipsPersistence",
    task="persistence.rips",
    engine="Ripser",
    packages={"gudhi": ">=3.11", "scikit-learn": ""},
    install="pip install -e '.[peers]' -c constraints.txt",
    cite="GUDHI 3.13, scikit-learn interface by V. Rouvreau; Ripser inside: Bauer (2021)",
    note="a fork of Ripser with 128-bit keys inside; its default field is Z/11, here Z/2",
)
def rips_persistence(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """GUDHI's scikit-learn class, from points (from a sparse matrix above 12 dimensions)."""
    return _rips_persistence(inputs, stage, collapses="auto")


@player(
    name="GUDHI RipsPersistence collapsed",
    task="persistence.rips",
    engine="Ripser",
    packages={"gudhi": ">=3.11", "scikit-learn": ""},
    install="pip install -e '.[peers]' -c constraints.txt",
    cite="GUDHI 3.13, scikit-learn interface by V. Rouvreau; Boissonnat and Pritam (2020); Ripser inside: Bauer (2021)",
    note="num_collapses=1, where its default 'auto' collapses edges for H2 and up only; it pays in dense graphs",
)
def rips_persistence_collapsed(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """GUDHI's scikit-learn class, with one round of edge collapse whatever the dimension."""
    return _rips_persistence(inputs, stage, collapses=1)


@player(
    name="giotto-ph",
    task="persistence.rips",
    engine="Ripser",
    packages={"giotto-ph": ">=0.2.4"},
    install="pip install -e '.[peers]' -c constraints.txt (wheels up to Python 3.12)",
    cite="Burella Perez et al., giotto-ph, arXiv:2107.05412 (2021)",
    note="a parallel rewrite of Ripser; sparse distance matrix, upper triangle",
)
def giotto_ph(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """giotto-ph on a sparse distance matrix, with as many threads as are allowed."""
    return _giotto(inputs, stage, collapse=False)


@player(
    name="giotto-ph collapsed",
    task="persistence.rips",
    engine="Ripser",
    packages={"giotto-ph": ">=0.2.4"},
    install="pip install -e '.[peers]' -c constraints.txt (wheels up to Python 3.12)",
    cite="Burella Perez et al., giotto-ph, arXiv:2107.05412 (2021)",
    note="giotto-ph with collapse_edges=True, its accelerator; the collapse runs on one thread",
)
def giotto_ph_collapsed(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """giotto-ph after its edge collapse, which shares its reduction stage."""
    return _giotto(inputs, stage, collapse=True)


@player(
    name="Ripser++",
    task="persistence.rips",
    engine="Ripser",
    device="cuda",
    packages={"ripserplusplus": ">=1.1.2"},
    install="pip install ripserplusplus needs nvcc of CUDA 12 or older: it asks for compute_53, which 13 dropped",
    cite="Zhang, Xiao and Wang, GPU-Accelerated Computation of Vietoris-Rips Persistence Barcodes, SoCG 2020",
    note="does not build on CUDA 13 (compute_53); made for dense matrices of some thousand points, not for this size",
)
def ripser_plus_plus(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """Ripser++ on a sparse distance matrix, on the GPU."""
    import numpy as np

    task = problem.rips(inputs)
    package = need(
        "ripserplusplus",
        "pip install ripserplusplus needs nvcc of CUDA 12 or older: it asks for compute_53, which 13 dropped",
    )

    def solve() -> Answer:
        with stage("neighbours"):
            matrix = graph_of(task)
            matrix.data = matrix.data.astype(np.float32)
        with stage("reduction"):
            found = package.run(f"--format sparse --dim {task.max_dimension} --threshold {task.threshold!r}", matrix)
        return as_answer([[tuple(bar) for bar in found.get(d, ())] for d in range(task.max_dimension + 1)])

    return solve


def _rips_persistence(inputs: Mapping[str, Any], stage: Stage, *, collapses: int | str) -> Solve:
    task = problem.rips(inputs)
    gudhi = need("gudhi.sklearn", PEERS)
    dimensions = list(range(task.max_dimension + 1))
    options = {"num_collapses": collapses, "homology_coeff_field": 2}

    def solve() -> Answer:
        if task.points.shape[1] <= TREE_DIMENSION:
            engine = gudhi.RipsPersistence(dimensions, threshold=task.threshold, **options)
            return as_answer(engine.fit_transform([task.points])[0])
        with stage("neighbours"):
            matrix = graph_of(task)
        with stage("reduction"):
            engine = gudhi.RipsPersistence(dimensions, input_type="distance coo_matrix", **options)
            return as_answer(engine.fit_transform([matrix])[0])

    return solve


def _giotto(inputs: Mapping[str, Any], stage: Stage, *, collapse: bool) -> Solve:
    task = problem.rips(inputs)
    gph = need("gph", f"{PEERS} (wheels up to Python 3.12)")

    def solve() -> Answer:
        with stage("neighbours"):
            matrix = graph_of(task)
        with stage("reduction"):
            found = gph.ripser_parallel(
                matrix, maxdim=task.max_dimension, thresh=task.threshold, metric="precomputed", n_threads=task.threads,
                collapse_edges=collapse,
            )  # fmt: skip
        return as_answer(found["dgms"])

    return solve
