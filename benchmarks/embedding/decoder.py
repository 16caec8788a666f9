"""Decoders of the Qwen2 architecture as ONNX files with random weights, made here: nothing is downloaded.

The architecture (Qwen2.5-Coder Technical Report, arXiv:2409.12186, table 1) is pre-normalised: RMSNorm, grouped-query
attention with biases on query, key and value, rotary positions, a SwiGLU network, and a head that shares the
embedding's weights. The contract of a file is that of public exports:

================================  =============  ====================================================
input                             dtype          shape
================================  =============  ====================================================
input_ids                         int64          (B, T)
attention_mask                    int64          (B, past + T)
position_ids                      int64          (B, T)
past_key_values.{i}.key, .value   the cache's    (B, kv_heads, past, head_size); past may be 0
================================  =============  ====================================================

================================  =============  ====================================================
output                            dtype          shape
================================  =============  ====================================================
logits                            the weights'   (B, T, vocabulary)
last_hidden_state                 the weights'   (B, T, hidden), after the last normalisation
present.{i}.key, .value           the cache's    (B, kv_heads, past + T, head_size), keys rotated
================================  =============  ====================================================

Which side of a batch may be padded depends on the style of attention: ``standard`` and ``plain`` add the mask and take
either side, ``gqa`` takes lengths from its sum and is silently wrong under padding on the left. Without
``position_ids`` the first two are wrong in decode after padding on the right. Tests hold all of that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.embedding.attention import Attention
    from benchmarks.embedding.graph import Graph


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Sizes of a decoder: ``theta`` is the base of the rotary angles, ``epsilon`` that of the normalisation."""

    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_size: int
    ffn: int
    vocabulary: int
    theta: float
    epsilon: float = 1e-6

    @property
    def parameters(self) -> int:
        """How many weights there are, the embedding counted once.

        >>> QWEN_05B.parameters
        494032768
        """
        return sum(int(np.prod(dims)) for _, dims, _ in _tensors(self))


TINY = Shape(layers=4, hidden=64, heads=4, kv_heads=2, head_size=16, ffn=128, vocabulary=320, theta=1e4)
QWEN_05B = Shape(
    layers=24, hidden=896, heads=14, kv_heads=2, head_size=64, ffn=4864, vocabulary=151936, theta=1e6
)  # fmt: skip

FAULTS = {
    "swapped_key_value": "present.{i}.key carries the values and present.{i}.value the keys",
    "layer_order": "each layer's keys and values come out under the name of the next layer",
    "truncated_present": "the newest token is missing from every present tensor",
    "misshapen_present": "present tensors are (B, past + T, kv_heads, head_size)",
    "nan_present": "the newest value of the last layer is NaN",
    "mask_ignored": "attention_mask is taken and not looked at: padding is attended to",
    "f16_overflow": "the network of the first layer passes through float16 at 2^15 times its size and overflows",
}
"""Faults that :func:`build` plants, each with what it does to the graph; those of a host's loop are planted there."""

BESIDE_ABOVE = 1 << 28
"""Weights of more bytes go to a file beside the model: a protobuf ends at 2 GiB, and nothing need be held in memory."""


def _tensors(shape: Shape) -> Iterator[tuple[str, tuple[int, ...], float]]:
    """Name, dimensions and mean of every weight, in the order of the file; products are states @ weight."""
    wide, narrow = shape.heads * shape.head_size, shape.kv_heads * shape.head_size
    yield "embedding", (shape.vocabulary, shape.hidden), 0.0
    for i in range(shape.layers):
        yield f"layers.{i}.attention_norm", (shape.hidden,), 1.0
        for name, size in (("query", wide), ("key", narrow), ("value", narrow)):
            yield f"layers.{i}.{name}.weight", (shape.hidden, size), 0.0
            yield f"layers.{i}.{name}.bias", (size,), 0.0
        yield f"layers.{i}.output.weight", (wide, shape.hidden), 0.0
        yield f"layers.{i}.ffn_norm", (shape.hidden,), 1.0
        yield f"layers.{i}.gate.weight", (shape.hidden, shape.ffn), 0.0
        yield f"layers.{i}.up.weight", (shape.hidden, shape.ffn), 0.0
        yield f"layers.{i}.down.weight", (shape.ffn, shape.hidden), 0.0
    yield "norm", (shape.hidden,), 1.0


