"""Costs are differences of medians in turn, of calls that were really made."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest

from benchmarks.embedding import costs
from benchmarks.embedding.decoder import QWEN_05B
from benchmarks.embedding.hollow import build_hollow
from benchmarks.embedding.plain import Graph

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")


@pytest.fixture(scope="module")
def hollow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hollow graph of the full shape."""
    path = tmp_path_factory.mktemp("hollow") / "model.onnx"
    build_hollow(path, QWEN_05B)
    return path


def test_a_hollow_graph_has_the_contract_of_the_full_one(hollow: Path) -> None:
    """The embedder takes it for Qwen2.5-Coder-0.5B: 51 inputs, 24 layers, a hidden state of 896."""
    from tcs.embedder.model import Model
    from tcs.embedder.presets import DEFAULT

    contract = Model(hollow, preset=DEFAULT).contract
    assert (contract.inputs, contract.layers, contract.width) == (51, 24, 896)


def test_its_cache_grows_by_the_ids(hollow: Path) -> None:
    """Keys and values of every layer are the ids in their order, and so are the hidden states."""
    graph = Graph(hollow)
    _, past = graph.run(np.array([[3, 1]]))
    found, past = graph.run(np.array([[4]]), past)
    assert found.shape == (1, 1, 896)
    assert (found == 4).all()
    assert len(past) == 48
    assert all((each == np.array([3, 1, 4])[:, None]).all() and each.shape == (1, 2, 3, 64) for each in past)


def test_sides_take_turns() -> None:
    """Each is called once before it is timed, then one after the other."""
    calls: list[str] = []
    times = costs.in_turn({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, 3)
    assert "".join(calls) == "abababab"
    assert times["a"].shape == times["b"].shape == (3,)
    assert (times["a"] > 0).all()


def test_the_overhead_is_a_difference_of_medians() -> None:
    """One slow call in three does not count; the loop's time and the graph's are taken off."""
    answer = {
        "session": np.array([5.0, 3.0, 90.0]),
        "loop": np.array([1.0, 2.0, 4.0]),
        "graph": np.array([1.0, 1.0, 1.0]),
        "embeddings": np.full((1, 4), 0.5),
    }
    found = costs.told({}, {}, answer)
    assert found.ok
    assert {name: metric["value"] for name, metric in found.metrics.items()} == {
        "overhead": 3.0,
        "over_graph": 4.0,
        "graph": 1.0,
    }


def test_the_step_whose_cost_is_told_was_done() -> None:
    """An embedding whose coordinates differ is none of a hollow graph."""
    times = dict.fromkeys(("session", "loop", "graph"), np.ones(1))
    found = costs.told({}, {}, {**times, "embeddings": np.array([[1.0, 0.0]])})
    assert not found.ok


def test_observers_that_were_not_told_cost_nothing_to_speak_of() -> None:
    """The share counts only if Prometheus has counted every call."""
    answer = {"plain": np.ones(3), "observed": np.full(3, 1.5), "step": np.full(3, 100.0)}
    inputs = {"rounds": 3}
    assert costs.watched(inputs, {}, {**answer, "told": 4}).metrics["share"]["value"] == pytest.approx(0.005)
    assert not costs.watched(inputs, {}, {**answer, "told": 3}).ok


def test_both_players_answer_on_small_graphs() -> None:
    """All three sides of a step give times and the right embedding; observers are told of each call."""
    problem = costs.overhead(4, rounds=3)
    play = costs.beside_a_loop({**problem.inputs, "threads": 1}, lambda stage: nullcontext())
    assert costs.told(problem.inputs, problem.known, play()).ok
    pytest.importorskip("prometheus_client")
    pytest.importorskip("opentelemetry.sdk")
    problem = costs.observability(4, rounds=3, steps=2, graph="tiny-hidden-f32")
    play = costs.observed({**problem.inputs, "threads": 1}, lambda stage: nullcontext())
    for _ in range(2):
        found = costs.watched(problem.inputs, problem.known, play())
        assert found.ok, found.detail
