"""A window admits what fits, hides what must go, and refuses what makes no sense."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from tcs.embedder.errors import InputError
from tcs.embedder.window import POLICIES, Window


class Counted(SimpleNamespace):
    """What of a cache a window looks at."""

    def hide(self, tokens: int) -> None:
        self.visible -= tokens


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"policy": "sink"}, r"policy 'sink' is not one of drop-oldest, re-rotated, chunked"),
        ({"size": 0}, r"window=0: a token sees itself at least, so it must be 1 or more"),
        ({"size": 8, "policy": "chunked"}, r"chunk=0: a chunked window of 8 drops 1 to 8 tokens at once"),
        ({"size": 8, "policy": "chunked", "chunk": 9}, r"chunk=9: a chunked window of 8 drops 1 to 8 tokens at once"),
        ({"chunk": 4}, r"chunk=4 belongs to policy='chunked', not to 'drop-oldest'"),
    ],
)
def test_what_makes_no_sense_is_refused(asked: dict[str, Any], message: str) -> None:
    """The argument, what it was, and what it can be."""
    with pytest.raises(InputError, match=message):
        Window(**asked)


@settings(deadline=None)
@given(
    size=st.integers(1, 60), policy=st.sampled_from(sorted(POLICIES)), part=st.floats(0, 1),
    calls=st.lists(st.integers(1, 80), max_size=20),
)  # fmt: skip
def test_a_window_never_overflows_and_always_goes_on(size: int, policy: str, part: float, calls: list[int]) -> None:
    """Every call gets a token at least, never more than asked for, and never more are visible than the size."""
    window = Window(size=size, policy=policy, chunk=1 + int(part * (size - 1)) if policy == "chunked" else 0)
    cache: Any = Counted(visible=0)
    for tokens in calls:
        before = cache.visible
        count = window.admit(cache, tokens)
        assert 1 <= count <= tokens
        gone = before - cache.visible
        assert gone == (0 if before < size else window.chunk or 1)
        cache.visible += count
        assert cache.visible <= size
        assert count == min(tokens, size - (before - gone))


@pytest.mark.parametrize(("size", "capacity"), [(1, 2), (8, 9), (9, 11), (2048, 2304), (8192, 8448)])
def test_room_for_hidden_tokens_is_an_eighth_at_most_256(size: int, capacity: int) -> None:
    """Slots beyond the window make dropping seldom; a chunked window needs none."""
    assert Window(size=size).capacity == Window(size=size, policy="re-rotated").capacity == capacity
    assert Window(size=size, policy="chunked", chunk=1).capacity == size
