"""The forward pass in float64 does what its papers say, by hand where that is possible."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.embedding.decoder import TINY, weights
from benchmarks.embedding.oracle import attend, band, forward, rms_norm, rotate, swiglu
from decoding import cosine, relative

WEIGHTS = weights(TINY)
TOKENS = np.random.default_rng(7).integers(0, TINY.vocabulary, 20)


def test_rms_norm_of_three_and_four() -> None:
    """(3, 4) has the root mean square sqrt(12.5); the weight scales what is left."""
    found = rms_norm(np.array([3.0, 4.0]), np.array([1.0, 10.0]), 0.0)
    assert found == pytest.approx([3 / np.sqrt(12.5), 40 / np.sqrt(12.5)])
    assert rms_norm(np.zeros(2), np.ones(2), 1e-6).tolist() == [0, 0]


def test_rotation_of_one_pair() -> None:
    """A head of two elements turns by one radian a position: (1, 0) goes to (cos p, sin p)."""
    turned = rotate(np.tile([1.0, 0.0], (1, 3, 1)), np.array([0.0, 1, 2]), 1e4)
    assert turned[0] == pytest.approx(np.array([[1, 0], [np.cos(1), np.sin(1)], [np.cos(2), np.sin(2)]]))


def test_rotation_pairs_the_halves() -> None:
    """Element j belongs to element j + D / 2, and pair j turns by theta^(-2j / D) a position."""
    states = np.zeros((1, 1, 4))
    states[0, 0, 1] = 1
    assert rotate(states, np.array([5.0]), 1e4)[0, 0] == pytest.approx([0, np.cos(0.05), 0, np.sin(0.05)])


def test_products_of_rotated_states_depend_on_the_distance() -> None:
    """Su et al. 2021, eq. 16: query at m and key at n see m - n only."""
    query, key = np.random.default_rng(0).standard_normal((2, 1, 1, 16))
    near = [rotate(state, np.array([float(p)]), 1e4) for state, p in ((query, 9), (key, 4))]
    far = [rotate(state, np.array([float(p)]), 1e4) for state, p in ((query, 5009), (key, 5004))]
    assert np.vdot(*near) == pytest.approx(np.vdot(*far), rel=1e-10)


def test_attention_without_preference_is_the_mean() -> None:
    """Queries of zeros weigh all that they see alike; one token sees its own value."""
    values = np.arange(6.0).reshape(1, 3, 2)
    zeros = np.zeros((1, 3, 2))
    assert attend(zeros, zeros, values, band(3, 3))[0].tolist() == [[0, 1], [1, 2], [2, 3]]
    assert attend(zeros, zeros, values, band(3, 1)).tolist() == values.tolist()


def test_attention_of_a_hand_made_pair() -> None:
    """Scores ln 3 and 0 give shares of 3/4 and 1/4; the score is divided by sqrt D."""
    query = np.array([[[0.0], [np.log(3)]]])
    key = np.array([[[1.0], [0.0]]])
    assert attend(query, key, np.array([[[4.0], [8.0]]]), band(2, 2))[0, 1] == pytest.approx([5.0])
    wide = np.zeros((1, 2, 4))
    wide[0, 1, 0] = 2 * np.log(3)
    pad = np.zeros((1, 2, 4))
    pad[0, 0, 0] = 1
    assert attend(wide, pad, np.array([[[4.0], [8.0]]]), band(2, 2))[0, 1] == pytest.approx([5.0])


def test_query_heads_share_key_heads_in_turn() -> None:
    """Of four query heads the first two take the first key head (Ainslie et al. 2023, figure 2)."""
    values = np.stack([np.full((1, 1), 1.0), np.full((1, 1), 2.0)])
    answer = attend(np.zeros((4, 1, 1)), np.zeros((2, 1, 1)), values, band(1, 1))
    assert answer.ravel().tolist() == [1, 1, 2, 2]


def test_swiglu_of_one_number() -> None:
    """silu(2) * 3 = 6 / (1 + e^-2)."""
    one = np.ones((1, 1))
    assert swiglu(one, 2 * one, 3 * one, one).item() == pytest.approx(6 / (1 + np.exp(-2)))


def test_the_past_does_not_see_the_future() -> None:
    """A prefix of the tokens has a prefix of the states."""
    whole, part = forward(WEIGHTS, TINY, TOKENS), forward(WEIGHTS, TINY, TOKENS[:8])
    assert relative(whole.hidden[:8], part.hidden) < 1e-13
    assert relative(whole.keys[:, :, :8], part.keys) < 1e-13


def test_all_positions_may_be_shifted() -> None:
    """Positions 5000, 5001, ... give the hidden states of 0, 1, ..., since only distances count."""
    shifted = forward(WEIGHTS, TINY, TOKENS, positions=5000 + np.arange(20))
    assert relative(shifted.hidden, forward(WEIGHTS, TINY, TOKENS).hidden) < 1e-9


def test_a_window_forgets() -> None:
    """With a band of 1 a token knows itself only; with a band of T nothing is lost; between them something is."""
    alone = forward(WEIGHTS, TINY, TOKENS, mask=band(20, 1))
    single = forward(WEIGHTS, TINY, TOKENS[-1:])
    assert relative(alone.hidden[-1:], single.hidden) < 1e-12
    whole = forward(WEIGHTS, TINY, TOKENS)
    assert relative(forward(WEIGHTS, TINY, TOKENS, mask=band(20, 20)).hidden, whole.hidden) == 0
    assert cosine(forward(WEIGHTS, TINY, TOKENS, mask=band(20, 8)).hidden[-1], whole.hidden[-1]) < 0.99


def test_what_a_pass_hands_out() -> None:
    """Shapes and dtypes; layers begin with the embeddings and end before the last normalisation."""
    found = forward(WEIGHTS, TINY, TOKENS)
    assert found.hidden.shape == (20, 64)
    assert found.logits.shape == (20, 320)
    assert found.keys.shape == found.values.shape == (4, 2, 20, 16)
    assert found.layers.shape == (5, 20, 64)
    assert found.layers[0].tolist() == WEIGHTS["embedding"][TOKENS].tolist()
    assert relative(rms_norm(found.layers[-1], WEIGHTS["norm"].astype(np.float64), TINY.epsilon), found.hidden) == 0
    assert {array.dtype for array in (found.hidden, found.logits, found.keys, found.layers)} == {np.dtype(np.float64)}


@pytest.mark.parametrize("name", sorted(WEIGHTS))
def test_every_weight_counts(name: str) -> None:
    """No weight is left out: another one changes the logits. Biases of keys do too, since rotation follows them."""
    changed = {**WEIGHTS, name: WEIGHTS[name][..., ::-1]}
    assert relative(forward(changed, TINY, TOKENS).logits, forward(WEIGHTS, TINY, TOKENS).logits) > 1e-3


def test_positions_are_seen_in_the_answer() -> None:
    """The weights make attention sharp enough that positions of zero turn the last state far away."""
    zero = forward(WEIGHTS, TINY, TOKENS, positions=np.zeros(20))
    assert cosine(zero.hidden[-1], forward(WEIGHTS, TINY, TOKENS).hidden[-1]) < 0.9


def test_what_makes_no_sense_is_refused() -> None:
    """Each message names what was found."""
    with pytest.raises(ValueError, match=r"positions \(3,\)"):
        forward(WEIGHTS, TINY, TOKENS, positions=[0, 1, 2])
    with pytest.raises(ValueError, match="tokens: 0 to 320"):
        forward(WEIGHTS, TINY, [0, 320])
    with pytest.raises(ValueError, match="token 1 sees nothing"):
        forward(WEIGHTS, TINY, [0, 1], mask=np.array([[True, False], [False, False]]))
    with pytest.raises(ValueError, match=r"tokens \(0,\)"):
        forward(WEIGHTS, TINY, [])


def test_sizes_are_free() -> None:
    """As many key heads as query heads, and a head size apart from hidden / heads."""
    shape = replace(TINY, kv_heads=4, head_size=8, layers=1)
    assert forward(weights(shape), shape, TOKENS).keys.shape == (1, 4, 20, 8)
