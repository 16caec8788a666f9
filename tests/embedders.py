"""Tiny decoders opened by tcs.embedder, each once, and what must come of them by the forward pass in float64."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.embedding import oracle
from benchmarks.embedding.decoder import TINY, weights
from benchmarks.embedding.models import path_of
from tcs.embedder.decoder import Decoder
from tcs.embedder.model import Model
from tcs.embedder.session import Limits, Session
from tcs.embedder.tokenizer import CharacterTokenizer
from tcs.embedder.window import Window

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

KINDS = ("tiny-f32", "tiny-plain-f32", "tiny-gqa-f32")
"""The same weights in three styles of attention; the last takes padding on the right only."""
SINGLE = 5e-6
"""Relative error of float32 after four layers; 1e-6 is what one sees."""
HALF = 1e-2
"""Of float16; 2e-3 is what one sees."""
TOKENS = np.random.default_rng(3).integers(0, TINY.vocabulary, 40)


@functools.cache
def model(name: str = "tiny-f32") -> Model:
    """A model by its name in the suite, on one thread."""
    return Model(path_of(name), preset=None, threads=1)


def decoder(
    name: str | Model = "tiny-f32", *, prefill: int = 512, theta: float | None = None, **window: Any
) -> Decoder:
    """An empty decoder; the other arguments are those of :class:`Window`."""
    opened = model(name) if isinstance(name, str) else name
    return Decoder(opened, Window(**window), prefill=prefill, theta=theta)


def session(decoder: Decoder, observers: Sequence[Any] = (), **limits: Any) -> Session:
    """A session on a decoder, with a tokenizer of characters and embeddings of 64 coordinates."""
    characters = CharacterTokenizer(TINY.vocabulary, Path())
    return Session(decoder, characters, Limits(**{"dimension": 64, "vocabulary": TINY.vocabulary} | limits), observers)


def outputs(decoder: Decoder, tokens: ArrayLike) -> NDArray[np.float64]:
    """Outputs (n, width) of the tokens (n,), which the decoder takes."""
    parts = [part.astype(np.float64) for part in decoder.advance(np.asarray(tokens))]
    return np.concatenate(parts) if parts else np.empty((0, decoder.model.width))


@functools.cache
def tiny_weights() -> dict[str, NDArray[np.float32]]:
    return weights(TINY)


def right(tokens: NDArray[np.int64], mask: NDArray[np.bool_] | None = None) -> oracle.Pass:
    """What every tiny model must give, of whatever it sees by a mask (T, T)."""
    return oracle.forward(tiny_weights(), TINY, tokens, mask=mask)


def direction(vector: NDArray[np.float64], dimension: int = 64) -> NDArray[np.float64]:
    """The first coordinates, of length 1."""
    cut: NDArray[np.float64] = vector[:dimension] / np.linalg.norm(vector[:dimension])
    return cut


@dataclass
class Argument:
    """An input or output as onnxruntime describes it."""

    name: str
    type: str = "tensor(float)"
    shape: Sequence[Any] = ()
