"""The cases about what a model's states are: which model, which turns, and what is known beforehand.

Fixtures have random weights, and their tokens are drawn at random: that says whether a cache, a window or a precision
does what it must, and nothing about the quality of embeddings. ``weights`` and ``source_prompts`` read the public
weights; ``own`` takes the model that a user names by ``model=``.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.embedding.dialogue import Dialogue, inputs, one_session
from benchmarks.embedding.given import precision_of, provenance_of, sha256_of
from benchmarks.embedding.models import MODELS
from harness.case import Problem, case

if TYPE_CHECKING:
    from numpy.typing import NDArray

FIRST, SECOND, THIRD = 45, 35, 39
"""Tokens of the source's three prompts, the last after a reset: contexts of 45, 80 and 39."""
EVOLUTION = 0.9195
"""Cosine of the source's first two embeddings."""
VOCABULARY = 256
"""Tokens are below this: every model here, and any that a user brings, knows as many."""
STEPS = 50
"""Tokens that are taken one at a time at the end of a text that does not fit its window."""
OWN = "gpt2-f32"
"""The model that stands in where a user names none: it is of another architecture than the rest."""
OWN_WINDOW = 48
QWEN_THETA, LAYERS = 1e6, 24
FILES = {"f32": "model", "f16": "model_fp16", "int8": "model_quantized", "int4": "model_q4"}


@case(
    version=1,
    task="embedding.states",
    check="benchmarks.embedding.checks:states",
    picture="benchmarks.embedding.pictures:errors",
)
def drift(fixture: str, tokens: int = 192, seed: int = 0) -> Problem:
    """A prompt in one call, the same again after a reset, then one token at a time."""
    return _fixture(fixture, *_steps(tokens, seed))


@case(version=1, task="embedding.states", check="benchmarks.embedding.checks:states")
def prefill(calls: str = "1 7 64", tokens: int = 192, fixture: str = "tiny-f32", seed: int = 0) -> Problem:
    """One text, again and again after a reset, each time with so many tokens a call."""
    each = [int(call) for call in calls.split()]
    text = np.tile(_tokens(tokens, seed), len(each))
    return _fixture(fixture, text, [(tokens, call, 1) for call in each])


@case(
    version=1,
    task="embedding.states",
    check="benchmarks.embedding.checks:states",
    picture="benchmarks.embedding.pictures:errors",
)
def window(policy: str, window: int = 64, tokens: int = 200, fixture: str = "tiny-f32", seed: int = 0) -> Problem:
    """A text that does not fit its window, the last tokens one at a time; chunks are a quarter of the window."""
    turns = [(tokens - STEPS, window, 0), (STEPS, 1, 0)]
    chunk = window // 4 if policy == "chunked" else 0
    return _fixture(fixture, _tokens(tokens, seed), turns, window=window, policy=policy, chunk=chunk)


@case(version=1, task="embedding.states", check="benchmarks.embedding.checks:states")
def shift(start: int, tokens: int = 192, fixture: str = "tiny-f32", seed: int = 0) -> Problem:
    """The same tokens from another position on: what turns with positions must not feel where it began."""
    return _fixture(fixture, _tokens(tokens, seed), [(FIRST, FIRST, 0), (tokens - FIRST, 1, 0)], start=start)


@case(version=1, task="embedding.states", check="benchmarks.embedding.checks:states")
def growth(fixture: str = "tiny-f32", seed: int = 0) -> Problem:
    """Texts of as many tokens as the source's prompts: the context is 45, then 80, and after a reset 39."""
    return _fixture(fixture, *_growing(_tokens(FIRST + SECOND + THIRD, seed), (FIRST, SECOND, THIRD)))


@case(version=1, task="embedding.states", check="benchmarks.embedding.checks:states")
def sessions(count: int = 3, turns: int = 4, fixture: str = "tiny-f32", seed: int = 0) -> Problem:
    """Sessions side by side, turn by turn, prompts and single tokens; one of them is reset on the way."""
    return _problem(_side_by_side(fixture, count, turns, seed), fixture)


@case(
    version=1,
    task="embedding.states",
    check="benchmarks.embedding.checks:states",
    picture="benchmarks.embedding.pictures:errors",
)
def own(claim: str, seed: int = 0, model: str | None = None) -> Problem:
    """The model that the user names by ``model=``, or a small GPT-2: one claim about it at a time.

    Args:
        claim: ``steps``, ``prefill``, ``window``, ``growth`` or ``sessions``, as the cases of the fixtures.
    """
    name = model or OWN
    drawn = _tokens(120, seed)
    if claim == "sessions":
        return _problem(_side_by_side(name, 3, 4, seed), name)
    made: dict[str, tuple[NDArray[np.int64], list[tuple[int, int, int]]]] = {
        "steps": _steps(120, seed),
        "prefill": (drawn, [(len(drawn), 7, 0)]),
        "window": (drawn, [(len(drawn) - STEPS, OWN_WINDOW, 0), (STEPS, 1, 0)]),
        "growth": _growing(_tokens(FIRST + SECOND + THIRD, seed), (FIRST, SECOND, THIRD)),
    }
    if claim not in made:
        raise ValueError(f"claim {claim!r} is not one of sessions, {', '.join(made)}")
    tokens, turns = made[claim]
    return _problem(one_session(tokens, turns, model=name, window=OWN_WINDOW if claim == "window" else 0), name)


