"""A model is opened with clear errors, and passes over whole sequences are fed by name."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from benchmarks.embedding.models import path_of
from decoding import relative
from embedders import SINGLE, TOKENS, model, right
from tcs.embedder.errors import ContractError, InputError, MissingError, ProviderError
from tcs.embedder.model import CPU, CUDA, Model


def test_what_cannot_be_opened(tmp_path: Path) -> None:
    """A file that is not there, one that is no graph, and a number of threads that is none."""
    with pytest.raises(MissingError, match=r"there is no model file .*none.onnx; name an ONNX decoder that has"):
        Model(tmp_path / "none.onnx", preset=None)
    (tmp_path / "text.onnx").write_text("no protobuf")
    with pytest.raises(ContractError, match=r"onnxruntime cannot load text.onnx: "):
        Model(tmp_path / "text.onnx", preset=None)
    with pytest.raises(InputError, match=r"threads=-1: 0 for all cores, or how many"):
        Model(model().path, preset=None, threads=-1)
    with pytest.raises(ProviderError, match=r"'TPUExecutionProvider' is not there; onnxruntime has .*CPUExec"):
        Model(model().path, preset=None, providers=["TPUExecutionProvider", "CPUExecutionProvider"])


def test_a_provider_that_cannot_be_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The runtime would fall back to the CPU without a word; who asked for a GPU is told instead."""
    import onnxruntime

    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [CUDA, CPU])
    monkeypatch.setattr(onnxruntime, "InferenceSession", lambda *_, **__: SimpleNamespace(get_providers=lambda: [CPU]))
    with pytest.raises(ProviderError, match=r"'CUDAExecutionProvider' could not be loaded, .*leave it out"):
        Model(path_of("tiny-f32"), preset=None, providers=[CUDA, CPU])


def test_a_graph_that_is_no_decoder(tmp_path: Path) -> None:
    """The name of the file stands before the list of what is wrong."""
    from onnx import TensorProto, helper, save

    ids = helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["b", "t"])
    out = helper.make_tensor_value_info("scores", TensorProto.INT64, ["b", "t"])
    graph = helper.make_graph([helper.make_node("Identity", ["input_ids"], ["scores"])], "g", [ids], [out])
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), tmp_path / "bert.onnx")
    with pytest.raises(ContractError, match=r"^bert.onnx: the graph is no decoder.*no inputs for past keys and values"):
        Model(tmp_path / "bert.onnx", preset=None)


def test_without_the_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    """onnxruntime is an extra: the error says which."""
    path = path_of("tiny-f32")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingError, match=r"onnxruntime is not installed; pip install 'tcs-harness\[embedding\]'"):
        Model(path, preset=None)


def test_a_pass_over_whole_sequences() -> None:
    """Several at once, from an empty cache, at positions from 0 or others."""
    both = np.stack([TOKENS[:20], TOKENS[20:]])
    found = model().outputs(both).astype(np.float64)
    for row, tokens in zip(found, both, strict=True):
        assert relative(row, right(tokens).logits) < SINGLE
    shifted = model().outputs(both, positions=np.broadcast_to(np.arange(7, 27), (2, 20))).astype(np.float64)
    assert relative(shifted, found) < 100 * SINGLE
    assert (shifted != found).any()


def test_what_a_pass_is_fed() -> None:
    """Every input by its name and no other: mask over past and new, positions that go on, an empty past of length 0."""
    opened = model()
    feeds = opened.feeds(np.ones((2, 3), np.int64))
    assert set(feeds) == {each.name for each in opened.session.get_inputs()}
    assert feeds["past_key_values.0.key"].shape == (2, 2, 0, 16)
    past = [np.zeros((2, 2, 4, 16), np.float32)] * 8
    feeds = opened.feeds(np.ones((2, 3), np.int64), past=past)
    assert feeds["attention_mask"].tolist() == [[1] * 7] * 2
    assert feeds["position_ids"].tolist() == [[4, 5, 6]] * 2
    assert set(model("gpt2-counted-f32").feeds(np.ones((1, 1), np.int64))) & {"position_ids"} == set()


def test_a_pass_that_fails() -> None:
    """A token outside the table: the shape of what was asked, and the first line of what the runtime says."""
    with pytest.raises(InputError, match=r"^model.onnx: a pass over \(1, 2\) tokens failed: .*idx=320 must be within"):
        model().outputs(np.array([[1, 320]]))


def test_failures_are_raised_and_not_printed(capfd: pytest.CaptureFixture[str]) -> None:
    """What the runtime says of an error is in the error, not on a user's terminal."""
    with pytest.raises(InputError):
        model().outputs(np.array([[1, 320]]))
    assert capfd.readouterr() == ("", "")


def test_a_width_that_the_graph_leaves_open_is_tried(tmp_path: Path) -> None:
    """One token through the graph tells it."""
    import onnx

    graph = onnx.load(model().path)
    for each in graph.graph.output:
        if each.name == "logits":
            each.type.tensor_type.shape.dim[2].dim_param = "width"
    onnx.save(graph, tmp_path / "model.onnx")
    opened = Model(tmp_path / "model.onnx", preset=None, threads=1)
    assert opened.width == 320


def test_it_is_tried_from_many_threads_at_once() -> None:
    """What is found out at first use is the same for all who ask at the same time."""
    opened = Model(model().path, preset=None, threads=1)

    def ask(_: int) -> Any:
        return opened.paddings, opened.width

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(16))) == {(frozenset({"left", "right"}), 320)}
