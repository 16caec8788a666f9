"""The cases: which points, which complex, and what is known about the answer beforehand.

Different complexes are different tasks, so that they never share a column:

- ``persistence.rips``: Vietoris-Rips, a simplex appears at its longest edge; edges up to ``threshold``, both rounded
  to float32;
- ``persistence.rips_batch``: the same of many small clouds, one answer for all (:mod:`benchmarks.persistence.batches`);
- ``persistence.alpha``: alpha complex, values are squared radii, no threshold;
- ``persistence.cubical``: grid of cubes with values on the vertices, a cube appears with its highest vertex;
- ``persistence.flood``: Flood complex, values are radii; approximates the alpha filtration.

All over Z/2. ``k`` is the mean degree at the threshold (:mod:`benchmarks.persistence.thresholds`). A seed other
than 0 draws other points at the same threshold; then no counts are known.
"""

from __future__ import annotations

from typing import Any

from benchmarks.persistence import workloads
from benchmarks.persistence.inputs import cloud, grid, rips
from benchmarks.persistence.thresholds import threshold
from harness.case import Problem, case

# Counts of bars by (n, k) on the torus, seed 0: (finite H1, essential H1), each from engines of independent origin.
TORUS_H1: dict[tuple[int, int], tuple[int | None, int]] = {
    (10_000, 20): (2_624, 160),
    (1_000_000, 20): (313_007, 16_669),
    (10_000, 60): (None, 2),
    (30_000, 60): (None, 2),
    (100_000, 60): (None, 2),
    (300_000, 60): (None, 2),
    (1_000_000, 60): (330_285, 3),
}


@case(
    version=2,
    task="persistence.rips",
    check="benchmarks.persistence.checks:rips",
    picture="benchmarks.persistence.pictures:diagram",
)
def torus(n: int, k: int, max_dimension: int = 1, seed: int = 0) -> Problem:
    """W(n, k): a noisy torus in R^3, Vietoris-Rips at mean degree k."""
    known: dict[str, Any] = {}
    if seed == 0 and (n, k) in TORUS_H1:
        finite, essential = TORUS_H1[n, k]
        known = {"finite": {} if finite is None else {"1": finite}, "essential": {"1": essential}}
    return _rips(workloads.torus(n, seed), threshold("torus", n, k), max_dimension, **known)


@case(
    version=2,
    task="persistence.rips",
    check="benchmarks.persistence.checks:rips",
    picture="benchmarks.persistence.pictures:diagram",
)
def square(n: int, k: int, max_dimension: int = 1, seed: int = 0) -> Problem:
    """Uniform points in the unit square."""
    return _rips(workloads.square(n, seed), threshold("square", n, k), max_dimension)


@case(
    version=2,
    task="persistence.rips",
    check="benchmarks.persistence.checks:rips",
    picture="benchmarks.persistence.pictures:diagram",
)
def cube(n: int, k: int, max_dimension: int = 1, seed: int = 0) -> Problem:
    """Uniform points in the unit cube."""
    return _rips(workloads.cube(n, seed), threshold("cube", n, k), max_dimension)


@case(
    version=2,
    task="persistence.rips",
    check="benchmarks.persistence.checks:rips",
    picture="benchmarks.persistence.pictures:diagram",
)
def annulus(n: int, k: int, max_dimension: int = 1, seed: int = 0) -> Problem:
    """A noisy circle in the plane."""
    return _rips(workloads.annulus(n, seed), threshold("annulus", n, k), max_dimension)


@case(
    version=2,
    task="persistence.rips",
    check="benchmarks.persistence.checks:rips",
    picture="benchmarks.persistence.pictures:diagram",
)
def clifford(n: int, k: int, max_dimension: int = 1, seed: int = 0) -> Problem:
    """The flat torus in R^4."""
    return _rips(workloads.clifford(n, seed), threshold("clifford", n, k), max_dimension)


@case(
    version=2,
    task="persistence.rips",
    check="benchmarks.persistence.checks:rips",
    picture="benchmarks.persistence.pictures:diagram",
)
def swiss_roll(n: int, k: int, max_dimension: int = 1, seed: int = 0) -> Problem:
    """A rolled-up strip of uneven density."""
    return _rips(workloads.swiss_roll(n, seed), threshold("swiss_roll", n, k), max_dimension)


@case(
    version=1,
    task="persistence.rips",
    check="benchmarks.persistence.checks:rips",
    picture="benchmarks.persistence.pictures:diagram",
)
def clusters(n: int, k: int, max_dimension: int = 1, seed: int = 0) -> Problem:
    """Clumps of every density in space, and points between them: few points have most of the edges."""
    return _rips(workloads.clusters(n, seed), threshold("clusters", n, k), max_dimension)


@case(
    version=1,
    task="persistence.rips",
    check="benchmarks.persistence.checks:rips",
    picture="benchmarks.persistence.pictures:diagram",
)
def whole_square(n: int, max_dimension: int = 1, seed: int = 0) -> Problem:
    """Uniform points in the unit square without a threshold: all edges that any bar can need.

    The longest edge is the enclosing radius, beyond which the complex is a cone: the bars are those of an infinite
    threshold, and an engine that does not look for that radius by itself is spared the edges beyond it.
    """
    points = workloads.square(n, seed)
    essential = {"0": 1} | {str(d): 0 for d in range(1, max_dimension + 1)}
    return _rips(points, workloads.enclosing_radius(points), max_dimension, essential=essential)


