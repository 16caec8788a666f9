"""The embedder: a model, its tokenizer and its limits put together, with errors that name the argument."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from benchmarks.embedding.decoder import TINY
from benchmarks.embedding.models import path_of
from embedders import SINGLE, TOKENS, direction, right
from tcs.embedder import PRESETS, Embedder
from tcs.embedder.embedder import config_beside, rope_theta
from tcs.embedder.errors import CacheError, ContractError, InputError
from tcs.embedder.presets import Preset

TINY_PRESET = Preset(
    name="tiny", layers=TINY.layers, hidden=TINY.hidden, heads=TINY.heads, kv_heads=TINY.kv_heads,
    head_size=TINY.head_size, vocabulary=TINY.vocabulary, theta=TINY.theta, positions=50,
)  # fmt: skip


def embedder(name: str = "tiny-f32", **options: Any) -> Embedder:
    return Embedder(path_of(name), **{"preset": None, "dimension": 64, "threads": 1} | options)


@pytest.fixture
def beside(tmp_path: Path) -> Any:
    """A model with a configuration of one's own beside it."""

    def make(text: str, name: str = "tiny-f32", **options: Any) -> Embedder:
        (tmp_path / "model.onnx").write_bytes(path_of(name).read_bytes())
        (tmp_path / "config.json").write_text(text)
        return Embedder(tmp_path / "model.onnx", **{"preset": None, "dimension": 64, "threads": 1} | options)

    return make


def test_a_conversation_and_others_beside_it() -> None:
    """Texts go on with the embedder's own session; sessions of their own begin empty; a reset begins anew."""
    opened = embedder()
    first, second = opened.embed(TOKENS[:11]), opened.embed(TOKENS[11:30])
    assert opened.context_length == 30
    np.testing.assert_allclose(second.vector, direction(right(TOKENS[:30]).logits[-1]), atol=SINGLE)
    other = opened.session()
    np.testing.assert_array_equal(other.embed(TOKENS[:11]).vector, first.vector)
    assert (opened.context_length, other.context_length) == (30, 11)
    opened.reset()
    assert opened.context_length == 0
    *_, last = opened.stream(TOKENS[:11], every=4)
    assert (last.complete, opened.context_length) == (True, 11)
    np.testing.assert_allclose(last.vector, first.vector, atol=SINGLE)


@pytest.mark.parametrize("source", ["preset", "config.json"])
def test_the_base_of_the_rotary_angles_is_known(source: str, beside: Any) -> None:
    """From the preset, or a config.json beside the model; a given one comes first, and a wrong one is found out."""
    options: Any = {"policy": "re-rotated", "window": 8}
    if source == "preset":
        options["preset"] = TINY_PRESET
    text = json.dumps({"rope_theta": TINY.theta})
    assert beside(text, **options).embed(TOKENS).context_length == 8
    with pytest.raises(ContractError, match="is theta right"):
        beside(text, **options, theta=5e5)
    with pytest.raises(InputError, match=r"theta=0: the base of the rotary angles is a positive number"):
        beside(text, **options, theta=0)


def test_a_preset_brings_its_limits() -> None:
    """Its vocabulary and its positions; the default refuses what is not Qwen2.5-Coder-0.5B."""
    opened = embedder(preset=TINY_PRESET)
    with pytest.raises(InputError, match="the session would come to position 51, and the model knows 50"):
        opened.embed(np.tile(TOKENS, 2)[:51])
    with pytest.raises(InputError, match="vocabulary is 0 to 319"):
        opened.embed(np.array([320]))
    with pytest.raises(ContractError, match=r"model.onnx is not qwen2.5-coder-0.5b: it has 11 inputs instead of 51"):
        Embedder(path_of("tiny-f32"))
    for name in PRESETS:
        with pytest.raises(ContractError, match=rf"is not {name}: "):
            embedder(preset=name)


def test_a_configuration_beside_the_model_brings_its_limits(beside: Any) -> None:
    """Without a preset, positions and vocabulary come from config.json; logits know their own width."""
    opened = beside('{"max_position_embeddings": 20, "vocab_size": 300}', "tiny-hidden-f32")
    with pytest.raises(InputError, match="position 21, and the model knows 20"):
        opened.embed(TOKENS[:21] % 300)
    with pytest.raises(InputError, match="token 0 of the text is 300, and the model's vocabulary is 0 to 299"):
        opened.embed(np.array([300]))
    assert beside('{"vocab_size": 300}').embed(np.array([319])).tokens == 1


