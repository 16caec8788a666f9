"""What makes an answer about embeddings right; one check for each task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.embedding import drift
from benchmarks.embedding.dialogue import Dialogue, read
from benchmarks.embedding.given import file_of
from benchmarks.embedding.plain import Graph, cache_of
from benchmarks.embedding.reference import Right, right
from harness.case import Check

if TYPE_CHECKING:
    from numpy.typing import NDArray

TOLERANCE = {"f32": 1e-6, "8bit": 1e-6, "int4": 1e-6, "f16": 1e-5, "int8": 0.2}
"""1 - cosine by which an output may differ from one full pass in the same precision. Dynamic int8 takes the scale of
its activations over a whole call, so its results depend on how tokens are grouped."""
KEPT = {"f32": 1e-4, "8bit": 1e-4, "int4": 1e-4, "f16": 5e-3, "int8": 0.7}
"""Relative L2 by which keys or values of a layer may differ likewise: about the root of twice the above."""
EMBEDDED = 512
"""Coordinates of an output that make an embedding."""


def states(inputs: Mapping[str, Any], known: Mapping[str, Any], answer: Mapping[str, Any]) -> Check:
    """Outputs, contexts and the cache at the end, against one full pass of each context.

    The answer holds ``outputs`` (n, width) of all tokens, float32; ``contexts`` (turns,), tokens that the next one can
    see after each turn; ``cache`` (layers, 2, kv_heads, visible, size), keys before values, of the session of the last
    turn, float32; and ``position`` of its next token. ``known`` may name the ``precision`` (f32 if not), the fixture
    that is the ``baseline`` of quantisation, and the ``evolution`` that is expected between the first two turns.
    """
    dialogue = read(inputs)
    if wrong := _malformed(dialogue, answer):
        return Check(ok=False, oracle="the form of an answer", detail=wrong, exact=False)
    judge = right(dialogue, int(answer["position"]))
    outputs, cache = np.asarray(answer["outputs"]), np.asarray(answer["cache"])
    contexts = int(np.abs(np.asarray(answer["contexts"]) - judge.contexts).max())
    metrics = {"context_length_error": _count(contexts, "tokens"), **_contract(dialogue, known)}
    if wrong := _unusable(outputs, judge):
        return Check(ok=False, oracle=judge.oracle, detail=wrong, exact=False, metrics=metrics)
    comparable = cache.shape == judge.cache.shape and bool(np.isfinite(cache).all())
    caches = (cache, judge.cache) if comparable else None
    found = drift.drift(outputs, judge.outputs, logits=judge.logits, caches=caches)
    tolerance = TOLERANCE[str(known.get("precision", "f32"))]
    exact = None if judge.exact is None else float(drift.one_minus_cosine(outputs, judge.exact).max())
    good = int((found.error <= tolerance).sum())
    metrics |= {"tokens": {"value": float(good), "unit": "tokens", "direction": "higher"}, **found.metrics("cache")}
    metrics |= _repeats(dialogue, outputs) | _apart(dialogue, found.error, tolerance)
    metrics |= _evolution(known, dialogue, outputs)
    metrics["unrelated_baseline"] = {"value": judge.unrelated, "unit": "cosine distance", "direction": "higher"}
    curves = _curves(dialogue, found)
    if exact is not None:
        metrics["float64_error"] = {"value": exact, "unit": "cosine distance", "direction": "lower"}
    if "baseline" in known:
        metrics |= _quantisation(dialogue, str(known["baseline"]), judge, curves)
    if judge.unwindowed is not None:
        window = drift.drift(judge.outputs, judge.unwindowed, logits=judge.logits)
        metrics |= window.metrics("window") | {"banded_mask_difference": _difference(outputs, judge.outputs)}
        curves["window_by_position"] = _curves(dialogue, window)["cache_by_position"]
    wrong = _differences(found, exact, contexts, known)
    return Check(
        ok=not wrong,
        oracle=judge.oracle,
        detail=wrong,
        distance=float(found.error.max()),
        tolerance=tolerance,
        exact=False,
        canonical=curves,
        metrics=metrics,
    )


def _unusable(outputs: NDArray[Any], judge: Right) -> str:
    """Why outputs cannot be compared at all."""
    if outputs.shape != judge.outputs.shape:
        return f"outputs {outputs.shape} instead of {judge.outputs.shape}"
    lost = int((~np.isfinite(outputs)).any(axis=1).sum())
    return f"{lost} outputs are not finite" if lost else ""


def _differences(found: drift.Drift, exact: float | None, contexts: int, known: Mapping[str, Any]) -> str:
    """What is further off than it may be, in words; empty where nothing is."""
    precision = str(known.get("precision", "f32"))
    tolerance, kept = TOLERANCE[precision], KEPT[precision]
    reasons = []
    if found.error.max() > tolerance:
        at = int(found.error.argmax())
        reasons.append(f"1 - cosine {found.error.max():.2g} at token {at}, above {tolerance:g}")
    if found.layers is None:
        reasons.append("the cache at the end is of another shape, or not finite")
    elif found.layers.max() > kept:
        reasons.append(f"{_worst(found.layers)} off by {found.layers.max():.2g} of their size, above {kept:g}")
    if exact is not None and exact > tolerance:
        reasons.append(f"1 - cosine {exact:.2g} to the pass in float64, above {tolerance:g}")
    if contexts:
        reasons.append(f"context lengths off by {contexts}")
    return "; ".join(reasons)


def _curves(dialogue: Dialogue, found: drift.Drift) -> dict[str, NDArray[np.float64]]:
    """What is drawn: errors of the last context, or of all sessions where there are several, and those by layer."""
    last = dialogue.segments()[-1]
    one = len(set(dialogue.sessions.tolist())) == 1
    curves = {"cache_by_position": found.error[dialogue.places(last)] if one else found.error}
    return curves if found.layers is None else {**curves, "cache_by_layer": found.layers}


def _malformed(dialogue: Dialogue, answer: Mapping[str, Any]) -> str:
    """What an answer lacks."""
    missing = [name for name in ("outputs", "contexts", "cache", "position") if name not in answer]
    if missing:
        return f"the answer has no {', '.join(missing)}"
    shapes = {name: np.asarray(answer[name]).shape for name in ("outputs", "contexts", "cache", "position")}
    if len(shapes["outputs"]) != 2 or shapes["contexts"] != dialogue.lengths.shape or len(shapes["cache"]) != 5:
        return f"shapes {shapes}: outputs are (n, width), contexts (turns,), the cache has 5 axes"
    return ""


def _contract(dialogue: Dialogue, known: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Inputs by which a graph differs from that of a decoder of so many ``layers`` with positions."""
    if "layers" not in known:
        return {}
    cache = {f"past_key_values.{i}.{part}" for i in range(int(known["layers"])) for part in ("key", "value")}
    differing = (cache | {"input_ids", "attention_mask", "position_ids"}) ^ Graph(file_of(dialogue.model)).inputs
    return {"contract_mismatches": _count(len(differing), "inputs")}


