"""The reduction pairs each row with the column that the textbook's reduction, from the left, pairs it with."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

pytest.importorskip("numba", reason="the engine's kernels are compiled by numba")

from tcs.persistence.compute.team import Team
from tcs.persistence.reduced.reduction import pair


def textbook(births: list[float], deaths: list[float], columns: list[set[int]]) -> list[int]:
    """Columns from the left, pivots the latest row (Edelsbrunner and Harer 2010, section VII.1)."""
    place = {row: place for place, row in enumerate(sorted(range(len(births)), key=lambda row: (births[row], row)))}
    paired = [-1] * len(births)
    reduced: dict[int, set[int]] = {}
    for j in sorted(range(len(columns)), key=lambda j: (deaths[j], j)):
        column = set(columns[j])
        while column and (latest := max(column, key=lambda row: place[row])) in reduced:
            column ^= reduced[latest]
        if column:
            reduced[latest], paired[latest] = column, j
    return paired


def found(
    births: list[float], deaths: list[float], columns: list[set[int]], dtype: type = np.int32, cuts: Any = None
) -> list[int]:
    entries: Any = np.array([row for column in columns for row in column], dtype=dtype)
    sizes = np.array([len(column) for column in columns], dtype=np.int64)
    with Team(2) as team:
        paired = pair(
            np.array(births, dtype=np.float64), np.array(deaths, dtype=np.float64), entries, sizes, team, cuts
        )
    assert paired.dtype == dtype
    answer: list[int] = paired.tolist()
    return answer


LENGTHS = [0.0, 5e-324, 1.0, 1 + 2e-16, 2.0, np.inf]


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(LENGTHS), min_size=12, max_size=12),
    st.lists(st.tuples(st.sampled_from(LENGTHS), st.sets(st.integers(0, 11), max_size=6)), max_size=25),
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 25)), max_size=4),
)
def test_the_pairs_of_the_textbook(
    births: list[float], columns: list[tuple[float, set[int]]], borders: list[tuple[int, int]]
) -> None:
    """Both directions find the same pairs (de Silva, Morozov and Vejdemo-Johansson 2011), in whatever order and blocks.

    Equal lengths too. The engine's own columns come after their rows; here any may come first.
    """
    deaths, entries = [death for death, _ in columns], [rows for _, rows in columns]
    inner = np.sort(np.minimum(np.array(borders, dtype=np.int64).reshape(-1, 2), len(columns)), axis=0)
    cuts = np.concatenate([[[0, 0]], inner, [[len(births), len(columns)]]])
    assert found(births, deaths, entries, cuts=cuts) == textbook(births, deaths, entries)


@pytest.mark.parametrize("values", [1, 10, 10**9])
@pytest.mark.parametrize(("n_rows", "n_columns", "most"), [(300, 300, 3), (300, 500, 30), (120, 2_000, 60)])
def test_matrices_that_fill_up(n_rows: int, n_columns: int, most: int, values: int) -> None:
    """Reduced rows become long and many, so that all scratch space has to grow."""
    rng = np.random.default_rng(n_columns)
    columns = [set(rng.choice(n_rows, rng.integers(0, most), replace=False).tolist()) for _ in range(n_columns)]
    births, deaths = (rng.integers(0, values, m).astype(float).tolist() for m in (n_rows, n_columns))
    right = textbook(births, deaths, columns)
    assert found(births, deaths, columns) == right
    half = [n_rows // 2, n_columns // 2]
    assert found(births, deaths, columns, cuts=np.array([[0, 0], half, [n_rows, n_columns]])) == right


def test_a_long_row_is_sorted() -> None:
    """More columns than are sorted by insertion, the earliest of them last, and equal ones by their place."""
    deaths = [float(-(-j // 2)) for j in range(100, 0, -1)]
    columns = [{0, 1} if j % 3 else {0} for j in range(100)]
    assert found([0, 0], deaths, columns) == textbook([0, 0], deaths, columns)


def test_nothing_to_reduce() -> None:
    """No rows, no columns, empty columns; int64 as int32."""
    assert found([], [], []) == []
    assert found([1, 2], [], []) == [-1, -1]
    assert found([], [1, 1], [set(), set()]) == []
    assert found([1, 2, 3], [4, 5, 6, 7], [set(), {2}, {2}, {0, 2}], np.int64) == [3, -1, 1]