def test_where_nobody_knows_the_vocabulary() -> None:
    """Characters fall on 256 tokens; ids below 0 are refused here, and those beyond the table by the runtime."""
    opened = embedder("tiny-hidden-f32")
    assert opened.embed("\u20ac\U0001f600").tokens == 2
    with pytest.raises(InputError, match="is -320, and the model's vocabulary is 0 to 9,223"):
        opened.embed(np.array([-320]))
    with pytest.raises(CacheError, match="idx=320"):
        opened.embed(np.array([320]))
    with pytest.raises(InputError, match="idx=320"):
        opened.embed([np.array([320])])
    assert opened.context_length == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pooling": "max"}, r"pooling 'max' is not one of last, mean"),
        ({"longest": 0}, r"longest=0: a text has 1 token or more"),
        ({"dimension": 0}, r"dimension=0: the output of model.onnx has 320 coordinates; choose from 1 to 320"),
        ({"dimension": 321}, r"dimension=321: the output of model.onnx has 320 coordinates; choose from 1 to 320"),
        ({"preset": "gpt"}, r"preset 'gpt' is not one of qwen2.5-coder-0.5b"),
        ({"window": 0}, r"window=0: a token sees itself at least"),
        ({"policy": "sink"}, r"policy 'sink' is not one of"),
        ({"chunk": 5}, r"chunk=5 belongs to policy='chunked'"),
        ({"prefill": 0}, r"prefill=0: a call takes 1 token or more"),
        ({"threads": -2}, r"threads=-2: 0 for all cores, or how many"),
        ({"policy": "re-rotated"}, r"policy='re-rotated' needs theta"),
        (
            {"policy": "re-rotated", "preset": TINY_PRESET, "window": 48},
            r"window=48: its positions run to 54 before keys are turned back, and the model knows 50",
        ),
    ],
)
def test_what_makes_no_sense_names_the_argument(options: dict[str, Any], message: str) -> None:
    """What was given, and what it can be."""
    with pytest.raises(InputError, match=message):
        embedder(**options)


def test_a_window_beyond_the_positions_is_only_never_full() -> None:
    """With absolute positions the end of the model's comes first, whatever the window."""
    opened = embedder(preset=TINY_PRESET, window=4096)
    assert opened.embed(np.tile(TOKENS, 2)[:50]).context_length == 50


def test_longer_texts_than_allowed() -> None:
    """``longest`` bounds one text; a session of several may be longer."""
    opened = embedder(longest=20)
    for _ in range(3):
        opened.embed(TOKENS[:20])
    assert opened.context_length == 60
    with pytest.raises(InputError, match="the text has 21 tokens, more than the 20 of longest; embed it in parts"):
        opened.embed(TOKENS[:21])


def test_a_configuration_that_is_none(beside: Any, tmp_path: Path) -> None:
    """Broken JSON is an error with its path; JSON of another kind, and none at all, say nothing."""
    with pytest.raises(InputError, match=r"config.json is no JSON: "):
        beside("{")
    assert beside("[1]").embed(TOKENS).tokens == 40
    assert config_beside(tmp_path / "none" / "deeper" / "model.onnx") == {}


@pytest.mark.parametrize(
    ("config", "theta"),
    [
        ({}, None),
        ({"rope_theta": 10_000}, 1e4),
        ({"rope_parameters": {"rope_theta": 1e6, "rope_type": "default"}}, 1e6),
        ({"rope_parameters": {"rope_theta": 1e6}, "rope_theta": 1e4}, 1e6),
        ({"rope_parameters": None, "rope_theta": 1e4}, 1e4),
        ({"rope_parameters": {"rope_type": "default"}}, None),
    ],
)
def test_where_the_base_is_written(config: dict[str, Any], theta: float | None) -> None:
    """By transformers 4 at the top, by 5 among the rotary parameters, which come first."""
    assert rope_theta(config) == theta
