"""The GPT-2 in small answers what its own forward pass answers, and differs where a user's model would differ."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from benchmarks.embedding.other_decoders import GPT2_TINY, build_gpt2, gpt2_forward, gpt2_weights
from decoding import Decoder, cosine, relative, together

TOKENS = np.random.default_rng(7).integers(0, GPT2_TINY.vocabulary, 20)
WEIGHTS = gpt2_weights()
RIGHT = gpt2_forward(WEIGHTS, TOKENS)
SINGLE = 5e-6


@pytest.mark.parametrize("position_ids", [True, False])
@pytest.mark.parametrize("sizes", [(20,), (1,) * 20, (7, 1, 12)])
def test_it_is_its_oracle(tmp_path: Path, position_ids: bool, sizes: tuple[int, ...]) -> None:
    """Logits and cache, in one pass and in pieces, with positions given and with positions counted."""
    build_gpt2(tmp_path / "model.onnx", position_ids=position_ids)
    decoder = Decoder(tmp_path / "model.onnx")
    steps = decoder.steps(TOKENS, *sizes)
    assert relative(together(steps, "logits"), RIGHT.logits) < SINGLE
    assert relative(steps[-1].stacked("key"), RIGHT.keys) < SINGLE
    assert relative(steps[-1].stacked("value"), RIGHT.values) < SINGLE


@pytest.mark.parametrize("position_ids", [True, False])
def test_its_contract(tmp_path: Path, position_ids: bool) -> None:
    """Tokens, cache, mask, and positions at the end if they are asked for; as many key heads as query heads."""
    build_gpt2(tmp_path / "model.onnx", position_ids=position_ids)
    decoder = Decoder(tmp_path / "model.onnx")
    cache = [f"past_key_values.{i}.{part}" for i in range(3) for part in ("key", "value")]
    assert list(decoder.inputs) == ["input_ids", *cache, "attention_mask", *(["position_ids"] if position_ids else [])]
    assert decoder.inputs[cache[0]].shape == ["batch", 4, "past", 12]
    assert decoder.outputs[0] == "logits"


def test_positions_are_absolute() -> None:
    """Unlike rotary ones: a shift of all positions changes the states, and so do zeros."""
    for positions in (100 + np.arange(20), np.zeros(20)):
        other = gpt2_forward(WEIGHTS, TOKENS, positions=positions)
        assert cosine(other.hidden[-1], RIGHT.hidden[-1]) < 0.9


@pytest.mark.parametrize("position_ids", [True, False])
@pytest.mark.parametrize("side", ["left", "right"])
def test_which_side_may_be_padded(tmp_path: Path, position_ids: bool, side: str) -> None:
    """Either with positions given; counted ones are wrong after padding on the left, which shifts them."""
    build_gpt2(tmp_path / "model.onnx", position_ids=position_ids)
    tokens, mask = np.zeros((2, 1, 26), np.int64)
    place = slice(6, 26) if side == "left" else slice(0, 20)
    tokens[0, place], mask[0, place] = TOKENS, 1
    step = Decoder(tmp_path / "model.onnx").run(tokens, mask=mask, positions=np.maximum(mask.cumsum(axis=1) - 1, 0))
    error = relative(step["logits"][0, place], RIGHT.logits)
    assert error > 0.1 if side == "left" and not position_ids else error < SINGLE


def test_every_weight_counts() -> None:
    """No weight is left out of the oracle, save the biases of keys, which shift all scores of a query alike."""
    for name, values in WEIGHTS.items():
        changed = gpt2_forward({**WEIGHTS, name: values[..., ::-1]}, TOKENS)
        assert relative(changed.logits, RIGHT.logits) > 1e-3, name


def test_a_context_ends_with_its_positions(tmp_path: Path) -> None:
    """There are 512 learned positions; the runtime refuses the next one."""
    build_gpt2(tmp_path / "model.onnx")
    with pytest.raises(Exception, match="out of data bounds"):
        Decoder(tmp_path / "model.onnx").run([1], positions=np.array([[512]]))


def test_a_rebuilt_file_is_the_same(tmp_path: Path) -> None:
    """Byte for byte."""
    build_gpt2(tmp_path / "a")
    build_gpt2(tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
