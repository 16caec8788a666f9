"""A graph with the inputs and outputs of a decoder and nothing between: what a step costs besides the arithmetic.

The cache of each layer grows by the new tokens, whose keys and values are their ids, as are their hidden states.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from benchmarks.embedding.decoder import Shape


def build_hollow(path: Path, shape: Shape) -> None:
    """Write a graph with the contract of a decoder of this shape (see :mod:`benchmarks.embedding.decoder`), no weights.

    Raises:
        OSError: the file cannot be written.
    """
    from benchmarks.embedding.graph import Graph

    cache = ("batch", shape.kv_heads, "past", shape.head_size)
    grown = ("batch", shape.kv_heads, "total", shape.head_size)
    with Graph(path, opset=17) as graph:
        ids = graph.input("input_ids", "i64", ("batch", "sequence"))
        graph.input("attention_mask", "i64", ("batch", "total"))
        graph.input("position_ids", "i64", ("batch", "sequence"))
        tokens = graph.cast(ids, "f32")
        column = graph.reshape(tokens, 0, 0, 1)
        hidden = graph.node("Expand", column, graph.constant(np.array([1, 1, shape.hidden])))
        graph.output(hidden, "last_hidden_state", "f32", ("batch", "sequence", shape.hidden))
        wide = graph.constant(np.array([1, shape.kv_heads, 1, shape.head_size]))
        new = graph.node("Expand", graph.node("Unsqueeze", column, graph.constant(np.array([1]))), wide)
        for layer in range(shape.layers):
            for part in ("key", "value"):
                past = graph.input(f"past_key_values.{layer}.{part}", "f32", cache)
                graph.output(graph.node("Concat", past, new, axis=2), f"present.{layer}.{part}", "f32", grown)
        graph.save()
