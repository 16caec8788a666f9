"""Who turns texts into tokens: the embedder, the library tokenizers, and a fallback that says nothing."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.embedding.given import file_of
from harness.case import Stage, player
from harness.errors import Unavailable

Solve = Callable[[], dict[str, Any]]


@player(
    name="tcs-embedder tokens",
    task="embedding.tokens",
    role="candidate",
    engine="tcs",
    packages={"onnxruntime": ">=1.22", "tokenizers": ">=0.20"},
    install="pip install -e '.[embedding,onnx]' -c constraints.txt",
    cite="tcs.embedder",
)
def tcs_tokens(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """Tokens, and what each embedding says of where they came from."""
    from tcs.embedder import Embedder

    texts = [str(text) for text in inputs["texts"]]
    with tempfile.TemporaryDirectory() as folder:
        path = None
        if inputs["tokenizer"]:
            path = Path(folder) / "tokenizer.json"
            path.write_text(inputs["tokenizer"], encoding="utf-8")
        embedder = Embedder(file_of(inputs["model"]), path, preset=None, dimension=64)

    def solve() -> dict[str, Any]:
        tokens = [embedder.tokenizer.tokens(text) for text in texts]
        return {
            "tokens": np.concatenate(tokens),
            "lengths": np.array([len(each) for each in tokens]),
            "flagged": np.array([int(each.tokenizer == "characters") for each in embedder.embed(list(texts))]),
        }

    return solve


@player(
    name="tokenizers",
    task="embedding.tokens",
    engine="tokenizers",
    packages={"tokenizers": ">=0.20"},
    install="pip install -e '.[embedding]' -c constraints.txt",
)
def tokenizers(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """The library tokenizers by itself."""
    import tokenizers as library

    if not inputs["tokenizer"]:
        raise Unavailable("there is no tokenizer.json, and the library has no tokenizer without one")
    tokenizer = library.Tokenizer.from_str(inputs["tokenizer"])

    def solve() -> dict[str, Any]:
        tokens = [np.array(tokenizer.encode(str(text), add_special_tokens=False).ids) for text in inputs["texts"]]
        return {
            "tokens": np.concatenate(tokens),
            "lengths": np.array([len(each) for each in tokens]),
            "flagged": np.zeros(len(tokens), np.int64),
        }

    return solve


@player(
    name="control unflagged",
    task="embedding.tokens",
    engine="control",
    role="control",
    note="characters stand in for tokens, and nothing says so",
)
def unflagged(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """The flags of the embedder turned around."""
    solve = tcs_tokens(inputs, stage)

    def turned() -> dict[str, Any]:
        found = solve()
        return {**found, "flagged": 1 - found["flagged"]}

    return turned
