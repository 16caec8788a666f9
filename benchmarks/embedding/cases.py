"""The cases about answers: which model, which turns, and what is known beforehand.

All tokens are drawn at random from the model's vocabulary, and the fixtures have random weights: that says whether a
cache, a window or a precision does what it must, and nothing about the quality of embeddings.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.embedding.dialogue import Dialogue, file_of, inputs, one_session
from benchmarks.embedding.models import MODELS, PROVENANCE
from harness.case import Problem, case

if TYPE_CHECKING:
    from numpy.typing import NDArray

PROMPT, SECOND, THIRD = 45, 35, 39
"""Tokens of the source's two prompts, and of the one after its reset: contexts of 45, 80 and 39."""
EVOLUTION = 0.9195
VOCABULARY = 256
"""Tokens are below this: every model here, and any that a user brings, knows as many."""


@case(
    version=1,
    task="embedding.states",
    check="benchmarks.embedding.checks:states",
    picture="benchmarks.embedding.pictures:errors",
)
def drift(fixture: str, tokens: int = 192, start: int = 0, seed: int = 0) -> Problem:
    """A prompt in one call, the same again after a reset, then one token at a time."""
    return _states(_steps(fixture, tokens, start, seed), fixture)


def _steps(model: str, tokens: int, start: int, seed: int) -> Dialogue:
    drawn = _tokens(tokens, seed)
    turns = [(PROMPT, PROMPT, 0), (PROMPT, PROMPT, 1), (tokens - PROMPT, 1, 0)]
    return one_session(np.concatenate([drawn[:PROMPT], drawn]), turns, model=model, start=start, theta=_theta(model))


def _states(dialogue: Dialogue, fixture: str, **known: Any) -> Problem:
    precision = fixture.rpartition("-")[2]
    if precision != "f32":
        known["baseline"] = fixture.removesuffix(precision) + "f32"
    return Problem(
        inputs=inputs(dialogue),
        known={"precision": precision, **known},
        provenance=PROVENANCE,
        data={fixture: _sha256(file_of(fixture))},
    )


def _theta(fixture: str) -> float:
    model = MODELS[fixture]
    return float(getattr(MODELS[model.source or fixture].shape, "theta", 0.0))


def _tokens(count: int, seed: int) -> NDArray[np.int64]:
    return np.random.default_rng(seed).integers(0, VOCABULARY, count)


def _sha256(path: Path) -> str:
    """Of a model's file and of the weights beside it, if there are any."""
    total = hashlib.sha256()
    for part in (path, path.with_name(path.name + ".data")):
        if part.is_file():
            with part.open("rb") as file:
                total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()
