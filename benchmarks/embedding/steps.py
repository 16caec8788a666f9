"""Cases on time: the first tokens of a session (TTFT), the next one (TPOT), many prompts, a first partial embedding.

One task, ``embedding.step``, asks for the embedding of the last of ``tokens`` (n,), of which the first ``context`` have
gone in before and are not timed: with no context it is prefill, with one token left it is decode. Every player has the
same tokens, drawn at random, and the same weights. The judge is a pass over all tokens from an empty cache by plain
onnxruntime, of which no player's cache knows; players with fewer bits a weight have one of their own precision.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.embedding.cases import OWN, VOCABULARY
from benchmarks.embedding.drift import one_minus_cosine
from benchmarks.embedding.given import file_of, precision_of, provenance_of, sha256_of
from benchmarks.embedding.models import MODELS, PROVENANCE, path_of
from benchmarks.embedding.plain import Graph
from harness.case import Check, Problem, case

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.embedding.decoder import Shape

FULL = "full-hidden-f32"
"""The graph that times are told of: all 24 layers of Qwen2.5-Coder-0.5B, random weights, no head."""

LONGEST_PASS = 4096
"""Tokens of one call of the judge; more go in by calls of so many, since the attention of one takes n^2 memory."""

DYNAMIC, HALF = 0.1, 1e-4
"""1 - cosine that is allowed where activations are scaled by what is in the call, of which 3e-2 was seen, and in
float16, 2e-7; wrong positions are beyond both."""
TOLERANCES = {32: 1e-6, 8: DYNAMIC, 4: 1e-5}
"""1 - cosine that is allowed by the bits of a weight that a player says it has."""


@case(version=1, task="embedding.step", check="benchmarks.embedding.steps:same_direction")
def ttft(tokens: int, graph: str = FULL, seed: int = 0) -> Problem:
    """TTFT: from an empty cache to the embedding of the last of so many tokens."""
    return _step(graph, tokens, 0, seed)


@case(version=1, task="embedding.step", check="benchmarks.embedding.steps:same_direction")
def tpot(context: int, graph: str = FULL, fewer_bits: str = "", seed: int = 0) -> Problem:
    """TPOT: the embedding of one more token after so many; ``fewer_bits``: "int8 int4" admits players of both."""
    return _step(graph, context + 1, context, seed, fewer_bits)


@case(version=1, task="embedding.step", check="benchmarks.embedding.steps:same_direction")
def own_ttft(tokens: int, seed: int = 0, model: str | None = None) -> Problem:
    """TTFT of the model that the user names by ``model=``, or of a small GPT-2."""
    return _own(model, tokens, 0, seed)


@case(version=1, task="embedding.step", check="benchmarks.embedding.steps:same_direction")
def own_tpot(context: int, seed: int = 0, model: str | None = None) -> Problem:
    """TPOT of the model that the user names by ``model=``, or of a small GPT-2."""
    return _own(model, context + 1, context, seed)


@case(version=1, task="embedding.batch", check="benchmarks.embedding.steps:same_direction")
def batch(prompts: int, tokens: int, graph: str = FULL, seed: int = 0) -> Problem:
    """So many prompts, each on its own, of the same number of tokens."""
    ids = draw(graph, prompts * tokens, seed).reshape(prompts, tokens)
    return _problem(graph, {"tokens": ids}, [ids])


@case(version=1, task="embedding.first", check="benchmarks.embedding.steps:same_direction_so_far")
def streaming(tokens: int, every: int = 64, graph: str = FULL, seed: int = 0) -> Problem:
    """The first embedding that a caller has of a long prompt: of its first ``every`` tokens or of all."""
    ids = draw(graph, tokens, seed)[None]
    return _problem(graph, {"tokens": ids[0], "every": every}, [ids[:, :every], ids])


@case(version=1, task="embedding.open", check="benchmarks.embedding.steps:same_direction")
def opening(graph: str = FULL, seed: int = 0) -> Problem:
    """From a file on disk, in the page cache, to the embedding of one token."""
    ids = draw(graph, 1, seed)
    return _problem(graph, {"tokens": ids}, [ids[None]])


def draw(graph: str, tokens: int, seed: int) -> NDArray[np.int64]:
    """Token ids (n,), uniform over the vocabulary of a graph; a shorter draw is the beginning of a longer one."""
    return np.random.default_rng(seed).integers(0, shape_of(graph).vocabulary, tokens)


def shape_of(graph: str) -> Shape:
    """Sizes of a model of this suite, also of one that is quantised."""
    from benchmarks.embedding.decoder import Shape

    model = MODELS[graph]
    shape = model.shape or shape_of(model.source)
    assert isinstance(shape, Shape), f"{graph} is no decoder of this suite's own architecture"
    return shape


def same_direction(inputs: Mapping[str, Any], known: Mapping[str, Any], answer: Mapping[str, Any]) -> Check:
    """Rows of ``embeddings`` (n, d) against the reference (n, width), of which a slice of d is taken.

    An answer may say the ``bits`` of its weights, 32 by default; each number has its reference and its tolerance.
    """
    return _held(answer, known, -1)


def same_direction_so_far(inputs: Mapping[str, Any], known: Mapping[str, Any], answer: Mapping[str, Any]) -> Check:
    """As :func:`same_direction`, against the reference after the number of ``tokens`` that the answer names."""
    lengths = [int(inputs["every"]), len(inputs["tokens"])]
    done = int(answer["tokens"])
    if done not in lengths:
        return Check(ok=False, oracle=ORACLE, detail=f"an embedding after {done} tokens was not asked for", exact=False)
    return _held(answer, known, lengths.index(done))


ORACLE = "a pass from an empty cache by onnxruntime, of the same precision"


def _held(answer: Mapping[str, Any], known: Mapping[str, Any], which: int) -> Check:
    """Against one of the passes that are known."""
    found, bits = np.asarray(answer["embeddings"], np.float64), int(answer.get("bits", 32))
    if str(bits) not in known["right"]:
        return Check(ok=False, oracle=ORACLE, detail=f"weights of {bits} bits were not asked for", exact=False)
    right = np.array(known["right"][str(bits)][which])
    if found.ndim != 2 or len(found) != len(right) or not 2 <= found.shape[1] <= right.shape[1]:
        return Check(ok=False, oracle=ORACLE, detail=f"shape {found.shape}, of {right.shape} right ones", exact=False)
    if not np.isfinite(found).all() or not found.any(axis=1).all():
        return Check(ok=False, oracle=ORACLE, detail="an embedding is 0 or not finite", exact=False)
    tolerance = known.get("tolerance", TOLERANCES[bits])
    worst = float(one_minus_cosine(found, right[:, : found.shape[1]]).max())
    return Check(
        ok=worst <= tolerance,
        oracle=ORACLE,
        detail="" if worst <= tolerance else f"1 - cosine is {worst:.2g}, beyond {tolerance:g} for {bits} bits",
        distance=worst,
        tolerance=tolerance,
        exact=False,
        metrics={"one_minus_cosine": {"value": worst, "unit": "1 - cosine", "direction": "lower"}},
    )


def _step(graph: str, tokens: int, context: int, seed: int, fewer_bits: str = "") -> Problem:
    ids = draw(graph, tokens, seed)
    return _problem(graph, {"tokens": ids, "context": context}, [ids[None]], fewer_bits)


def _own(model: str | None, tokens: int, context: int, seed: int) -> Problem:
    """A step of a user's model; nothing is known of its vocabulary but that it holds a byte."""
    graph = model or OWN
    ids = np.random.default_rng(seed).integers(0, VOCABULARY, tokens)
    session = Graph(file_of(graph), threads=0)
    allowed = {"f16": HALF, "int8": DYNAMIC}.get(precision_of(graph), TOLERANCES[32])
    right = _last(session, ids)
    return Problem(
        inputs={"graph": graph, "tokens": ids, "context": context, "width": len(right)},
        known={"right": {"32": [[right.tolist()]]}, "tolerance": allowed},
        provenance=provenance_of(graph),
        data={graph if graph in MODELS else "model": sha256_of(graph)},
    )


def _problem(graph: str, inputs: Mapping[str, Any], passes: list[NDArray[np.int64]], fewer_bits: str = "") -> Problem:
    """The inputs, and by bits the last output of each row of each pass (rows, tokens)."""
    right = {}
    for precision in ("f32", *fewer_bits.split()):
        session = Graph(path_of(graph.replace("-f32", f"-{precision}")), threads=0)
        right[precision.lstrip("fint")] = [[_last(session, row).tolist() for row in rows] for rows in passes]
    width = shape_of(graph).hidden
    return Problem(inputs={"graph": graph, "width": width, **inputs}, known={"right": right}, provenance=PROVENANCE)


def _last(session: Graph, tokens: NDArray[np.int64]) -> NDArray[np.float64]:
    """The output of the last of tokens (n,), float64 (width,)."""
    past = session.empty()
    for first in range(0, len(tokens), LONGEST_PASS):
        found, past = session.run(tokens[None, first : first + LONGEST_PASS], past)
    last: NDArray[np.float64] = found[0, -1].astype(np.float64)
    return last
