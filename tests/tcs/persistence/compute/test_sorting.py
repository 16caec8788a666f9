"""The radix sort: stable, for any range of keys, whatever the number of parts and threads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

pytest.importorskip("numba", reason="the engine's kernels are compiled by numba")

from tcs.persistence.compute import sorting
from tcs.persistence.compute.team import Team


def check(keys: Any, top: int, threads: int) -> None:
    before = keys.copy()
    with Team(threads) as team:
        found, places = sorting.order_by(keys, top, team)
    assert np.array_equal(keys, before), "the caller's keys were changed"
    assert places.dtype == np.int32
    right = np.argsort(before, kind="stable")
    np.testing.assert_array_equal(places, right)
    np.testing.assert_array_equal(found, before[right])


@settings(deadline=None)
@given(st.data(), st.sampled_from([1, 2, 3, 4096, 4097, 2**24, 2**40 + 1, 2**62]), st.integers(1, 3))
def test_the_order_of_a_stable_sort(data: Any, top: int, threads: int) -> None:
    """For keys up to their bound, a digit more or less, in parts of seven."""
    keys = np.array(data.draw(st.lists(st.integers(0, top - 1), max_size=40)), dtype=np.int64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sorting, "PART", 7)
        check(keys, top, threads)


@pytest.mark.parametrize("threads", [1, 2, 4])
@pytest.mark.parametrize("top", [1, 50, 2**45])
def test_many_keys(threads: int, top: int) -> None:
    """More than one part of the usual size; many keys are equal, or none."""
    check(np.random.default_rng(top).integers(0, top, 3 * sorting.PART + 5), top, threads)


@settings(deadline=None)
@given(st.data(), st.sampled_from([np.uint32, np.uint64]))
def test_bits_in_rising_order(data: Any, kind: Any) -> None:
    """Keys of every size, those with the highest bit, too; what was passed stays as it is."""
    top = int(np.iinfo(kind).max)
    sizes = st.one_of(st.integers(0, top), st.integers(0, 5), st.integers(top - 5, top), st.just(1 << 20))
    keys = np.array(data.draw(st.lists(sizes, max_size=60)), dtype=kind)
    before = keys.copy()
    found = sorting.sorted_bits(keys)
    assert found.dtype == kind
    np.testing.assert_array_equal(found, np.sort(before))
    np.testing.assert_array_equal(keys, before)


def test_rows_are_taken() -> None:
    """Only the rows that were asked for are written."""
    points = np.arange(12.0).reshape(6, 2)
    to = np.full((6, 2), -1.0)
    sorting.take(points, np.array([5, 0, 3, 1, 2, 4], dtype=np.int32), 1, 4, to)
    assert to.tolist() == [[-1, -1], [0, 1], [6, 7], [2, 3], [-1, -1], [-1, -1]]
