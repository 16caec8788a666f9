"""Peers in environments of their own: how they are made, and what they are handed."""

from __future__ import annotations

import re

import numpy as np
import pytest

from benchmarks.embedding.decoder import TINY, weights
from benchmarks.embedding.players import steps_llama
from benchmarks.embedding.players.steps_torch import configuration, named_weights
from harness.discover import registry
from playing import PROJECT

KNOWN = registry(PROJECT)
APART = [name for name in KNOWN.answering("embedding.step") if KNOWN.player(name).interpreter]
SCRIPT = (PROJECT / "benchmarks/embedding/peers.sh").read_text()


@pytest.mark.parametrize("name", APART)
def test_the_script_makes_the_environment_that_a_peer_names(name: str) -> None:
    """Its interpreter lies where the script puts it, and the script brings its packages."""
    info = KNOWN.player(name)
    script, environment = info.install.split()
    assert script == "benchmarks/embedding/peers.sh"
    assert info.interpreter == f".venvs/{environment}/bin/python"
    assert re.search(rf"^ +{environment}\) packages=", SCRIPT, re.MULTILINE)
    assert [package for package in info.packages if package not in SCRIPT] == []


def test_every_weight_has_a_name_and_its_transpose() -> None:
    """All tensors of the fixture arrive, once each; matrices but the embedding are turned."""
    given, handed = weights(TINY), dict(named_weights(TINY))
    assert len(handed) == len(given)
    assert np.array_equal(handed["embed_tokens.weight"], given["embedding"])
    assert np.array_equal(handed["layers.3.mlp.down_proj.weight"], given["layers.3.down.weight"].T)
    assert np.array_equal(handed["layers.0.self_attn.k_proj.bias"], given["layers.0.key.bias"])
    assert np.array_equal(handed["layers.1.post_attention_layernorm.weight"], given["layers.1.ffn_norm"])


def test_a_gguf_file_has_every_weight() -> None:
    """The same tensors under the names of llama.cpp."""
    given, handed = weights(TINY), dict(steps_llama.named_weights(TINY))
    assert len(handed) == len(given)
    assert np.array_equal(handed["token_embd.weight"], given["embedding"])
    assert np.array_equal(handed["blk.3.ffn_down.weight"], given["layers.3.down.weight"].T)
    assert np.array_equal(handed["blk.0.attn_k.bias"], given["layers.0.key.bias"])
    assert np.array_equal(handed["blk.1.ffn_norm.weight"], given["layers.1.ffn_norm"])


def test_the_base_of_the_angles_is_where_transformers_looks_for_it() -> None:
    """Version 5 reads it from ``rope_parameters``; left out, it would be 10,000 without a word."""
    assert configuration(TINY)["rope_parameters"]["rope_theta"] == TINY.theta
