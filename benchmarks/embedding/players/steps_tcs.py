"""TCS: sessions, batches and streams of the embedder, from token ids to embeddings, as users call them."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.embedding.given import file_of
from benchmarks.embedding.models import MODELS
from benchmarks.embedding.steps import shape_of
from harness.case import Stage, player

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tcs.embedder import Embedder, Observer, Session

    Solve = Callable[[], dict[str, Any]]


@player(
    name="tcs-embedder session",
    task="embedding.step",
    role="candidate",
    engine="tcs",
    packages={"onnxruntime": ">=1.22"},
    install="pip install -e '.[embedding,onnx]' -c constraints.txt",
    cite="tcs.embedder",
    note="from token ids to a normalised vector; the tokens of the call before are forgotten in the time",
)
def session(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """Session.embed of tcs.embedder."""
    return step(inputs, inputs["graph"])


@player(
    name="tcs-embedder session with head",
    task="embedding.step",
    role="candidate",
    engine="tcs",
    packages={"onnxruntime": ">=1.22"},
    install="pip install -e '.[embedding,onnx]' -c constraints.txt",
    cite="tcs.embedder",
    note="the same weights in a graph that gives logits beside the hidden state: onnxruntime computes both",
)
def session_with_head(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """Session.embed on a graph that still has its language-model head."""
    return step(inputs, inputs["graph"].replace("-hidden-", "-both-"))


@player(
    name="tcs-embedder session int8",
    task="embedding.step",
    role="candidate",
    engine="tcs",
    packages={"onnxruntime": ">=1.23"},
    install="pip install -e '.[embedding,onnx]' -c constraints.txt",
    cite="tcs.embedder",
    note="weights in int8 by onnxruntime's dynamic quantiser",
)
def session_int8(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """Session.embed on the graph in int8."""
    return step(inputs, inputs["graph"].replace("-f32", "-int8"), bits=8)


@player(
    name="tcs-embedder session int4",
    task="embedding.step",
    role="candidate",
    engine="tcs",
    packages={"onnxruntime": ">=1.23"},
    install="pip install -e '.[embedding,onnx]' -c constraints.txt",
    cite="tcs.embedder",
    note="weights in blocks of 4 bits: MatMulNBits",
)
def session_int4(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """Session.embed on the graph in 4 bits."""
    return step(inputs, inputs["graph"].replace("-f32", "-int4"), bits=4)


@player(
    name="tcs-embedder batch",
    task="embedding.batch",
    role="candidate",
    engine="tcs",
    packages={"onnxruntime": ">=1.22"},
    install="pip install -e '.[embedding,onnx]' -c constraints.txt",
    cite="tcs.embedder",
)
def batch(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """Embedder.embed of a list."""
    prompts = list(inputs["tokens"])
    embedder = opened(inputs)
    return lambda: {"embeddings": np.stack([each.vector for each in embedder.embed(prompts)])}


@player(
    name="tcs-embedder one by one",
    task="embedding.batch",
    role="baseline",
    engine="tcs",
    packages={"onnxruntime": ">=1.22"},
    install="pip install -e '.[embedding,onnx]' -c constraints.txt",
    cite="tcs.embedder",
    note="what a batch must beat",
)
def one_by_one(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """Embedder.embed of each prompt, with a reset before each."""
    prompts = list(inputs["tokens"])
    embedder = opened(inputs)

    def solve() -> dict[str, Any]:
        found = []
        for prompt in prompts:
            embedder.reset()
            found.append(embedder.embed(prompt).vector)
        return {"embeddings": np.stack(found)}

    return solve


@player(
    name="tcs-embedder stream",
    task="embedding.first",
    role="candidate",
    engine="tcs",
    packages={"onnxruntime": ">=1.22"},
    install="pip install -e '.[embedding,onnx]' -c constraints.txt",
    cite="tcs.embedder",
    note="until the first partial embedding is there",
)
def stream(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """The first that Embedder.stream gives."""
    return _first(inputs, inputs["every"])


@player(
    name="tcs-embedder whole",
    task="embedding.first",
    role="baseline",
    engine="tcs",
    packages={"onnxruntime": ">=1.22"},
    install="pip install -e '.[embedding,onnx]' -c constraints.txt",
    cite="tcs.embedder",
    note="what a stream must beat",
)
def whole(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """The only one that Embedder.stream gives without partial ones."""
    return _first(inputs, 0)


@player(
    name="tcs-embedder opened",
    task="embedding.open",
    role="candidate",
    engine="tcs",
    packages={"onnxruntime": ">=1.22"},
    install="pip install -e '.[embedding,onnx]' -c constraints.txt",
    cite="tcs.embedder",
)
def opening(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """Embedder(...) and the embedding of one token."""
    file_of(inputs["graph"])

    def solve() -> dict[str, Any]:
        with stage("open"):
            embedder = opened(inputs)
        with stage("first token"):
            found = embedder.embed(inputs["tokens"]).vector[None]
        return {"embeddings": found}

    return solve


def opened(inputs: Mapping[str, Any], graph: str = "", observers: tuple[Observer, ...] = ()) -> Embedder:
    """An embedder over a graph, the problem's if none is named, whose window holds all tokens."""
    from tcs.embedder import Embedder

    graph, tokens = graph or inputs["graph"], inputs["tokens"].shape[-1]
    return Embedder(
        file_of(graph),
        preset=None,
        window=tokens,
        longest=tokens,
        dimension=width_of(graph, inputs),
        threads=inputs["threads"],
        observers=observers,
    )


def width_of(graph: str, inputs: Mapping[str, Any]) -> int:
    """Coordinates of a graph's output: of a model of this suite by its shape, of another one as the problem says."""
    return shape_of(graph).hidden if graph in MODELS and graph != inputs["graph"] else int(inputs["width"])


def step(inputs: Mapping[str, Any], graph: str, *, bits: int = 32, observers: tuple[Observer, ...] = ()) -> Step:
    """A session with its context in the cache, to which each call returns."""
    made = opened(inputs, graph, observers).session()
    context, tokens = inputs["context"], inputs["tokens"]
    if context:
        made.embed(tokens[:context])
    gc.collect()
    return Step(made, tokens[context:], bits)


class Step:
    """Tokens (n,) after the context of a session, which each call returns to; it tells tokens a second, too."""

    def __init__(self, session: Session, tokens: NDArray[np.int64], bits: int) -> None:
        self._session, self._tokens, self._bits = session, tokens, bits
        self._mark = session.decoder.mark()
        self._seconds: list[float] = []

    def __call__(self) -> dict[str, Any]:
        """The embedding of the last token."""
        start = time.perf_counter()
        self._session.decoder.return_to(self._mark)
        vector = self._session.embed(self._tokens).vector
        self._seconds.append(time.perf_counter() - start)
        return {"embeddings": vector[None], "bits": self._bits}

    def metrics(self) -> dict[str, dict[str, Any]]:
        """Tokens a second at the median of all calls, by the player's own clock."""
        rate = len(self._tokens) / statistics.median(self._seconds)
        return {"tokens_per_second": {"value": rate, "unit": "tokens/s", "direction": "higher"}}


def _first(inputs: Mapping[str, Any], every: int) -> Solve:
    embedder = opened(inputs)

    def solve() -> dict[str, Any]:
        embedder.reset()
        partial = embedder.stream(inputs["tokens"], every=every)
        first = next(partial)
        return {"embeddings": first.vector[None], "tokens": first.tokens}

    return solve
