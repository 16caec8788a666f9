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
