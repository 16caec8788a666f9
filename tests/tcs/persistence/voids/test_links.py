"""Small flag complexes as tables of bits, against plain sets."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

pytest.importorskip("numba", reason="the engine's kernels are compiled by numba")

from tcs.persistence.voids.links import collapse, collapsed_word, fill, has_centre, is_centre, lowest, parts_of, size_of

Neighbours = list[set[int]]


def graph(seed: int, k: int, share: float) -> tuple[Neighbours, Any]:
    """Closed neighbourhoods of k vertices, as sets and as a table of bits."""
    rng = np.random.default_rng(seed)
    near = [{v} for v in range(k)]
    for u, v in itertools.combinations(range(k), 2):
        if rng.random() < share:
            near[u].add(v)
            near[v].add(u)
    return near, np.array([bits_of(row, k) for row in near])


def bits_of(vertices: set[int], k: int) -> Any:
    return np.packbits(np.isin(np.arange(64 * (-(-k // 64))), list(vertices)), bitorder="little").view(np.uint64)


def vertices_of(row: Any) -> set[int]:
    return set(np.flatnonzero(np.unpackbits(np.ascontiguousarray(row).view(np.uint8), bitorder="little")).tolist())


SIZES = st.sampled_from([1, 2, 5, 13, 63, 64, 65, 130])


@pytest.mark.parametrize("k", [1, 2, 63, 64, 65, 128, 129])
def test_a_full_set_has_all_vertices(k: int) -> None:
    """And none beyond the last, in whose word bits are left over."""
    row = np.zeros(-(-k // 64), np.uint64)
    fill(row, k)
    assert vertices_of(row) == set(range(k))
    assert size_of(row) == k
    assert [lowest(word) for word in row] == [0] * len(row)


@settings(deadline=None)
@given(st.integers(0, 2**32), SIZES, st.floats(0, 1))
def test_components(seed: int, k: int, share: float) -> None:
    """Two vertices have one number if and only if a path joins them."""
    near, closed = graph(seed, k, share * 4 / k)
    room = np.zeros((2, closed.shape[1]), np.uint64)
    labels = np.full(k, -1, np.int32)
    number = parts_of(closed, k, room[0], room[1], labels)
    assert set(labels.tolist()) == set(range(number))
    for part in range(number):
        wave = reached = {int(np.argmax(labels == part))}
        while wave:
            wave = set().union(*(near[v] for v in wave)) - reached
            reached = reached | wave
        assert reached == set(np.flatnonzero(labels == part).tolist())


@settings(deadline=None)
@given(st.integers(0, 2**32), SIZES, st.floats(0, 1))
def test_centres(seed: int, k: int, share: float) -> None:
    """A vertex of a set is a centre when it is joined to all others of it, whatever it is joined to besides."""
    near, closed = graph(seed, k, share)
    chosen = set(np.random.default_rng(seed).choice(k, 1 + k // 20, replace=False).tolist())
    centres = {v for v in chosen if chosen <= near[v]}
    left = bits_of(chosen, k)
    assert {v for v in chosen if is_centre(closed, left, v)} == centres
    assert has_centre(closed, left) == bool(centres)


@settings(deadline=None)
@given(st.integers(0, 2**32), SIZES, st.floats(0, 1))
def test_what_is_left_has_no_dominated_vertex(seed: int, k: int, share: float) -> None:
    """If an edge is left no vertex can be removed any more; else each component was removed but for a point or cone."""
    near, closed = graph(seed, k, share)
    left = bits_of(set(range(k)), k)
    some = collapse(closed, left, left.copy(), left.copy())
    kept = vertices_of(left)
    if some:
        inside = {v: near[v] & kept for v in kept}
        assert any(len(row) > 1 for row in inside.values())
        assert not any(inside[v] <= inside[w] for v in kept for w in inside[v] - {v})
    else:
        assert any(kept <= near[v] for v in kept) or all(near[v] & kept == {v} for v in kept)
    if k <= 64:
        word = collapsed_word(closed, bits_of(set(range(k)), k)[0])
        assert (word != 0) == some
        assert not some or word == left[0]


@pytest.mark.parametrize("k", [1, 3, 64, 100])
def test_trees_and_cones_collapse(k: int) -> None:
    """A path, and a vertex joined to a cycle: no edge is left."""
    path = [{v for v in (u - 1, u, u + 1) if 0 <= v < k} for u in range(k)]
    cone = [{(u - 1) % k, u, (u + 1) % k, k} for u in range(k)] + [set(range(k + 1))]
    for near in (path, cone):
        closed = np.array([bits_of(row, len(near)) for row in near])
        left = bits_of(set(range(len(near))), len(near))
        assert not collapse(closed, left, left.copy(), left.copy())