def _repeats(dialogue: Dialogue, outputs: NDArray[Any]) -> dict[str, Mapping[str, Any]]:
    """Turns after a reset that repeat the tokens of an earlier segment's first turn, as a fresh session takes them."""
    starts = [segment[0] for segment in dialogue.segments() if dialogue.begins(segment) == 0]
    places = [dialogue.places([turn]) for turn in starts]
    pairs = [
        (a, b)
        for i, a in enumerate(places)
        for t, b in enumerate(places[i + 1 :], start=i + 1)
        if np.array_equal(dialogue.tokens[a], dialogue.tokens[b])
        and dialogue.calls[starts[i]] == dialogue.calls[starts[t]]
    ]
    if not pairs:
        return {}
    differing = sum(drift.rows_differing(outputs[a], outputs[b]) for a, b in pairs)
    off = max(float(_difference(outputs[b], outputs[a])["value"]) for a, b in pairs)
    return {
        "repeats_differing": _count(differing, "outputs"),
        "reset_difference": {"value": off, "unit": "max difference", "direction": "lower"},
    }


def _apart(dialogue: Dialogue, errors: NDArray[np.float64], tolerance: float) -> dict[str, Mapping[str, Any]]:
    """Sessions with an output that is not that of a session on its own."""
    if len(set(dialogue.sessions.tolist())) < 2:
        return {}
    wrong = {
        int(dialogue.sessions[turn])
        for turn in range(len(dialogue.lengths))
        if errors[dialogue.places([turn])].max() > tolerance
    }
    return {"leaks": _count(len(wrong), "sessions")}


def _evolution(known: Mapping[str, Any], dialogue: Dialogue, outputs: NDArray[Any]) -> dict[str, Mapping[str, Any]]:
    """Cosine between the states after the first two turns: two contexts, so how a state evolves and no error."""
    if "evolution" not in known:
        return {}
    first, second = outputs[dialogue.ends[:2] - 1, :EMBEDDED].astype(np.float64)
    cosine = 1 - float(drift.one_minus_cosine(first[None], second[None])[0])
    off = abs(cosine - float(known["evolution"]))
    return {
        "state_evolution_cosine": {"value": cosine, "unit": "cosine", "direction": "higher"},
        "state_evolution_cosine_error": {"value": off, "unit": "cosine", "direction": "lower"},
    }


def _quantisation(
    dialogue: Dialogue, baseline: str, judge: Right, curves: dict[str, NDArray[np.float64]]
) -> dict[str, Mapping[str, Any]]:
    """Full pass against full pass of the float32 graph, in which no cache has a part."""
    tokens = dialogue.tokens[dialogue.places(dialogue.segments()[-1])]
    graph, exact = Graph(file_of(dialogue.model)), Graph(file_of(baseline))
    (found, present), (wanted, kept) = graph.run(tokens[None]), exact.run(tokens[None])
    off = drift.drift(found[0], wanted[0], logits=judge.logits, caches=(cache_of(present), cache_of(kept)))
    assert off.layers is not None
    curves |= {"quantisation_by_position": off.error, "quantisation_by_layer": off.layers}
    return off.metrics("quantisation")


def _difference(found: NDArray[Any], wanted: NDArray[Any]) -> dict[str, Any]:
    """Largest difference of a coordinate of normalised outputs."""
    a, b = (
        rows.astype(np.float64) / np.linalg.norm(rows.astype(np.float64), axis=1, keepdims=True)
        for rows in (found, wanted)
    )
    return {"value": float(np.abs(a - b).max()), "unit": "max difference", "direction": "lower"}


def _worst(layers: NDArray[np.float64]) -> str:
    layer, part = np.unravel_index(int(layers.argmax()), layers.shape)
    return f"{('keys', 'values')[part]} of layer {layer}"


def _count(value: int, unit: str) -> dict[str, Any]:
    return {"value": float(value), "unit": unit, "direction": "lower"}
