"""What a decode step costs beside its arithmetic: the embedder's own work, and what observers add to it.

Such costs are thousandths of a step, too little to be seen between two processes. So a player runs both sides in turn
in one process and answers with all its times; the check makes metrics of them, whose interval is over processes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.embedding.models import PROVENANCE, path_of
from benchmarks.embedding.players.steps_tcs import step
from benchmarks.embedding.steps import FULL, draw, shape_of
from harness.case import Check, Problem, Stage, case, player

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Solve = Callable[[], dict[str, Any]]
    Times = NDArray[np.float64]

HOLLOW = "full-hollow"
"""The graph whose steps do nothing: what is left is the cost."""


@case(version=1, task="embedding.cost", check="benchmarks.embedding.costs:told")
def overhead(context: int, rounds: int = 500, hollow: str = HOLLOW, seed: int = 0) -> Problem:
    """A decode step over a graph that does nothing: by the embedder, by a plain loop, and the graph alone."""
    path_of(hollow)
    inputs = {"graph": hollow, "width": shape_of(hollow).hidden, "context": context, "rounds": rounds}
    return Problem(inputs={**inputs, "tokens": draw(hollow, context + 1, seed)}, provenance=PROVENANCE)


@case(version=1, task="embedding.observers", check="benchmarks.embedding.costs:watched")
def observability(
    context: int, rounds: int = 500, steps: int = 20, graph: str = FULL, hollow: str = HOLLOW, seed: int = 0
) -> Problem:
    """What Prometheus and OpenTelemetry add to a step, as a share of a decode step of the whole graph."""
    inputs = {"graph": graph, "width": shape_of(graph).hidden, "hollow": hollow, "rounds": rounds, "steps": steps}
    for name in (graph, hollow):
        path_of(name)
    tokens = draw(graph, context + 1, seed)
    return Problem(inputs={**inputs, "tokens": tokens, "context": context}, provenance=PROVENANCE)


@player(
    name="tcs-embedder beside a loop",
    task="embedding.cost",
    role="candidate",
    engine="tcs",
    packages={"onnxruntime": ">=1.22"},
    install="pip install -e '.[embedding,onnx]' -c constraints.txt",
    cite="tcs.embedder",
    note="its time is that of all rounds together; the metrics tell one step",
)
def beside_a_loop(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """Session.embed, session.run in a loop, and the graph with everything bound once, in turn."""
    from benchmarks.embedding.players.steps_onnxruntime import loop

    session = step(inputs, inputs["graph"])
    sides: dict[str, Callable[[], Any]] = {
        "session": session,
        "loop": loop(inputs, stage),
        "graph": _bound_once(inputs),
    }
    return lambda: {**in_turn(sides, inputs["rounds"]), "embeddings": session()["embeddings"]}


@player(
    name="tcs-embedder observed",
    task="embedding.observers",
    role="candidate",
    engine="tcs",
    packages={"onnxruntime": ">=1.22", "prometheus-client": ">=0.20", "opentelemetry-sdk": ">=1.27"},
    install="pip install -e '.[embedding,onnx,dev]' -c constraints.txt",
    cite="tcs.embedder",
    note="its time is that of all rounds together; the metrics tell one step",
)
def observed(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """Session.embed with and without observers in turn, and steps of the whole graph to hold the difference against."""
    from opentelemetry.sdk.trace import TracerProvider
    from prometheus_client import CollectorRegistry

    from tcs.embedder import OpenTelemetry, Prometheus

    registry = CollectorRegistry()
    observers = (Prometheus(registry), OpenTelemetry(TracerProvider().get_tracer("tcs.embedder")))
    whole = step(inputs, inputs["graph"])
    sides = {
        "plain": step(inputs, inputs["hollow"]),
        "observed": step(inputs, inputs["hollow"], observers=observers),
    }

    def told() -> float:
        return registry.get_sample_value("tcs_embedder_call_seconds_count", {"kind": "decode"}) or 0.0

    def solve() -> dict[str, Any]:
        before = told()
        times = in_turn(sides, inputs["rounds"])
        return {**times, **in_turn({"step": whole}, inputs["steps"]), "told": told() - before}

    return solve


def in_turn(sides: Mapping[str, Callable[[], Any]], rounds: int) -> dict[str, Times]:
    """Seconds of each call (rounds,) by name, one of each side after the other, once each before that."""
    for call in sides.values():
        call()
    times = {name: np.empty(rounds) for name in sides}
    for i in range(rounds):
        for name, call in sides.items():
            start = time.perf_counter()
            call()
            times[name][i] = time.perf_counter() - start
    return times


def told(inputs: Mapping[str, Any], known: Mapping[str, Any], answer: Mapping[str, Any]) -> Check:
    """``overhead`` is the median of session - loop, ``binding`` that of session - graph, both seconds a step.

    The hidden state of a hollow graph has the last token's id in all coordinates, so all of an embedding are equal.
    """
    found = np.asarray(answer["embeddings"], np.float64)
    off = float(np.abs(found * np.sqrt(found.shape[-1]) - 1).max())
    return Check(
        ok=off <= 1e-6,
        oracle="all coordinates of a hollow graph's embedding are equal",
        detail="" if off <= 1e-6 else f"they differ by {off:.2g} of their size",
        exact=False,
        metrics={
            "overhead": _metric(_typical(answer["session"]) - _typical(answer["loop"])),
            "over_graph": _metric(_typical(answer["session"]) - _typical(answer["graph"])),
            "graph": _metric(_typical(answer["graph"])),
        },
    )


def watched(inputs: Mapping[str, Any], known: Mapping[str, Any], answer: Mapping[str, Any]) -> Check:
    """``share``: what observers add to a step, of a step of the whole graph. They must have been told of every call."""
    calls, counted = inputs["rounds"] + 1, int(answer["told"])
    added = _typical(answer["observed"]) - _typical(answer["plain"])
    return Check(
        ok=counted == calls,
        oracle="the count of calls in Prometheus' histogram",
        detail="" if counted == calls else f"observers were told of {counted} calls of {calls}",
        exact=False,
        metrics={
            "share": {"value": added / _typical(answer["step"]), "unit": "share", "direction": "lower"},
            "added": _metric(added),
        },
    )


def _typical(times: Times) -> float:
    return float(np.median(times))


def _metric(seconds: float) -> dict[str, Any]:
    return {"value": seconds, "unit": "s", "direction": "lower"}


def _bound_once(inputs: Mapping[str, Any]) -> Callable[[], None]:
    """A decode step of a graph whose tensors are bound once and stay where they are."""
    import onnxruntime

    context = inputs["context"]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = inputs["threads"]
    session = onnxruntime.InferenceSession(str(path_of(inputs["graph"])), options)
    binding = session.io_binding()
    ids = {"input_ids": inputs["tokens"][None, context:], "position_ids": np.array([[context]])}
    kept: dict[str, Any] = {**ids, "attention_mask": np.ones((1, context + 1), np.int64)}
    for each in session.get_inputs():
        if each.name not in kept:
            kept[each.name] = np.zeros((1, each.shape[1], context, each.shape[3]), np.float32)
        binding.bind_cpu_input(each.name, kept[each.name])
    for each in session.get_outputs():
        dims = [1, each.shape[1], context + 1, each.shape[3]] if len(each.shape) == 4 else [1, 1, each.shape[2]]
        kept[each.name] = np.empty(dims, np.float32)
        binding.bind_output(each.name, "cpu", 0, np.float32, dims, kept[each.name].ctypes.data)

    def call() -> None:
        session.run_with_iobinding(binding)
        kept["input_ids"].flags  # noqa: B018 - keeps the bound arrays alive as long as the call

    return call
