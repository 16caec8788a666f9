"""The embedder: a model, its tokenizer, and sessions that remember."""

from __future__ import annotations

import json
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from tcs.embedder.batch import TOKENS_A_PASS, groups, padded_outputs
from tcs.embedder.decoder import Decoder
from tcs.embedder.errors import EmbedderError, InputError
from tcs.embedder.model import CPU, Model
from tcs.embedder.observe import Observer, spans
from tcs.embedder.pooling import POOLINGS, pool, shorten
from tcs.embedder.presets import DEFAULT, Preset, preset_of
from tcs.embedder.session import Embedding, Limits, Session, name_of, tokens_of
from tcs.embedder.tokenizer import beside, tokenizer_for
from tcs.embedder.window import Window

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tcs.embedder.tokenizer import Text

BYTES = 256
"""Tokens of a tokenizer of characters, where nobody knows how many the model has."""


class Embedder:
    """Embeds texts by a decoder's hidden state (or its logits, where the graph gives nothing else).

    Args:
        model: path of an ONNX decoder with a key-value cache.
        tokenizer: path of a ``tokenizer.json``; if not given, one beside the model, else characters stand in.
        preset: what the graph must be, by name or as a :class:`Preset`; None takes any decoder as it is.
        window: tokens that a token sees. ``policy``: what happens when it is full, one of
            :data:`tcs.embedder.window.POLICIES`. ``chunk``: of policy ``chunked``.
        longest: tokens of one text. ``prefill``: tokens of one call of the graph at most.
        dimension: of the embeddings, at most the width of the output. ``pooling``: ``last`` or ``mean``.
        theta: base of the rotary angles, for policy ``re-rotated``; the preset's, or that of a ``config.json`` beside
            the model, if not given.
        providers: of onnxruntime. ``threads``: of one pass, 0 for all cores.
        observers: told of every call.

    Raises:
        MissingError, ProviderError, ContractError, InputError: see :class:`tcs.embedder.model.Model`; the message names
            the argument.
    """

    def __init__(
        self, model: str | Path, tokenizer: str | Path | None = None, *, preset: str | Preset | None = DEFAULT,
        window: int = 2048, policy: str = "drop-oldest", chunk: int = 0, longest: int = 8192, prefill: int = 512,
        dimension: int = 512, pooling: str = "last", theta: float | None = None, providers: Sequence[str] = (CPU,),
        threads: int = 0, observers: Sequence[Observer] = (),
    ) -> None:  # fmt: skip
        if pooling not in POOLINGS:
            raise InputError(f"pooling {pooling!r} is not one of {', '.join(POOLINGS)}")
        if longest < 1:
            raise InputError(f"longest={longest}: a text has 1 token or more")
        chosen = preset_of(preset) if isinstance(preset, str) else preset
        self._window = Window(size=window, policy=policy, chunk=chunk)
        self.model = Model(model, preset=chosen, providers=providers, threads=threads)
        if not 1 <= dimension <= self.model.width:
            raise InputError(
                f"dimension={dimension}: the output of {self.model.path.name} has {self.model.width} coordinates; "
                f"choose from 1 to {self.model.width}"
            )
        known = config_beside(self.model.path)
        self._theta = theta if theta is not None else chosen.theta if chosen else rope_theta(known)
        self._limits = Limits(
            dimension=dimension,
            pooling=pooling,
            longest=longest,
            positions=chosen.positions if chosen else known.get("max_position_embeddings"),
            vocabulary=chosen.vocabulary if chosen else self._vocabulary(known),
        )
        if policy == "re-rotated" and self._window.capacity > (self._limits.positions or self._window.capacity):
            raise InputError(
                f"window={window}: its positions run to {self._window.capacity:,} before keys are turned back, and the "
                f"model knows {self._limits.positions:,}"
            )
        self._prefill, self._observers = prefill, tuple(observers)
        self.tokenizer = tokenizer_for(model, tokenizer, self._limits.vocabulary or BYTES)
        self._session = self.session()

    def session(self) -> Session:
        """A conversation of its own, with an empty cache."""
        decoder = Decoder(self.model, self._window, prefill=self._prefill, theta=self._theta)
        return Session(decoder, self.tokenizer, self._limits, self._observers)

    @property
    def context_length(self) -> int:
        """Tokens in the cache of the embedder's own session."""
        return self._session.context_length

    def reset(self) -> None:
        """Begin the embedder's own session anew."""
        self._session.reset()

    @overload
    def embed(self, text: Text) -> Embedding: ...
    @overload
    def embed(self, text: list[Text] | list[str] | list[NDArray[np.int64]]) -> list[Embedding]: ...
    def embed(self, text: Text | list[Text] | list[str] | list[NDArray[np.int64]]) -> Embedding | list[Embedding]:
        """One text goes on with the embedder's own session; a list of them is embedded each on its own, beside it.

        Raises:
            InputError, CacheError: see :meth:`Session.embed`; for several texts the message names which.
        """
        return self._batch(list(text)) if isinstance(text, list) else self._session.embed(text)

    def stream(self, text: Text, every: int = 64) -> Generator[Embedding, None, None]:
        """Partial embeddings of a text that goes on with the session; see :meth:`Session.stream`."""
        return self._session.stream(text, every)

    def _batch(self, texts: list[Text]) -> list[Embedding]:
        found: dict[int, Embedding] = {}
        with spans(self._observers, "embed", texts=len(texts)):
            tokens = []
            for i, text in enumerate(texts):
                with _naming(i, texts):
                    tokens.append(tokens_of(text, self.tokenizer, self._limits))
            most = min(self._prefill, self._window.size, self._limits.positions or self._window.size)
            short = [i for i, each in enumerate(tokens) if len(each) <= most]
            # a graph that heeds no padding gets one text a pass: quantised activations depend on their company, too
            together = TOKENS_A_PASS if self.model.paddings else 0
            for group in groups([len(tokens[i]) for i in short], together):
                members = [short[i] for i in group]
                for i, outputs in zip(members, self._pass([tokens[i] for i in members]), strict=True):
                    with _naming(i, texts):
                        found[i] = self._embedding(texts[i], outputs)
            for i in sorted(set(range(len(tokens))) - set(short)):
                with _naming(i, texts):
                    found[i] = self.session().embed(texts[i])
        return [found[i] for i in range(len(texts))]

    def _pass(self, tokens: list[NDArray[np.int64]]) -> list[NDArray[Any]]:
        """Outputs of one padded pass, told to the observers."""
        with spans(self._observers, "call", texts=len(tokens)):
            start = time.perf_counter()
            outputs = padded_outputs(self.model, tokens)
            seconds = time.perf_counter() - start
        for observer in self._observers:
            observer.call("batch", sum(map(len, tokens)), seconds, 0)
        return outputs

    def _embedding(self, text: Text, outputs: NDArray[Any]) -> Embedding:
        """Of the outputs (n, width) of a text that was alone in its context."""
        return Embedding(
            vector=shorten(pool(outputs, self._limits.pooling), self._limits.dimension),
            tokens=len(outputs),
            context_length=len(outputs),
            tokenizer=name_of(text, self.tokenizer),
        )

    def _vocabulary(self, known: dict[str, Any]) -> int | None:
        """How many tokens the model knows, as far as that can be told: of the logits, or of its config.json."""
        contract = self.model.contract
        return (contract.width if contract.output == "logits" else None) or known.get("vocab_size")


@contextmanager
def _naming(i: int, texts: list[Text]) -> Iterator[None]:
    """Errors within say which text they are about."""
    try:
        yield
    except EmbedderError as error:
        raise type(error)(f"text {i} of {len(texts)}: {error}") from error


def config_beside(model: Path) -> dict[str, Any]:
    """What a ``config.json`` beside a model or above it says; empty where there is none."""
    path = beside(model, "config.json")
    if path is None:
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path} is no JSON: {error}") from error
    return found if isinstance(found, dict) else {}


def rope_theta(config: dict[str, Any]) -> float | None:
    """The base of the rotary angles, where transformers 4 writes it and where 5 does; None if neither is there.

    >>> rope_theta({"rope_parameters": {"rope_theta": 1000000.0}})
    1000000.0
    """
    found = (config.get("rope_parameters") or {}).get("rope_theta", config.get("rope_theta"))
    return float(found) if found is not None else None
