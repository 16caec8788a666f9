"""A batch of texts is the texts one by one, whatever their lengths and however the graph takes padding."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from benchmarks.embedding.decoder import TINY
from benchmarks.embedding.models import path_of
from decoding import relative
from embedders import KINDS, SINGLE, TOKENS, direction, model, right
from tcs.embedder import Embedder
from tcs.embedder.batch import PADDING, TOKENS_A_PASS, groups, padded_outputs
from tcs.embedder.errors import CacheError, ContractError, InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

LENGTHS = (1, 9, 10, 10, 3, 40, 12)
TEXTS = [np.random.default_rng(i).integers(0, TINY.vocabulary, length) for i, length in enumerate(LENGTHS)]


def embedder(name: str = "tiny-f32", **options: Any) -> Embedder:
    return Embedder(path_of(name), preset=None, **{"dimension": 64, "threads": 1} | options)


@settings(deadline=None)
@given(lengths=st.lists(st.integers(1, 3000), max_size=60), most=st.sampled_from([0, 100, TOKENS_A_PASS]))
def test_groups_are_a_partition_within_bounds(lengths: list[int], most: int) -> None:
    """Every text is in one pass, no pass of several is too large or too empty, and each goes with its like."""
    made = list(groups(lengths, most))
    assert sorted(i for group in made for i in group) == list(range(len(lengths)))
    for group in made:
        padded = len(group) * max(lengths[i] for i in group)
        assert len(group) == 1 or padded <= most
        assert padded - sum(lengths[i] for i in group) <= PADDING * padded
    in_order = [lengths[i] for group in made for i in group]
    assert in_order == sorted(lengths)


def test_no_text_makes_no_group() -> None:
    """An empty list has no passes, and its embeddings are an empty list."""
    assert list(groups([])) == []
    assert embedder().embed([]) == []


@pytest.mark.parametrize("pooling", ["last", "mean"])
@pytest.mark.parametrize("name", [*KINDS, "gpt2-f32", "tiny-int8"])
def test_a_batch_is_its_texts(name: str, pooling: str) -> None:
    """In their order, each as a fresh session embeds it; those of dynamic int8 bit for bit, since each goes alone."""
    dimension = 48 if name == "gpt2-f32" else 64
    opened = embedder(name, pooling=pooling, dimension=dimension)
    texts = [text % 256 for text in TEXTS]
    for text, found in zip(texts, opened.embed(texts), strict=True):
        wanted = opened.session().embed(text)
        atol = 0 if name == "tiny-int8" else 2 * SINGLE
        np.testing.assert_allclose(found.vector, wanted.vector, atol=atol, rtol=0)
        assert (found.tokens, found.context_length, found.tokenizer) == (len(text), len(text), "ids")
    assert opened.context_length == 0


@pytest.mark.parametrize("pooling", ["last", "mean"])
def test_a_batch_is_the_oracle(pooling: str) -> None:
    """Pooled over the tokens of each text and over no padding."""
    for text, found in zip(TEXTS, embedder("tiny-gqa-f32", pooling=pooling).embed(list(TEXTS)), strict=True):
        logits = right(text).logits
        np.testing.assert_allclose(
            found.vector, direction(logits[-1] if pooling == "last" else logits.mean(0)), atol=2 * SINGLE
        )


def test_the_session_rests_meanwhile() -> None:
    """A batch neither sees the session nor changes it."""
    opened, other = embedder(), embedder()
    for each in (opened, other):
        each.embed(TEXTS[5])
    fresh = [each.vector for each in embedder().embed(list(TEXTS))]
    np.testing.assert_array_equal([each.vector for each in opened.embed(list(TEXTS))], fresh)
    assert opened.context_length == 40
    np.testing.assert_array_equal(opened.embed(TEXTS[1]).vector, other.embed(TEXTS[1]).vector)


@pytest.mark.parametrize("window", [{}, {"policy": "chunked", "chunk": 4}])
def test_texts_beyond_the_window_go_as_in_a_session(window: dict[str, Any]) -> None:
    """Longer ones slide through the window, and say how much of it they filled."""
    opened = embedder(window=10, prefill=6, **window)
    for text, found in zip(TEXTS, opened.embed(list(TEXTS)), strict=True):
        wanted = opened.session().embed(text)
        np.testing.assert_allclose(found.vector, wanted.vector, atol=SINGLE)
        assert found.context_length == wanted.context_length


class Padded:
    """A model that says where it takes padding, and keeps what it was fed."""

    def __init__(self, *sides: str) -> None:
        self.real, self.paddings, self.path = model(), frozenset(sides), model().path
        self.fed: list[Any] = []

    def outputs(self, *fed: Any) -> NDArray[Any]:
        self.fed.append(fed)
        return self.real.outputs(*fed)


@pytest.mark.parametrize(("sides", "place"), [(["left"], "left"), (["right"], "right"), (["left", "right"], "right")])
def test_padding_stands_where_the_graph_takes_it(sides: list[str], place: str) -> None:
    """On the right if that is safe, else on the left, hidden by the mask, and positions count tokens only."""
    padded: Any = Padded(*sides)
    texts = [TOKENS[:2], TOKENS[:5]]
    for text, found in zip(texts, padded_outputs(padded, texts), strict=True):
        assert relative(found.astype(np.float64), right(text).logits) < SINGLE
    ((tokens, mask, positions),) = padded.fed
    at = slice(3, None) if place == "left" else slice(2)
    hidden = [0, 0, 0, 1, 1] if place == "left" else [1, 1, 0, 0, 0]
    assert mask.tolist() == [hidden, [1] * 5]
    assert positions[0, at].tolist() == [0, 1]
    assert tokens[0, at].tolist() == TOKENS[:2].tolist()


def test_a_graph_that_takes_no_padding() -> None:
    """Texts of one length need none; others cannot share a pass, and the embedder gives each its own."""
    padded: Any = Padded()
    assert len(padded_outputs(padded, [TOKENS[:3], TOKENS[3:6]])) == 2
    with pytest.raises(ContractError, match=r"^model.onnx gives other outputs for padded texts; embed them one"):
        padded_outputs(padded, [TOKENS[:3], TOKENS[:5]])


def test_errors_name_the_text() -> None:
    """Which of how many, before what is wrong with it; nothing is embedded."""
    with pytest.raises(InputError, match=r"^text 1 of 3: the text is empty"):
        embedder().embed(["a", "", "b"])
    with pytest.raises(InputError, match=r"^text 2 of 3: token 0 of the text is -1, and the model's vocabulary"):
        embedder().embed([TOKENS, TOKENS, np.array([-1])])
    with pytest.raises(
        InputError, match=r"^text 0 of 1: a text is a str \(decode bytes first\) or an array of token ids"
    ):
        embedder().embed([[1, 2]])  # type: ignore[arg-type]


def test_positions_end_for_a_batch_as_for_a_session(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A text longer than the positions that the model knows is refused by name, though one pass would take it."""
    folder = tmp_path_factory.mktemp("short")
    (folder / "model.onnx").write_bytes(path_of("tiny-f32").read_bytes())
    (folder / "config.json").write_text('{"max_position_embeddings": 12}')
    opened = Embedder(folder / "model.onnx", preset=None, dimension=64, threads=1)
    assert len(opened.embed(TEXTS[:4])) == 4
    with pytest.raises(
        InputError, match=r"^text 5 of 7: the session would come to position 40, and the model knows 12"
    ):
        opened.embed(list(TEXTS))


