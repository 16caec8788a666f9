"""The first look at lunes in float32: what it says must be so, and it must settle most of what there is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

pytest.importorskip("numba", reason="the engine's kernels are compiled by numba")

from clouds import torus
from tcs.persistence.cloud.glance import in_one_piece, members_of, unsettled
from tcs.persistence.compute.kernels import axes_of
from tcs.persistence.compute.lanes import LANES


class Sight:
    """The neighbours of a point at the origin, whole numbers (m, d), as kernels take them, and lunes by definition."""

    def __init__(self, places: Any) -> None:
        squares = (places**2).sum(axis=1)
        self.places = places[np.argsort(squares, kind="stable")]
        self.m, dimension = places.shape
        self.axes = axes_of(dimension)
        scale = 2.0 ** -np.ceil(np.log2(max(1.0, squares.max(initial=0)) ** 0.5))
        room = self.m + LANES
        self.relative, self.norm = np.zeros((dimension, room), np.float32), np.zeros(room, np.float32)
        self.relative[:, : self.m] = self.places.T * scale
        self.norm[: self.m] = (self.places**2).sum(axis=1) * scale**2
        self.found, self.room = np.zeros(room // LANES + 1, np.int64), np.zeros(room, np.int32)
        self.between = ((self.places[:, None] - self.places[None]) ** 2).sum(axis=2)

    def members(self, p: int) -> list[int]:
        """Of the neighbours nearer than p those that are also nearer to p than the edge is long, without ties."""
        return [q for q in range(p) if self.between[p, q] < self.length(p)]

    def tied(self, p: int) -> bool:
        """Whether the lune depends on the order of edges of one length."""
        return any(self.between[p, q] == self.length(p) for q in range(p))

    def length(self, p: int) -> int:
        return int((self.places[p] ** 2).sum())

    def left(self) -> list[int]:
        """What is not settled of the edges to all neighbours."""
        near = np.arange(1, self.m + 1, dtype=np.int32)
        number = unsettled(self.relative, self.norm, near, self.m, 0, self.found, self.room, self.axes)
        return [int(p) for p in self.room[:number]]

    def told(self, p: int) -> list[int] | None:
        near = np.arange(self.m, dtype=np.int32)
        k = members_of(self.relative, self.norm, near, p, self.found, self.room, self.axes)
        return None if k < 0 else self.room[:k].tolist()

    def floods(self, p: int, k: int) -> bool:
        """After ``told``."""
        return bool(in_one_piece(self.relative, self.norm[p], p, k, self.found, self.room, self.axes))

    def reached(self, p: int, members: list[int]) -> set[int]:
        """Those that steps shorter than the edge lead to from the first."""
        found, waiting = {members[0]}, [members[0]]
        while waiting:
            w = waiting.pop()
            new = {x for x in members if self.between[w, x] < self.length(p)} - found
            found |= new
            waiting += new
        return found


@settings(deadline=None, max_examples=150)
@given(st.integers(0, 2**32), st.integers(1, 6), st.integers(0, 50), st.sampled_from([1, 2, 5, 40, 10**5]))
def test_what_is_said_is_so(seed: int, dimension: int, m: int, size: int) -> None:
    """Whole numbers, so that lunes are known exactly: many ties where numbers are small, duplicates of the origin."""
    sight = Sight(np.random.default_rng(seed).integers(-size, size + 1, (m, dimension)))
    left = sight.left()
    assert left == sorted(set(left))
    for p in range(sight.m):
        members = sight.members(p)
        if p not in left:
            centre = [w for w in members if all(sight.between[w, x] < sight.length(p) for x in members)]
            assert centre, "an edge was settled whose lune has no vertex near to all others"
        told = sight.told(p)
        if told is not None:
            assert told == members
            assert not sight.tied(p)
            if members and sight.floods(p, len(members)):
                assert sight.reached(p, members) == set(members)


def test_most_is_settled() -> None:
    """On a surface all members and pieces are certain, and nine in ten of the lunes with a vertex near to all others
    need no second look.
    """
    cloud = np.round(2.0**20 * torus(2_000))
    centred = settled = 0
    for point in cloud[::100]:
        places = (cloud - point).astype(np.int64)
        squares = (places**2).sum(axis=1)
        sight = Sight(places[(squares > 0) & (squares < (0.25 * 2**20) ** 2)])
        left = set(sight.left())
        for p in range(sight.m):
            members = sight.members(p)
            assert sight.told(p) == members
            if members:
                assert sight.floods(p, len(members)) == (sight.reached(p, members) == set(members))
                centred += any(all(sight.between[w, x] < sight.length(p) for x in members) for w in members)
                settled += p not in left
    assert centred > 200
    assert 0.9 * centred < settled <= centred
