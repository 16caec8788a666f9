"""The spanning forest: the edges that Kruskal's algorithm takes in the order by (length, place), however it is cut."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

pytest.importorskip("numba", reason="the engine's kernels are compiled by numba")

from tcs.persistence.compute.team import Team
from tcs.persistence.reduced import forest


def kruskal(n: int, edges: Any, lengths: Any) -> list[bool]:
    """Plain, with a set of vertices for each tree."""
    tree_of = {v: {v} for v in range(n)}
    taken = [False] * len(edges)
    for e in sorted(range(len(edges)), key=lambda e: (lengths[e], e)):
        u, v = edges[e]
        if tree_of[u] is not tree_of[v]:
            taken[e] = True
            joined = tree_of[u] | tree_of[v]
            tree_of.update(dict.fromkeys(joined, joined))
    return taken


def graph(seed: int, n: int, m: int, values: int) -> tuple[Any, Any]:
    """Distinct edges as the engine has them, sorted by (smaller vertex, length), with ties if ``values`` is small."""
    rng = np.random.default_rng(seed)
    edges = np.sort(rng.integers(0, n, (m, 2)), axis=1)
    edges = np.unique(edges[edges[:, 0] < edges[:, 1]], axis=0).astype(np.int32)
    lengths = rng.integers(0, values, len(edges)).astype(np.float64)
    order = np.lexsort((edges[:, 1], lengths, edges[:, 0]))
    return edges[order], lengths[order]


def found(n: int, edges: Any, lengths: Any, block: int, threads: int = 1) -> list[bool]:
    with pytest.MonkeyPatch.context() as patch, Team(threads) as team:
        patch.setattr(forest, "BLOCK_POINTS", block)
        taken = forest.spanning_forest(n, edges, lengths, team)
    assert taken.dtype == np.bool_
    answer: list[bool] = taken.tolist()
    return answer


@settings(deadline=None)
@given(
    st.integers(0, 2**32), st.integers(1, 30), st.integers(0, 90), st.sampled_from([1, 3, 10**9]),
    st.sampled_from([1, 2, 5, 100]), st.integers(1, 3),
)  # fmt: skip
def test_the_edges_of_kruskal(seed: int, n: int, m: int, values: int, block: int, threads: int) -> None:
    """For any blocks, with no, few or only equal lengths."""
    edges, lengths = graph(seed, n, m, values)
    assert found(n, edges, lengths, block, threads) == kruskal(n, edges.tolist(), lengths.tolist())


def test_an_edge_across_a_border_may_come_first() -> None:
    """Within the block of 0 and 1 their edge looks the shortest, but both are nearer to 2, in the other block."""
    edges = np.array([[0, 2], [0, 1], [1, 2]], dtype=np.int32)
    lengths = np.array([1.0, 3.0, 2.0])
    for block in (1, 2, 3):
        assert found(3, edges, lengths, block) == [True, False, True]


def test_blocks_of_the_usual_size() -> None:
    """A path through more points than one block holds is its own forest; the longest edge of a cycle is left out."""
    n = forest.BLOCK_POINTS + 10
    edges = np.stack([np.arange(n - 1), np.arange(1, n)], axis=1).astype(np.int32)
    edges = np.concatenate([edges[:1], [[0, n - 1]], edges[1:]]).astype(np.int32)
    lengths = np.random.default_rng(0).permutation(n).astype(np.float64)
    lengths[0], lengths[1] = min(lengths[:2]), max(lengths[:2])
    with Team(2) as team:
        taken = forest.spanning_forest(n, edges, lengths, team)
    assert np.flatnonzero(~taken).tolist() == [int(lengths.argmax())]


@given(st.lists(st.sampled_from([0.0, 1.0, 1 + 2e-16, 1 + 4e-16, 1 + 1e-7, 1.5, 2.0, 5e-324, np.inf]), max_size=200))
@settings(deadline=None)
def test_equal_lengths_are_in_the_order_of_their_places(lengths: list[float]) -> None:
    """And those that agree in their first seven digits are in the order of the others."""
    keys = np.array(lengths, dtype=np.float64)
    assert forest.ordered(keys).tolist() == sorted(range(len(keys)), key=lambda place: (lengths[place], place))


def test_a_long_run_of_equal_lengths() -> None:
    """Alone, and between others."""
    lengths = np.random.default_rng(3).integers(0, 3, 20_000).astype(np.float64)
    np.testing.assert_array_equal(forest.ordered(lengths), np.argsort(lengths, kind="stable"))


@pytest.mark.parametrize("noise", [0, 1e-15, 1e-9, 1e-3])
@pytest.mark.parametrize("spread", [0, 1, 30])
def test_many_lengths(noise: float, spread: float) -> None:
    """Over sixty powers of ten, within one, and about a few values, which makes runs that agree in the upper digits."""
    rng = np.random.default_rng(3)
    lengths = 10.0 ** (spread * rng.uniform(-1, 1, 20_000)) * (1 + noise * rng.random(20_000))
    lengths[::3] = rng.choice(lengths[:5], len(lengths[::3])) * (1 + noise * rng.random(len(lengths[::3])))
    np.testing.assert_array_equal(forest.ordered(lengths), np.argsort(lengths, kind="stable"))