def each_weight(shape: Shape, seed: int = 0) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """The weights one after the other, so that a large model need not fit in memory; see :func:`weights`."""
    for index, (name, dims, mean) in enumerate(_tensors(shape)):
        values = np.random.default_rng((seed, index)).standard_normal(dims, dtype=np.float32)
        values *= np.float32(shape.hidden**-0.5)
        values += np.float32(mean)
        yield name, values


def weights(shape: Shape, seed: int = 0) -> dict[str, NDArray[np.float32]]:
    """All weights by name, float32, normal with standard deviation 1 / sqrt(hidden), those of norms about 1.

    The usual 0.02 makes attention at small sizes all but uniform, and then wrong positions go unseen.
    """
    return dict(each_weight(shape, seed))


def build(
    path: Path,
    shape: Shape,
    *,
    seed: int = 0,
    dtype: str = "f32",
    attention: str = "standard",
    output: str = "logits",
    position_ids: bool = True,
    order: str = "paired",
    cache_dtype: str | None = None,
    fault: str | None = None,
) -> None:
    """Write a decoder, byte for byte the same whenever it is built.

    Args:
        path: of the file; weights of more than ``BESIDE_ABOVE`` bytes go to ``<path>.data``.
        dtype: of the weights and states, "f32" or "f16"; norms and softmax are summed in float32 in either.
        attention: "standard" (operators of opset 23), "plain" (elementary ones) or "gqa" (GroupQueryAttention).
        output: "logits", "hidden" or "both".
        position_ids: whether positions are an input; without, they are counted from the length of the past ("gqa":
            from the mask).
        order: of cache tensors, "paired" (key and value in turn) or "keys_first".
        cache_dtype: of the cache if it is not ``dtype``.
        fault: a key of ``FAULTS``.

    Raises:
        ValueError: an argument is none of these.
        OSError: the file cannot be written.
    """
    from benchmarks.embedding.attention import KINDS
    from benchmarks.embedding.graph import Graph

    for name, value, known in (
        ("dtype", dtype, ("f32", "f16")),
        ("attention", attention, tuple(KINDS)),
        ("output", output, ("logits", "hidden", "both")),
        ("order", order, ("paired", "keys_first")),
        ("cache_dtype", cache_dtype or dtype, ("f32", "f16")),
        ("fault", fault or "", ("", *FAULTS)),
    ):
        if value not in known:
            raise ValueError(f"{name}: {value!r} is none of {', '.join(repr(one) for one in known if one)}")
    size = shape.parameters * (4 if dtype == "f32" else 2)
    with Graph(path, opset=KINDS[attention][1], beside=size > BESIDE_ABOVE) as graph:
        decoder = _Decoder(graph, shape, dtype, cache_dtype or dtype, order, fault)
        decoder.write(attention, output, position_ids, each_weight(shape, seed))
        graph.save()


