"""The reduction pairs each row with the column that the textbook's reduction, from the left, pairs it with."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

pytest.importorskip("numba", reason="the engine's kernels are compiled by numba")

from tcs.persistence.reduced.reduction import pair


def textbook(n_rows: int, columns: list[set[int]]) -> list[int]:
    """Columns from the left, pivots the latest row (Edelsbrunner and Harer 2010, section VII.1)."""
    paired = [-1] * n_rows
    reduced: dict[int, set[int]] = {}
    for j, rows in enumerate(columns):
        column = set(rows)
        while column and max(column) in reduced:
            column ^= reduced[max(column)]
        if column:
            reduced[max(column)] = column
            paired[max(column)] = j
    return paired


def found(n_rows: int, columns: list[set[int]], dtype: type = np.int32) -> list[int]:
    entries: Any = np.array([row for column in columns for row in column], dtype=dtype)
    ends = np.append(0, np.cumsum([len(column) for column in columns], dtype=np.int64))
    paired = pair(n_rows, len(columns), entries, ends)
    assert paired.dtype == np.int64
    answer: list[int] = paired.tolist()
    return answer


@settings(deadline=None)
@given(st.lists(st.sets(st.integers(0, 11), max_size=6), max_size=25))
def test_the_pairs_of_the_textbook(columns: list[set[int]]) -> None:
    """Both directions of the reduction find the same pairs (de Silva, Morozov and Vejdemo-Johansson 2011)."""
    assert found(12, columns) == textbook(12, columns)


@pytest.mark.parametrize(("n_rows", "n_columns", "most"), [(300, 300, 3), (300, 500, 30), (120, 2_000, 60)])
def test_matrices_that_fill_up(n_rows: int, n_columns: int, most: int) -> None:
    """Reduced rows become long and many, so that all scratch space has to grow."""
    rng = np.random.default_rng(n_columns)
    columns = [set(rng.choice(n_rows, rng.integers(0, most), replace=False).tolist()) for _ in range(n_columns)]
    assert found(n_rows, columns) == textbook(n_rows, columns)


def test_nothing_to_reduce() -> None:
    """No rows, no columns, empty columns; int64 as int32."""
    assert found(0, []) == []
    assert found(2, []) == [-1, -1]
    assert found(0, [set(), set()]) == []
    assert found(3, [set(), {2}, {2}, {0, 2}], np.int64) == [3, -1, 1]
