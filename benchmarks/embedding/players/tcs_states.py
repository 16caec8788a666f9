"""TCS: the embedder of this project, asked for everything that it knows of a dialogue."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.embedding.dialogue import Dialogue, read
from benchmarks.embedding.given import file_of
from harness.case import Stage, player
from harness.errors import Unavailable

if TYPE_CHECKING:
    from tcs.embedder.decoder import Decoder
    from tcs.embedder.model import Model


@player(
    name="tcs-embedder",
    task="embedding.states",
    role="candidate",
    engine="tcs",
    packages={"onnxruntime": ">=1.22"},
    install="pip install -e '.[embedding,onnx]' -c constraints.txt",
    cite="tcs.embedder",
    note="sessions run side by side, each in a thread of its own",
)
def tcs_embedder(inputs: Mapping[str, Any], stage: Stage) -> Callable[[], dict[str, Any]]:
    """tcs.embedder, turn by turn, from an opened model."""
    from tcs.embedder import ContractError

    dialogue = read(inputs)

    def solve() -> dict[str, Any]:
        try:
            return play(dialogue, model, decoder_of, together=True)
        except ContractError as error:
            raise Unavailable(f"tcs.embedder refuses it: {error}") from error

    try:
        model = open_model(dialogue)
    except ContractError as error:
        raise Unavailable(f"tcs.embedder refuses it: {error}") from error
    return solve


def open_model(dialogue: Dialogue) -> Model:
    """The model of a dialogue, opened."""
    from tcs.embedder.model import Model

    return Model(file_of(dialogue.model), preset=None, threads=dialogue.threads)


def decoder_of(model: Model, dialogue: Dialogue, kind: Callable[..., Decoder] | None = None) -> Decoder:
    """A decoder as the dialogue asks for it, at its first position."""
    from tcs.embedder.decoder import Decoder
    from tcs.embedder.window import Window

    size = dialogue.window or len(dialogue.tokens)
    window = Window(size=size, policy=dialogue.policy, chunk=dialogue.chunk)
    most = int(min(dialogue.calls.max(), len(dialogue.tokens)))
    made = (kind or Decoder)(model, window, prefill=most, theta=dialogue.theta or None)
    made.position = dialogue.start
    return made


def play(
    dialogue: Dialogue, model: Model, make: Callable[[Model, Dialogue], Decoder], *, together: bool = False
) -> dict[str, Any]:
    """All turns, each session with a decoder that ``make`` makes; ``together``: sessions at the same time.

    See :func:`benchmarks.embedding.checks.states` for the answer.
    """
    outputs = np.empty((len(dialogue.tokens), model.width), np.float32)
    contexts = np.zeros(len(dialogue.lengths), np.int64)
    numbers = list(dict.fromkeys(dialogue.sessions.tolist()))
    decoders = {number: make(model, dialogue) for number in numbers}

    def take(turns: list[int]) -> None:
        for turn in turns:
            decoder = decoders[int(dialogue.sessions[turn])]
            if dialogue.resets[turn]:
                decoder.reset()
            at, end = int(dialogue.ends[turn] - dialogue.lengths[turn]), int(dialogue.ends[turn])
            for first in range(at, end, int(dialogue.calls[turn])):
                done = first
                for found in decoder.advance(dialogue.tokens[first : min(first + int(dialogue.calls[turn]), end)]):
                    outputs[done : done + len(found)] = found
                    done += len(found)
            contexts[turn] = decoder.context_length

    if together and len(numbers) > 1:
        with ThreadPoolExecutor(len(numbers)) as pool:
            list(pool.map(take, ([int(t) for t in np.flatnonzero(dialogue.sessions == n)] for n in numbers)))
    else:
        take(list(range(len(dialogue.lengths))))
    last = decoders[int(dialogue.sessions[-1])]
    return {
        "outputs": outputs,
        "contexts": contexts,
        "cache": last.cached().astype(np.float32),
        "position": int(last.position),
    }
