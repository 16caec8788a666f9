"""A few checks of a whole engine, run on a copy of the package: ``python battery.py FOLDER EXPECTED`` prints JSON.

FOLDER holds the copy (``tcs/``), EXPECTED is what :func:`expected` made of the textbook's bars. Printed is, for each
check, null or what was wrong. A check fails by AssertionError, or by the engine's own ArithmeticError; any other error
ends the process, so that a copy that cannot even run is not taken for one that was caught.
"""

from __future__ import annotations

import itertools
import json
import resource
import sys
from pathlib import Path
from typing import Any

import numpy as np

if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])

from unittest.mock import patch

from clouds import HIT, MISSED, SMALL, at_the_border, by_grid, torus
from tcs.persistence.compute import kernels, sorting
from tcs.persistence.compute.team import Team
from tcs.persistence.reduced import forest, reduction
from tcs.persistence.tiled_rips import rips_in_tiles
from tcs.persistence.tiles import tiling

# W(10,000, 20): threshold; H0 finite and essential, H1 finite and essential.
KNOWN = (0.09997846186161041, [9_999, 1, 2_624, 160])
# 2,000 points in a cube, many neighbours each: threshold, and the digest of the bars that Ripser finds.
DENSE = (0.4, "829601ccad77")
MOST_MEMORY = 8 * 2**30


def lengths_worth_a_look(distances: Any) -> list[float]:
    """Thresholds that are lengths: the longest, and two shorter ones."""
    values = np.unique(distances)
    return [float(values[-1]), float(values[len(values) // 2]), float(values[len(values) // 4])]


def expected() -> dict[str, Any]:
    """The textbook's bars of the small clouds, as arrays by name."""
    from reference import bars, lengths

    found = {}
    for name, points in SMALL.items():
        distances = lengths(points)
        for k, threshold in enumerate(lengths_worth_a_look(distances)):
            found[f"{name}/{k}/threshold"] = np.array(threshold)
            found[f"{name}/{k}/0"], found[f"{name}/{k}/1"] = bars(distances, threshold)
    return found


def textbook(right: Any) -> None:
    """Small clouds have the textbook's bars, bit for bit."""
    for (name, points), k in itertools.product(SMALL.items(), range(3)):
        found = by_grid(points, float(right[f"{name}/{k}/threshold"]), threads=1)
        for d in (0, 1):
            assert np.array_equal(found.bars[d], right[f"{name}/{k}/{d}"]), f"H{d} of {name}"


def threshold(right: Any) -> None:
    """The largest square that is rounded to the threshold is an edge, the next number is none."""
    for pairs, finite in ((HIT, 1), (MISSED, 0)):
        for pair in pairs:
            found = len(by_grid(at_the_border(pair), 1.0, threads=1).finite(0))
            assert found == finite, f"{found} edges at the border instead of {finite}"
    # 0.1 is larger in float32 than in float64
    assert len(by_grid([[0.0, 0, 0], [0.1, 0, 0]], 0.1, threads=1).finite(0)) == 1, "the threshold was not rounded"


def known_answer(right: Any) -> None:
    """W(10,000, 20) has the counts on which five peers agree."""
    result = by_grid(torus(10_000), KNOWN[0], threads=2)
    counts = [len(bars) for d in (0, 1) for bars in (result.finite(d), result.essential(d))]
    assert counts == KNOWN[1], f"{counts} instead of {KNOWN[1]}"


def dense(right: Any) -> None:
    """A cloud with so many neighbours that sides of triangles meet and cancel has Ripser's bars."""
    points = np.random.default_rng(0).random((2_000, 3))
    found = by_grid(points, DENSE[0], threads=1).digest()[: len(DENSE[1])]
    assert found == DENSE[1], f"digest {found} instead of {DENSE[1]}"


def squares(right: Any) -> None:
    """Squared distances have the bits of products and sums that are rounded one by one."""
    points = np.random.default_rng(1).normal(size=(2_000, 3))
    axes = kernels.axes_of(3)
    found = [kernels.squared(points, i, i + 1, axes) for i in range(len(points) - 1)]
    x, y, z = ((points[1:] - points[:-1]) ** 2).T
    wrong = int((np.array(found) != (x + y) + z).sum())
    assert not wrong, f"{wrong} of {len(found)} have other bits"


def equals(right: Any) -> None:
    """Places are sorted by length, and equal lengths by place."""
    lengths = np.random.default_rng(2).integers(0, 9, 5_000).astype(np.float64)
    assert np.array_equal(sorting.ordered(lengths), np.lexsort((np.arange(5_000), lengths))), "not by place"


def blocks(right: Any) -> None:
    """The spanning forest is the same however the points are cut into blocks."""
    rng = np.random.default_rng(3)
    near = rng.integers(0, 300, 3_000)
    ends = np.sort(np.stack([near, (near + rng.integers(1, 12, 3_000)) % 300], axis=1), axis=1)
    ends = np.unique(ends[ends[:, 0] < ends[:, 1]], axis=0).astype(np.int32)
    lengths = rng.random(len(ends))
    order = np.lexsort((lengths, ends[:, 0]))
    ends, lengths = ends[order], lengths[order]
    found = []
    for size in (1_000, 32):
        with patch.object(forest, "BLOCK_POINTS", size), Team(1) as team:
            found.append(forest.spanning_forest(300, ends, lengths, team))
    assert np.array_equal(found[0], found[1]), "other trees"


def pairs(right: Any) -> None:
    """Each row is paired with the column that the plain reduction, from the left, pairs it with."""
    rng = np.random.default_rng(4)
    columns = [rng.choice(150, rng.integers(0, 9), replace=False) for _ in range(200)]
    births, deaths = rng.integers(0, 40, 150).astype(float), rng.integers(0, 40, 200).astype(float)
    place = np.argsort(np.argsort(births, kind="stable"))
    row_at = np.argsort(births, kind="stable")
    plain = np.full(150, -1)
    reduced: dict[int, set[int]] = {}
    for j in np.argsort(deaths, kind="stable"):
        column = set(place[columns[j]].tolist())
        while column and max(column) in reduced:
            column ^= reduced[max(column)]
        if column:
            reduced[max(column)], plain[row_at[max(column)]] = column, j
    entries, sizes = np.concatenate(columns).astype(np.int32), np.array([len(rows) for rows in columns])
    with Team(1) as team:
        for cuts in (None, np.array([[0, 0], [70, 120], [150, 200]])):
            assert np.array_equal(reduction.pair(births, deaths, entries, sizes, team, cuts), plain), "other pairs"


def tiles(right: Any) -> None:
    """A cloud cut into tiles, with as few points around each as can be, has the bars of the whole."""
    points = torus(4_000)
    with patch.object(tiling, "LAYERS_AROUND", 1):
        found = rips_in_tiles(points, threshold=0.2, tile_points=200)
    assert found.digest() == by_grid(points, 0.2, threads=1).digest(), "other bars"


CHECKS = (textbook, threshold, known_answer, dense, squares, equals, blocks, pairs, tiles)


def run(right: Any) -> dict[str, str | None]:
    """What each check says."""
    said: dict[str, str | None] = {}
    for check in CHECKS:
        try:
            check(right)
        except (AssertionError, ArithmeticError) as error:
            said[check.__name__] = str(error)
        else:
            said[check.__name__] = None
    return said


if __name__ == "__main__":
    if not Path(kernels.__file__).is_relative_to(sys.argv[1]):
        raise SystemExit(f"{kernels.__file__} is not in {sys.argv[1]}")
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    with np.load(sys.argv[2]) as right:
        print(json.dumps(run(right)))
