"""Bugs that hosts of decoders have had, each planted in the embedder's own loop: the suite must catch every one.

Each is a small change to one part of :mod:`tcs.embedder`; the graph stays right. Where a bug was reported by users, its
issue stands beside it.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from tcs.embedder.cache import Cache
from tcs.embedder.decoder import Decoder
from tcs.embedder.rotary import turn
from tcs.embedder.window import Window

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tcs.embedder.model import Model


class _BeforeRuns:
    """A binding that lets something happen to what is bound just before a run."""

    def __init__(self, binding: Any, happens: Callable[[], None]) -> None:
        self._binding, self._happens = binding, happens

    def __getattr__(self, name: str) -> Any:
        return getattr(self._binding, name)

    def run(self) -> None:
        """Spoil, then run."""
        self._happens()
        self._binding.run()


class ZeroPositions(Decoder):
    """Every token is fed at position 0."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._binding: Any = _BeforeRuns(self._binding, lambda: self._positions.fill(0))


class StuckPosition(Decoder):
    """Positions begin anew with every call: right for a prompt, wrong for every step after it."""

    def _call(self, tokens: NDArray[np.int64]) -> NDArray[Any]:
        position, self.position = self.position, 0
        found = super()._call(tokens)
        self.position = position + len(tokens)
        return found


class SeededSlot(Decoder):
    """The cache begins with one slot of zeros that the mask shows, since "a past of length 0 is not allowed"."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._seed()

    def reset(self) -> None:
        """Forget all tokens, and seed again."""
        super().reset()
        self._seed()

    @property
    def context_length(self) -> int:
        """Tokens, without the slot: the bug shows itself in the outputs only."""
        return super().context_length - 1

    def cached(self) -> NDArray[Any]:
        """Keys and values without the slot."""
        return super().cached()[:, :, :, 1:]

    def _seed(self) -> None:
        contract = self.model.contract
        slot = contract.kv_heads * contract.head_size * np.dtype(contract.cache_type).itemsize
        for address in self._cache.begin():
            ctypes.memset(address, 0, slot)
        self._cache.take(1)


class RelativeWindow(Decoder):
    """Once tokens were dropped, positions count what is left, while the keys stay as they were written.

    microsoft/onnxruntime#29904.
    """

    def _call(self, tokens: NDArray[np.int64]) -> NDArray[Any]:
        position = self.position
        self.position = min(position, self._cache.visible)
        found = super()._call(tokens)
        self.position = position + len(tokens)
        return found


class HiddenIsSeen(Decoder):
    """The mask shows what has left the window and still lies in the cache."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._binding: Any = _BeforeRuns(self._binding, lambda: self._cache.mask.fill(1))


class MaskTooFar(Decoder):
    """The mask hides the oldest token as well: it is one place too far."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._binding: Any = _BeforeRuns(self._binding, self._hide)

    def _hide(self) -> None:
        if self._cache.length:
            self._cache.mask[0, self._cache.hidden] = 0


class SwappedKeyValue(Decoder):
    """Keys are fed as values and values as keys."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = list(self.model.contract.past)
        swapped = {name: names[i ^ 1] for i, name in enumerate(names)}
        self._binding: Any = _Renamed(self._binding, swapped)


class LayerOrder(Decoder):
    """Each layer is fed the past of the next, as by a host that feeds its inputs in the order of another exporter."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = list(self.model.contract.past)
        self._binding: Any = _Renamed(self._binding, dict(zip(names, names[2:] + names[:2], strict=True)))


class _Renamed:
    """A binding that binds inputs under other names."""

    def __init__(self, binding: Any, names: dict[str, str]) -> None:
        self._binding, self._names = binding, names

    def __getattr__(self, name: str) -> Any:
        return getattr(self._binding, name)

    def bind_input(self, name: str, *rest: Any) -> None:
        """Bind what was meant for one input to another."""
        self._binding.bind_input(self._names.get(name, name), *rest)


class _OneTooMany(Window):
    """A window that drops its first token one step late."""

    @property
    def capacity(self) -> int:
        """One slot more."""
        return self.size + 1

    def admit(self, cache: Cache, tokens: int) -> int:
        """One token more than the window has may be seen."""
        if cache.hidden == 0 and cache.visible == self.size:
            return 1
        return super().admit(cache, tokens)


class LateWindow(Decoder):
    """Off by one when the window fills: for one step a token sees one too many. huggingface/transformers#37574."""

    def __init__(self, model: Model, window: Window, **kwargs: Any) -> None:
        late = _OneTooMany(size=window.size, policy=window.policy, chunk=window.chunk)
        super().__init__(model, late, **kwargs)


class StaleCache(Decoder):
    """A reset sets the position back and leaves the keys and values of the old conversation in place."""

    def reset(self) -> None:
        """Forget where the session stands, and nothing else."""
        self.position = 0


class NotRotated(Decoder):
    """Keys that are stored rotated are taken for keys before rotation, and rotated once more when others are dropped.

    mit-han-lab/streaming-llm#53, huggingface/transformers#35350.
    """

    def _admit(self, tokens: int) -> int:
        position = self.position
        count = super()._admit(tokens)
        if self._rotary and self.position < position:
            theta, layout = self._rotary
            self._cache.turn_keys(lambda keys: _each_at_its_place(keys, theta, layout))
        return count


class TurnedForward(Decoder):
    """Keys are turned on by the positions that were dropped, not back."""

    def _admit(self, tokens: int) -> int:
        position = self.position
        count = super()._admit(tokens)
        if self._rotary and self.position < position:
            theta, layout = self._rotary
            self._cache.turn_keys(lambda keys: turn(keys, 2 * (position - self.position), theta, layout))
        return count


def shared_cache() -> Callable[..., Decoder]:
    """Makes decoders that all write to the cache of the first one."""
    kept: list[Cache] = []

    def make(*args: Any, **kwargs: Any) -> Decoder:
        decoder = Decoder(*args, **kwargs)
        kept.append(decoder._cache)
        decoder._cache = kept[0]
        return decoder

    return make


def _each_at_its_place(keys: Any, theta: float, layout: str) -> None:
    for place in range(keys.shape[2]):
        turn(keys[:, :, place : place + 1], place, theta, layout)
