"""A dialogue's turns, contexts and masks, against what a hand can count; and the plain run beside the oracle."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.embedding.dialogue import Dialogue, firsts, inputs, mask_of, one_session, read
from benchmarks.embedding.given import file_of, precision_of, provenance_of, sha256_of
from benchmarks.embedding.oracle import band, rotate
from benchmarks.embedding.plain import Graph, turned


def dialogue(**how: object) -> Dialogue:
    """Two sessions of three and two turns, the first reset before its last."""
    values = {
        "model": "tiny-f32", "tokens": np.arange(15), "lengths": np.array([2, 4, 3, 1, 5]), "calls": np.ones(5, int),
        "sessions": np.array([0, 1, 0, 0, 1]), "resets": np.array([0, 0, 0, 1, 0]), "start": 7,
    }  # fmt: skip
    return Dialogue(**{**values, **how})  # type: ignore[arg-type]


def test_segments_are_contexts() -> None:
    """A context is a session's turns up to its next reset; its tokens are those of these turns, in order."""
    asked = dialogue()
    assert asked.segments() == [[0, 2], [1, 4], [3]]
    assert asked.places([0, 2]).tolist() == [0, 1, 6, 7, 8]
    assert [asked.begins(each) for each in asked.segments()] == [7, 7, 0]
    assert [tokens.tolist() for _, tokens in asked.turns()][1] == [2, 3, 4, 5]


def test_inputs_are_read_back() -> None:
    """What is handed to a player is the dialogue that was meant, and threads beside it."""
    asked = dialogue()
    found = read({**inputs(asked), "threads": 2})
    assert found.threads == 2
    assert all(np.array_equal(getattr(found, name), getattr(asked, name)) for name in inputs(asked))


@pytest.mark.parametrize("window", [1, 3, 8, 20])
def test_the_mask_of_a_window_is_a_band(window: int) -> None:
    """Dropping the oldest token is the oracle's band."""
    asked = one_session(np.arange(12), [(12, 1, 0)], model="", window=window)
    assert np.array_equal(mask_of(asked, 12), band(12, window))


def test_a_chunked_window_drops_chunks() -> None:
    """By hand: four are seen at most, and when a fifth comes the two oldest go."""
    assert firsts(9, 4, 2).tolist() == [0, 0, 0, 0, 2, 2, 4, 4, 6]


def test_keys_are_turned_as_the_oracle_rotates() -> None:
    """Two ways of writing the same rotation agree, backwards too."""
    keys = np.random.default_rng(0).standard_normal((2, 5, 16))
    assert turned(keys, 37, 1e4) == pytest.approx(rotate(keys, np.full(5, 37.0), 1e4), abs=1e-12)
    assert turned(turned(keys, 37, 1e4), -37, 1e4) == pytest.approx(keys, abs=1e-12)


def test_a_graph_is_looked_at_whatever_its_order() -> None:
    """GPT-2's file has its inputs in another order and no grouped heads; keys and values come out layer by layer."""
    graph = Graph(file_of("gpt2-f32"))
    assert (graph.layers, graph.heads, graph.size, graph.logits) == (3, 4, 12, True)
    _, present = graph.run(np.arange(4)[None])
    _, longer = graph.run(np.arange(6)[None])
    assert len(present) == 6
    assert all(np.allclose(a, b[:, :, :4], atol=1e-5) for a, b in zip(present, longer, strict=True))


def test_a_users_file_bears_no_claim_about_quality() -> None:
    """It is neither synthetic nor real, and its precision is read off its cache."""
    path = str(file_of("tiny-f16"))
    assert (provenance_of("tiny-f16"), provenance_of(path)) == ("synthetic", "derived")
    assert (precision_of("tiny-f16"), precision_of(path), precision_of("full-hollow")) == ("f16", "f16", "f32")
    assert precision_of(str(file_of("tiny-int8"))) == "int8", "its scales are dynamic"
    assert precision_of(str(file_of("tiny-int4"))) == "f32", "its scales are not"
    assert sha256_of("tiny-f16") == sha256_of(path) != sha256_of("tiny-f32")
