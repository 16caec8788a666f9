"""A session embeds text after text; whatever stops one, it stands where it stood before it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from benchmarks.embedding import oracle
from benchmarks.embedding.decoder import TINY, build
from embedders import SINGLE, TOKENS, decoder, direction, right, session
from tcs.embedder.decoder import Decoder
from tcs.embedder.errors import CacheError, ContractError, InputError
from tcs.embedder.model import Model
from tcs.embedder.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator

FIRST, SECOND = TOKENS[:11], TOKENS[11:30]


def same(one: Session, other: Session) -> None:
    """Two sessions stand at the same place, bit for bit, now and after the next text."""
    assert (one.context_length, one.decoder.position) == (other.context_length, other.decoder.position)
    np.testing.assert_array_equal(one.decoder.cached(), other.decoder.cached())
    np.testing.assert_array_equal(one.embed(TOKENS[30:]).vector, other.embed(TOKENS[30:]).vector)


@pytest.mark.parametrize("pooling", ["last", "mean"])
def test_texts_go_on_with_those_before(pooling: str) -> None:
    """The second text is embedded as the end of both, pooled over its own tokens; the state grows."""
    opened = session(decoder(), pooling=pooling)
    first, second = opened.embed(FIRST), opened.embed(SECOND)
    logits = right(TOKENS[:30]).logits
    for found, place in ((first, slice(0, 11)), (second, slice(11, 30))):
        wanted = logits[place][-1] if pooling == "last" else logits[place].mean(0)
        np.testing.assert_allclose(found.vector, direction(wanted), atol=SINGLE)
        assert found.vector.dtype == np.float32
        assert (found.tokens, found.complete, found.tokenizer) == (place.stop - place.start, True, "ids")
    assert (first.context_length, second.context_length, opened.context_length) == (11, 30, 30)


@pytest.mark.parametrize("pooling", ["last", "mean"])
@pytest.mark.parametrize("every", [1, 4, 10, 11, 12])
@pytest.mark.parametrize("prefill", [3, 512])
def test_partial_embeddings_are_those_of_prefixes(pooling: str, every: int, prefill: int) -> None:
    """After each ``every`` tokens the embedding of the text so far, and last that of the whole."""
    opened = session(decoder(prefill=prefill), pooling=pooling)
    opened.embed(SECOND)
    parts = list(opened.stream(FIRST, every))
    assert [part.tokens for part in parts] == [*range(every, 11, every), 11]
    assert [part.complete for part in parts] == [False] * (len(parts) - 1) + [True]
    for part in parts:
        other = session(decoder(), pooling=pooling)
        other.embed(SECOND)
        np.testing.assert_allclose(part.vector, other.embed(FIRST[: part.tokens]).vector, atol=SINGLE)
        assert part.context_length == 19 + part.tokens


@pytest.mark.parametrize("pooling", ["last", "mean"])
def test_a_text_longer_than_its_window(pooling: str) -> None:
    """Each token sees its window; a mean is over all tokens of the text all the same."""
    opened = session(decoder(size=7, prefill=4), pooling=pooling)
    logits = right(TOKENS, oracle.band(len(TOKENS), 7)).logits
    wanted = logits[-1] if pooling == "last" else logits.mean(0)
    found = opened.embed(TOKENS)
    np.testing.assert_allclose(found.vector, direction(wanted), atol=SINGLE)
    assert (found.tokens, found.context_length) == (40, 7)


def test_partial_embeddings_end_where_they_are_left() -> None:
    """A stream that is left early has taken the tokens that it told of; a new text goes on from there."""
    opened, other = session(decoder()), session(decoder())
    for part in opened.stream(SECOND, every=4):
        if part.tokens == 8:
            break
    for start in (0, 4):
        other.embed(SECOND[start : start + 4])
    assert opened.context_length == 8
    same(opened, other)


def test_nothing_is_checked_or_fed_before_it_is_asked_for() -> None:
    """A stream is lazy; its first embedding raises what is wrong with the text."""
    opened = session(decoder())
    stream = opened.stream("")
    with pytest.raises(InputError, match=r"the text is empty: it has no token to embed"):
        next(stream)
    with pytest.raises(InputError, match=r"every=-1: tokens between partial embeddings, or 0 for none"):
        next(opened.stream(FIRST, every=-1))


def test_one_text_at_a_time() -> None:
    """In the middle of a stream the session takes no other text and no reset, and says what to do; then it does."""
    opened = session(decoder())
    stream = opened.stream(FIRST, every=4)
    next(stream)
    for work in (lambda: opened.embed(SECOND), lambda: next(opened.stream(SECOND)), opened.reset):
        with pytest.raises(InputError, match=r"in the middle of a text; let its stream end or close it, and o"):
            work()
    assert opened.context_length == 4
    stream.close()
    assert opened.embed(SECOND).context_length == 23
    opened.reset()
    assert opened.context_length == 0


class Watcher:
    """An observer that does something in one of its places."""

    def __init__(self, place: str, work: Any) -> None:
        self.place, self.work = place, work

    def call(self, kind: str, tokens: int, seconds: float, cache_length: int) -> None:
        if self.place == "call":
            self.work()

    @contextmanager
    def span(self, name: str, **attributes: str | int) -> Iterator[None]:
        if self.place == f"enter {name}":
            self.work()
        yield
        if self.place == f"leave {name}":
            self.work()


def test_a_second_thread_is_refused() -> None:
    """Two threads in one session would write one cache at once: the second one gets an error, the first its answer."""
    inside, go = threading.Event(), threading.Event()

    def wait() -> None:
        inside.set()
        assert go.wait(30)

    opened = session(decoder(), [Watcher("call", wait)])
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(opened.embed, FIRST)
        assert inside.wait(30)
        with pytest.raises(InputError, match=r"open a session for each thread"):
            opened.embed(SECOND)
        go.set()
        np.testing.assert_array_equal(first.result().vector, session(decoder()).embed(FIRST).vector)


def test_sessions_in_threads_answer_as_alone() -> None:
    """Eight sessions of one model at once: each embedding is bit for bit that of a session alone."""
    texts = [np.random.default_rng(i).integers(0, TINY.vocabulary, (3, 20)) for i in range(8)]

    def embeddings(three: Any) -> Any:
        opened = session(decoder(size=32))
        return [opened.embed(text).vector for text in three]

    alone = [embeddings(three) for three in texts]
    with ThreadPoolExecutor(8) as pool:
        np.testing.assert_array_equal(list(pool.map(embeddings, texts)), alone)


def test_reset_is_fresh() -> None:
    """After a reset a text has the embedding of a new session, bit for bit."""
    opened = session(decoder(size=16))
    opened.embed(TOKENS)
    opened.reset()
    same(opened, session(decoder(size=16)))


class Failure(Exception):
    """What a test's own hook raises."""


