"""Sorting on disk: the same order as in memory, whatever the chunks and bins."""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

pytest.importorskip("numba", reason="the engine's kernels are compiled by numba")

from clouds import SMALL
from tcs.persistence.cloud.cells import bounds, keys_of, lay_grid, no_longer_than, sort_into_cells
from tcs.persistence.compute.team import Team
from tcs.persistence.tiles import layers as sorting
from tcs.persistence.tiles.folder import Folder
from tcs.persistence.tiles.layers import Layers, sort_into_layers

CLOUDS = SMALL | {
    "plane": np.random.default_rng(0).random((300, 2)),
    "line": np.random.default_rng(1).random((300, 1)),
    "four": np.random.default_rng(2).random((200, 4)),
    "one point": np.ones((1, 3)),
    "equal points": np.ones((70, 3)),
}


def sort(points: Any, longest: float, path: Path, most: int, reads: list[Any] | None = None) -> Layers:
    def read(first: int, last: int) -> Any:
        if reads is not None:
            reads.append((first, last))
        return np.ascontiguousarray(points[first:last])

    with Team(1) as team:
        return sort_into_layers(read, points.shape, longest, Folder(path), most, lambda *_: None, team)


@pytest.mark.parametrize(("chunk", "most"), [(7, 1), (10**6, 20), (50, 10**6)])
@pytest.mark.parametrize("name", CLOUDS)
def test_the_order_is_that_in_memory(name: str, chunk: int, most: int, tmp_path: Path) -> None:
    """Points and their places, to the bit; layers are ranges of them, split by the key along the first axis."""
    points = CLOUDS[name]
    longest = float((0.2 * np.ptp(points, axis=0).max()) ** 2)
    with patch.object(sorting, "CHUNK", chunk):
        found = sort(points, longest, tmp_path, most)
    with Team(1) as team:
        corners = bounds(points, team)
        grid = lay_grid(corners, math.sqrt(no_longer_than(corners, longest)))
        right = sort_into_cells(points, grid, team)
        layer_of = keys_of(right.points, grid, team) // grid.strides[1]
    assert found.n == len(points)
    assert np.array_equal(found.points.read(0, found.n), right.points)
    assert np.array_equal(found.order.read(0, found.n).ravel(), right.order)
    assert np.array_equal(np.repeat(np.arange(len(found.starts) - 1), np.diff(found.starts)), layer_of)
    assert found.longest == no_longer_than(corners, longest)


@pytest.mark.parametrize("most", [1, 5, 40, 10**6])
def test_cuts_are_of_whole_layers(most: int, tmp_path: Path) -> None:
    """They hold all points, each at most so many, unless it is a single layer."""
    found = sort(CLOUDS["even"], 0.01, tmp_path, 10)
    cuts = found.cut(most)
    assert sum(int(found.starts[b] - found.starts[a]) for a, b in cuts) == found.n
    assert all(b <= c for (_, b), (c, _) in itertools.pairwise(cuts))
    for a, b in cuts:
        assert b - a == 1 or 0 < found.starts[b] - found.starts[a] <= most


def test_what_is_sorted_is_not_sorted_again(tmp_path: Path) -> None:
    """The input is read once more to see that it is the same; another input is refused."""
    points = CLOUDS["even"]
    reads: list[Any] = []
    first = sort(points, 0.01, tmp_path, 10, reads)
    assert len(reads) == 3
    again = sort(points, 0.01, tmp_path, 10, reads)
    assert len(reads) == 4
    assert np.array_equal(again.starts, first.starts)
    changed = points.copy()
    changed[-1, -1] += 1e-9
    with pytest.raises(OSError, match="holds the tiles of other points"):
        sort(changed, 0.01, tmp_path, 10)
