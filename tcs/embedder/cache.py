"""Keys and values of one sequence, in two buffers that take turns: what a step reads, and what it writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tcs.embedder.errors import CacheError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from tcs.embedder.contract import Contract

LINE = 64
"""Bytes to which tensors are aligned."""

LOST = -1
"""Length of a buffer that holds nothing whole."""


class Cache:
    """The cache of one sequence: tensors (1, kv_heads, length, head_size) of all layers, key and value in turn.

    A graph gives back all keys and values, old and new, so a step reads one buffer and writes the other, and nothing
    is copied besides. Slots at the front can be hidden from the graph by its attention mask, until there is no more
    room; then they are dropped, and the others move to the front.

    What changes the sequence comes into force by one assignment, so an interrupt finds the sequence before or after it.

    Args:
        contract: of the graph. ``capacity``: slots, those that are hidden among them.
        xp: where the buffers lie: numpy for the memory of the host, cupy for that of a GPU.
    """

    def __init__(self, contract: Contract, capacity: int, xp: Any = np) -> None:
        self.capacity, self.xp = capacity, xp
        self._shape = (contract.kv_heads, contract.head_size)
        each = contract.kv_heads * contract.head_size * capacity * np.dtype(contract.cache_type).itemsize
        row = -(-each // LINE) * LINE
        tensors = len(contract.past)
        # not touched before they are used, so a short sequence takes little memory however long it may become
        self._buffers = [_aligned(xp, tensors, row).view(contract.cache_type) for _ in range(2)]
        self._pointers = [[_address(buffer) + row * i for i in range(tensors)] for buffer in self._buffers]
        # How much each buffer holds: the sequence in one, in the other what it was before the last call, or LOST.
        self._past, self._lengths = 0, [0, LOST]
        self.mask: NDArray[np.int64] = np.ones((1, capacity), np.int64)
        self.hidden = 0
        self._drops = 0

    @property
    def length(self) -> int:
        """Tokens in the cache, those that are hidden among them."""
        return self._lengths[self._past]

    @property
    def visible(self) -> int:
        """Tokens that the next one can see."""
        return self.length - self.hidden

    @property
    def nbytes(self) -> int:
        """Bytes of both buffers."""
        return sum(int(buffer.nbytes) for buffer in self._buffers)

    @property
    def past_pointers(self) -> list[int]:
        """Where the past of each tensor lies."""
        return self._pointers[self._past]

    def begin(self) -> list[int]:
        """Where each tensor is to be written; what stood there is lost."""
        self._lengths[1 - self._past] = LOST
        return self._pointers[1 - self._past]

    def clear(self) -> None:
        """Forget everything."""
        self._drops += 1
        self._lengths = [0, 0]
        self.hidden = 0
        self.mask[:] = 1

    def make_room(self, tokens: int, *, hides: bool) -> int:
        """Drop what is hidden if the next tokens would not fit beside it; how many slots were dropped.

        Args:
            hides: whether the graph heeds a mask that hides slots at the front; else they are dropped at once.
        """
        if not self.hidden or (hides and self.length + tokens <= self.capacity):
            return 0
        dropped = self.hidden
        self._drops += 1
        # the past may not overlap itself, so it moves to the other buffer
        self._move(dropped, self.length)
        self.mask[0, :dropped] = 1
        self.hidden = 0
        return dropped

    def hide(self, tokens: int) -> None:
        """Hide the oldest tokens that are visible from the steps that follow."""
        self.mask[0, self.hidden : self.hidden + tokens] = 0
        self.hidden += tokens

    def take(self, tokens: int) -> None:
        """Take what a step wrote for so many tokens.

        Raises:
            CacheError: it is not finite; the cache stays as it was.
        """
        length = self.length + tokens
        new = self._tensors(1 - self._past, length)[:, :, self.length :]
        if not bool(self.xp.isfinite(new).all()):
            bad = [int(i) for i in self.xp.flatnonzero(~self.xp.isfinite(new).all(axis=(1, 2, 3)))]
            raise NotFinite(bad)
        self._lengths[1 - self._past] = length
        self._past = 1 - self._past

    def mark(self) -> tuple[int, int, int]:
        """Where the sequence stands, for :meth:`return_to`."""
        return self.length, self.hidden, self._drops

    def return_to(self, mark: tuple[int, int, int]) -> bool:
        """Forget what came after a mark, at no cost if that was one call; False if slots were dropped meanwhile."""
        length, hidden, drops = mark
        if drops != self._drops:
            return False
        if length == self._lengths[1 - self._past]:
            self._past = 1 - self._past
        elif length != self.length:
            self._move(0, length)
        self.mask[0, hidden:] = 1
        self.hidden = hidden
        return True

    def turn_keys(self, turn: Callable[[Any], None]) -> None:
        """Change all keys (layers, kv_heads, length, head_size) in place."""
        turn(self._tensors(self._past, self.length)[::2])
        self._settle()

    def read(self) -> NDArray[Any]:
        """A copy of what is visible, (layers, 2, kv_heads, visible, head_size), keys before values."""
        found = self._tensors(self._past, self.length)[:, :, self.hidden :]
        host: NDArray[Any] = np.array(found if self.xp is np else self.xp.asnumpy(found))
        return host.reshape(len(host) // 2, 2, *host.shape[1:])

    def whole(self) -> list[NDArray[Any]]:
        """A copy of each tensor (1, kv_heads, length, head_size), key and value in turn, hidden slots among them."""
        found = self._tensors(self._past, self.length)
        return [np.array(each if self.xp is np else self.xp.asnumpy(each))[None] for each in found]

    def _move(self, start: int, stop: int) -> None:
        """Keep these tokens only, in the other buffer."""
        other = 1 - self._past
        self._lengths[other] = LOST
        self._tensors(other, stop - start)[:] = self._tensors(self._past, self.length)[:, :, start:stop]
        self._settle()
        self._lengths[other] = stop - start
        self._past = other

    def _settle(self) -> None:
        """Wait for a device: the graph runs in a stream of its own, which would not wait for what was begun here."""
        if self.xp is not np:
            self.xp.cuda.get_current_stream().synchronize()

    def _tensors(self, which: int, length: int) -> Any:
        """A view (tensors, kv_heads, length, head_size) of a buffer."""
        heads, size = self._shape
        buffer = self._buffers[which]
        return buffer[:, : heads * length * size].reshape(len(buffer), heads, length, size)


class NotFinite(CacheError):
    """Tensors (their numbers, key and value in turn) that hold NaN or infinity."""

    def __init__(self, tensors: list[int]) -> None:
        super().__init__(tensors)
        self.tensors = tensors


def _aligned(xp: Any, tensors: int, row: int) -> Any:
    """Bytes (tensors, row), the first on a line."""
    whole = xp.empty(tensors * row + LINE, np.uint8)
    start = -_address(whole) % LINE
    return whole[start : start + tensors * row].reshape(tensors, row)


def _address(buffer: Any) -> int:
    return int(buffer.ctypes.data if isinstance(buffer, np.ndarray) else buffer.data.ptr)
