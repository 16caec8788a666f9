"""Sets of bits: when they are worth while, and that each thread's are brought up to date."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba", reason="the engine's kernels are compiled by numba")

from tcs.persistence.compute.team import Team
from tcs.persistence.graph import sweep as graph_sweep
from tcs.persistence.graph.graph import Graph, from_dense
from tcs.persistence.graph.sweep import ONE, flood, is_dense, lowest, sweep


class Backwards(Team):
    def run(self, stage: str, work: Callable[..., Any], parts: Sequence[tuple[Any, ...]]) -> list[Any]:
        return super().run(stage, work, parts[::-1])[::-1]


def sized(n: int, ends: int) -> Graph:
    # as large as it says, without the memory
    def zeros(m: int) -> np.ndarray:
        return np.broadcast_to(np.zeros(1), (m,))

    return Graph(zeros(n + 1), zeros(ends), zeros(ends), squares=False)


@pytest.mark.parametrize(
    ("n", "mean_degree", "threads", "dense"),
    [
        (0, 0, 1, True), (2_000, 1_999, 2, True), (1_797, 20, 2, True), (3_645, 20, 2, True), (10_000, 20, 2, False),
        (10_000, 60, 2, True), (10_000, 60, 64, False), (100_000, 60, 1, False), (10**6, 20, 1, False),
        (30_000, 15_000, 4, True),
    ],
)  # fmt: skip
def test_bits_are_for_graphs_with_enough_edges_and_never_need_much_more_memory(
    n: int, mean_degree: int, threads: int, dense: bool
) -> None:
    """Small or dense graphs, as long as all threads' bits are small or fit in the room of the graph."""
    assert is_dense(sized(n, n * mean_degree), threads) is dense


@pytest.mark.parametrize("bit", range(64))
def test_the_lowest_bit_of_a_word(bit: int) -> None:
    """Alone, or with all higher ones."""
    assert lowest(ONE << np.uint64(bit)) == bit
    assert lowest(np.uint64(2**64 - 2**bit)) == bit


@pytest.mark.parametrize("n", [1, 63, 64, 65, 200])
def test_a_flood_takes_out_the_component_of_the_first_vertex(n: int) -> None:
    """Paths of every third vertex, over borders of words; the others remain until their turn comes."""
    words = -(-n // 64)
    bits = np.zeros((n, words), dtype=np.uint64)
    for v in range(n - 3):
        bits[v, (v + 3) // 64] |= ONE << np.uint64((v + 3) % 64)
        bits[v + 3, v // 64] |= ONE << np.uint64(v % 64)
    left, wave = np.zeros(words, dtype=np.uint64), np.zeros(words, dtype=np.uint64)
    everyone = set(range(n))
    for v in everyone:
        left[v // 64] |= ONE << np.uint64(v % 64)
    for start in range(min(3, n)):
        everyone -= set(range(start, n, 3))
        assert flood(bits, left, wave) is bool(everyone)
        assert {v for v in range(n) if left[v // 64] >> np.uint64(v % 64) & ONE} == everyone


@pytest.mark.parametrize("part", [1, 7, 64, 10**6])
def test_the_result_does_not_depend_on_parts_and_threads(part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that a thread has left behind are brought up to date before its next part, in whatever order they come."""
    rng = np.random.default_rng(0)
    points = rng.random((70, 2))
    graph = from_dense(np.sqrt(((points[:, None] - points[None]) ** 2).sum(axis=-1)), np.inf)
    with Team(1) as team:
        expected = sweep(graph, team)
    monkeypatch.setattr(graph_sweep, "PART_EDGES", part)
    for team_of in (Team, Backwards):
        for threads in (1, 2, 5):
            with team_of(threads) as team:
                for values, others in zip(sweep(graph, team), expected, strict=True):
                    np.testing.assert_array_equal(values, others)
