"""Loops of small flag complexes: as many as linear algebra says, each a closed walk, together a basis of H1."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

pytest.importorskip("numba", reason="the engine's kernels are compiled by numba")

from tcs.persistence.voids.link_loops import loops
from tcs.persistence.voids.links import collapse

Edges = set[tuple[int, int]]


def table(k: int, edges: Edges) -> Any:
    """Rows of bits in which each of k vertices has itself and its neighbours."""
    joined = np.eye(k, 64 * (-(-k // 64)), dtype=bool)
    for i, j in edges:
        joined[i, j] = joined[j, i] = True
    return np.packbits(joined, axis=1, bitorder="little").view(np.uint64)


def full(k: int) -> Any:
    return np.packbits(np.arange(64 * (-(-k // 64))) < k, bitorder="little").view(np.uint64)


def rank(columns: list[int]) -> int:
    """Rank over Z/2 of columns that are bits of integers."""
    pivots: dict[int, int] = {}
    for column in columns:
        while column and column.bit_length() in pivots:
            column ^= pivots[column.bit_length()]
        if column:
            pivots[column.bit_length()] = column
    return len(pivots)


def boundaries(k: int, edges: Edges) -> tuple[dict[tuple[int, int], int], list[int]]:
    """The bit of each edge, and the boundaries of all triangles."""
    bit = {edge: 1 << i for i, edge in enumerate(sorted(edges))}
    triangles = [
        bit[i, j] ^ bit[i, w] ^ bit[j, w]
        for i, j in edges
        for w in range(j + 1, k)
        if (i, w) in edges and (j, w) in edges
    ]
    return bit, triangles


def first_betti(k: int, edges: Edges) -> int:
    bit, triangles = boundaries(k, edges)
    return len(bit) - rank([1 << i ^ 1 << j for i, j in edges]) - rank(triangles)


def assert_basis(k: int, edges: Edges, left: Any) -> None:
    """The loops found within the set ``left`` are a basis of the H1 of the whole complex."""
    bit, triangles = boundaries(k, edges)
    vertices, begins = loops(table(k, edges), left)
    assert len(begins) - 1 == first_betti(k, edges)
    cycles = []
    for start, end in itertools.pairwise(begins.tolist()):
        walk = vertices[start:end].tolist()
        assert len(set(walk)) == len(walk) >= 4
        sides = [(min(pair), max(pair)) for pair in zip(walk, walk[1:] + walk[:1], strict=True)]
        assert set(sides) <= edges
        cycles.append(sum(bit[side] for side in sides))
    assert rank(triangles + cycles) == rank(triangles) + len(cycles)


def some_edges(seed: int, k: int, share: float) -> Edges:
    rng = np.random.default_rng(seed)
    return {pair for pair in itertools.combinations(range(k), 2) if rng.random() < share}


@settings(deadline=None, max_examples=150)
@given(st.integers(0, 2**32), st.integers(1, 24), st.floats(0, 1))
def test_loops_are_a_basis(seed: int, k: int, share: float) -> None:
    """Of any graph, as it is, and after its dominated vertices are gone."""
    edges, left = some_edges(seed, k, share), full(k)
    assert_basis(k, edges, left)
    if collapse(table(k, edges), left, left.copy(), left.copy()):
        assert_basis(k, edges, left)
    else:
        assert first_betti(k, edges) == 0


@pytest.mark.parametrize(("k", "share"), [(64, 0.1), (65, 0.1), (100, 0.05), (130, 0.15)])
def test_sets_of_several_words(k: int, share: float) -> None:
    """More vertices than a word has bits, and hundreds of classes."""
    assert_basis(k, some_edges(k, k, share), full(k))


@pytest.mark.parametrize(("m", "n"), [(2, 2), (9, 9), (10, 10), (20, 30)])
def test_more_classes_than_a_word_has_bits(m: int, n: int) -> None:
    """A complete bipartite graph has (m - 1) (n - 1) loops and no triangle."""
    edges = {(i, m + j) for i in range(m) for j in range(n)}
    assert len(loops(table(m + n, edges), full(m + n))[1]) - 1 == (m - 1) * (n - 1)
    assert_basis(m + n, edges, full(m + n))


@pytest.mark.parametrize("k", [4, 5, 11, 70])
def test_a_cycle_is_its_own_loop(k: int) -> None:
    """All vertices are on it, each next to its neighbours; three make a triangle, which is no loop."""
    edges = {(min(i, (i + 1) % k), max(i, (i + 1) % k)) for i in range(k)}
    vertices, begins = loops(table(k, edges), full(k))
    assert begins.tolist() == [0, k]
    assert sorted(vertices.tolist()) == list(range(k))


def test_spheres_have_no_loop_though_nothing_collapses() -> None:
    """A pentagon joined to three points is two spheres on one pentagon: no vertex is dominated, each loop is filled."""
    pentagon = {(i, i + 1) for i in range(4)} | {(0, 4)}
    edges = pentagon | {(i, apex) for i in range(5) for apex in (5, 6, 7)}
    left = full(8)
    assert collapse(table(8, edges), left, left.copy(), left.copy())
    assert left.tolist() == full(8).tolist()
    assert loops(table(8, edges), left)[1].tolist() == [0]
