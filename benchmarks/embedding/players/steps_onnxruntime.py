"""What our embedder stands on and is held against: onnxruntime in a plain loop, and a read of the same bytes."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.embedding.given import file_of
from benchmarks.embedding.models import MODELS
from benchmarks.embedding.plain import Graph
from benchmarks.embedding.steps import shape_of
from harness.case import Stage, player
from harness.errors import Unavailable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.embedding.decoder import Shape

    Solve = Callable[[], dict[str, Any]]

PREFILL = 512
"""Tokens of one call while the context goes in: no call needs the memory of a long one's attention."""
BLOCKS = 64
"""Parts that threads take one after the other, so that none is idle at the end."""


@player(
    name="onnxruntime loop",
    task="embedding.step",
    engine="onnxruntime loop",
    packages={"onnxruntime": ">=1.22"},
    install="pip install -e '.[embedding,onnx]' -c constraints.txt",
    cite="onnxruntime.ai",
    note="session.run with all inputs by name; the cache it returns is the next call's past; one call for a prefill",
)
def loop(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """onnxruntime's session.run, the cache in numpy arrays."""
    graph = Graph(file_of(inputs["graph"]), threads=inputs["threads"])
    past, last = _after_context(graph, inputs)
    gc.collect()

    def solve() -> dict[str, Any]:
        found, _ = graph.run(last, past)
        return {"embeddings": found[:, -1]}

    return solve


@player(
    name="control forgets the context",
    task="embedding.step",
    engine="control",
    role="control",
    packages={"onnxruntime": ">=1.22"},
    install="pip install -e '.[embedding,onnx]' -c constraints.txt",
    note="the same loop from an empty cache, at the right positions: nothing is as fast",
)
def forgetful(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """One token without what came before it."""
    if not inputs["context"]:
        raise Unavailable("without a context there is nothing to forget")
    graph = Graph(file_of(inputs["graph"]), threads=inputs["threads"])
    last = inputs["tokens"][None, inputs["context"] :]
    return lambda: {"embeddings": graph.run(last, first=inputs["context"])[0][:, -1]}


@player(
    name="onnxruntime opened",
    task="embedding.open",
    engine="onnxruntime loop",
    packages={"onnxruntime": ">=1.22"},
    install="pip install -e '.[embedding,onnx]' -c constraints.txt",
    cite="onnxruntime.ai",
)
def opening(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """InferenceSession(...) and one token."""
    path = file_of(inputs["graph"])

    def solve() -> dict[str, Any]:
        with stage("open"):
            graph = Graph(path, threads=inputs["threads"])
        with stage("first token"):
            found, _ = graph.run(inputs["tokens"][None])
        return {"embeddings": found[:, -1]}

    return solve


@player(
    name="memory read",
    task="embedding.step",
    role="baseline",
    engine="memory",
    packages={"onnxruntime": ">=1.22"},
    install="pip install -e '.[embedding,onnx]' -c constraints.txt",
    note="no engine but a floor: reads as many bytes as one token must, and has its answer from before",
)
def memory_read(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """The union of the bits of as many bytes as the weights and the cache have, in all threads."""
    if len(inputs["tokens"]) - inputs["context"] != 1:
        raise Unavailable("only one token at a time is bound by the memory's bandwidth")
    if inputs["graph"] not in MODELS:
        raise Unavailable("how many bytes a user's own model reads for a token is not known")
    graph = Graph(file_of(inputs["graph"]), threads=inputs["threads"])
    past, last = _after_context(graph, inputs)
    right = graph.run(last, past)[0][:, -1]
    del graph, past
    gc.collect()
    words = np.ones(token_bytes(shape_of(inputs["graph"]), inputs["context"]) // 8, np.int64)
    read = reader(words, inputs["threads"])

    def solve() -> dict[str, Any]:
        read()
        return {"embeddings": right}

    return solve


def token_bytes(shape: Shape, context: int) -> int:
    """Bytes in float32 that one more token must read: every weight but the embedding's other rows, and the cache.

    >>> from benchmarks.embedding.decoder import QWEN_05B
    >>> token_bytes(QWEN_05B, 2048)
    1481863168
    """
    others = (shape.vocabulary - 1) * shape.hidden
    cache = 2 * shape.layers * shape.kv_heads * shape.head_size * context
    return 4 * (shape.parameters - others + cache)


def reader(words: NDArray[np.int64], threads: int) -> Callable[[], int]:
    """What finds the union of the bits of all words (n,), in threads that numpy does not hold up.

    It is bound by memory: a sum in C with OpenMP, compiled for the machine, reads as many bytes a second.
    """
    blocks = np.array_split(words, BLOCKS)
    pool = ThreadPoolExecutor(threads)
    return lambda: int(np.bitwise_or.reduce(list(pool.map(np.bitwise_or.reduce, blocks))))


def _after_context(graph: Graph, inputs: Mapping[str, Any]) -> tuple[list[NDArray[Any]], NDArray[np.int64]]:
    """Keys and values of the context, and the tokens (1, n) that are left."""
    tokens, context = inputs["tokens"][None], inputs["context"]
    past = graph.empty()
    for first in range(0, context, PREFILL):
        _, past = graph.run(tokens[:, first : min(first + PREFILL, context)], past)
    return past, tokens[:, context:]
