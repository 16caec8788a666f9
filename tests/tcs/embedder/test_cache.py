"""The cache is a list of tokens, however it is filled, hidden, dropped and turned back, in buffers that never move."""

from __future__ import annotations

import ctypes
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings, strategies as st

from tcs.embedder.cache import LINE, Cache, NotFinite
from tcs.embedder.contract import Contract

if TYPE_CHECKING:
    from numpy.typing import NDArray

LAYERS, HEADS, SIZE = 2, 3, 4
TENSORS = 2 * LAYERS


def contract(kind: Any = np.float32) -> Contract:
    names = tuple(f"{i}.{part}" for i in range(LAYERS) for part in ("key", "value"))
    return Contract(
        past=names, present=names, layers=LAYERS, kv_heads=HEADS, head_size=SIZE, cache_type=kind, output="logits",
        output_type=np.float32, width=8, positions=True, mask=True, constants=(), inputs=3 + TENSORS,
    )  # fmt: skip


def at(address: int, length: int) -> NDArray[np.float32]:
    """What lies at an address, as a graph sees it: (heads, length, size)."""
    count = HEADS * length * SIZE
    found: NDArray[np.float32] = np.ctypeslib.as_array((ctypes.c_float * count).from_address(address))
    return found.reshape(HEADS, length, SIZE)


def row(token: int, tensor: int) -> NDArray[np.float32]:
    """What a graph would write for a token, (heads, 1, size), another for each."""
    return token * 100 + tensor * 20 + np.arange(HEADS * SIZE, dtype=np.float32).reshape(HEADS, 1, SIZE)


def step(cache: Cache, tokens: list[int], *, spoilt: int | None = None) -> None:
    """What a graph does: read the past, write past and new; one tensor may come out spoilt."""
    length = cache.length
    for tensor, (past, present) in enumerate(zip(cache.past_pointers, cache.begin(), strict=True)):
        parts = [at(past, length).copy(), *(row(token, tensor) for token in tokens)]
        at(present, length + len(tokens))[:] = np.concatenate(parts, axis=1)
        if tensor == spoilt:
            at(present, length + len(tokens))[-1, -1, -1] = np.nan
    cache.take(len(tokens))


def holds(cache: Cache, tokens: list[int], hidden: int) -> None:
    """The cache is these tokens, the first so many of them hidden."""
    assert (cache.length, cache.hidden, cache.visible) == (len(tokens), hidden, len(tokens) - hidden)
    assert cache.mask[0, : len(tokens)].tolist() == [0] * hidden + [1] * (len(tokens) - hidden)
    assert cache.mask[0, len(tokens) :].all()
    shape = (LAYERS, 2, HEADS, len(tokens) - hidden, SIZE)
    right = [[row(token, tensor) for token in tokens[hidden:]] for tensor in range(TENSORS)]
    wanted = np.array(right).reshape(TENSORS, -1, HEADS, SIZE).swapaxes(1, 2).reshape(shape)
    np.testing.assert_array_equal(cache.read(), wanted)
    whole = [np.concatenate([row(token, tensor) for token in tokens] or [at(0, 0)], 1) for tensor in range(TENSORS)]
    np.testing.assert_array_equal(np.array(cache.whole())[:, 0], whole)


WORK = st.one_of(
    st.tuples(st.just("step"), st.integers(1, 5)),
    st.tuples(st.just("spoilt"), st.integers(1, 3)),
    st.tuples(st.just("hide"), st.integers(1, 4)),
    st.tuples(st.sampled_from(["mark", "return", "clear"]), st.just(0)),
)


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@example(work=[("step", 2), ("mark", 0), ("clear", 0), ("return", 0)], size=4, slack=0, hides=True)
@example(
    work=[("step", 3), ("mark", 0), ("step", 1), ("step", 1), ("return", 0), ("step", 1)], size=9, slack=0, hides=True
)
@example(work=[("step", 2), ("mark", 0), ("step", 1), ("spoilt", 1), ("return", 0)], size=9, slack=1, hides=False)
@given(work=st.lists(WORK, max_size=40), size=st.integers(1, 9), slack=st.integers(0, 4), hides=st.booleans())
def test_any_work_is_that_on_a_list(work: list[tuple[str, int]], size: int, slack: int, hides: bool) -> None:
    """Steps, failed steps, hiding, dropping, marks and returns do to the cache what they do to a list of tokens."""
    cache = Cache(contract(), size + slack)
    addresses = {*cache.past_pointers, *cache.begin()}
    tokens: list[int] = []
    hidden, name, dropped = 0, 0, False
    mark: tuple[Any, list[int], int] | None = None
    for kind, count in work:
        if kind in ("step", "spoilt"):
            count = min(count, size)
            gone = max(0, len(tokens) - hidden + count - size)
            cache.hide(gone)
            hidden += gone
            crowded = bool(hidden) and (not hides or len(tokens) + count > size + slack)
            assert cache.make_room(count, hides=hides) == (hidden if crowded else 0)
            if crowded:
                tokens, hidden, dropped = tokens[hidden:], 0, True
            new = list(range(name, name + count))
            name += count
            if kind == "step":
                step(cache, new)
                tokens = tokens + new
            else:
                with pytest.raises(NotFinite) as raised:
                    step(cache, new, spoilt=1)
                assert raised.value.tensors == [1]
        elif kind == "hide":
            count = min(count, len(tokens) - hidden)
            cache.hide(count)
            hidden += count
        elif kind == "mark":
            mark, dropped = (cache.mark(), tokens, hidden), False
        elif kind == "return" and mark:
            assert cache.return_to(mark[0]) != dropped
            if not dropped:
                _, tokens, hidden = mark
        elif kind == "clear":
            cache.clear()
            tokens, hidden, dropped = [], 0, True
        holds(cache, tokens, hidden)
        assert {*cache.past_pointers} <= addresses


