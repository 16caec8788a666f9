"""The tasks about texts: batches, tokens, refusals and bars; right players pass, controls are caught."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from benchmarks.embedding import text_cases as cases, text_checks as checks
from benchmarks.embedding.drift import one_minus_cosine
from harness.case import Check, Problem
from playing import KNOWN, answer

ASKED: dict[str, tuple[Callable[[], Problem], str]] = {
    "texts": (lambda: cases.texts("tiny-gqa-f32", dimension=64), "texts"),
    "plain texts": (lambda: cases.texts("tiny-f32", dimension=64), "texts"),
    "dimension": (lambda: cases.texts("full-hollow"), "texts"),
    "own texts": (cases.own_texts, "texts"),
    "missing tokenizer": (lambda: cases.tokens("missing"), "tokens"),
    "made tokenizer": (lambda: cases.tokens("made"), "tokens"),
    "graphs": (lambda: cases.edges("graphs"), "refusals"),
    "text edges": (lambda: cases.edges("texts"), "refusals"),
    "presets": (cases.presets, "refusals"),
    "topology": (lambda: cases.topology(count=20), "topology"),
}
CAUGHT_BY = {
    "control left padding": "texts",
    "control padding attended to": "plain texts",
    "control padding embedded": "texts",
    "control not normalised": "dimension",
    "control unflagged": "missing tokenizer",
    "control takes anything": "graphs",
    "control pooled by the mean": "topology",
}
TASKS = ("embedding.texts", "embedding.tokens", "embedding.refusals", "embedding.topology")


def judged(player: str, asked: str) -> Check:
    make, check = ASKED[asked]
    problem = make()
    found: Check = getattr(checks, check)(problem.inputs, problem.known, answer(player, problem))
    return found


def players(task: str, *roles: str) -> list[str]:
    return [name for name in KNOWN.answering(task) if KNOWN.player(name).role in roles]


@pytest.mark.parametrize("asked", ASKED)
def test_the_candidate_passes(asked: str) -> None:
    """tcs.embedder answers each question rightly."""
    (name,) = players(f"embedding.{ASKED[asked][1]}", "candidate")
    check = judged(name, asked)
    assert check.ok, check.detail


@pytest.mark.parametrize(
    ("player", "asked"),
    [
        ("onnxruntime loop texts", "texts"),
        ("tokenizers", "made tokenizer"),
        ("onnxruntime loop and ripser", "topology"),
    ],
)
def test_a_peer_passes(player: str, asked: str) -> None:
    """Code that shares nothing with the embedder gives the same."""
    check = judged(player, asked)
    assert check.ok, check.detail


@pytest.mark.parametrize("player", CAUGHT_BY)
def test_every_planted_bug_is_caught(player: str) -> None:
    """text-embeddings-inference#642, transformers#25420 and their like, each on the fixture that a gate asks about."""
    check = judged(player, CAUGHT_BY[player])
    assert not check.ok
    print(f"| {player.removeprefix('control ')} | {CAUGHT_BY[player]} | {check.detail} |")


def test_every_control_is_asked() -> None:
    """No planted bug is registered without a question that must catch it."""
    assert set(CAUGHT_BY) == {name for task in TASKS for name in players(task, "control")}


def test_left_padding_is_harmless_where_attention_is_plain() -> None:
    """Which side is safe depends on the graph: the same batch is right on a graph without GroupQueryAttention."""
    assert judged("control left padding", "plain texts").ok


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_text_does_not_feel_its_company(count: int) -> None:
    """vllm-project/vllm#5543, #27433: the first texts of a batch have the same vectors in a larger batch."""
    problem = cases.texts("tiny-gqa-f32", dimension=64)
    lengths = problem.inputs["lengths"][:count]
    fewer = {**problem.inputs, "lengths": lengths, "tokens": problem.inputs["tokens"][: lengths.sum()]}
    few, many = (answer("tcs-embedder texts", each)["vectors"] for each in (fewer, problem.inputs))
    assert one_minus_cosine(few, many[:count]).max() < 1e-10


def test_512_dimensions_unless_asked_otherwise() -> None:
    """The check wants 512 where no dimension is asked for, float32, and of length 1."""
    make, _ = ASKED["dimension"]
    problem = make()
    good = answer("tcs-embedder texts", problem)["vectors"]
    assert good.shape == (8, 512)
    for wrong in (good[:, :511], good.astype(np.float64), 1.01 * good):
        check = checks.texts(problem.inputs, problem.known, {"vectors": wrong})
        assert check.metrics["dimension_errors"]["value"] == 8


def test_tokens_are_counted_one_by_one() -> None:
    """One token changed is one, one missing is one, and a text too few is told."""
    problem = cases.tokens("made")
    good: Mapping[str, Any] = answer("tokenizers", problem)

    def differing(**changed: Any) -> float:
        found = checks.tokens(problem.inputs, problem.known, {**good, **changed})
        assert not found.ok
        return float(found.metrics["tokens_differing"]["value"])

    changed = good["tokens"].copy()
    changed[1] += 1
    assert differing(tokens=changed) == 1
    assert differing(tokens=good["tokens"][:-1], lengths=np.array([4, 2, 0])) == 1
    assert differing(tokens=good["tokens"][:6], lengths=np.array([4, 2])) == 7


def test_a_refusal_too_many_is_wrong_too() -> None:
    """A preset that refuses its own graph is as wrong as one that takes another's, and a fallen session is told."""
    problem = cases.presets()
    right = np.array(problem.known["refused"])
    ones = np.ones_like(right)
    check = checks.refusals(problem.inputs, problem.known, {"refused": ones, "stands": ones})
    assert not check.ok
    assert check.metrics["presets_wrong"]["value"] == 5
    assert check.metrics["malformed_accepted"]["value"] == 0
    fallen = checks.refusals(problem.inputs, problem.known, {"refused": right, "stands": 0 * ones})
    assert "did not stand after" in fallen.detail


def test_bars_of_other_vectors_are_wrong() -> None:
    """Right vectors with a bar moved by the least float32 step do not pass."""
    problem = cases.topology(count=20)
    good = dict(answer("onnxruntime loop and ripser", problem))
    bars = good["bars_0"].astype(np.float32)
    finite = np.flatnonzero(np.isfinite(bars[:, 1]))[0]
    bars[finite, 1] = np.nextafter(bars[finite, 1], np.float32(0))
    assert not checks.topology(problem.inputs, problem.known, {**good, "bars_0": bars}).ok


@pytest.mark.parametrize(("make", "name"), [(cases.tokens, "tokenizer"), (cases.edges, "kind")])
def test_an_unknown_kind_is_refused(make: Callable[[str], Problem], name: str) -> None:
    """By its name, with those that there are."""
    with pytest.raises(ValueError, match=f"{name} 'none' is neither"):
        make("none")
