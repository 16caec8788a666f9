"""Players on many small clouds at once: those that take a list of clouds, and those that are called for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from benchmarks.persistence import inputs as problem
from benchmarks.persistence.batches import as_batch_answer, tasks
from benchmarks.persistence.players.on_a_gpu import OnAGpu
from benchmarks.persistence.players.packages import need
from benchmarks.persistence.players.steps import PEERS, Answer, Solve
from benchmarks.persistence.players.tcs import HIGHEST_ON_A_GPU, INSTALL
from harness.case import Stage, player
from harness.errors import Unavailable

FEW = 10
"""Clouds that are computed in a set-up, which loads the kernels, or compiles them once on a machine."""


@player(
    name="tcs batch",
    task="persistence.rips_batch",
    role="candidate",
    engine="tcs",
    packages={"numba": ">=0.60"},
    install="pip install -e '.[persistence]' -c constraints.txt",
    cite="tcs.persistence; reduced Vietoris-Rips complex: Koyama, Memoli, Robins and Turner, arXiv:2307.16333",
    note="all clouds in one computation; its kernels are loaded before it is timed",
)
def tcs_batch(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """tcs.persistence.rips_batch."""
    clouds, work, solve = _tcs(inputs, threads=problem.threads(inputs))
    work(clouds[:FEW])
    return solve


@player(
    name="tcs-rips-cuda batch",
    task="persistence.rips_batch",
    role="candidate",
    engine="tcs",
    device="cuda",
    packages={"numba": ">=0.60"},
    install="pip install -e '.[persistence,gpu]' -c constraints.txt",
    cite="tcs.persistence; reduced Vietoris-Rips complex: Koyama, Memoli, Robins and Turner, arXiv:2307.16333",
    note="all clouds in one launch of each kernel; kernels compiled and memory reserved before it is timed",
)
def tcs_batch_on_a_gpu(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """tcs.persistence.rips_batch on the current GPU."""
    clouds, work, solve = _tcs(inputs, backend="cuda")
    # side by side, with one more coordinate
    return OnAGpu(sum(map(len, clouds)), clouds[0].shape[1] + 1, work, solve)


@player(
    name="ripser.py batch",
    task="persistence.rips_batch",
    engine="Ripser",
    packages={"ripser": ">=0.6.12"},
    install="pip install -e '.[peers]' -c constraints.txt",
    cite="Tralie, Saul and Bar-On, JOSS 3(29), 925 (2018); Bauer, J. Appl. Comput. Topol. 5 (2021)",
    note="a call for each cloud, from points; threads share the clouds, since it holds no lock of Python's inside",
)
def ripser_py_batch(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """ripser.py on one cloud after the other."""
    ripser = need("ripser", PEERS)
    return _each(
        inputs, lambda task: ripser.ripser(task.points, maxdim=task.max_dimension, thresh=task.threshold)["dgms"]
    )


@player(
    name="GUDHI RipsPersistence batch",
    task="persistence.rips_batch",
    engine="Ripser",
    packages={"gudhi": ">=3.11", "scikit-learn": ""},
    install="pip install -e '.[peers]' -c constraints.txt",
    cite="GUDHI 3.13, scikit-learn interface by V. Rouvreau; Ripser inside: Bauer (2021)",
    note="takes the list of clouds; n_jobs, which shares them among threads",
)
def rips_persistence_batch(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """GUDHI's scikit-learn class on the list of clouds."""
    each = tasks(inputs)
    gudhi = need("gudhi.sklearn", PEERS)
    dimensions = list(range(each[0].max_dimension + 1))
    engine = gudhi.RipsPersistence(
        dimensions, threshold=each[0].threshold, homology_coeff_field=2, n_jobs=problem.threads(inputs)
    )
    clouds = [task.points for task in each]
    return lambda: as_batch_answer(engine.fit_transform(clouds), len(dimensions))


@player(
    name="giotto-ph batch",
    task="persistence.rips_batch",
    engine="Ripser",
    packages={"giotto-ph": ">=0.2.4"},
    install="pip install -e '.[peers]' -c constraints.txt (wheels up to Python 3.12)",
    cite="Burella Perez et al., giotto-ph, arXiv:2107.05412 (2021)",
    note="a call for each cloud, from points, on one thread each; threads share the clouds",
)
def giotto_ph_batch(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """giotto-ph on one cloud after the other."""
    gph = need("gph", f"{PEERS} (wheels up to Python 3.12)")
    return _each(
        inputs,
        lambda task: gph.ripser_parallel(task.points, maxdim=task.max_dimension, thresh=task.threshold, n_threads=1)[
            "dgms"
        ],
    )


@player(
    name="holos-tda batch",
    task="persistence.rips_batch",
    engine="holos",
    packages={"holos-tda": ">=0.9"},
    install="pip install -e '.[peers]' -c constraints.txt",
    cite="holos 0.9, github.com/t0rsion/holos",
    note="a call for each cloud, on one thread each; threads share the clouds",
)
def holos_batch(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """holos-tda on one cloud after the other."""
    import numpy as np

    package = need("holos_tda", PEERS)

    def diagrams(task: problem.Rips) -> list[Any]:
        rows = np.array(
            package.rips_points(task.points, task.max_dimension, task.threshold, threads=1), dtype=np.float64
        ).reshape(-1, 3)
        return [rows[rows[:, 0] == d, 1:] for d in range(task.max_dimension + 1)]

    return _each(inputs, diagrams)


@player(
    name="control clouds in another order",
    task="persistence.rips_batch",
    engine="control",
    role="control",
    packages={"ripser": ">=0.6.12"},
    install="pip install -e '.[peers]' -c constraints.txt",
    note="the bars of two clouds are exchanged",
)
def other_order(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """Right bars, of the first two clouds exchanged."""
    points = inputs["points"].copy()
    points[[0, 1]] = points[[1, 0]]
    return ripser_py_batch({**inputs, "points": points}, stage)


def _tcs(inputs: Mapping[str, Any], **how: Any) -> tuple[list[Any], Callable[..., list[Any]], Solve]:
    """The clouds, the computation on them or on others, and its answer on them."""
    each = tasks(inputs)
    need("numba", INSTALL)
    from tcs.persistence import rips_batch

    task = each[0]
    if task.max_dimension > HIGHEST_ON_A_GPU:
        raise Unavailable(f"batches are for H0 and H1, not H{task.max_dimension}")
    clouds = [one.points for one in each]

    def work(some: list[Any] = clouds) -> list[Any]:
        return rips_batch(some, threshold=task.threshold, max_dimension=task.max_dimension, **how)

    return clouds, work, lambda: as_batch_answer([found.bars for found in work()], task.max_dimension + 1)


def _each(inputs: Mapping[str, Any], diagrams: Callable[[problem.Rips], Any]) -> Solve:
    each = tasks(inputs)
    threads = problem.threads(inputs)

    def solve() -> Answer:
        if threads == 1:
            return as_batch_answer([diagrams(task) for task in each], each[0].max_dimension + 1)
        with ThreadPoolExecutor(threads) as pool:
            return as_batch_answer(list(pool.map(diagrams, each)), each[0].max_dimension + 1)

    return solve