def fail() -> None:
    raise Failure("of the hook")


def interrupt() -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("work", [fail, interrupt])
@pytest.mark.parametrize("place", ["call", "enter embed", "enter call", "leave call", "leave embed"])
def test_a_hook_that_raises_stops_the_text_and_nothing_else(place: str, work: Any) -> None:
    """Its error reaches the caller as it is, and the session stands before the text, Ctrl-C included."""
    opened, other = session(decoder(prefill=4)), session(decoder(prefill=4))
    for each in (opened, other):
        each.embed(FIRST)
    opened._observers = (Watcher(place, work),)
    with pytest.raises((Failure, KeyboardInterrupt)):
        opened.embed(SECOND)
    opened._observers = ()
    same(opened, other)


@pytest.mark.parametrize("calls", [1, 2, 3, 5])
@pytest.mark.parametrize("before", [False, True])
def test_an_interrupt_of_a_call_takes_nothing(calls: int, before: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C before or after any run of the graph: the tokens of the text are forgotten, those before it are not."""
    opened, other = session(decoder(prefill=4)), session(decoder(prefill=4))
    for each in (opened, other):
        each.embed(FIRST)
    real, count = opened.decoder._binding.run, 0

    def run() -> None:
        nonlocal count
        count += 1
        if count == calls and before:
            raise KeyboardInterrupt
        real()
        if count == calls:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(opened.decoder._binding, "run", run)
        with pytest.raises(KeyboardInterrupt):
            opened.embed(SECOND)
    same(opened, other)


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Model:
    path = tmp_path_factory.mktemp("broken") / "model.onnx"
    build(path, TINY, fault="nan_present")
    return Model(path, preset=None, threads=1)


def breaks(opened: Session, broken: Model, after: int) -> Any:
    """Let the graph of a session break after so many calls; what mends it again."""
    good, real, count = opened.decoder.model, opened.decoder._binding, 0
    bad = Decoder(broken, opened.decoder.window)._binding

    def advance(tokens: Any) -> Any:
        nonlocal count
        for part in Decoder.advance(opened.decoder, tokens):
            count += 1
            if count == after:
                opened.decoder._binding = bad
            yield part

    opened.decoder.advance = advance  # type: ignore[method-assign]

    def mend() -> None:
        opened.decoder.model, opened.decoder._binding = good, real
        del opened.decoder.advance

    return mend


@pytest.mark.parametrize("after", [1, 2, 4])
@pytest.mark.parametrize("every", [0, 3])
def test_a_graph_that_breaks_midway(broken: Model, after: int, every: int) -> None:
    """The error names the tensor and says that the session stands before the text, which it does."""
    opened, other = session(decoder(prefill=3)), session(decoder(prefill=3))
    for each in (opened, other):
        each.embed(FIRST)
    mend = breaks(opened, broken, after)
    with pytest.raises(
        CacheError, match=r"first present.3.value; .*The session stands where it stood before this text$"
    ):
        list(opened.stream(SECOND, every))
    mend()
    same(opened, other)


def test_a_graph_that_breaks_after_tokens_left_the_window(broken: Model) -> None:
    """What was dropped cannot come back: the session is begun anew, and the error says so."""
    opened = session(decoder(prefill=3, size=8))
    opened.embed(FIRST)
    mend = breaks(opened, broken, 6)
    with pytest.raises(CacheError, match=r"Tokens before this text had left the window, so the session has been b"):
        opened.embed(SECOND)
    mend()
    same(opened, session(decoder(prefill=3, size=8)))


def test_a_window_that_cannot_slide_stops_a_text_whole() -> None:
    """A graph without positions takes none of a text that does not fit, although its first calls did."""
    opened, other = (session(decoder("gpt2-counted-f32", size=20), dimension=48, vocabulary=256) for _ in range(2))
    for each in (opened, other):
        each.embed(np.arange(12))
    with pytest.raises(ContractError, match=r"window of 20 tokens is full.*The session stands where it stood before"):
        opened.embed(np.arange(9))
    assert opened.context_length == 12
    np.testing.assert_array_equal(opened.embed(np.arange(8)).vector, other.embed(np.arange(8)).vector)


def test_an_output_without_a_direction_stops_a_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """All coordinates 0 cannot be normalised: the text is not taken."""
    opened, other = session(decoder()), session(decoder())
    real = opened.decoder.advance
    monkeypatch.setattr(opened.decoder, "advance", lambda tokens: (0 * part for part in real(tokens)))
    with pytest.raises(InputError, match=r"first 64 coordinates of the output are all 0.*The session stands wh"):
        opened.embed(FIRST)
    monkeypatch.undo()
    same(opened, other)


LONE = "a\ud83d"
BAD: dict[str, tuple[Any, str]] = {
    "empty text": ("", r"the text is empty: it has no token to embed"),
    "no ids": (np.empty(0, np.int64), r"the text is empty: it has no token to embed"),
    "None": (None, r"a text is a str \(decode bytes first\) or an array of token ids, not NoneType"),
    "bytes": (b"text", r"not bytes"),
    "a tuple": (("a", "b"), r"not tuple"),
    "a number": (3, r"not int"),
    "float ids": (np.array([1.0, 2.0]), r"token ids are whole numbers \(n,\), not float64 \(2,\)"),
    "flags": (np.array([True, False]), r"token ids are whole numbers \(n,\), not bool \(2,\)"),
    "a batch of ids": (np.ones((2, 3), np.int64), r"token ids are whole numbers \(n,\), not int64 \(2, 3\)"),
    "one id": (np.array(3), r"token ids are whole numbers \(n,\), not int64 \(\)"),
    "a negative id": (
        np.array([5, -1, 7]),
        r"token 1 of the text is -1, and the model's vocabulary is 0 to 319; look at the ids",
    ),
    "an id beyond": (np.array([5, 6, 320], np.int32), r"token 2 of the text is 320, and"),
    "a wild id": (
        np.array([2**64 - 1], np.uint64),
        r"token 0 of the text is 18446744073709551615, and the",
    ),
    "a lone surrogate": (LONE, r"lone surrogate, U\+D83D, at character 1: .* puts '\?' there"),
    "too long": ("a" * 8193, r"the text has 8,193 tokens, more than the 8,192 of longest; embed it in parts"),
    "a megabyte": ("word " * 200_000, r"the text has 1,000,000 tokens, more than the 8,192 of longest"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_text_is_refused_and_leaves_no_trace(name: str) -> None:
    """The message names what was found and the next step; the session goes on as if it had not been asked."""
    text, message = BAD[name]
    opened, other = session(decoder()), session(decoder())
    for each in (opened, other):
        each.embed(FIRST)
    with pytest.raises(InputError, match=message):
        opened.embed(text)
    same(opened, other)


@pytest.mark.parametrize("text", [" ", "\n\t", "\0", "é\u0301", "\U0001f600", "a" * 300])
def test_odd_texts_are_texts(text: str) -> None:
    """White space, NUL, combining and astral characters: a token for each character, and the flag that says so."""
    found = session(decoder()).embed(text)
    assert (found.tokens, found.tokenizer) == (len(text), "characters")
    assert np.linalg.norm(found.vector) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.int32, np.uint64])
def test_ids_of_any_whole_type(kind: Any) -> None:
    """The type of the array does not matter, only its numbers."""
    small = TOKENS[TOKENS < 256]
    wanted = session(decoder()).embed(small).vector
    np.testing.assert_array_equal(session(decoder()).embed(small.astype(kind)).vector, wanted)


def test_an_unknown_vocabulary_still_refuses_what_no_model_has() -> None:
    """A negative id would be counted from the end of the table; one beyond it is refused by the runtime."""
    opened = session(decoder("tiny-hidden-f32"), vocabulary=None)
    with pytest.raises(InputError, match=r"token 0 of the text is -1"):
        opened.embed(np.array([-1]))
    with pytest.raises(CacheError, match=r"idx=320 .*The session stands where it stood before this text"):
        opened.embed(np.array([320]))
    assert opened.context_length == 0


def test_ids_of_another_tokenizer_are_told_apart() -> None:
    """When a text gives an id that the model does not have, the tokenizer is at fault, and named."""
    with pytest.raises(InputError, match=r"is 97, and the model's vocabulary is 0 to 49; is characters of an"):
        session(decoder(), vocabulary=50).embed("a")


def test_positions_end_with_the_model() -> None:
    """A session may come to the last position that the model knows and not beyond it; the message tells a way out."""
    opened = session(decoder(size=8), positions=30)
    opened.embed(FIRST)
    opened.embed(SECOND)
    with pytest.raises(InputError, match=r"come to position 31, and the model knows 30; reset it, or use p"):
        opened.embed(TOKENS[:1])
    opened.reset()
    assert opened.embed(TOKENS[:1]).context_length == 1


def test_turned_windows_never_run_out_of_positions() -> None:
    """Under re-rotation positions stay below the window's capacity, however long the texts."""
    opened = session(decoder(size=8, policy="re-rotated", theta=TINY.theta), positions=9)
    for _ in range(3):
        opened.embed(TOKENS)
    wanted = right(TOKENS, oracle.band(len(TOKENS), 8)).logits[-1]
    opened.reset()
    np.testing.assert_allclose(opened.embed(TOKENS).vector, direction(wanted), atol=2 * SINGLE)


def test_embeddings_are_arrays_for_numpy() -> None:
    """``np.asarray`` takes the vector, copies only when asked, and changes its type."""
    found = session(decoder()).embed(FIRST)
    assert np.shares_memory(np.asarray(found), found.vector)
    assert not np.shares_memory(np.array(found), found.vector)
    assert np.asarray(found, np.float64).dtype == np.float64
    assert np.stack([found, found]).shape == (2, 64)


@pytest.mark.parametrize("dimension", [1, 7, 320])
def test_a_shorter_embedding_is_a_slice_made_unit(dimension: int) -> None:
    """Of any dimension up to the width of the output: sliced first, then normalised."""
    found = session(decoder(), dimension=dimension).embed(FIRST).vector
    np.testing.assert_allclose(found, direction(right(FIRST).logits[-1], dimension), atol=SINGLE)


def test_the_outputs_of_every_call_are_not_copied_for_the_last_alone() -> None:
    """Pooling by the last token looks at the last call only, so a step of a wide head costs nothing more."""
    opened, seen = session(decoder()), []
    real = opened.decoder.advance

    class Once(np.ndarray[Any, Any]):
        def astype(self, *args: Any, **kwargs: Any) -> Any:
            seen.append(self.shape)
            return super().astype(*args, **kwargs)

    opened.decoder.advance = lambda tokens: (part.view(Once) for part in real(tokens))  # type: ignore[method-assign]
    opened.decoder.prefill = 2
    opened.embed(FIRST)
    assert seen.count((320,)) == 1
