"""Fewer bits a weight, by onnxruntime's own quantisers: what a user would do to a float32 decoder.

A head that shares the embedding's weights is a product with a transposed weight, which the quantisers pass over. The
transposed weight is written out first, as their own pre-processing does; the embedding itself stays float32.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import onnx

BLOCK = 32
"""Weights that share a scale in :func:`blockwise`."""


def dynamic_int8(source: Path, target: Path) -> None:
    """Weights int8 once and for all, activations uint8 by a scale taken over each call.

    Since the scale depends on what is in the call, grouping tokens into other calls changes the results. The quantiser
    takes five times the size of the model in memory.

    Args:
        source: a float32 model.
        target: where the model goes; its file holds everything, up to 2 GiB.
    """
    with _quiet():
        from onnxruntime.quantization import QuantType, quantize_dynamic

        quantize_dynamic(
            _with_plain_head(source), target, op_types_to_quantize=["MatMul"], weight_type=QuantType.QInt8,
            extra_options={"MatMulConstBOnly": True},
        )  # fmt: skip


def blockwise(source: Path, target: Path, *, bits: int, accuracy_level: int = 0) -> None:
    """Weights of every product in blocks of ``BLOCK``, each with a scale and a zero point: MatMulNBits.

    With 8 bits, level 0 is for correctness: onnxruntime 1.31 has a fast kernel on the CPU for level 4 alone, and is
    some thirty times slower without.

    Args:
        source: a float32 model.
        target: where the model goes; its file holds everything, up to 2 GiB.
        bits: 4 or 8.
        accuracy_level: in which dtype the product is summed: 0 the runtime's choice, 1 float32, 4 int8.

    Raises:
        ValueError: another number of bits.
    """
    if bits not in (4, 8):
        raise ValueError(f"bits: {bits} is neither 4 nor 8")
    with _quiet():
        from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

        quantiser = MatMulNBitsQuantizer(
            _with_plain_head(source), bits=bits, block_size=BLOCK, accuracy_level=accuracy_level
        )
        quantiser.process()
    target.write_bytes(quantiser.model.model.SerializeToString(deterministic=True))


def _with_plain_head(source: Path) -> onnx.ModelProto:
    """The model, weights included, with each transposed weight written out as a weight."""
    import onnx

    model = onnx.load(source)
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in [node for node in model.graph.node if node.op_type == "Transpose" and node.input[0] in weights]:
        order = onnx.helper.get_node_attr_value(node, "perm")
        turned = onnx.numpy_helper.to_array(weights[node.input[0]]).transpose(order)
        model.graph.initializer.append(onnx.numpy_helper.from_array(np.ascontiguousarray(turned), node.output[0]))
        model.graph.node.remove(node)
    return model


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the quantisers, which set up the root logger when they are imported, from speaking for the whole process."""
    root = logging.getLogger()
    level, handlers, disabled = root.level, root.handlers[:], logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(disabled)
        root.setLevel(level)
        root.handlers[:] = handlers
