"""Who embeds texts: the embedder in batches, a raw loop one by one, and padding gone wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.embedding.given import file_of
from benchmarks.embedding.plain import Graph
from benchmarks.embedding.text_cases import split
from benchmarks.embedding.text_checks import DEFAULT
from harness.case import Stage, player

if TYPE_CHECKING:
    from numpy.typing import NDArray

Solve = Callable[[], dict[str, Any]]


@player(
    name="tcs-embedder texts",
    task="embedding.texts",
    role="candidate",
    engine="tcs",
    packages={"onnxruntime": ">=1.22"},
    install="pip install -e '.[embedding,onnx]' -c constraints.txt",
    cite="tcs.embedder",
)
def tcs_texts(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """Embedder.embed of all texts at once."""
    embed = embedder_of(inputs)
    return lambda: {"vectors": embed()}


@player(
    name="onnxruntime loop texts",
    task="embedding.texts",
    engine="onnxruntime loop",
    packages={"onnxruntime": ">=1.22"},
    install="pip install -e '.[embedding,onnx]' -c constraints.txt",
    note="one text after the other",
)
def loop_texts(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """onnxruntime's run on each text, sliced and normalised by numpy."""
    embed = loop_of(inputs)
    return lambda: {"vectors": embed()}


@player(
    name="control left padding",
    task="embedding.texts",
    engine="control",
    role="control",
    note="texts are padded on the left, which graphs with GroupQueryAttention take silently and wrongly",
)
def left_padding(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """huggingface/text-embeddings-inference#642, #648: a batch is embedded otherwise than its texts alone."""
    return _padded(inputs, left=True, masked=True)


@player(
    name="control padding attended to",
    task="embedding.texts",
    engine="control",
    role="control",
    note="the mask shows the padding on the left",
)
def padding_attended_to(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """huggingface/transformers#25420: padding changes what it stands beside."""
    return _padded(inputs, left=True, masked=False)


@player(
    name="control padding embedded",
    task="embedding.texts",
    engine="control",
    role="control",
    note="the last column of a batch is taken, padding or not",
)
def padding_embedded(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """Padding on the right, and the output of the last column."""
    return _padded(inputs, left=False, masked=True)


@player(
    name="control not normalised",
    task="embedding.texts",
    engine="control",
    role="control",
    note="normalised before it is sliced, so no vector has length 1",
)
def not_normalised(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """A right direction of a wrong length."""
    embed = loop_of({**inputs, "dimension": 10**9})
    dimension = int(inputs["dimension"]) or DEFAULT
    return lambda: {"vectors": embed()[:, :dimension]}


def embedder_of(inputs: Mapping[str, Any], **how: Any) -> Callable[[], NDArray[np.float32]]:
    """Vectors of all texts by the embedder, which is opened now."""
    from tcs.embedder import Embedder

    if inputs["dimension"]:
        how["dimension"] = int(inputs["dimension"])
    embedder = Embedder(file_of(inputs["model"]), preset=None, threads=int(inputs["threads"]), **how)
    parts = split(inputs["tokens"], inputs["lengths"])
    return lambda: np.stack([each.vector for each in embedder.embed(list(parts))])


def loop_of(inputs: Mapping[str, Any]) -> Callable[[], NDArray[np.float32]]:
    """The same by a raw loop."""
    graph = Graph(file_of(inputs["model"]), int(inputs["threads"]))
    parts = split(inputs["tokens"], inputs["lengths"])
    return lambda: _normalised(np.stack([graph.run(each[None])[0][0, -1] for each in parts]), inputs)


def _padded(inputs: Mapping[str, Any], *, left: bool, masked: bool) -> Solve:
    graph = Graph(file_of(inputs["model"]), int(inputs["threads"]))
    parts = split(inputs["tokens"], inputs["lengths"])
    longest = max(map(len, parts))
    tokens, mask = np.zeros((len(parts), longest), np.int64), np.zeros((len(parts), longest), np.int64)
    for row, each in enumerate(parts):
        place = slice(longest - len(each), None) if left else slice(None, len(each))
        tokens[row, place], mask[row, place] = each, 1
    shown = mask if masked else np.ones_like(mask)
    positions = np.maximum(shown.cumsum(axis=1) - 1, 0)
    return lambda: {
        "vectors": _normalised(graph.run(tokens, mask=shown, positions=positions)[0][:, -1], inputs),
    }


def _normalised(outputs: NDArray[Any], inputs: Mapping[str, Any]) -> NDArray[np.float32]:
    sliced = outputs[:, : int(inputs["dimension"]) or DEFAULT].astype(np.float64)
    found: NDArray[np.float32] = (sliced / np.linalg.norm(sliced, axis=1, keepdims=True)).astype(np.float32)
    return found
