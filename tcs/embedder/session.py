"""A conversation: texts one after another, each embedded in the light of those before it."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tcs.embedder.errors import EmbedderError, InputError
from tcs.embedder.observe import Observer, spans
from tcs.embedder.pooling import pool, shorten

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tcs.embedder.decoder import Decoder
    from tcs.embedder.tokenizer import Text, Tokenizer


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Embedding:
    """An embedding, and how it came about.

    Attributes:
        vector: float32 (dimension,), of Euclidean length 1.
        tokens: of this text (so far, for a partial embedding). ``context_length``: in the cache after them.
        tokenizer: ``tokenizer.json``; ``characters`` where there was none, and then it means little; ``ids``
            where token ids were given.
        complete: False for a partial embedding.
    """

    vector: NDArray[np.float32]
    tokens: int
    context_length: int
    tokenizer: str
    complete: bool = True

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """The vector, for numpy."""
        return np.array(self.vector, dtype=dtype, copy=copy)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How an output becomes an embedding, and how long a text may be.

    Attributes:
        dimension: of embeddings. ``pooling``: ``last`` or ``mean``, over the tokens of a text.
        longest: tokens of one text. ``positions``: that the model knows, None if that is not known.
        vocabulary: how many tokens it knows, likewise.
    """

    dimension: int = 512
    pooling: str = "last"
    longest: int = 8192
    positions: int | None = None
    vocabulary: int | None = None


class Session:
    """One conversation with a cache of its own. Sessions of one embedder may run in threads side by side.

    It takes one text at a time. Whatever stops a text midway, be it an error of the graph, of an observer, or
    Ctrl-C, the session stands where it stood before that text, or is begun anew where others were dropped for it.
    """

    def __init__(
        self, decoder: Decoder, tokenizer: Tokenizer, limits: Limits, observers: Sequence[Observer] = ()
    ) -> None:
        self.decoder = decoder
        self._tokenizer, self._limits, self._observers = tokenizer, limits, tuple(observers)
        self._busy = threading.Lock()

    @property
    def context_length(self) -> int:
        """Tokens in the cache, which the next one will see."""
        return self.decoder.context_length

    def reset(self) -> None:
        """Begin anew: the next text is embedded as if it were the first.

        Raises:
            InputError: the session is in the middle of a text.
        """
        with self._alone():
            self.decoder.reset()

    def embed(self, text: Text) -> Embedding:
        """The embedding of a text (str, or token ids (n,)) after all that came before it.

        Raises:
            InputError: the text is empty, too long or no text, its ids or positions go beyond those of the model, or
                the session is in the middle of another text.
            CacheError: the graph failed, or gave what cannot be taken; the message says where the session stands.
            ContractError: the window is full, and the graph cannot slide it; likewise.
        """
        *_, last = self.stream(text, every=0)
        return last

    def stream(self, text: Text, every: int = 64) -> Generator[Embedding, None, None]:
        """Partial embeddings after each ``every`` tokens, and the whole one last; 0 for that one only.

        The session takes no other text until the last one, or until the iterator is closed or forgotten. If that is
        before the last one, the session has taken the tokens that the partial embeddings tell of, and no others.

        Raises:
            InputError, CacheError, ContractError: as :meth:`embed` does, when an embedding is asked for.
        """
        if every < 0:
            raise InputError(f"every={every}: tokens between partial embeddings, or 0 for none")
        with self._alone():
            tokens = self._checked(text)
            mark = self.decoder.mark()
            try:
                with spans(self._observers, "embed", tokens=len(tokens), context_length=self.context_length):
                    yield from self._parts(tokens, every or len(tokens), name_of(text, self._tokenizer))
            except GeneratorExit:
                raise
            except EmbedderError as error:
                raise type(error)(f"{error}. {self._undo(mark)}") from error
            except BaseException:
                self._undo(mark)
                raise

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if not self._busy.acquire(blocking=False):
            raise InputError(
                "the session is in the middle of a text; let its stream end or close it, and open a session for "
                "each thread"
            )
        try:
            yield
        finally:
            self._busy.release()

    def _undo(self, mark: Any) -> str:
        """Forget the tokens after a mark; where the session stands then."""
        return _STANDS if self.decoder.return_to(mark) else _ANEW

    def _parts(self, tokens: NDArray[np.int64], every: int, tokenizer: str) -> Iterator[Embedding]:
        mean = self._limits.pooling == "mean"
        total: NDArray[np.float64] = np.zeros(self.decoder.model.width if mean else 0)
        for start in range(0, len(tokens), every):
            part = tokens[start : start + every]
            for outputs in self._calls(part):
                if mean:
                    total += pool(outputs, "mean") * len(outputs)
            done = start + len(part)
            yield Embedding(
                vector=shorten(total / done if mean else pool(outputs, "last"), self._limits.dimension),
                tokens=done,
                context_length=self.context_length,
                tokenizer=tokenizer,
                complete=done == len(tokens),
            )

    def _calls(self, tokens: NDArray[np.int64]) -> Iterator[NDArray[Any]]:
        """Outputs of the decoder's calls, each told to the observers."""
        calls, left = self.decoder.advance(tokens), len(tokens)
        if not self._observers:
            yield from calls
            return
        while left:
            with spans(self._observers, "call", context_length=self.context_length):
                start = time.perf_counter()
                outputs = next(calls)
                seconds = time.perf_counter() - start
            kind = "decode" if len(outputs) == 1 else "prefill"
            for observer in self._observers:
                observer.call(kind, len(outputs), seconds, self.context_length)
            left -= len(outputs)
            yield outputs

    def _checked(self, text: Text) -> NDArray[np.int64]:
        tokens = tokens_of(text, self._tokenizer, self._limits)
        end = self.decoder.position + len(tokens)
        window = self.decoder.window
        if window.policy == "re-rotated":
            end = min(end, window.capacity)
        if self._limits.positions is not None and end > self._limits.positions:
            raise InputError(
                f"the session would come to position {end:,}, and the model knows {self._limits.positions:,}; reset "
                f"it, or use policy='re-rotated', whose positions stay small"
            )
        return tokens


