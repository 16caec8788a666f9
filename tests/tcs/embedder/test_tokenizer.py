"""A tokenizer.json is found and read whole; characters stand in where there is none, and say so."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tokenizers")
pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

import tokenizers

from benchmarks.embedding.models import path_of
from tcs.embedder import Embedder
from tcs.embedder.errors import InputError, MissingError
from tcs.embedder.tokenizer import CharacterTokenizer, FileTokenizer, beside, tokenizer_for

WORDS = ["[UNK]", "<end>", "def", "return", "one", "two"]


def write(path: Path, **changes: Any) -> Path:
    """A tokenizer of five words and an end, which asks for special tokens around every text."""
    made = tokenizers.Tokenizer(
        tokenizers.models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]")
    )
    made.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    made.add_special_tokens(["<end>"])
    made.post_processor = tokenizers.processors.TemplateProcessing(
        single="<end> $A <end>", special_tokens=[("<end>", 1)]
    )
    for name, arguments in changes.items():
        getattr(made, name)(**arguments)
    path.parent.mkdir(parents=True, exist_ok=True)
    made.save(str(path))
    return path


def linked(folder: Path, name: str = "model.onnx") -> Path:
    """A model in a folder, as the hub's cache has it: a link to a file that lies elsewhere under a hash."""
    blob = folder / "blobs" / "c0ffee"
    if not blob.exists():
        blob.parent.mkdir(parents=True)
        blob.write_bytes(path_of("tiny-f32").read_bytes())
    link = folder / "snapshots" / "1234" / "onnx" / name
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(blob)
    return link


def test_a_text_becomes_its_tokens_and_no_others(tmp_path: Path) -> None:
    """By the file, without the special tokens that it would add: a session goes on in the middle of things."""
    opened = FileTokenizer(write(tmp_path / "tokenizer.json"))
    assert opened.name == "tokenizer.json"
    found = opened.tokens("return one three")
    assert found.dtype == np.int64
    assert found.tolist() == [3, 4, 0]
    assert opened.tokens("<end>").tolist() == [1]
    assert opened.tokens(" \n").tolist() == opened.tokens("").tolist() == []


def test_no_text_is_cut_short_or_filled_up(tmp_path: Path) -> None:
    """What a file says of truncation and padding is for batches of training, and would lose the end of a text."""
    path = write(
        tmp_path / "tokenizer.json", enable_truncation={"max_length": 3}, enable_padding={"length": 8, "pad_id": 1}
    )
    assert FileTokenizer(path).tokens("one " * 5).tolist() == [4] * 5


def test_it_is_found_beside_the_model_and_above(tmp_path: Path) -> None:
    """In the folder of the model first, then in the one above it, and links are not followed there."""
    model = linked(tmp_path)
    assert beside(model, "tokenizer.json") is None
    above = write(model.parent.parent / "tokenizer.json")
    assert beside(model, "tokenizer.json") == above
    near = write(model.parent / "tokenizer.json")
    assert beside(model, "tokenizer.json") == near
    assert tokenizer_for(model, None, 300).name == "tokenizer.json"


def test_a_path_from_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``model.onnx`` alone has a folder above it, too."""
    model = linked(tmp_path)
    above = write(model.parent.parent / "tokenizer.json")
    monkeypatch.chdir(model.parent)
    assert beside(Path("model.onnx"), "tokenizer.json") == above


def test_embeddings_tell_which_tokenizer_made_them(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """With a file, ``tokenizer.json``; without, ``characters`` on every one, and one warning; ``ids`` for ids."""
    model = linked(tmp_path)
    options: Any = {"preset": None, "dimension": 64, "threads": 1}
    with caplog.at_level(logging.WARNING, "tcs.embedder"):
        bare = Embedder(model, **options)
        assert not caplog.records
        made = [
            bare.embed("one"),
            *bare.embed(["two", "three"]),
            *bare.stream("four", every=2),
            bare.session().embed("5"),
        ]
        assert {each.tokenizer for each in made} == {"characters"}
        assert [record.levelname for record in caplog.records] == ["WARNING"]
        assert "no tokenizer.json in" in caplog.text
        assert str(model.parent) in caplog.text
        texts: list[Any] = ["two", np.array([2])]
        mixed = bare.embed(texts)
        assert [each.tokenizer for each in mixed] == ["characters", "ids"]
        caplog.clear()
        write(model.parent / "tokenizer.json")
        good = Embedder(model, **options)
        found = good.embed("return one")
        assert (found.tokenizer, found.tokens) == ("tokenizer.json", 2)
        np.testing.assert_array_equal(found.vector, bare.session().embed(np.array([3, 4])).vector)
        assert not caplog.records


def test_a_given_file_comes_first(tmp_path: Path) -> None:
    """Whatever lies beside the model; one that is not there is no reason for characters."""
    model = linked(tmp_path)
    write(model.parent / "tokenizer.json")
    given = tmp_path / "other.json"
    with pytest.raises(MissingError, match=r"there is no tokenizer file .*other.json; leave it out for a tok"):
        tokenizer_for(model, given, 300)
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel({"one": 7}, unk_token="one"))
    made.save(str(given))
    assert tokenizer_for(model, given, 300).tokens("one").tolist() == [7]


def test_a_file_that_is_no_tokenizer(tmp_path: Path) -> None:
    """The path, and what the library says."""
    path = tmp_path / "tokenizer.json"
    path.write_text("{}")
    with pytest.raises(InputError, match=r"tokenizer.json is no tokenizer.json: "):
        FileTokenizer(path)


def test_without_the_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that cannot be read for want of the library is an error with what to install."""
    path = write(tmp_path / "tokenizer.json")
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(MissingError, match=r"the library tokenizers is not installed; pip install 'tcs-harness"):
        FileTokenizer(path)


def test_characters_are_code_points_within_the_vocabulary(tmp_path: Path) -> None:
    """One token a character, astral ones too, modulo the number of tokens that the model has."""
    made = CharacterTokenizer(300, tmp_path)
    assert made.tokens("aé\U0001f600").tolist() == [97, 233, 0x1F600 % 300]
    assert made.tokens("").tolist() == []
    assert made.tokens("a").dtype == np.int64


@pytest.mark.parametrize("point", [0xD83D, 0xDC00])
def test_half_a_pair_is_refused_by_both(point: int, tmp_path: Path) -> None:
    """With the character, where it is, and how to be rid of it; a whole pair is one character."""
    for made in (FileTokenizer(write(tmp_path / "tokenizer.json")), CharacterTokenizer(300, tmp_path)):
        with pytest.raises(InputError, match=rf"lone surrogate, U\+{point:04X}, at character 2: it was"):
            made.tokens(f"ab{chr(point)}c")
        assert len(made.tokens("one \U0001f600")) > 1