def test_outputs_that_are_not_finite_are_no_embeddings(monkeypatch: pytest.MonkeyPatch) -> None:
    """NaN in the outputs of one text is an error about that text."""
    opened = embedder()
    _ = opened.model.paddings
    real = opened.model.outputs

    def outputs(tokens: Any, *rest: Any) -> Any:
        found = real(tokens, *rest)
        found[(tokens == TEXTS[3][0]).any(1)] = np.nan
        return found

    monkeypatch.setattr(opened.model, "outputs", outputs)
    with pytest.raises(CacheError, match=r"^text 3 of 4: the output holds NaN or infinity$"):
        opened.embed([TEXTS[0], np.array([1, 2, 3]), np.array([4, 5]), np.array([TEXTS[3][0]])])


def test_passes_share_texts_of_like_length(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seven texts of these lengths take five passes, not seven."""
    opened, shapes = embedder(), []
    real = opened.model.session.run
    _ = opened.model.paddings

    def run(names: Any, feeds: Any) -> Any:
        shapes.append(feeds["input_ids"].shape)
        return real(names, feeds)

    monkeypatch.setattr(opened.model, "session", SimpleNamespace(run=run))
    opened.embed(list(TEXTS))
    assert shapes == [(1, 1), (1, 3), (4, 12), (1, 40)]
