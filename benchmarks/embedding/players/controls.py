"""Planted bugs as players: every report must catch them, or its checks are worth nothing."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.embedding.dialogue import read
from benchmarks.embedding.players.tcs_states import decoder_of, open_model, play
from harness.case import Stage, player

Solve = Callable[[], dict[str, Any]]


def planted(name: str, inputs: Mapping[str, Any]) -> Solve:
    """The embedder with the fault of this name, of :mod:`benchmarks.embedding.faults`, on a dialogue."""
    from benchmarks.embedding import faults

    dialogue = read(inputs)
    model = open_model(dialogue)

    def solve() -> dict[str, Any]:
        kind = faults.shared_cache() if name == "shared_cache" else getattr(faults, name)
        return play(dialogue, model, partial(decoder_of, kind=kind))

    return solve


@player(
    name="control zero positions",
    task="embedding.states",
    engine="control",
    role="control",
    note="every token is fed at position 0",
)
def zero_positions(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """Every token is fed at position 0."""
    return planted("ZeroPositions", inputs)


@player(
    name="control stuck position",
    task="embedding.states",
    engine="control",
    role="control",
    note="positions begin anew with every call",
)
def stuck_position(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """Positions begin anew with every call."""
    return planted("StuckPosition", inputs)


@player(
    name="control seeded slot",
    task="embedding.states",
    engine="control",
    role="control",
    note="the cache begins with a slot of zeros",
)
def seeded_slot(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """The cache begins with a slot of zeros."""
    return planted("SeededSlot", inputs)


@player(
    name="control relative window",
    task="embedding.states",
    engine="control",
    role="control",
    note="positions count what is left in the window, and keys stay as they were written",
)
def relative_window(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """Positions count what is left in the window, and keys stay as they were written."""
    return planted("RelativeWindow", inputs)


@player(
    name="control hidden is seen",
    task="embedding.states",
    engine="control",
    role="control",
    note="the mask shows what has left the window",
)
def hidden_is_seen(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """The mask shows what has left the window."""
    return planted("HiddenIsSeen", inputs)


@player(
    name="control mask too far",
    task="embedding.states",
    engine="control",
    role="control",
    note="the mask hides one token too many",
)
def mask_too_far(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """The mask hides one token too many."""
    return planted("MaskTooFar", inputs)


@player(
    name="control swapped key and value",
    task="embedding.states",
    engine="control",
    role="control",
    note="keys are fed as values and values as keys",
)
def swapped_key_and_value(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """Keys are fed as values and values as keys."""
    return planted("SwappedKeyValue", inputs)


@player(
    name="control layer order",
    task="embedding.states",
    engine="control",
    role="control",
    note="each layer is fed the past of the next",
)
def layer_order(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """Each layer is fed the past of the next."""
    return planted("LayerOrder", inputs)


@player(
    name="control late window",
    task="embedding.states",
    engine="control",
    role="control",
    note="off by one when the window fills",
)
def late_window(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """Off by one when the window fills."""
    return planted("LateWindow", inputs)


@player(
    name="control stale cache",
    task="embedding.states",
    engine="control",
    role="control",
    note="a reset leaves the old keys and values in place",
)
def stale_cache(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """A reset leaves the old keys and values in place."""
    return planted("StaleCache", inputs)


@player(
    name="control keys rotated twice",
    task="embedding.states",
    engine="control",
    role="control",
    note="rotated keys are taken for keys before rotation",
)
def keys_rotated_twice(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """Rotated keys are taken for keys before rotation."""
    return planted("NotRotated", inputs)


@player(
    name="control keys turned forward",
    task="embedding.states",
    engine="control",
    role="control",
    note="keys are turned on, not back, when others are dropped",
)
def keys_turned_forward(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """Keys are turned on, not back, when others are dropped."""
    return planted("TurnedForward", inputs)


@player(
    name="control float16 overflow",
    task="embedding.states",
    engine="control",
    role="control",
    note="a layer passes through float16 and overflows, and nobody looks",
)
def float16_overflow(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """A raw loop on a graph whose first layer overflows in float16; the embedder itself refuses what comes out."""
    from benchmarks.embedding.decoder import TINY, build
    from benchmarks.embedding.plain import Graph
    from benchmarks.embedding.players.plain_loop import play as plainly

    dialogue = read(inputs)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        build(path, TINY, fault="f16_overflow")
        graph = Graph(path, dialogue.threads)
    return lambda: plainly(dialogue, graph)


@player(
    name="control shared cache",
    task="embedding.states",
    engine="control",
    role="control",
    note="all sessions write to one cache",
)
def shared_cache(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """All sessions write to one cache."""
    return planted("shared_cache", inputs)
