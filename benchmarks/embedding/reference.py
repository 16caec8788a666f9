"""What a dialogue's answer must be: one full pass for each context, without a cache.

Without a window the pass is onnxruntime's, on the same graph, so that nothing but the cache can differ. A window is a
band in the mask of the pass, which no graph takes as an input: there the judge is the forward pass in float64 where the
weights are known (float32 fixtures), and else the raw loop, which slices its cache by hand.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.embedding.decoder import Shape, weights
from benchmarks.embedding.dialogue import Dialogue, mask_of
from benchmarks.embedding.drift import baseline
from benchmarks.embedding.given import file_of
from benchmarks.embedding.models import MODELS
from benchmarks.embedding.oracle import Pass, forward
from benchmarks.embedding.other_decoders import Gpt2, gpt2_forward, gpt2_weights
from benchmarks.embedding.plain import Graph, cache_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

FULL = "one full pass by onnxruntime"
BANDED = "one full pass in float64 under a banded mask"
SLICED = "a raw loop that slices its cache by hand"
TEXTS, LENGTH = 8, 16
"""Unrelated texts, and tokens of each."""
LONGEST, LARGEST = 1024, 64
"""Tokens, and MiB of weights, up to which a pass in float64 is a matter of a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """The right answer.

    Attributes:
        oracle: which of the three it is. ``logits``: whether outputs are logits.
        unrelated: mean 1 - cosine between the last outputs of unrelated texts, to hold errors against.
        exact: outputs (n, width) in float64, where the weights are known and no window cuts anything; else None.
        outputs: (n, width). ``contexts``: after each turn. ``cache``: (layers, 2, kv_heads, visible, size).
        unwindowed: outputs (n, width) as they would be without a window, None where there is none.
    """

    oracle: str
    logits: bool
    outputs: NDArray[Any]
    contexts: NDArray[np.int64]
    cache: NDArray[Any]
    unrelated: float
    unwindowed: NDArray[Any] | None = None
    exact: NDArray[np.float64] | None = None


def right(dialogue: Dialogue, position: int) -> Right:
    """The right answer to a dialogue.

    Args:
        position: of the next token, as the answer has it: a re-rotated window may begin its positions anywhere, and its
            keys are turned accordingly. Without such a window it is not looked at.
    """
    graph = Graph(file_of(dialogue.model))
    plain = replace(dialogue, window=0, policy="drop-oldest", chunk=0)
    full, tensors = _full(plain, graph)
    contexts = _contexts(dialogue)
    if not _slides(dialogue):
        exact = None
        if _known(dialogue.model) and len(dialogue.tokens) <= LONGEST:
            exact = _banded(replace(plain, start=0), graph, position, int(contexts[-1]))[0]
        return Right(
            oracle=FULL if exact is None else f"{FULL}, and one in float64", logits=graph.logits, outputs=full,
            contexts=contexts, cache=cache_of(tensors), unrelated=_unrelated(dialogue, graph), exact=exact,
        )  # fmt: skip
    if _known(dialogue.model):
        outputs, cache = _banded(dialogue, graph, position, int(contexts[-1]))
        oracle = BANDED
    else:
        from benchmarks.embedding.players.plain_loop import play

        answer = play(dialogue, graph)
        outputs, cache, oracle = answer["outputs"], answer["cache"], SLICED
    return Right(
        oracle=oracle, logits=graph.logits, outputs=outputs, contexts=contexts, cache=cache,
        unrelated=_unrelated(dialogue, graph), unwindowed=full,
    )  # fmt: skip


def float64_pass(model: str, tokens: NDArray[np.int64], **how: Any) -> Pass:
    """The forward pass in float64 of a float32 fixture; keywords as of :func:`benchmarks.embedding.oracle.forward`."""
    shape = MODELS[model].shape
    if isinstance(shape, Gpt2):
        return gpt2_forward(gpt2_weights(shape), tokens, shape, **how)
    assert isinstance(shape, Shape)
    return forward(weights(shape), shape, tokens, **how)


def _unrelated(dialogue: Dialogue, graph: Graph) -> float:
    texts = np.random.default_rng(0).integers(0, int(dialogue.tokens.max()) + 1, (TEXTS, LENGTH))
    return baseline(np.stack([graph.run(text[None])[0][0, -1] for text in texts]))


def _known(model: str) -> bool:
    """Whether the weights of a model are known as float32 numbers, and few enough for a pass in float64."""
    made = MODELS.get(model)
    return made is not None and made.shape is not None and "dtype" not in made.options and made.mib <= LARGEST


def _slides(dialogue: Dialogue) -> bool:
    return bool(dialogue.window) and any(len(dialogue.places(s)) > dialogue.window for s in dialogue.segments())


def _contexts(dialogue: Dialogue) -> NDArray[np.int64]:
    """Tokens that can be seen after each turn."""
    from benchmarks.embedding.dialogue import firsts

    found = np.zeros(len(dialogue.lengths), np.int64)
    for segment in dialogue.segments():
        ends = np.cumsum(dialogue.lengths[segment])
        found[segment] = ends - firsts(int(ends[-1]), dialogue.window, dialogue.chunk or 1)[ends - 1]
    return found


def _full(dialogue: Dialogue, graph: Graph) -> tuple[NDArray[Any], list[NDArray[Any]]]:
    """Outputs of all tokens, and the keys and values of the context that the last turn belongs to."""
    outputs: NDArray[Any] | None = None
    last: list[NDArray[Any]] = []
    for segment in dialogue.segments():
        places = dialogue.places(segment)
        found, present = graph.run(dialogue.tokens[None, places], first=dialogue.begins(segment))
        if outputs is None:
            outputs = np.empty((len(dialogue.tokens), found.shape[2]), found.dtype)
        outputs[places] = found[0]
        if len(dialogue.lengths) - 1 in segment:
            last = present
    assert outputs is not None
    return outputs, last


def _banded(dialogue: Dialogue, graph: Graph, position: int, visible: int) -> tuple[NDArray[Any], NDArray[Any]]:
    outputs, cache = None, None
    for segment in dialogue.segments():
        places = dialogue.places(segment)
        ends_here = len(dialogue.lengths) - 1 in segment
        first = dialogue.begins(segment)
        if ends_here and dialogue.policy == "re-rotated":
            first = position - len(places)
        found = float64_pass(
            dialogue.model, dialogue.tokens[places], positions=np.arange(first, first + len(places)),
            mask=mask_of(dialogue, len(places)),
        )  # fmt: skip
        rows = found.logits if graph.logits else found.hidden
        outputs = np.empty((len(dialogue.tokens), rows.shape[1])) if outputs is None else outputs
        outputs[places] = rows
        if ends_here:
            cache = np.stack([found.keys, found.values], axis=1)[:, :, :, len(places) - visible :]
    assert outputs is not None
    assert cache is not None
    return outputs, cache
