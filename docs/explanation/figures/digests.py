"""Print the table of digests of the page on exactness: PYTHONPATH=. python docs/explanation/figures/digests.py."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import gudhi.sklearn
import holos_tda
import numpy as np
import ripser
from scipy.sparse import coo_array

from benchmarks.persistence import workloads
from benchmarks.persistence.neighbours import neighbours
from tcs.persistence import Barcode, convert, rips
from tcs.persistence.tiled_rips import rips_in_tiles

# Coordinates are whole multiples of 2^-32, so that they can be moved without a rounding.
CLOUDS: dict[str, tuple[Any, float]] = {
    name: (np.round(np.ldexp(cloud, 32)) * 2.0**-32, threshold)
    for name, cloud, threshold in (
        ("torus, W(10,000, 20)", workloads.torus(10_000), 0.09997846186161041),
        ("cube", workloads.cube(10_000), 0.078),
        ("clusters", workloads.clusters(10_000), 0.02),
        ("Clifford torus in 4-D", workloads.clifford(10_000), 0.11),
        ("cubic lattice, all ties", workloads.lattice(22, 3), 1.5),
        ("duplicates in the square", workloads.duplicates(10_000), 0.035),
    )
}


def scaled(points: Any, threshold: float, exponent: int) -> Barcode:
    """The bars of a cloud that is made larger by a power of two, made smaller by it."""
    found = rips(np.ldexp(points, exponent), threshold=float(np.ldexp(threshold, exponent)))
    return Barcode(
        bars=tuple(np.ldexp(bars, -exponent) for bars in found.bars), threshold=threshold, n_points=len(points)
    )


def matrix_of(points: Any, threshold: float) -> Any:
    """The distances up to the threshold, compared as float32; each pair once."""
    i, j, lengths = neighbours(points, threshold * (1 + 1e-6))
    inside = lengths.astype(np.float32) <= np.float32(threshold)
    return coo_array((lengths[inside], (i[inside], j[inside])), shape=(len(points),) * 2)


def by_ripser(points: Any, threshold: float) -> Barcode:
    """Of ripser.py, from the sparse matrix in the order of its rows."""
    matrix = matrix_of(points, threshold).tocsr()
    return convert.from_ripser(ripser.ripser(matrix, maxdim=1, distance_matrix=True))


def by_gudhi(points: Any, threshold: float) -> Barcode:
    """Of GUDHI's RipsPersistence, from the points."""
    engine = gudhi.sklearn.RipsPersistence([0, 1], threshold=threshold, homology_coeff_field=2)
    return convert.from_persim(engine.fit_transform([points])[0])


def by_holos(points: Any, threshold: float) -> Barcode:
    """Of holos-tda, from the points."""
    rows = np.array(holos_tda.rips_points(points, 1, threshold)).reshape(-1, 3)
    return convert.from_persim([rows[rows[:, 0] == d, 1:] for d in (0, 1)])


WAYS: dict[str, Callable[[Any, float], Barcode]] = {
    "permuted": lambda points, t: rips(np.random.default_rng(1).permutation(points), threshold=t),
    "moved by 1000, 2000, ...": lambda points, t: rips(
        points + 1000.0 * np.arange(1, 1 + points.shape[1]), threshold=t
    ),
    "times 2^-40": lambda points, t: scaled(points, t, -40),
    "times 2^40": lambda points, t: scaled(points, t, 40),
    "1 thread": lambda points, t: rips(points, threshold=t, threads=1),
    "2 threads": lambda points, t: rips(points, threshold=t, threads=2),
    "3 threads": lambda points, t: rips(points, threshold=t, threads=3),
    "tiles of 1,000": lambda points, t: rips_in_tiles(points, threshold=t, tile_points=1_000),
    "tiles of 4,000": lambda points, t: rips_in_tiles(points, threshold=t, tile_points=4_000),
    "sparse matrix": lambda points, t: rips(matrix_of(points, t), threshold=t, metric="precomputed"),
    f"GUDHI {version('gudhi')}, RipsPersistence": by_gudhi,
    f"ripser.py {version('ripser')}": by_ripser,
    f"holos-tda {version('holos-tda')}": by_holos,
    "control: other points, rounded to float32": lambda points, t: rips(points.astype(np.float32), threshold=t),
}  # fmt: skip
"""One line of the table each."""


def main() -> None:
    """Print the clouds with their digests, then for each way whether its digests are the same."""
    right = {name: rips(points, threshold=threshold) for name, (points, threshold) in CLOUDS.items()}
    counts = {
        name: [len(bars) for d in (0, 1) for bars in (found.finite(d), found.essential(d))]
        for name, found in right.items()
    }
    print(f"| | {' | '.join(CLOUDS)} |\n|---|{'---|' * len(CLOUDS)}")
    print("| points |", " | ".join(f"{len(points):,}" for points, _ in CLOUDS.values()), "|")
    print("| threshold |", " | ".join(str(threshold) for _, threshold in CLOUDS.values()), "|")
    for k, kind in enumerate(("H0 finite", "H0 essential", "H1 finite", "H1 essential")):
        print(f"| {kind} |", " | ".join(f"{each[k]:,}" for each in counts.values()), "|")
    print("| digest, as given |", " | ".join(f"`{found.digest()[:12]}`" for found in right.values()), "|")
    for way, bars_of in WAYS.items():
        cells = []
        for name, (points, threshold) in CLOUDS.items():
            digest = bars_of(points, threshold).digest()
            cells.append("equal" if digest == right[name].digest() else f"`{digest[:12]}`")
        print(f"| {way} |", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    main()