class _Decoder:
    """One decoder on its way into a graph."""

    def __init__(self, graph: Graph, shape: Shape, dtype: str, cache: str, order: str, fault: str | None) -> None:
        self.graph, self.shape, self.dtype, self.cache, self.fault = graph, shape, dtype, cache, fault
        pairs = [(i, part) for i in range(shape.layers) for part in ("key", "value")]
        self.slots = pairs if order == "paired" else sorted(pairs, key=lambda slot: slot[1])
        self.weights: dict[str, str] = {}

    def write(
        self, attention: str, output: str, positions: bool, values: Iterator[tuple[str, NDArray[np.float32]]]
    ) -> None:
        """All nodes from inputs to outputs."""
        from benchmarks.embedding.attention import KINDS, Inputs
        from benchmarks.embedding.graph import FLOATS

        graph, shape = self.graph, self.shape
        tokens = graph.input("input_ids", "i64", ("batch", "sequence"))
        mask = graph.input("attention_mask", "i64", ("batch", "total"))
        rows = graph.input("position_ids", "i64", ("batch", "sequence")) if positions else ""
        past = {slot: self._past(*slot) for slot in self.slots}
        for name, array in values:
            self.weights[name] = graph.weight(name, array.astype(FLOATS[self.dtype], copy=False))
        seen = Inputs(graph, tokens, "" if self.fault == "mask_ignored" else mask, rows, past[0, "key"])
        attend: Attention = KINDS[attention][0](shape, seen, self.dtype)
        states, present = graph.node("Gather", self.weights["embedding"], tokens), {}
        for i in range(shape.layers):
            normal = self._norm(states, f"layers.{i}.attention_norm")
            query, key, value = (self._linear(normal, f"layers.{i}.{name}") for name in ("query", "key", "value"))
            answer, *cached = attend(query, key, value, (past[i, "key"], past[i, "value"]))
            present[i, "key"], present[i, "value"] = cached
            states = graph.node("Add", states, self._linear(answer, f"layers.{i}.output"))
            states = graph.node("Add", states, self._network(self._norm(states, f"layers.{i}.ffn_norm"), i))
        states = self._norm(states, "norm")
        if output in ("logits", "both"):
            head = graph.node("Transpose", self.weights["embedding"], perm=[1, 0])
            logits = graph.node("MatMul", states, head)
            graph.output(logits, "logits", self.dtype, ("batch", "sequence", shape.vocabulary))
        if output in ("hidden", "both"):
            graph.output(states, "last_hidden_state", self.dtype, ("batch", "sequence", shape.hidden))
        self._presents(present)

    def _past(self, i: int, part: str) -> str:
        dims = ("batch", self.shape.kv_heads, "past", self.shape.head_size)
        name = self.graph.input(f"past_key_values.{i}.{part}", self.cache, dims)
        return name if self.cache == self.dtype else self.graph.cast(name, self.dtype)

    def _norm(self, states: str, name: str) -> str:
        """RMSNorm, summed in float32 (Zhang and Sennrich 2019, eq. 4)."""
        graph, epsilon = self.graph, self.shape.epsilon
        if graph.opset >= 23:
            return graph.node("RMSNormalization", states, self.weights[name], epsilon=epsilon)
        wide = graph.cast(states, "f32")
        square = graph.node("ReduceMean", graph.node("Mul", wide, wide), graph.constant(np.array([-1])))
        size = graph.node("Sqrt", graph.node("Add", square, graph.constant(np.float32(epsilon))))
        return graph.node("Mul", graph.cast(graph.node("Div", wide, size), self.dtype), self.weights[name])

    def _linear(self, states: str, name: str) -> str:
        product = self.graph.node("MatMul", states, self.weights[f"{name}.weight"])
        bias = self.weights.get(f"{name}.bias")
        return self.graph.node("Add", product, bias) if bias else product

    def _network(self, states: str, i: int) -> str:
        """SwiGLU (Shazeer 2020, eq. 6)."""
        graph = self.graph
        gate = self._linear(states, f"layers.{i}.gate")
        gate = graph.node("Mul", gate, graph.node("Sigmoid", gate))
        inner = graph.node("Mul", gate, self._linear(states, f"layers.{i}.up"))
        if self.fault == "f16_overflow" and i == 0:
            wide = graph.node("Mul", graph.cast(inner, "f32"), graph.constant(np.float32(2**15)))
            wide = graph.cast(graph.cast(wide, "f16"), "f32")
            inner = graph.cast(graph.node("Mul", wide, graph.constant(np.float32(2**-15))), self.dtype)
        return self._linear(inner, f"layers.{i}.down")

    def _presents(self, present: dict[tuple[int, str], str]) -> None:
        """The cache, through the fault if one is planted there."""
        from benchmarks.embedding.graph import FLOATS

        graph, shape = self.graph, self.shape
        dims: list[str | int] = ["batch", shape.kv_heads, "total", shape.head_size]
        for i, part in self.slots:
            source = (i, part)
            if self.fault == "swapped_key_value":
                source = (i, "value" if part == "key" else "key")
            elif self.fault == "layer_order":
                source = ((i - 1) % shape.layers, part)
            value = present[source] if self.cache == self.dtype else graph.cast(present[source], self.cache)
            name, last = f"present.{i}.{part}", i == shape.layers - 1
            if self.fault == "truncated_present":
                value, *_ = self._split_newest(value)
                dims[2] = "short"
            elif self.fault == "misshapen_present":
                value = graph.node("Transpose", value, perm=[0, 2, 1, 3])
                dims = ["batch", "total", shape.kv_heads, shape.head_size]
            elif self.fault == "nan_present" and last and part == "value":
                older, newest = self._split_newest(value)
                newest = graph.node("Mul", newest, graph.constant(np.array(np.nan, FLOATS[self.cache])))
                value = graph.node("Concat", older, newest, axis=2)
            graph.output(value, name, self.cache, dims)

    def _split_newest(self, value: str) -> tuple[str, str]:
        """A present tensor without its newest token, and that token."""
        graph = self.graph
        first, newest, end, axis = (graph.constant(np.array([bound])) for bound in (0, -1, 2**62, 2))
        return graph.node("Slice", value, first, newest, axis), graph.node("Slice", value, newest, end, axis)
