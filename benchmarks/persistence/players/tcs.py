"""TCS: the persistence engine of this project, on the CPU and on a GPU."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.persistence import inputs as problem
from benchmarks.persistence.barcode import as_answer
from benchmarks.persistence.players.on_a_gpu import OnAGpu
from benchmarks.persistence.players.packages import need
from benchmarks.persistence.players.steps import Answer, Solve
from harness.case import Stage, player
from harness.errors import Unavailable

if TYPE_CHECKING:
    from numpy.typing import NDArray

INSTALL = "pip install -e '.[persistence]' -c constraints.txt"
HIGHEST, HIGHEST_ON_A_GPU = 2, 1
FIRST = 500
"""Points that a player computes in its set-up, which loads the kernels, or compiles them once on a machine."""


@player(
    name="tcs",
    task="persistence.rips",
    role="candidate",
    engine="tcs",
    packages={"numba": ">=0.60"},
    install="pip install -e '.[persistence]' -c constraints.txt",
    cite="tcs.persistence; reduced Vietoris-Rips complex: Koyama, Memoli, Robins and Turner, arXiv:2307.16333",
    note="from points; its kernels are loaded before it is timed, as the libraries of the peers are",
)
def tcs(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """tcs.persistence.rips, from points to bars."""
    task = problem.rips(inputs)
    need("numba", INSTALL)
    from tcs.persistence import rips

    if task.max_dimension > HIGHEST:
        raise Unavailable(f"tcs computes H0 to H{HIGHEST}, not H{task.max_dimension}")

    diagrams = partial(rips, threshold=task.threshold, max_dimension=task.max_dimension, threads=task.threads)
    diagrams(neighbourhood(task.points))
    return lambda: _as_they_are(diagrams(task.points, span=stage).bars)


@player(
    name="tcs-rips-cuda",
    task="persistence.rips",
    role="candidate",
    engine="tcs",
    device="cuda",
    packages={"numba": ">=0.60"},
    install="pip install -e '.[persistence,gpu]' -c constraints.txt",
    cite="tcs.persistence; reduced Vietoris-Rips complex: Koyama, Memoli, Robins and Turner, arXiv:2307.16333",
    note="from points to bars in the memory of the host, both copies charged; kernels compiled, memory reserved before",
)
def tcs_on_a_gpu(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """tcs.persistence.rips on the current GPU, from points to bars."""
    task = problem.rips(inputs)
    need("numba", INSTALL)
    from tcs.persistence import rips

    if task.max_dimension > HIGHEST_ON_A_GPU:
        raise Unavailable(f"on a GPU tcs computes H0 and H1, not H{task.max_dimension}")

    work = partial(rips, task.points, threshold=task.threshold, max_dimension=task.max_dimension, backend="cuda")
    n, dimension = task.points.shape
    return OnAGpu(n, dimension, work, lambda: _as_they_are(work(span=stage).bars))


@player(
    name="tcs drawn",
    task="persistence.rips_drawn",
    role="candidate",
    engine="tcs",
    packages={"numba": ">=0.60"},
    install="pip install -e '.[persistence]' -c constraints.txt",
    cite="tcs.persistence; reduced Vietoris-Rips complex: Koyama, Memoli, Robins and Turner, arXiv:2307.16333",
    note="draws the points itself, in its set-up; otherwise as tcs",
)
def tcs_drawn(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """tcs.persistence.rips on points that it draws itself."""
    from benchmarks.persistence.drawn import draw

    return tcs(draw(inputs)._asdict(), stage)


@player(
    name="tcs-rips-cuda drawn",
    task="persistence.rips_drawn",
    role="candidate",
    engine="tcs",
    device="cuda",
    packages={"numba": ">=0.60"},
    install="pip install -e '.[persistence,gpu]' -c constraints.txt",
    cite="tcs.persistence; reduced Vietoris-Rips complex: Koyama, Memoli, Robins and Turner, arXiv:2307.16333",
    note="draws the points itself, in its set-up; otherwise as tcs-rips-cuda",
)
def tcs_drawn_on_a_gpu(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """tcs.persistence.rips on the current GPU, on points that it draws itself."""
    from benchmarks.persistence.drawn import draw

    return tcs_on_a_gpu(draw(inputs)._asdict(), stage)


@player(
    name="tcs alpha",
    task="persistence.alpha",
    role="candidate",
    engine="tcs",
    packages={"numba": ">=0.60"},
    install="pip install -e '.[persistence]' -c constraints.txt",
    cite="tcs.persistence; Edelsbrunner and Muecke (1994); Bauer and Edelsbrunner (2017)",
    note="own Delaunay triangulation with exact predicates; its kernels are loaded before it is timed",
)
def tcs_alpha(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """tcs.persistence.alpha in float64, from points to bars."""
    points, threads = problem.cloud(inputs["points"]), problem.threads(inputs)
    need("numba", INSTALL)
    from tcs.persistence.alpha_complex import alpha_diagrams

    alpha_diagrams(neighbourhood(points), threads=threads)
    return lambda: as_answer(alpha_diagrams(points, threads=threads, span=stage).bars)


def _as_they_are(bars: Sequence[NDArray[np.float32]]) -> Answer:
    """An answer of the bars themselves: a copy in float64 would be charged, and be a tenth of the time on a GPU."""
    return {f"bars_{d}": rows for d, rows in enumerate(bars)}


def neighbourhood(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """The points nearest to the first one: as dense as the cloud is there, so that they need the same kernels."""
    if len(points) <= FIRST:
        return points
    squares = ((points - points[0]) ** 2).sum(axis=1)
    return np.ascontiguousarray(points[np.argpartition(squares, FIRST)[:FIRST]])
