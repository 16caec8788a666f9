"""Presets are what the models' publishers say of them."""

from __future__ import annotations

import pytest

from tcs.embedder.errors import InputError
from tcs.embedder.presets import DEFAULT, PRESETS, preset_of

# Qwen2.5-Coder Technical Report (Hui et al. 2024, arXiv:2409.12186), table 1: layers, hidden size, heads of queries and
# of keys and values, head size. config.json of Qwen/Qwen2.5-Coder-*-Instruct: vocab_size, which grows from 7B on.
PUBLISHED = {
    "qwen2.5-coder-0.5b": (24, 896, 14, 2, 64, 151_936),
    "qwen2.5-coder-1.5b": (28, 1536, 12, 2, 128, 151_936),
    "qwen2.5-coder-3b": (36, 2048, 16, 2, 128, 151_936),
    "qwen2.5-coder-7b": (28, 3584, 28, 4, 128, 152_064),
    "qwen2.5-coder-14b": (48, 5120, 40, 8, 128, 152_064),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_sizes(name: str) -> None:
    """Each number of the table, the base of the rotary angles (rope_theta) and max_position_embeddings."""
    preset = preset_of(name)
    sizes = (preset.layers, preset.hidden, preset.heads, preset.kv_heads, preset.head_size, preset.vocabulary)
    assert (preset.name, sizes) == (name, PUBLISHED[name])
    assert preset.hidden == preset.heads * preset.head_size
    assert preset.heads % preset.kv_heads == 0
    assert (preset.theta, preset.positions) == (1e6, 32_768)


def test_the_default_has_51_inputs() -> None:
    """Tokens, mask, positions, and a key and a value for each of 24 layers."""
    assert DEFAULT is PRESETS["qwen2.5-coder-0.5b"]
    assert DEFAULT.inputs == 51
    assert set(PRESETS) == set(PUBLISHED)


def test_an_unknown_name_is_answered_with_those_there_are() -> None:
    """And with the way to do without."""
    with pytest.raises(InputError, match=r"preset 'qwen3' is not one of qwen2.5-coder-0.5b, .*None takes the gr"):
        preset_of("qwen3")
