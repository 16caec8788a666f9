"""From text to tokens: by a ``tokenizer.json``, or character by character where there is none."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np

from tcs.embedder.errors import InputError, MissingError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Text: TypeAlias = str | NDArray[np.int64]
    """A text, or the ids of its tokens."""

INSTALL = "pip install 'tcs-harness[embedding]'"
_log = logging.getLogger("tcs.embedder")


class Tokenizer(Protocol):
    """What turns text into tokens."""

    @property
    def name(self) -> str:
        """``tokenizer.json`` or ``characters``; it is written on every embedding."""

    def tokens(self, text: str) -> NDArray[np.int64]:
        """Token ids (n,)."""


class FileTokenizer:
    """A ``tokenizer.json``, read by the library tokenizers. It adds no special tokens: a session goes on.

    Raises:
        MissingError: the library is not installed, or there is no such file.
        InputError: the file is no tokenizer.
    """

    name = "tokenizer.json"

    def __init__(self, path: str | Path) -> None:
        path = Path(path)
        if not path.is_file():
            raise MissingError(f"there is no tokenizer file {path}; leave it out for a tokenizer of characters")
        try:
            import tokenizers
        except ModuleNotFoundError as error:
            raise MissingError(f"the library tokenizers is not installed; {INSTALL}") from error
        try:
            self._tokenizer: Any = tokenizers.Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises plain Exception
            raise InputError(f"{path} is no tokenizer.json: {error}") from error
        # what the file says of batches for training would cut texts short and fill them up
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()

    def tokens(self, text: str) -> NDArray[np.int64]:
        """Token ids (n,).

        Raises:
            InputError: the text holds a lone surrogate, which no encoding of it can hold.
        """
        return np.array(self._tokenizer.encode(whole_characters(text), add_special_tokens=False).ids, np.int64)


class CharacterTokenizer:
    """One token for each character, its code point modulo the vocabulary: any model takes it, and none understands."""

    name = "characters"

    def __init__(self, vocabulary: int, folder: Path) -> None:
        self._vocabulary, self._folder, self._warned = vocabulary, folder, False

    def tokens(self, text: str) -> NDArray[np.int64]:
        """Token ids (n,).

        Raises:
            InputError: the text holds a lone surrogate.
        """
        if not self._warned:
            self._warned = True
            _log.warning(
                "no tokenizer.json in %s: text is read character by character, which means little", self._folder
            )
        points = np.frombuffer(whole_characters(text).encode("utf-32-le"), "<u4")
        return points.astype(np.int64) % self._vocabulary


def tokenizer_for(model: str | Path, given: str | Path | None, vocabulary: int) -> Tokenizer:
    """The tokenizer that is given, or ``tokenizer.json`` beside the model or above it, else one of characters.

    The last is told by a warning when it is first used, and by every embedding that it touched.
    """
    if given is not None:
        return FileTokenizer(given)
    found = beside(Path(model), "tokenizer.json")
    return FileTokenizer(found) if found else CharacterTokenizer(vocabulary, Path(model).absolute().parent)


def beside(model: Path, name: str) -> Path | None:
    """A file of this name in the folder of a model or the one above it; None if there is none.

    Links are not followed: the cache of the Hugging Face hub keeps files under other names, and links to them.
    """
    folder = model.absolute().parent
    return next((place / name for place in (folder, folder.parent) if (place / name).is_file()), None)


def whole_characters(text: str) -> str:
    """The text, if it is one.

    Raises:
        InputError: it is none, or it holds half of a surrogate pair.
    """
    if not isinstance(text, str):
        raise InputError(f"a text is a str (decode bytes first) or an array of token ids, not {type(text).__name__}")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InputError(
            f"the text holds a lone surrogate, U+{ord(text[error.start]):04X}, at character {error.start}: it was "
            f"decoded wrongly; text.encode('utf-8', 'replace').decode() puts '?' there"
        ) from None
    return text
