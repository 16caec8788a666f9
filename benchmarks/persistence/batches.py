"""Many small clouds at once, as they come from a stream: the bars of each.

An answer holds for each dimension d ``bars_d`` (m, 2), the bars of all clouds on end, and ``sizes_d`` (clouds,), how
many each of them has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.persistence import checks, inputs as problem, workloads
from benchmarks.persistence.barcode import as_answer
from benchmarks.persistence.thresholds import threshold
from harness.case import Check, Problem, case

if TYPE_CHECKING:
    from numpy.typing import NDArray


@case(version=1, task="persistence.rips_batch", check="benchmarks.persistence.batches:batch")
def tori(n: int, k: int, clouds: int, seed: int = 0) -> Problem:
    """Clouds of n points each on the torus of W(n, k), H0 and H1 at a mean degree of about k."""
    points = workloads.torus(n * clouds, seed).reshape(clouds, n, 3)
    return Problem(inputs={"points": points, "threshold": threshold("tori", n, k), "max_dimension": 1})


def tasks(inputs: Mapping[str, Any]) -> list[problem.Rips]:
    """One Vietoris-Rips problem a cloud.

    Raises:
        ValueError: as :func:`benchmarks.persistence.inputs.rips`, with the place of the cloud before it.
    """
    found = []
    for place, points in enumerate(inputs["points"]):
        try:
            found.append(problem.rips({**inputs, "points": points}))
        except ValueError as error:
            raise ValueError(f"cloud {place}: {error}") from error
    return found


def as_batch_answer(each: Sequence[Sequence[Any]], dimensions: int) -> dict[str, NDArray[Any]]:
    """Diagrams of H0, H1, ... of each cloud in the form of an answer."""
    answer: dict[str, NDArray[Any]] = {}
    for d in range(dimensions):
        rows = [np.asarray(diagrams[d], dtype=np.float64).reshape(-1, 2) for diagrams in each]
        answer[f"bars_{d}"] = np.concatenate([np.empty((0, 2)), *rows])
        answer[f"sizes_{d}"] = np.array([len(one) for one in rows], dtype=np.int64)
    return answer


def batch(inputs: Mapping[str, Any], known: Mapping[str, Any], answer: Mapping[str, Any]) -> Check:
    """Bars of each cloud, as :func:`benchmarks.persistence.checks.rips` has them."""
    each = tasks(inputs)
    dimensions = each[0].max_dimension + 1
    rows = []
    for d in range(dimensions):
        bars, sizes = np.asarray(answer.get(f"bars_{d}", [])), np.asarray(answer.get(f"sizes_{d}", []))
        if sizes.shape != (len(each),) or sizes.dtype.kind not in "iu" or sizes.sum() != len(bars) or (sizes < 0).any():
            wrong = f"sizes_{d} does not part the {len(bars)} rows of bars_{d} among {len(each)} clouds"
            return Check(ok=False, oracle="the form of the answer", detail=wrong)
        rows.append(np.split(bars, np.cumsum(sizes)[:-1]))
    right: list[list[Any]] = []
    for i, task in enumerate(each):
        found = checks.rips({**inputs, "points": task.points}, {}, as_answer([bars[i] for bars in rows]))
        if not found.ok:
            return Check(ok=False, oracle=found.oracle, detail=f"cloud {i}: {found.detail}")
        right.append([found.canonical[f"bars_{d}"] for d in range(dimensions)])
    canonical: dict[str, NDArray[Any]] = as_batch_answer(right, dimensions)
    for d in range(dimensions):
        canonical[f"bars_{d}"] = canonical[f"bars_{d}"].astype(np.float32)
    return Check(ok=True, oracle=found.oracle, distance=0.0, tolerance=0.0, canonical=canonical)
