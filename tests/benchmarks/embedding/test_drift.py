"""The statistics of drift: answers known by hand, and what must hold of any rows."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

from benchmarks.embedding import drift

RNG = np.random.default_rng(0)
ROWS = RNG.standard_normal((40, 24))


def test_one_minus_cosine_is_that_of_the_angle() -> None:
    """Rows at 0, 60, 90 and 180 degrees, of any lengths, give 0, 1/2, 1 and 2."""
    angles = np.radians([0, 60, 90, 180])
    found = drift.one_minus_cosine(np.stack([3 * np.cos(angles), 3 * np.sin(angles)], axis=1), [[0.1, 0]] * 4)
    assert found == pytest.approx([0, 0.5, 1, 2], abs=1e-12)


def test_one_minus_cosine_sees_below_the_rounding_of_float32() -> None:
    """An angle of 1e-6 gives half its square, 5e-13, of which 1 minus a float32 cosine would see nothing."""
    found = drift.one_minus_cosine([[math.cos(1e-6), math.sin(1e-6)]], [[1.0, 0.0]])[0]
    assert found == pytest.approx(5e-13, rel=1e-6)
    assert np.float32(1) - np.float32(math.cos(1e-6)) == 0


@pytest.mark.parametrize("row", [[0.0, 0.0], [np.nan, 1.0], [np.inf, 1.0]])
def test_a_row_without_direction_is_refused(row: list[float]) -> None:
    """Neither 0 nor NaN nor infinity is given a cosine."""
    with pytest.raises(ValueError, match="no direction"):
        drift.one_minus_cosine([row], [[1.0, 1.0]])


def test_rows_of_other_shapes_are_refused() -> None:
    """Nothing is broadcast."""
    with pytest.raises(ValueError, match="cannot be compared"):
        drift.relative_l2(np.ones((2, 3)), np.ones((1, 3)))


def test_relative_l2_is_the_share_of_the_right_rows_length() -> None:
    """|(3, 4) - (0, 4)| / |(0, 4)| is 3/4; 0 against 0 is 0, and anything against 0 infinite."""
    found = drift.relative_l2([[3, 4], [0, 0], [1, 0]], [[0, 4], [0, 0], [0, 0]])
    assert found.tolist() == [0.75, 0.0, math.inf]


def test_divergence_is_that_of_two_coins() -> None:
    """KL of a coin of 3/4 from a fair one is 3/4 log 3/2 + 1/4 log 1/2; a constant added to logits changes nothing."""
    right = np.log([[0.75, 0.25]])
    exact = 0.75 * math.log(1.5) + 0.25 * math.log(0.5)
    assert drift.divergence(np.zeros((1, 2)), right)[0] == pytest.approx(exact, rel=1e-12)
    assert drift.divergence(np.full((1, 2), 700.0), right + 900)[0] == pytest.approx(exact, rel=1e-9)
    backwards = 0.5 * math.log(0.5 / 0.75) + 0.5 * math.log(0.5 / 0.25)
    assert drift.divergence(right, np.zeros((1, 2)))[0] == pytest.approx(backwards, rel=1e-12)


def test_top_agreement_counts_members_in_any_order() -> None:
    """The three largest of 4, 3, 2, 1 and of 1, 4, 3, 2 share two members; their largest differ."""
    a, b = [[4.0, 3, 2, 1]], [[1.0, 4, 3, 2]]
    assert drift.top_agreement(a, b, 1) == 0
    assert drift.top_agreement(a, b, 3) == pytest.approx(2 / 3)
    assert drift.top_agreement(a, b, 9) == 1


def test_neighbours_are_kept_by_turning_all_rows_and_lost_by_moving_one() -> None:
    """A rotation of the space keeps every neighbour; a row that goes to the other side loses all of its own."""
    turn = np.linalg.qr(RNG.standard_normal((24, 24)))[0]
    assert drift.neighbour_stability(ROWS @ turn, ROWS, 10) == 1
    corners = np.array([[1, 0], [1, 0.1], [0, 1], [0.1, 1]])
    moved = corners.copy()
    moved[0] = [0.05, 1]
    assert drift.neighbour_stability(moved, corners, 1) < 1


def test_neighbours_of_many_rows_are_those_of_a_spread_of_them() -> None:
    """Rows that nobody looks at change nothing, and the number that is looked at is as it says."""
    many = RNG.standard_normal((2 * drift.MOST_NEIGHBOURS, 4))
    assert drift.neighbour_stability(many, many, 10) == 1
    assert drift.neighbour_stability(many, many[::-1].copy(), 10) < 0.5


def test_layer_errors_are_told_apart() -> None:
    """A tenth added to the values of one layer shows there and nowhere else."""
    right = RNG.standard_normal((3, 2, 2, 7, 4))
    found = right.copy()
    found[1, 1] *= 1.1
    errors = drift.layer_errors(found, right)
    assert errors[1, 1] == pytest.approx(0.1)
    errors[1, 1] = 0
    assert not errors.any()
    with pytest.raises(ValueError, match="cannot be compared"):
        drift.layer_errors(found[:, :, :, :6], right)


def test_the_slope_is_in_decades_a_thousand_tokens() -> None:
    """Errors that grow tenfold every 250 tokens have slope 4; noise in float64 and single errors have none."""
    assert drift.slope(1e-9 * 10 ** (np.arange(600) / 250)) == pytest.approx(4)
    assert drift.slope(np.full(50, 1e-31)) == 0
    assert drift.slope([0, 0, 1e-3]) == 0


def test_rows_differing_sees_one_bit() -> None:
    """The least step of a float32, and the sign of a zero, are each one row; NaN is itself."""
    right = np.array([[1, 2], [0, 3], [np.nan, 4]], np.float32)
    found = right.copy()
    assert drift.rows_differing(found, right) == 0
    found[0, 1] = np.nextafter(found[0, 1], np.float32(3))
    found[1, 0] = -0.0
    assert drift.rows_differing(found, right) == 2
    with pytest.raises(ValueError, match="bit by bit"):
        drift.rows_differing(found.astype(np.float64), right)


def test_the_baseline_is_the_mean_over_pairs() -> None:
    """Three rows at right angles are 1 apart; one row has no baseline."""
    assert drift.baseline(np.eye(3)) == pytest.approx(1)
    assert drift.baseline([[1, 0], [2, 0]]) == pytest.approx(0)
    with pytest.raises(ValueError, match="two rows"):
        drift.baseline([[1.0, 0.0]])


@given(st.integers(0, 2**32 - 1))
def test_nothing_differs_from_itself(seed: int) -> None:
    """Of equal rows every error is 0 and every agreement 1."""
    rng = np.random.default_rng(seed)
    rows, cache = rng.standard_normal((12, 15)), rng.standard_normal((2, 2, 1, 12, 4))
    found = drift.drift(rows, rows, logits=True, caches=(cache, cache))
    assert found.kl is not None
    assert found.layers is not None
    assert max(found.error.max(), found.l2.max(), found.kl.max(), found.layers.max()) == 0
    assert (found.top_1, found.top_k, found.neighbours) == (1, 1, 1)


def test_metrics_have_names_of_their_own() -> None:
    """Three numbers never mixed: a name stands before each metric, and no name but the one that was asked for."""
    kinds: dict[str, Any] = {
        name: drift.drift(ROWS, ROWS, logits=True).metrics(name) for name in ("cache", "quantisation", "window")
    }
    assert not set(kinds["cache"]) & set(kinds["quantisation"])
    assert {key.split("_")[0] for key in kinds["window"]} == {"window"}
    assert kinds["cache"]["cache_top_1"]["direction"] == "higher"
