"""The radix sort: stable, for any range of keys, whatever the number of parts and threads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

pytest.importorskip("numba", reason="the engine's kernels are compiled by numba")

from tcs.persistence.compute import sorting
from tcs.persistence.compute.sorting import ordered
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


@given(st.lists(st.sampled_from([0.0, 1.0, 1 + 2e-16, 1 + 4e-16, 1 + 1e-7, 1.5, 2.0, 5e-324, np.inf]), max_size=200))
@settings(deadline=None)
def test_equal_lengths_are_in_the_order_of_their_places(lengths: list[float]) -> None:
    """And those that agree in their first seven digits are in the order of the others."""
    keys = np.array(lengths, dtype=np.float64)
    assert ordered(keys).tolist() == sorted(range(len(keys)), key=lambda place: (lengths[place], place))


def test_a_long_run_of_equal_lengths() -> None:
    """Alone, and between others."""
    lengths = np.random.default_rng(3).integers(0, 3, 20_000).astype(np.float64)
    np.testing.assert_array_equal(ordered(lengths), np.argsort(lengths, kind="stable"))


@pytest.mark.parametrize("noise", [0, 1e-15, 1e-9, 1e-3])
@pytest.mark.parametrize("spread", [0, 1, 30])
def test_many_lengths(noise: float, spread: float) -> None:
    """Over sixty powers of ten, within one, and about a few values, which makes runs that agree in the upper digits."""
    rng = np.random.default_rng(3)
    lengths = 10.0 ** (spread * rng.uniform(-1, 1, 20_000)) * (1 + noise * rng.random(20_000))
    lengths[::3] = rng.choice(lengths[:5], len(lengths[::3])) * (1 + noise * rng.random(len(lengths[::3])))
    np.testing.assert_array_equal(ordered(lengths), np.argsort(lengths, kind="stable"))
