"""Turning keys is multiplication by a complex number of length 1 in each plane."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.embedding.oracle import rotate
from tcs.embedder.rotary import LAYOUTS, angles, turn

KEYS = np.random.default_rng(0).standard_normal((3, 2, 5, 8))


def test_a_quarter_of_a_circle() -> None:
    """By hand: base 1 turns every plane alike, and by pi / 2 positions (1, 0) becomes (0, 1)."""
    for layout, key, wanted in (
        ("halves", [1.0, 2, 0, 0], [0.0, 0, 1, 2]),
        ("pairs", [1.0, 0, 2, 0], [0.0, 1, 0, 2]),
    ):
        keys = np.array([[[key]]])
        turn(keys, np.pi / 2, 1.0, layout)  # type: ignore[arg-type] # an angle of which the sine is known
        np.testing.assert_allclose(keys[0, 0, 0], wanted, atol=1e-15)


@pytest.mark.parametrize("positions", [0, 1, 7, -3, 5000])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_it_is_complex_multiplication(layout: str, positions: int) -> None:
    """In either layout, plane i by the angle positions * theta^(-2i / d) (Su et al. 2021, eq. 34)."""
    keys = KEYS.copy()
    turn(keys, positions, 1e4, layout)
    spin = np.exp(1j * positions * 1e4 ** (-np.arange(4) / 4))
    first, second = (slice(4), slice(4, None)) if layout == "halves" else (slice(0, None, 2), slice(1, None, 2))
    wanted = (KEYS[..., first] + 1j * KEYS[..., second]) * spin
    np.testing.assert_allclose(keys[..., first], wanted.real, atol=1e-12)
    np.testing.assert_allclose(keys[..., second], wanted.imag, atol=1e-12)


def test_halves_are_those_of_the_oracle() -> None:
    """The forward pass that every model is judged by writes keys that a turn moves to other positions."""
    states = KEYS[0]
    keys = rotate(states, np.arange(5.0), 1e4)[None]
    turn(keys, 11, 1e4, "halves")
    np.testing.assert_allclose(keys[0], rotate(states, np.arange(11.0, 16), 1e4), atol=1e-12)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_turns_add_up_and_undo_each_other(layout: str) -> None:
    """By 3 and by 4 is by 7; back again is nothing; no turn changes a length."""
    both, once = KEYS.copy(), KEYS.copy()
    for positions in (3, 4):
        turn(both, positions, 1e4, layout)
    turn(once, 7, 1e4, layout)
    np.testing.assert_allclose(both, once, atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(once, axis=-1), np.linalg.norm(KEYS, axis=-1), rtol=1e-12)
    turn(once, -7, 1e4, layout)
    np.testing.assert_allclose(once, KEYS, atol=1e-12)


def test_half_precision_is_rounded_once() -> None:
    """Keys in float16 are turned in float64: each number is the nearest to the exact one."""
    keys = KEYS.astype(np.float16)
    exact = keys.astype(np.float64)
    turn(keys, 123, 1e4, "halves")
    turn(exact, 123, 1e4, "halves")
    assert keys.dtype == np.float16
    np.testing.assert_array_equal(keys, exact.astype(np.float16))


def test_the_angles_of_a_head() -> None:
    """The first plane turns by one radian a position, each next one by a power of the base slower."""
    cosine, sine = angles(1, 16.0, 4)
    np.testing.assert_allclose(np.arctan2(sine, cosine), [1, 1 / 4])
