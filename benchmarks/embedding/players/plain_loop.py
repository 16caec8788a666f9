"""The raw loop that anyone writes first: ``session.run`` with the cache as numpy arrays, sliced by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.embedding.dialogue import Dialogue, read
from benchmarks.embedding.given import file_of
from benchmarks.embedding.plain import Graph, cache_of, turned
from harness.case import Stage, player

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


@dataclass(slots=True)
class Loop:
    """One session: what it keeps between calls."""

    past: list[NDArray[Any]] = field(default_factory=list)
    position: int = 0


@player(
    name="onnxruntime loop states",
    task="embedding.states",
    engine="onnxruntime loop",
    packages={"onnxruntime": ">=1.22"},
    install="pip install -e '.[embedding,onnx]' -c constraints.txt",
    note="session.run with the cache as numpy arrays; windows by slicing them, token by token",
)
def loop(inputs: Mapping[str, Any], stage: Stage) -> Callable[[], dict[str, Any]]:
    """onnxruntime's run in a loop, caches sliced and turned by numpy."""
    dialogue = read(inputs)
    graph = Graph(file_of(dialogue.model), dialogue.threads)
    return lambda: play(dialogue, graph)


def play(dialogue: Dialogue, graph: Graph) -> dict[str, Any]:
    """All turns; see :func:`benchmarks.embedding.checks.states` for the answer."""
    sessions = {number: Loop(position=dialogue.start) for number in dialogue.sessions.tolist()}
    outputs, contexts = [], []
    session = Loop()
    for turn, tokens in dialogue.turns():
        session = sessions[int(dialogue.sessions[turn])]
        if dialogue.resets[turn]:
            session.past, session.position = [], 0
        first = 0
        while first < len(tokens):
            count = _slide(session, dialogue, min(int(dialogue.calls[turn]), len(tokens) - first))
            found, session.past = graph.run(tokens[None, first : first + count], session.past, session.position)
            outputs.append(found[0].astype(np.float32))
            session.position, first = session.position + count, first + count
        contexts.append(session.past[0].shape[2])
    return {
        "outputs": np.concatenate(outputs),
        "contexts": np.array(contexts),
        "cache": cache_of(session.past).astype(np.float32),
        "position": session.position,
    }


def _slide(session: Loop, dialogue: Dialogue, tokens: int) -> int:
    """Drop what must go before the next call; how many tokens it may take."""
    if not dialogue.window or not session.past:
        return min(tokens, dialogue.window or tokens)
    free = int(dialogue.window - session.past[0].shape[2])
    if free > 0:
        return min(tokens, free)
    gone = dialogue.chunk or 1
    session.past = [np.ascontiguousarray(each[:, :, gone:]) for each in session.past]
    if dialogue.policy == "re-rotated":
        session.past[::2] = [turned(keys, -gone, dialogue.theta) for keys in session.past[::2]]
        session.position -= gone
    return min(tokens, gone)
