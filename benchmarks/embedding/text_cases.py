"""The cases about what is embedded: batches of texts, tokenizers, what must be refused, and the way to persistence.

The tasks:

- ``embedding.texts``: token ids of several texts, each embedded on its own;
- ``embedding.tokens``: texts, with a ``tokenizer.json`` or without one;
- ``embedding.refusals``: graphs, texts and presets that must be refused, and those that must not;
- ``embedding.topology``: texts, their embeddings as a cloud, and its persistence.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.embedding.cases import OWN, VOCABULARY
from benchmarks.embedding.given import precision_of, provenance_of, sha256_of
from harness.case import Problem, case

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHORTEST, LONGEST = 30, 40
"""Tokens of a text: few enough apart that an embedder may pad them into one pass."""
TEXTS = ("Hello, world!", "def f(x):\n    return x", "naïve café", "日本語 \U0001f642", " ")
"""Code, accents, characters beyond the basic plane, and a blank."""
REFERENCE = {"Hello, world!": [9707, 11, 1879, 0]}
"""Tokens by Qwen2.5's tokenizer.json (Hui et al. 2024), as its maintainers' library gives them."""
MADE: dict[str, Any] = {
    "version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None,
    "pre_tokenizer": {"type": "Whitespace"}, "post_processor": None, "decoder": None,
    "model": {"type": "WordLevel", "vocab": {"[UNK]": 0, "Hello": 1, ",": 2, "world": 3, "!": 4}, "unk_token": "[UNK]"},
}  # fmt: skip
"""A tokenizer.json of five words, so that a path through the file can be tested where no weights are."""


@case(version=1, task="embedding.texts", check="benchmarks.embedding.text_checks:texts")
def texts(fixture: str, count: int = 8, dimension: int = 0, seed: int = 0) -> Problem:
    """Texts of different lengths embedded together; ``dimension`` 0 is the embedder's own, 512."""
    return _texts(fixture, count, dimension, seed)


@case(version=1, task="embedding.texts", check="benchmarks.embedding.text_checks:texts")
def own_texts(count: int = 8, dimension: int = 32, seed: int = 0, model: str | None = None) -> Problem:
    """The same of the model that the user names by ``model=``, or of a small GPT-2."""
    return _texts(model or OWN, count, dimension, seed)


@case(version=1, task="embedding.tokens", check="benchmarks.embedding.text_checks:tokens")
def tokens(tokenizer: str, seed: int = 0) -> Problem:
    """Texts of every kind, with a tokenizer.json of five words (``made``) or with none (``missing``)."""
    vocabulary = 320
    if tokenizer == "missing":
        right = [[ord(character) % vocabulary for character in text] for text in TEXTS]
        return _tokens("", TEXTS, right)
    if tokenizer != "made":
        raise ValueError(f"tokenizer {tokenizer!r} is neither missing nor made")
    return _tokens(json.dumps(MADE), ("Hello, world!", "Hello Hello", "who"), [[1, 2, 3, 4], [1, 1], [0]])


@case(
    version=1,
    task="embedding.tokens",
    check="benchmarks.embedding.text_checks:tokens",
    datasets=("qwen2_5_coder_tokenizer",),
)
def reference_tokens(seed: int = 0) -> Problem:
    """The tokenizer.json of Qwen2.5-Coder, on a text whose tokens are known."""
    from harness.data import datasets

    text = (datasets.locate("qwen2_5_coder_tokenizer") / "tokenizer.json").read_text(encoding="utf-8")
    name = "qwen2_5_coder_tokenizer"
    data = {name: datasets.sha256_of(name)}
    # a graph that takes tokens of any vocabulary
    return _tokens(text, tuple(REFERENCE), list(REFERENCE.values()), "full-hollow", provenance="real", data=data)


@case(version=1, task="embedding.refusals", check="benchmarks.embedding.text_checks:refusals")
def edges(kind: str, seed: int = 0) -> Problem:
    """What must be refused with the session left as it was: ``graphs`` that give a wrong cache, or ``texts``."""
    from benchmarks.embedding.players.edges import EDGES

    if kind not in ("graphs", "texts"):
        raise ValueError(f"kind {kind!r} is neither graphs nor texts")
    names = sorted(name for name, (group, _) in EDGES.items() if group == kind)
    return Problem(inputs={"edges": np.array(names)}, known={"refused": [1] * len(names)})


@case(version=1, task="embedding.refusals", check="benchmarks.embedding.text_checks:refusals")
def presets(seed: int = 0) -> Problem:
    """Every preset held against a graph of each size of Qwen: it takes its own and refuses the others."""
    from benchmarks.embedding.players.edges import QWEN

    names = [f"{preset} on {graph}" for preset in QWEN for graph in QWEN]
    return Problem(
        inputs={"edges": np.array(names)},
        known={"refused": [int(preset != graph) for preset in QWEN for graph in QWEN]},
    )


@case(
    version=1,
    task="embedding.topology",
    check="benchmarks.embedding.text_checks:topology",
    picture="benchmarks.persistence.pictures:diagram",
)
def topology(fixture: str = "tiny-hidden-f32", count: int = 40, dimension: int = 16, seed: int = 0) -> Problem:
    """Texts become embeddings, embeddings a cloud, the cloud bars in H0 and H1, up to the diameter of the sphere."""
    made = _texts(fixture, count, dimension, seed)
    inputs = {**made.inputs, "threshold": 2.0, "max_dimension": 1}
    return Problem(inputs=inputs, known=made.known, provenance=made.provenance, data=made.data)


def _texts(model: str, count: int, dimension: int, seed: int) -> Problem:
    rng = np.random.default_rng(seed)
    lengths = rng.integers(SHORTEST, LONGEST + 1, count)
    return Problem(
        inputs={
            "model": model,
            "tokens": rng.integers(1, VOCABULARY, int(lengths.sum())),
            "lengths": lengths,
            "dimension": dimension,
        },
        known={"precision": precision_of(model)},
        provenance=provenance_of(model),
        data={Path(model).name: sha256_of(model)},
    )


def _tokens(
    tokenizer: str, given: tuple[str, ...], right: list[list[int]], model: str = "tiny-f32", **other: Any
) -> Problem:
    return Problem(
        inputs={"model": model, "tokenizer": tokenizer, "texts": np.array(given)},
        known={"tokens": right, "flagged": int(not tokenizer)},
        **other,
    )


def split(flat: NDArray[Any], lengths: NDArray[np.int64]) -> list[NDArray[Any]]:
    """The parts of an array that have these lengths."""
    return np.split(flat, np.cumsum(lengths)[:-1])
