"""A conversation: texts one after another, each embedded in the light of those before it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tcs.embedder.errors import CacheError, InputError
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
    """

    dimension: int = 512
    pooling: str = "last"
    longest: int = 8192
    positions: int | None = None


class Session:
    """One conversation with a cache of its own. Sessions of one embedder may run in threads side by side."""

    def __init__(
        self, decoder: Decoder, tokenizer: Tokenizer, limits: Limits, observers: Sequence[Observer] = ()
    ) -> None:
        self.decoder = decoder
        self._tokenizer, self._limits, self._observers = tokenizer, limits, tuple(observers)

    @property
    def context_length(self) -> int:
        """Tokens in the cache, which the next one will see."""
        return self.decoder.context_length

    def reset(self) -> None:
        """Begin anew: the next text is embedded as if it were the first."""
        self.decoder.reset()

    def embed(self, text: Text) -> Embedding:
        """The embedding of a text (str, or token ids (n,)) after all that came before it.

        Raises:
            InputError: the text is empty, too long or no text, or its positions go beyond those of the model.
            CacheError: the graph failed, or gave what cannot be taken. The session stands where it stood before, or is
                begun anew where that cannot be; the message says which.
        """
        *_, last = self.stream(text, every=0)
        return last

    def stream(self, text: Text, every: int = 64) -> Iterator[Embedding]:
        """Partial embeddings after each ``every`` tokens, and the whole one last; 0 for that one only.

        Raises:
            InputError, CacheError: as :meth:`embed` does.
        """
        tokens = self._checked(text)
        mark = self.decoder.mark()
        total: NDArray[np.float64] = np.zeros(self.decoder.model.width)
        done = 0
        with spans(self._observers, "embed", tokens=len(tokens), context_length=self.context_length):
            while done < len(tokens):
                part = tokens[done : done + every] if every else tokens
                try:
                    for outputs in self._calls(part):
                        done += len(outputs)
                        pooled = pool(outputs, self._limits.pooling)
                        total += pooled * len(outputs)
                except CacheError as error:
                    back = self.decoder.return_to(mark)
                    raise CacheError(f"{error}. {_STANDS if back else _ANEW}") from error
                if self._limits.pooling == "mean":
                    pooled = total / done
                yield Embedding(
                    vector=shorten(pooled, self._limits.dimension),
                    tokens=done,
                    context_length=self.context_length,
                    tokenizer=name_of(text, self._tokenizer),
                    complete=done == len(tokens),
                )

    def _calls(self, tokens: NDArray[np.int64]) -> Iterator[NDArray[Any]]:
        """Outputs of the decoder's calls, each told to the observers."""
        calls = self.decoder.advance(tokens)
        if not self._observers:
            yield from calls
            return
        while True:
            with spans(self._observers, "call", context_length=self.context_length):
                start = time.perf_counter()
                outputs = next(calls, None)
                seconds = time.perf_counter() - start
            if outputs is None:
                return
            kind = "decode" if len(outputs) == 1 else "prefill"
            for observer in self._observers:
                observer.call(kind, len(outputs), seconds, self.context_length)
            yield outputs

    def _checked(self, text: Text) -> NDArray[np.int64]:
        tokens = tokens_of(text, self._tokenizer, self._limits)
        end = self.decoder.position + len(tokens)
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
        InputError: there are none or too many, or it is neither a text nor ids.
    """
    if isinstance(text, np.ndarray):
        if text.ndim != 1 or text.dtype.kind not in "iu":
            raise InputError(f"token ids are whole numbers (n,), not {text.dtype} {text.shape}")
        tokens = text.astype(np.int64)
    else:
        tokens = tokenizer.tokens(text)
    if not len(tokens):
        raise InputError("the text is empty: it has no token to embed")
    if len(tokens) > limits.longest:
        raise InputError(
            f"the text has {len(tokens):,} tokens, more than the {limits.longest:,} of longest; embed it in parts"
        )
    return tokens