_STANDS = "The session stands where it stood before this text"
_ANEW = "Tokens before this text had left the window, so the session has been begun anew"


def name_of(text: Text, tokenizer: Tokenizer) -> str:
    """What made tokens of a text, for :attr:`Embedding.tokenizer`."""
    return "ids" if isinstance(text, np.ndarray) else tokenizer.name


def tokens_of(text: Text, tokenizer: Tokenizer, limits: Limits) -> NDArray[np.int64]:
    """Token ids (n,) of a text, or the ids themselves.

    Raises:
        InputError: there are none or too many, the model has no such token, or it is neither a text nor ids.
    """
    if isinstance(text, np.ndarray):
        if text.ndim != 1 or text.dtype.kind not in "iu":
            raise InputError(f"token ids are whole numbers (n,), not {text.dtype} {text.shape}")
        tokens = text
    else:
        tokens = tokenizer.tokens(text)
    if not len(tokens):
        raise InputError("the text is empty: it has no token to embed")
    if len(tokens) > limits.longest:
        raise InputError(
            f"the text has {len(tokens):,} tokens, more than the {limits.longest:,} of longest; embed it in parts"
        )
    known = 2**63 if limits.vocabulary is None else limits.vocabulary
    if int(tokens.min()) < 0 or int(tokens.max()) >= known:
        place = next(i for i, token in enumerate(tokens.tolist()) if not 0 <= token < known)
        raise InputError(
            f"token {place} of the text is {tokens[place]}, and the model's vocabulary is 0 to {known - 1:,}; "
            f"{'look at the ids' if isinstance(text, np.ndarray) else f'is {tokenizer.name} of another model?'}"
        )
    return tokens.astype(np.int64)