def test_two_buffers_take_turns_and_never_move() -> None:
    """The past of a step lies where the step before wrote it, at two addresses a tensor for ever, each on a line."""
    cache, seen = Cache(contract(), 40), []
    size = cache.nbytes
    for token in range(40):
        written = cache.begin()
        step(cache, [token])
        assert cache.past_pointers == written
        seen.append(tuple(written))
    assert len(set(seen)) == 2
    assert all(address % LINE == 0 for addresses in seen for address in addresses)
    assert cache.nbytes == size == 2 * TENSORS * 40 * HEADS * SIZE * 4


@pytest.mark.parametrize("capacity", [1, 3, 7])
def test_tensors_lie_on_lines_and_apart_at_any_size(capacity: int) -> None:
    """Whatever a tensor takes, each begins on a line and ends before the next."""
    cache = Cache(contract(np.float16), capacity)
    for pointers in (cache.past_pointers, cache.begin()):
        assert all(pointer % LINE == 0 for pointer in pointers)
        assert min(np.diff(sorted(pointers))) >= capacity * HEADS * SIZE * 2


def test_undoing_one_call_copies_nothing() -> None:
    """The past of the last call still stands in the other buffer; going back is a turn to it."""
    cache = Cache(contract(), 20)
    step(cache, [1, 2])
    place, mark = cache.past_pointers, cache.mark()
    step(cache, [3, 4, 5])
    assert cache.past_pointers != place
    assert cache.return_to(mark)
    assert cache.past_pointers == place
    holds(cache, [1, 2], 0)


def test_nothing_visible_is_an_empty_past() -> None:
    """A fresh cache reads as tensors of length 0, and one whose tokens are all hidden likewise."""
    cache = Cache(contract(), 4)
    holds(cache, [], 0)
    step(cache, [1, 2])
    cache.hide(2)
    holds(cache, [1, 2], 2)
    assert cache.make_room(1, hides=False) == 2
    holds(cache, [], 0)


@pytest.mark.parametrize("attribute", ["_lengths", "_past"])
def test_an_interrupt_between_two_assignments_loses_nothing(attribute: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step that is cut off before either of its two assignments is undone by a return to the mark before it."""
    cache = Cache(contract(), 20)
    step(cache, [1, 2])
    mark = cache.mark()

    class Interrupted(list[int]):
        def __setitem__(self, key: Any, value: Any) -> None:
            if value >= 0:
                raise KeyboardInterrupt
            super().__setitem__(key, value)

    def past(cache: Cache, name: str, value: Any) -> None:
        if name == "_past":
            raise KeyboardInterrupt
        object.__setattr__(cache, name, value)

    with monkeypatch.context() as patch:
        if attribute == "_lengths":
            cache._lengths = Interrupted(cache._lengths)
        else:
            patch.setattr(Cache, "__setattr__", past)
        with pytest.raises(KeyboardInterrupt):
            step(cache, [3])
    cache._lengths = list(cache._lengths)
    assert cache.return_to(mark)
    holds(cache, [1, 2], 0)
    step(cache, [4])
    holds(cache, [1, 2, 4], 0)


def test_all_keys_and_no_values_are_turned() -> None:
    """What turns keys is shown those of all layers and all tokens, and nothing else changes."""
    cache = Cache(contract(), 9)
    step(cache, [1, 2, 3])
    before = cache.read()

    def double(keys: Any) -> None:
        keys *= 2

    cache.turn_keys(double)
    np.testing.assert_array_equal(cache.read()[:, 0], 2 * before[:, 0])
    np.testing.assert_array_equal(cache.read()[:, 1], before[:, 1])


class Device(SimpleNamespace):
    """numpy by another name: arrays come to the host by ``asnumpy`` only, and what is begun must be waited for."""

    def __init__(self) -> None:
        super().__init__(empty=np.empty, isfinite=np.isfinite, flatnonzero=np.flatnonzero, asarray=np.asarray)
        self.brought = self.waited = 0
        self.cuda = SimpleNamespace(get_current_stream=lambda: SimpleNamespace(synchronize=self.wait))

    def asnumpy(self, array: Any) -> NDArray[Any]:
        self.brought += 1
        return np.array(array)

    def wait(self) -> None:
        self.waited += 1


def test_copies_of_a_device_come_through_its_own_door() -> None:
    """With arrays of a device, every copy for the host goes through asnumpy, once."""
    device = Device()
    cache = Cache(contract(), 9, xp=device)
    step(cache, [1, 2])
    brought = [device.brought]
    cache.read()
    brought.append(device.brought)
    cache.whole()
    assert [*brought, device.brought] == [0, 1, 1 + TENSORS]
    holds(cache, [1, 2], 0)


def test_what_is_moved_on_a_device_is_waited_for() -> None:
    """A graph runs in a stream of its own: dropping, going back over several calls and turning end before it begins."""
    device = Device()
    cache = Cache(contract(), 9, xp=device)
    step(cache, [1, 2])
    mark = cache.mark()
    step(cache, [3])
    step(cache, [4])
    waited = [device.waited]
    cache.return_to(mark)
    waited.append(device.waited)
    cache.hide(1)
    cache.make_room(1, hides=False)
    waited.append(device.waited)
    cache.turn_keys(lambda keys: None)
    assert [*waited, device.waited] == [0, 1, 2, 3]
