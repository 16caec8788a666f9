"""Which tokens a token sees: the window, and what happens when it is full."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tcs.embedder.errors import InputError

if TYPE_CHECKING:
    from tcs.embedder.cache import Cache

POLICIES = {
    "drop-oldest": "a token sees itself and the size - 1 tokens before it, at their absolute positions",
    "re-rotated": "the same tokens, at positions that stay small: keys are turned back when others are dropped",
    "chunked": "when the window is full its oldest chunk is dropped; a token sees all that is left",
}
# Hidden tokens that may gather before they are dropped, as a part of the window, and at most so many.
SLACK, MOST_SLACK = 8, 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A window of ``size`` tokens under one of :data:`POLICIES`; ``chunk`` is of the chunked one.

    Raises:
        InputError: for an unknown policy, a size below 1, or a chunk that is not between 1 and the size.
    """

    size: int = 2048
    policy: str = "drop-oldest"
    chunk: int = 0

    def __post_init__(self) -> None:
        if self.policy not in POLICIES:
            raise InputError(f"policy {self.policy!r} is not one of {', '.join(POLICIES)}")
        if self.size < 1:
            raise InputError(f"window={self.size}: a token sees itself at least, so it must be 1 or more")
        if self.policy == "chunked" and not 1 <= self.chunk <= self.size:
            raise InputError(
                f"chunk={self.chunk}: a chunked window of {self.size} drops 1 to {self.size} tokens at once"
            )
        if self.policy != "chunked" and self.chunk:
            raise InputError(f"chunk={self.chunk} belongs to policy='chunked', not to {self.policy!r}")

    @property
    def capacity(self) -> int:
        """Slots of a cache for this window, so that dropping is seldom."""
        return self.size + (0 if self.policy == "chunked" else min(MOST_SLACK, -(-self.size // SLACK)))

    def admit(self, cache: Cache, tokens: int) -> int:
        """Hide what must go before the next call, and say how many of the tokens may go into it.

        A call shows all its tokens the same past. So once a token must no longer see what the one before it saw,
        tokens go one at a time; only a chunked window takes many at once.
        """
        free = self.size - cache.visible
        if free <= 0:
            gone = self.chunk or 1
            cache.hide(gone)
            free = gone
        return min(free, tokens)