@case(
    version=2,
    task="persistence.rips",
    check="benchmarks.persistence.checks:rips",
    picture="benchmarks.persistence.pictures:diagram",
)
def lattice(side: int, dimension: int = 2, max_dimension: int = 1, seed: int = 0) -> Problem:
    """The integer grid with the diagonals of its squares: nothing but ties, and the answer is a formula."""
    points = workloads.lattice(side, dimension)
    n = len(points)
    # 1.5 lies between sqrt 2 and sqrt 3: the cycles of the grid graph are born at 1, squares fill them at sqrt 2
    cycles = dimension * (side - 1) * side ** (dimension - 1) - n + 1
    finite, essential = {"0": n - 1, "1": cycles}, {"0": 1, "1": 0}
    return _rips(points, 1.5, max_dimension, finite=finite, essential=essential)


@case(
    version=2,
    task="persistence.rips",
    check="benchmarks.persistence.checks:rips",
    picture="benchmarks.persistence.pictures:diagram",
)
def duplicates(n: int, k: int, max_dimension: int = 1, seed: int = 0) -> Problem:
    """A cloud in the plane in which most points occur several times."""
    return _rips(workloads.duplicates(n, seed), threshold("duplicates", n, k), max_dimension)


@case(
    version=2,
    task="persistence.rips",
    check="benchmarks.persistence.checks:rips",
    picture="benchmarks.persistence.pictures:diagram",
)
def tiny(n: int = 30, max_dimension: int = 2, seed: int = 0) -> Problem:
    """A few points in the cube, small enough for the textbook reduction to judge every bar."""
    return _rips(workloads.cube(n, seed), 0.5, max_dimension)


@case(
    version=2,
    task="persistence.rips",
    check="benchmarks.persistence.checks:rips",
    picture="benchmarks.persistence.pictures:diagram",
    datasets=("digits",),
)
def digits(k: int, max_dimension: int = 1, seed: int = 0) -> Problem:
    """Handwritten digits (scikit-learn), 1,797 points in R^64 with whole coordinates."""
    points, sets = workloads.digits(), _sets("digits")
    return _rips(points, threshold("digits", len(points), k), max_dimension, provenance="real", sets=sets)


@case(
    version=2,
    task="persistence.rips",
    check="benchmarks.persistence.checks:rips",
    picture="benchmarks.persistence.pictures:diagram",
    datasets=("allen_session_counts",),
)
def allen(k: int, session: int = 715093703, max_dimension: int = 1, seed: int = 0) -> Problem:
    """Allen Visual Coding population vectors: 3,645 presentations in as many dimensions as units."""
    from harness.data.datasets import locate

    points = workloads.allen(locate("allen_session_counts"), session)
    sets = _sets("allen_session_counts")
    return _rips(points, threshold("allen", session, k), max_dimension, provenance="derived", sets=sets)


@case(
    version=1,
    task="persistence.alpha",
    check="benchmarks.persistence.checks:alpha",
    picture="benchmarks.persistence.pictures:diagram",
)
def alpha_square(n: int, seed: int = 0) -> Problem:
    """Alpha complex of uniform points in the plane, values are squared radii."""
    return Problem(inputs={"points": cloud(workloads.square(n, seed))})


@case(
    version=1,
    task="persistence.alpha",
    check="benchmarks.persistence.checks:alpha",
    picture="benchmarks.persistence.pictures:diagram",
)
def alpha_cube(n: int, seed: int = 0) -> Problem:
    """Alpha complex of uniform points in space, values are squared radii."""
    return Problem(inputs={"points": cloud(workloads.cube(n, seed))})


@case(
    version=1,
    task="persistence.alpha",
    check="benchmarks.persistence.checks:alpha",
    picture="benchmarks.persistence.pictures:diagram",
)
def alpha_torus(n: int, seed: int = 0) -> Problem:
    """Alpha complex of the noisy torus, values are squared radii."""
    return Problem(inputs={"points": cloud(workloads.torus(n, seed))})


@case(
    version=1,
    task="persistence.cubical",
    check="benchmarks.persistence.checks:cubical",
    picture="benchmarks.persistence.pictures:diagram",
)
def image(side: int, seed: int = 0) -> Problem:
    """Lower-star filtration of a smooth random image, values on the vertices of the grid."""
    return Problem(inputs={"values": grid(workloads.image(side, seed))})


@case(
    version=1,
    task="persistence.cubical",
    check="benchmarks.persistence.checks:cubical",
    picture="benchmarks.persistence.pictures:diagram",
)
def volume(side: int, seed: int = 0) -> Problem:
    """Lower-star filtration of a smooth random volume, values on the vertices of the grid."""
    return Problem(inputs={"values": grid(workloads.volume(side, seed))})


@case(
    version=1,
    task="persistence.flood",
    check="benchmarks.persistence.checks:flood",
    picture="benchmarks.persistence.pictures:diagram",
)
def flood_torus(n: int, landmarks: int, seed: int = 0) -> Problem:
    """Flood complex of the noisy torus on farthest-point landmarks, against its alpha complex."""
    points = cloud(workloads.torus(n, seed))
    radius = workloads.covering_radius(points, landmarks)
    return Problem(inputs={"points": points, "landmarks": landmarks}, known={"covering_radius": radius})


def _sets(name: str) -> dict[str, str]:
    from harness.data.datasets import sha256_of

    return {name: sha256_of(name)}


def _rips(
    points: Any, longest: float, max_dimension: int, *, provenance: str = "synthetic",
    sets: dict[str, str] | None = None, **known: Any,
) -> Problem:  # fmt: skip
    from benchmarks.persistence.checks import forest

    task = rips({"points": points, "threshold": longest, "max_dimension": max_dimension})
    inputs = {"points": task.points, "threshold": task.threshold, "max_dimension": max_dimension}
    return Problem(inputs=inputs, known={**known, "forest": forest(task)}, provenance=provenance, data=sets or {})
