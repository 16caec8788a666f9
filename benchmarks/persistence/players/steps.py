"""Steps that several players share: the neighbourhood graph, and the bars off complexes of GUDHI and of oineus."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from benchmarks.persistence.barcode import as_answer
from benchmarks.persistence.neighbours import neighbours
from harness.case import Stage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from benchmarks.persistence.inputs import Rips

Answer = Mapping[str, Any]
Solve = Callable[[], Answer]

PEERS = "pip install -e '.[peers]' -c constraints.txt"
"""How most peers are installed; a registration is read without being run, and has to spell it out."""


def graph_of(task: Rips) -> Any:
    """The neighbourhood graph: the upper triangle of the distance matrix, in float64, as a scipy COO matrix (n, n).

    Zeros (duplicates) are stored.
    """
    from scipy.sparse import coo_matrix

    found = neighbours(task.points, task.threshold)
    return coo_matrix((found.lengths, (found.i, found.j)), shape=(len(task.points),) * 2)


def gudhi_bars(complex_: Any, dimensions: int) -> dict[str, NDArray[np.float64]]:
    """The bars in dimensions 0 .. ``dimensions`` - 1 of a complex of GUDHI whose persistence was computed."""
    return as_answer([complex_.persistence_intervals_in_dimension(d) for d in range(dimensions)])


def oineus_bars(
    package: Any, filtration: Any, stage: Stage, *, cohomology: bool, dimensions: int, threads: int
) -> dict[str, NDArray[np.float64]]:
    """Reduce a filtration of oineus, as one stage, and read its bars in dimensions 0 .. ``dimensions`` - 1."""
    with stage("reduction"):
        parameters = package.ReductionParams()
        parameters.n_threads = threads
        decomposition = package.Decomposition(filtration, cohomology)
        decomposition.reduce(parameters)
    diagrams = decomposition.diagram(fil=filtration, include_inf_points=True)
    # a complex without edges has no diagram above H0
    highest = len(diagrams)
    return as_answer([diagrams.in_dimension(d) if d < highest else [] for d in range(dimensions)])
