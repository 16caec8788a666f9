"""Who leads from texts to bars: the embedder and the persistence engine, a raw loop and ripser, and a wrong pooling."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from benchmarks.embedding.players.texts import embedder_of, loop_of
from benchmarks.persistence.barcode import as_answer
from harness.case import Stage, player

Solve = Callable[[], dict[str, Any]]


@player(
    name="tcs-pipeline",
    task="embedding.topology",
    role="candidate",
    engine="tcs",
    packages={"onnxruntime": ">=1.22", "numba": ">=0.60"},
    install="pip install -e '.[embedding,onnx,persistence]' -c constraints.txt",
    cite="tcs.embedder, tcs.persistence",
)
def pipeline(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """From texts by tcs.embedder to a cloud, and by tcs.persistence to its bars."""
    from tcs.persistence import rips

    embed = embedder_of(inputs)
    rips(np.eye(3), threshold=2.0, max_dimension=int(inputs["max_dimension"]))

    def solve() -> dict[str, Any]:
        with stage("embeddings"):
            vectors = embed()
        with stage("persistence"):
            found = rips(
                vectors.astype(np.float64), threshold=inputs["threshold"], max_dimension=int(inputs["max_dimension"])
            )
        return {"vectors": vectors, **as_answer(found.bars)}

    return solve


@player(
    name="onnxruntime loop and ripser",
    task="embedding.topology",
    engine="onnxruntime loop",
    packages={"onnxruntime": ">=1.22", "ripser": ">=0.6.12"},
    install="pip install -e '.[embedding,onnx,peers]' -c constraints.txt",
)
def loop_and_ripser(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """The raw loop for the embeddings, ripser.py for the bars."""
    from ripser import ripser

    embed = loop_of(inputs)

    def solve() -> dict[str, Any]:
        vectors = embed()
        points = vectors.astype(np.float64)
        found = ripser(points, maxdim=int(inputs["max_dimension"]), thresh=inputs["threshold"])["dgms"]
        return {"vectors": vectors, **as_answer(found)}

    return solve


@player(
    name="control pooled by the mean",
    task="embedding.topology",
    engine="control",
    role="control",
    note="the bars are those of other embeddings than were asked for",
)
def pooled_by_the_mean(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """Vectors of the last token, bars of the mean over tokens."""
    from tcs.persistence import rips

    last, mean = embedder_of(inputs), embedder_of(inputs, pooling="mean")

    def solve() -> dict[str, Any]:
        found = rips(mean().astype(np.float64), threshold=inputs["threshold"], max_dimension=1)
        return {"vectors": last(), **as_answer(found.bars)}

    return solve
