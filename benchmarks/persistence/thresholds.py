"""The thresholds: the longest edge of every configured workload, fixed as literals so that a definition never moves.

W(n, k) on the torus is defined by its literals, in full precision: with k = 20 and n = 1e6 the seventh digit
already changes the counts. The others were found once by :func:`mean_degree_threshold` with seed 0; it
leaves more than half a float32 unit of rounding on either side, so that ``<`` and ``<=``, float32 and
float64, all keep the same edges. To add one: ``python -m benchmarks.persistence.thresholds cube 5000 20``.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# (workload, n, k) -> longest edge; for the Allen data the session stands in place of n
TABLE: dict[tuple[str, int, int], float] = {
    ("torus", 10_000, 20): 0.09997846186161041,
    ("torus", 30_000, 20): 0.05779411271214485,
    ("torus", 100_000, 20): 0.03190181404352188,
    ("torus", 300_000, 20): 0.018555881455540657,
    ("torus", 1_000_000, 20): 0.010415755212306976,
    ("torus", 10_000, 60): 0.17324486374855042,
    ("torus", 30_000, 60): 0.09997621178627014,
    ("torus", 100_000, 60): 0.0550476536154747,
    ("torus", 300_000, 60): 0.031857557594776154,
    ("torus", 1_000_000, 60): 0.017583055421710014,
    ("torus", 1_000, 20): 0.3145884871482849,
    ("torus", 1_000, 60): 0.5303049087524414,
    ("torus", 1_000, 200): 0.8607836961746216,
    ("torus", 10_000, 200): 0.3137209713459015,
    ("torus", 100_000, 200): 0.10018297284841537,
    ("torus", 10_000_000, 20): 0.003997365944087505,
    # found in a wedge of the cloud of 1 / 150, since no k-d tree of it all fits into memory
    ("torus", 100_000_000, 20): 0.001771078,
    # about k for a cloud of so many points of the torus
    ("tori", 200, 20): 0.708,
    ("square", 1_000, 20): 0.08320813626050949,
    ("square", 1_000, 60): 0.14851337671279907,
    ("square", 10_000, 20): 0.025421924889087677,
    ("square", 10_000, 60): 0.04442742466926575,
    ("square", 100_000, 20): 0.008000865578651428,
    ("square", 100_000, 60): 0.013902556151151657,
    ("cube", 1_000, 20): 0.18121549487113953,
    ("cube", 1_000, 60): 0.27192291617393494,
    ("cube", 10_000, 20): 0.08059657365083694,
    ("cube", 10_000, 60): 0.11768190562725067,
    ("cube", 100_000, 20): 0.03677196055650711,
    ("cube", 100_000, 60): 0.053372908383607864,
    ("cube", 1_000_000, 20): 0.016948716714978218,
    ("cube", 1_000_000, 60): 0.024510474875569344,
    ("annulus", 1_000, 20): 0.12620846927165985,
    ("annulus", 1_000, 60): 0.2412780374288559,
    ("annulus", 10_000, 20): 0.03765984624624252,
    ("annulus", 10_000, 60): 0.06578748673200607,
    ("annulus", 100_000, 20): 0.011897572316229343,
    ("annulus", 100_000, 60): 0.02062513306736946,
    ("clifford", 1_000, 20): 0.3522551357746124,
    ("clifford", 1_000, 60): 0.5999427437782288,
    ("clifford", 10_000, 20): 0.11187006533145905,
    ("clifford", 10_000, 60): 0.19337956607341766,
    ("clifford", 100_000, 20): 0.0354178287088871,
    ("clifford", 100_000, 60): 0.06137833371758461,
    ("clusters", 1_000, 20): 0.1545378714799881,
    ("clusters", 10_000, 20): 0.0062453895807266235,
    ("clusters", 10_000, 60): 0.04976770281791687,
    ("clusters", 100_000, 20): 0.0016635413048788905,
    ("swiss_roll", 1_000, 20): 3.581312417984009,
    ("swiss_roll", 1_000, 60): 6.338400840759277,
    ("swiss_roll", 10_000, 20): 1.0550113916397095,
    ("swiss_roll", 10_000, 60): 1.8523597717285156,
    ("swiss_roll", 100_000, 20): 0.3317033648490906,
    ("swiss_roll", 100_000, 60): 0.5764427185058594,
    ("duplicates", 1_000, 20): 0.07666263729333878,
    ("duplicates", 1_000, 60): 0.14365364611148834,
    ("duplicates", 10_000, 20): 0.024096589535474777,
    ("duplicates", 10_000, 60): 0.04370624199509621,
    ("duplicates", 100_000, 20): 0.007575490511953831,
    ("duplicates", 100_000, 60): 0.013661702163517475,
    ("digits", 1_797, 20): 24.197105407714844,
    ("digits", 1_797, 60): 30.651262283325195,
    ("allen", 715093703, 20): 29.2147216796875,
    ("allen", 715093703, 60): 31.851215362548828,
    ("allen", 789848216, 20): 16.777956008911133,
    ("allen", 789848216, 60): 19.22237777709961,
    ("allen", 786091066, 20): 39.71775436401367,
    ("allen", 786091066, 60): 42.71416473388672,
}


def threshold(workload: str, n: int, k: int) -> float:
    """The longest edge that gives the workload (seed 0) a mean degree of k.

    Raises:
        ValueError: none is fixed for it; the message lists those that are, and how to add one.
    """
    try:
        return TABLE[workload, n, k]
    except KeyError:
        known = ", ".join(f"n={n} k={k}" for name, n, k in TABLE if name == workload) or "none"
        raise ValueError(
            f"{workload}: no threshold is fixed for n={n}, k={k}; fixed are: {known}. Find one with "
            f"'python -m benchmarks.persistence.thresholds {workload} {n} {k}' and add it to TABLE"
        ) from None


def mean_degree_threshold(points: NDArray[np.float64], k: float) -> float:
    """The smallest float32 number that keeps at least n k / 2 edges and lies in a clear gap between lengths.

    Where lengths lie too close for a gap, as among tens of millions of edges, it is the float32 of the last length;
    :mod:`benchmarks.persistence.inputs` sees to it that every engine keeps the same edges there, too.

    Raises:
        ValueError: the cloud has fewer than n k / 2 pairs.
    """
    from scipy.spatial import cKDTree

    from benchmarks.persistence.neighbours import TREE_DIMENSION, neighbours

    n = len(points)
    wanted = round(n * k / 2)
    if not 0 < wanted < n * (n - 1) // 2:
        raise ValueError(f"a mean degree of {k} needs {wanted} of the {n * (n - 1) // 2} pairs of {n} points")
    sample = points[:: max(1, n // 1000)]
    if points.shape[1] <= TREE_DIMENSION:
        radius = float(np.median(cKDTree(points).query(sample, k=[min(int(k) + 1, n)])[0]))
    else:
        radius = float(np.quantile(np.linalg.norm(sample[:, None] - sample[None], axis=-1), min(1.0, 2 * k / n)))
    while len(lengths := neighbours(points, radius).lengths) < wanted * 1.001 + 10:
        radius *= 1.1
    lengths.sort()
    low, high = lengths[wanted - 1 : -1], lengths[wanted:]
    clear = np.flatnonzero(high - low > 2.5 * np.spacing(high.astype(np.float32)))
    if not clear.size:
        return float(np.float32(low[0]))
    return float(np.float32((low[clear[0]] + high[clear[0]]) / 2))


if __name__ == "__main__":
    from benchmarks.persistence import workloads

    name, count, degree = sys.argv[1], int(float(sys.argv[2])), int(sys.argv[3])
    longest = mean_degree_threshold(getattr(workloads, name)(count), degree)
    sys.stdout.write(f'("{name}", {count}, {degree}): {longest!r},\n')
