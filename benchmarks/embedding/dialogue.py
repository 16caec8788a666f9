"""The question ``embedding.states``: turns of sessions on one model, and what must be told of them.

One question covers prefill and decode, windows, positions, resets and sessions side by side, so that each player and
each planted fault is written once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialogue:
    """Turns of sessions, in the order in which they are taken.

    Attributes:
        model: name of a fixture, or path of a user's own file.
        tokens: of all turns one after the other, (n,) int64.
        lengths, calls, sessions, resets: of each turn, (turns,): how many tokens it has, how many go into one call
            at most, which session takes it, and whether (1) that session is reset before it.
        start: position of the first token of a session that was not reset.
        window: tokens that a token sees, itself among them; 0 for no window. ``policy``, ``chunk``: of the window.
        theta: base of the rotary angles, 0 where the model has none.
        threads: that one pass may use.
    """

    model: str
    tokens: NDArray[np.int64]
    lengths: NDArray[np.int64]
    calls: NDArray[np.int64]
    sessions: NDArray[np.int64]
    resets: NDArray[np.int64]
    start: int = 0
    window: int = 0
    policy: str = "drop-oldest"
    chunk: int = 0
    theta: float = 0.0
    threads: int = 1

    @property
    def ends(self) -> NDArray[np.int64]:
        """Where each turn ends among the tokens, (turns,)."""
        found: NDArray[np.int64] = np.cumsum(self.lengths)
        return found

    def turns(self) -> Iterator[tuple[int, NDArray[np.int64]]]:
        """Number of each turn, and its tokens."""
        for turn, end in enumerate(self.ends):
            yield turn, self.tokens[end - self.lengths[turn] : end]

    def segments(self) -> list[list[int]]:
        """Turns that make one context each: those of a session from a reset to the next."""
        found: list[list[int]] = []
        current: dict[int, list[int]] = {}
        for turn, session in enumerate(self.sessions.tolist()):
            if session not in current or self.resets[turn]:
                current[session] = []
                found.append(current[session])
            current[session].append(turn)
        return found

    def places(self, turns: Sequence[int]) -> NDArray[np.int64]:
        """Numbers of the tokens of some turns."""
        ends = self.ends
        found: NDArray[np.int64] = np.concatenate([np.arange(ends[t] - self.lengths[t], ends[t]) for t in turns])
        return found

    def begins(self, turns: Sequence[int]) -> int:
        """Position of the first token of a segment."""
        return 0 if self.resets[turns[0]] else self.start


def inputs(dialogue: Dialogue) -> dict[str, Any]:
    """A dialogue as the inputs of a problem."""
    names = ("model", "tokens", "lengths", "calls", "sessions", "resets", "start", "window", "policy", "chunk", "theta")
    return {name: getattr(dialogue, name) for name in names}


def read(given: Mapping[str, Any]) -> Dialogue:
    """The dialogue of a problem's inputs."""
    values = {name: value for name, value in given.items() if name in Dialogue.__dataclass_fields__}
    return Dialogue(**values)


def one_session(tokens: NDArray[np.int64], turns: Sequence[tuple[int, int, int]], **other: Any) -> Dialogue:
    """A dialogue of one session from (tokens, tokens a call, reset before) of each turn."""
    lengths, calls, resets = (np.array(each, np.int64) for each in zip(*turns, strict=True))
    return Dialogue(
        tokens=tokens, lengths=lengths, calls=calls, resets=resets, sessions=np.zeros(len(turns), np.int64), **other
    )


def firsts(tokens: int, window: int, chunk: int = 1) -> NDArray[np.int64]:
    """The first token that each token sees, (tokens,): when ``window`` are seen, the ``chunk`` oldest go.

    >>> firsts(6, 3).tolist(), firsts(6, 3, 2).tolist(), firsts(3, 0).tolist()
    ([0, 0, 0, 1, 2, 3], [0, 0, 0, 2, 2, 4], [0, 0, 0])
    """
    full = np.maximum(np.arange(tokens) - window, -1) + 1 if window else np.zeros(tokens, np.int64)
    found: NDArray[np.int64] = -(-full // chunk) * chunk
    return found


def mask_of(dialogue: Dialogue, tokens: int) -> NDArray[np.bool_]:
    """Who sees whom, (tokens, tokens), under the window of a dialogue."""
    first = firsts(tokens, dialogue.window, dialogue.chunk or 1)
    numbers = np.arange(tokens)
    found: NDArray[np.bool_] = (numbers[None] <= numbers[:, None]) & (numbers[None] >= first[:, None])
    return found
