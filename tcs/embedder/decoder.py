"""Steps of one sequence: many tokens in a call or one at a time, from the cache, within the window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tcs.embedder.binding import Binding
from tcs.embedder.cache import Cache, NotFinite
from tcs.embedder.contract import MASK, POSITIONS, TOKENS
from tcs.embedder.errors import CacheError, ContractError, InputError
from tcs.embedder.model import CUDA_PACKAGE, brief
from tcs.embedder.probes import rotary_layout
from tcs.embedder.rotary import turn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from tcs.embedder.model import Model
    from tcs.embedder.window import Window


class Decoder:
    """A model and the cache of one sequence. Decoders of one model can run at the same time, each in one thread.

    Attributes:
        position: of the next token.

    Args:
        window: which tokens a token sees. ``prefill``: the most tokens of one call, which bounds its memory.
        theta: base of the rotary angles, for the policy ``re-rotated``.

    Raises:
        InputError: ``prefill`` is below 1, or ``theta`` is needed and not given or no base.
        ContractError: the window is re-rotated, and the keys of the graph are not rotary, or not with this base.
    """

    def __init__(self, model: Model, window: Window, *, prefill: int = 512, theta: float | None = None) -> None:
        if prefill < 1:
            raise InputError(f"prefill={prefill}: a call takes 1 token or more")
        self.model, self.window, self.prefill = model, window, prefill
        self.position = 0
        contract = model.contract
        self._rotary: tuple[float, str] | None = None
        if window.policy == "re-rotated":
            if theta is None:
                raise InputError(
                    "policy='re-rotated' needs theta, the base of the rotary angles ('rope_theta' in config.json)"
                )
            if not 0 < theta < np.inf:
                raise InputError(f"theta={theta}: the base of the rotary angles is a positive number")
            self._rotary = theta, rotary_layout(model, theta)
        self._cache = Cache(contract, window.capacity, xp=_arrays(model.device))
        self._binding = Binding(model.session)
        self._host, self._there = self._binding.at("cpu"), self._binding.at(model.device)
        self._tokens, self._positions = np.empty((1, prefill), np.int64), np.empty((1, prefill), np.int64)
        self._one: NDArray[Any] = np.empty((1, 1, model.width), contract.output_type)
        for name, value in model.constants.items():
            self._binding.hold(name, value)

    @property
    def context_length(self) -> int:
        """Tokens in the cache that the next one can see."""
        return self._cache.visible

    @property
    def cache_bytes(self) -> int:
        """Bytes kept for the cache; those not yet in use have not been touched."""
        return self._cache.nbytes

    def reset(self) -> None:
        """Forget all tokens."""
        self.position = 0
        self._cache.clear()

    def cached(self) -> NDArray[Any]:
        """A copy of the keys and values that can be seen, (layers, 2, kv_heads, tokens, head_size), keys first."""
        return self._cache.read()

    def advance(self, tokens: NDArray[np.int64]) -> Iterator[NDArray[Any]]:
        """Outputs (n, width) of the tokens (t,), a part for each call, as the graph gives them.

        A part is valid until the next one is asked for. Without a window that is full, one call takes up to ``prefill``
        tokens.

        Raises:
            CacheError: a call failed, or gave tensors that cannot be taken. What earlier calls gave stays.
            ContractError: the window is full, and the graph has no positions that would let it slide.
        """
        first = 0
        while first < len(tokens):
            count = self._admit(min(self.prefill, len(tokens) - first))
            yield self._call(tokens[first : first + count])
            first += count

    def mark(self) -> tuple[int, tuple[int, int, int]]:
        """Where the sequence stands, for :meth:`return_to`."""
        return self.position, self._cache.mark()

    def return_to(self, mark: tuple[int, tuple[int, int, int]]) -> bool:
        """Forget the tokens after a mark; False if others were dropped meanwhile, and then all is forgotten."""
        position, place = mark
        if not self._cache.return_to(place):
            self.reset()
            return False
        self.position = position
        return True

    def _admit(self, tokens: int) -> int:
        """Make room for the next call; how many of the tokens may go into it."""
        cache = self._cache
        if cache.visible >= self.window.size and not self.model.contract.positions:
            raise ContractError(
                f"the window of {self.window.size} tokens is full, and {self.model.path.name} takes no {POSITIONS}, so "
                f"none can be dropped without moving the others; reset the session or open it with a larger window"
            )
        count = self.window.admit(cache, tokens)
        if cache.hidden and (dropped := cache.make_room(count, hides="left" in self.model.paddings)) and self._rotary:
            theta, layout = self._rotary
            cache.turn_keys(lambda keys: turn(keys, -dropped, theta, layout, cache.xp))
            self.position -= dropped
        return count

    def _call(self, tokens: NDArray[np.int64]) -> NDArray[Any]:
        """One run of the graph over tokens (n,) after those in the cache, which it joins."""
        cache, contract, count = self._cache, self.model.contract, len(tokens)
        mark = cache.mark()
        past, total = cache.length, cache.length + count
        heads, size, kind = contract.kv_heads, contract.head_size, contract.cache_type
        outputs = self._one if count == 1 else np.empty((1, count, self.model.width), contract.output_type)
        self._tokens[0, :count] = tokens
        self._positions[0, :count] = np.arange(self.position, self.position + count)
        put, get, host, there = self._binding.bind_input, self._binding.bind_output, self._host, self._there
        put(TOKENS, *host, np.int64, [1, count], self._tokens.ctypes.data)
        if contract.mask:
            put(MASK, *host, np.int64, [1, total], cache.mask.ctypes.data)
        if contract.positions:
            put(POSITIONS, *host, np.int64, [1, count], self._positions.ctypes.data)
        get(contract.output, *host, contract.output_type, outputs.shape, outputs.ctypes.data)
        before, after = [1, heads, past, size], [1, heads, total, size]
        for name, address in zip(contract.past, cache.past_pointers, strict=True):
            put(name, *there, kind, before, address)
        for name, address in zip(contract.present, cache.begin(), strict=True):
            get(name, *there, kind, after, address)
        try:
            self._binding.run()
        except Exception as error:  # onnxruntime's own errors have no common base
            raise CacheError(self._explain(tokens, error)) from error
        try:
            cache.take(count)
        except NotFinite as error:
            names = ", ".join(contract.present[i] for i in error.tensors[:3])
            raise CacheError(
                f"{len(error.tensors)} tensors of the cache hold NaN or infinity after {count} tokens, first {names}"
                f"{_overflow(kind)}; nothing of them was taken"
            ) from None
        if not np.isfinite(outputs).all():
            cache.return_to(mark)
            raise CacheError(f"the output {contract.output!r} holds NaN or infinity{_overflow(contract.output_type)}")
        self.position += count
        found: NDArray[Any] = outputs[0]
        return found

    def _explain(self, tokens: NDArray[np.int64], error: Exception) -> str:
        """Why a run failed: which output came in another shape, if that can be found out."""
        model, cache, count = self.model, self._cache, len(tokens)
        contract = model.contract
        feeds = model.feeds(
            np.array(tokens[None]),
            cache.mask[:, : cache.length + count].copy(),
            self._positions[:, :count].copy(),
            cache.whole(),
        )
        cached = (1, contract.kv_heads, cache.length + count, contract.head_size)
        right: dict[str, tuple[int, ...]] = dict.fromkeys(contract.present, cached)
        right[contract.output] = (1, count, model.width)
        try:
            found = model.session.run(list(right), feeds)
        except Exception:  # noqa: BLE001 - it fails in any case: then its own words are all that is known
            return f"{model.path.name} failed on {count} tokens after {cache.length}: {brief(error)}"
        wrong = [(name, each.shape) for name, each in zip(right, found, strict=True) if each.shape != right[name]]
        if not wrong:
            return f"{model.path.name} failed on {count} tokens after {cache.length}: {brief(error)}"
        name, shape = wrong[0]
        also = f", and {len(wrong) - 1} more are wrong" if len(wrong) > 1 else ""
        return (
            f"{name!r} came back with shape {shape} instead of {right[name]}{also}: there were {cache.length} tokens "
            f"before and {count} new ones; nothing of it was taken"
        )


def _overflow(kind: Any) -> str:
    return "; float16 ends at 65,504, so a float32 graph may not" if np.dtype(kind) == np.float16 else ""


def _arrays(device: str) -> Any:
    """numpy, or cupy for a cache in the memory of a GPU."""
    if device == "cpu":
        return np
    try:
        import cupy
    except ModuleNotFoundError as error:
        raise InputError(f"a cache on a GPU needs CuPy; {CUDA_PACKAGE}, or leave CUDA out of providers") from error
    return cupy