@case(
    version=1,
    task="embedding.states",
    check="benchmarks.embedding.checks:states",
    picture="benchmarks.embedding.pictures:errors",
    datasets=("qwen2_5_coder_0_5b_onnx",),
)
def weights(precision: str, tokens: int = 192, seed: int = 0) -> Problem:
    """The public weights of Qwen2.5-Coder-0.5B-Instruct, a prompt in one call and then one token at a time."""
    text, turns = _steps(tokens, seed)
    return _real(precision, text, turns)


@case(
    version=1,
    task="embedding.states",
    check="benchmarks.embedding.checks:states",
    picture="benchmarks.embedding.pictures:errors",
    datasets=("qwen2_5_coder_0_5b_onnx", "tcs_source_smoke_test"),
)
def source_prompts(seed: int = 0) -> Problem:
    """The source's own smoke test: its prompts, character by character as it counted them, on its int8 graph."""
    from harness.data import datasets

    source = (datasets.locate("tcs_source_smoke_test") / "test_qwen_stateful.rs").read_text(encoding="utf-8")
    prompts = re.findall(r'let test_prompt\d = "([^"\\]*)";', source)
    tokens = np.array([ord(character) for text in prompts for character in text], np.int64)
    lengths = [len(text) for text in prompts]
    text, turns = _growing(tokens, lengths)
    return _real("int8", text, turns, evolution=EVOLUTION, layers=LAYERS)


def _steps(tokens: int, seed: int) -> tuple[NDArray[np.int64], list[tuple[int, int, int]]]:
    drawn = _tokens(tokens, seed)
    turns = [(FIRST, FIRST, 0), (FIRST, FIRST, 1), (tokens - FIRST, 1, 0)]
    return np.concatenate([drawn[:FIRST], drawn]), turns


def _growing(
    tokens: NDArray[np.int64], lengths: Any
) -> tuple[NDArray[np.int64], list[tuple[int, int, int]]]:  # fmt: skip
    first, second, third = lengths
    return tokens, [(first, first, 0), (second, second, 0), (third, third, 1)]


def _side_by_side(model: str, count: int, turns: int, seed: int) -> Dialogue:
    """Turns of 12 tokens, round by round; each other round token by token; the first session is reset in the last."""
    calls = np.where(np.arange(turns) % 2 == 0, 12, 1).repeat(count)
    resets = np.zeros(count * turns, np.int64)
    resets[-count] = 1
    return Dialogue(
        model=model,
        tokens=_tokens(12 * count * turns, seed),
        lengths=np.full(count * turns, 12),
        calls=calls,
        sessions=np.tile(np.arange(count), turns),
        resets=resets,
    )


def _fixture(
    fixture: str, tokens: NDArray[np.int64], turns: list[tuple[int, int, int]], **how: Any
) -> Problem:  # fmt: skip
    model = MODELS[fixture]
    theta = float(getattr(MODELS[model.source or fixture].shape, "theta", 0.0))
    return _problem(one_session(tokens, turns, model=fixture, theta=theta, **how), fixture)


def _problem(dialogue: Dialogue, model: str) -> Problem:
    """A problem on a fixture, or on a user's file, of whose origin nothing is known."""
    known: dict[str, Any] = {"precision": precision_of(model)}
    if model in MODELS and known["precision"] != "f32":
        known["baseline"] = model.removesuffix(known["precision"]) + "f32"
    return Problem(
        inputs=inputs(dialogue),
        known=known,
        provenance=provenance_of(model),
        data={Path(model).name: sha256_of(model)},
    )


def _real(precision: str, tokens: NDArray[np.int64], turns: list[tuple[int, int, int]], **known: Any) -> Problem:
    from harness.data import datasets

    folder = datasets.locate("qwen2_5_coder_0_5b_onnx") / "onnx"
    if precision != "f32":
        known["baseline"] = str(folder / f"{FILES['f32']}.onnx")
    dialogue = one_session(tokens, turns, model=str(folder / f"{FILES[precision]}.onnx"), theta=QWEN_THETA)
    names = ("qwen2_5_coder_0_5b_onnx", *(["tcs_source_smoke_test"] if "evolution" in known else []))
    return Problem(
        inputs=inputs(dialogue),
        known={"precision": precision, **known},
        provenance="real",
        data={name: datasets.sha256_of(name) for name in names},
    )


def _tokens(count: int, seed: int) -> NDArray[np.int64]:
    return np.random.default_rng(seed).integers(0, VOCABULARY, count)
