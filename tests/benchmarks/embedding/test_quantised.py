"""Quantised decoders keep the contract, stay near, and have their products quantised, the head's too."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnx_ir")
pytest.importorskip("onnxruntime")

import onnx

from benchmarks.embedding.decoder import TINY, build
from benchmarks.embedding.quantised import blockwise, dynamic_int8
from decoding import Decoder, relative, together

if TYPE_CHECKING:
    from collections.abc import Callable

TOKENS = np.random.default_rng(7).integers(0, TINY.vocabulary, 20)
PRODUCTS = 7 * TINY.layers + 1
"""With weights: query, key, value, output, gate, up, down of each layer, and the head."""


def made(folder: Path, name: str) -> Path:
    """One of the quantised files, and the float32 one beside it."""
    source, target = folder / "f32.onnx", folder / f"{name}.onnx"
    if not source.exists():
        build(source, TINY, output="both")
    make: dict[str, Callable[[], None]] = {
        "int8": lambda: dynamic_int8(source, target),
        "8bit": lambda: blockwise(source, target, bits=8),
        "int4": lambda: blockwise(source, target, bits=4),
        "level": lambda: blockwise(source, target, bits=4, accuracy_level=4),
    }
    make[name]()
    return target


@pytest.mark.parametrize(
    ("name", "op", "near", "consistent"),
    [
        ("8bit", "MatMulNBits", (0.005, 0.05), True),
        ("int4", "MatMulNBits", (0.1, 0.7), True),
        ("int8", "MatMulInteger", (0.005, 0.2), False),
    ],
)
def test_near_and_within_the_contract(
    tmp_path: Path, name: str, op: str, near: tuple[float, float], consistent: bool
) -> None:
    """Every product is quantised; the error is that of the bits; grouping matters to dynamic scales alone.

    A step of 8 bits is about 4.5 standard deviations / 255, rounding to it costs 0.5 % a product, and four layers make
    2 % of it; 4 bits have 17 times the step.
    """
    target = made(tmp_path, name)
    graph = onnx.load(target).graph
    operators = Counter(node.op_type for node in graph.node)
    assert operators[op] == PRODUCTS
    assert operators["MatMul"] == operators["Transpose"] == 0
    whole, found = Decoder(tmp_path / "f32.onnx"), Decoder(target)
    assert list(found.inputs) == list(whole.inputs)
    assert found.outputs == whole.outputs
    right = whole.run(TOKENS)
    for output in ("last_hidden_state", "logits"):
        error = relative(found.run(TOKENS)[output], right[output])
        assert near[0] < error < near[1]
    steps = together(found.steps(TOKENS), "last_hidden_state")
    drift = relative(steps, found.run(TOKENS)["last_hidden_state"][0])
    assert drift < 5e-6 if consistent else drift > 1e-3


@pytest.mark.parametrize("name", ["int8", "8bit", "int4"])
def test_a_rebuilt_file_is_the_same(tmp_path: Path, name: str) -> None:
    """Byte for byte."""
    assert made(tmp_path, name).read_bytes() == made(tmp_path, name).read_bytes()


def test_the_level_of_accuracy_is_written(tmp_path: Path) -> None:
    """0 unless another is named, in blocks of 32."""
    for name, level in (("int4", 0), ("level", 4)):
        nodes = [node for node in onnx.load(made(tmp_path, name)).graph.node if node.op_type == "MatMulNBits"]
        found = {one.name: one.i for one in nodes[0].attribute}
        assert (found.get("accuracy_level", 0), found["block_size"], found["bits"]) == (level, 32, 4)


def test_other_numbers_of_bits_are_refused(tmp_path: Path) -> None:
    """Nothing is written."""
    with pytest.raises(ValueError, match="bits: 5 is neither 4 nor 8"):
        blockwise(tmp_path / "a", tmp_path / "b", bits=5)
    assert not list(tmp_path.iterdir())


def test_the_quantisers_leave_the_logger_alone(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Their import sets up the root logger and they speak at length; none of it is left."""
    import logging

    before = (logging.root.level, logging.root.handlers[:], logging.root.manager.disable)
    made(tmp_path, "int4")
    made(tmp_path, "int8")
    assert (logging.root.level, logging.root.handlers[:], logging.root.manager.disable) == before
    assert capfd.readouterr() == ("", "")
