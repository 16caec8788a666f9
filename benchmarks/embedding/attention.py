"""Three ways in which exporters write causal attention with a KV cache, on one graph, to one set of numbers.

All of them are scaled dot-product attention (Vaswani et al. 2017, eq. 1) with grouped keys and values (Ainslie et al.
2023) and rotary positions in halves (Su et al. 2021, eq. 34, with the pairing of GPT-NeoX).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

import numpy as np

from benchmarks.embedding.graph import FLOATS, MICROSOFT, TYPES, Graph

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.embedding.decoder import Shape

POSITIONS = 32768
"""Rotary tables reach as far as the context of Qwen2.5."""


class Attention(Protocol):
    """Attention of every layer of one graph."""

    def __call__(self, query: str, key: str, value: str, past: tuple[str, str]) -> tuple[str, str, str]:
        """Attend, from projections of shape (B, T, heads * D) and a past of shape (B, kv_heads, past, D) each.

        Returns:
            The answer (B, T, heads * D), and the keys and values of past and present (B, kv_heads, past + T, D).
        """
        ...


class Inputs:
    """What attention takes from the model's inputs, and what it can compute of it.

    Args:
        mask: name of ``attention_mask``, "" where the graph is to ignore it (a planted fault).
        positions: name of ``position_ids``, "" where the graph counts positions from the length of its past.
    """

    def __init__(self, graph: Graph, tokens: str, mask: str, positions: str, past: str) -> None:
        self.graph, self.tokens, self.mask, self.positions, self.past = graph, tokens, mask, positions, past

    def _span(self) -> tuple[str, str]:
        """Length of the past, and of past and present together, (1,) int64 each."""
        past = self.graph.shape(self.past, 2)
        return past, self.graph.node("Add", past, self.graph.shape(self.tokens, 1))

    def _range(self, start: str, stop: str) -> str:
        scalars = [self.graph.node("Squeeze", end) for end in (start, stop)]
        return self.graph.node("Range", *scalars, self.graph.constant(np.int64(1)))

    def rows(self) -> str:
        """Position of each token, (B, T) or (1, T) int64."""
        if self.positions:
            return self.positions
        return self.graph.reshape(self._range(*self._span()), 1, -1)

    def bias(self, dtype: str) -> str:
        """0 where a token may look and a large negative number elsewhere, (B or 1, 1, T, past + T).

        The number is finite, so that the row of a padded token, which sees nothing, stays free of NaN.
        """
        graph = self.graph
        past, total = self._span()
        rows = graph.reshape(self._range(past, total), -1, 1)
        columns = graph.reshape(self._range(graph.constant(np.zeros(1, np.int64)), total), 1, -1)
        seen = graph.node("LessOrEqual", columns, rows)
        if self.mask:
            axes = graph.constant(np.array([1, 2]))
            padding = graph.node("Unsqueeze", graph.node("Cast", self.mask, to=9), axes)
            seen = graph.node("And", seen, padding)
        else:
            seen = graph.node("Unsqueeze", seen, graph.constant(np.array([0, 1])))
        low, zero = np.finfo(FLOATS[dtype]).min / 2, np.zeros((), FLOATS[dtype])
        return graph.node("Where", seen, graph.constant(zero), graph.constant(low.astype(FLOATS[dtype])))

    def lengths(self) -> tuple[str, str]:
        """Last index of each row (B,) and length of the longest, (1,), int32: what GroupQueryAttention asks for."""
        graph = self.graph
        longest = self._span()[1]
        if self.mask:
            seen = graph.node("ReduceSum", self.mask, graph.constant(np.array([1])), keepdims=0)
        else:
            seen = graph.node("Expand", longest, graph.shape(self.tokens, 0))
        last = graph.node("Sub", seen, graph.constant(np.int64(1)))
        return graph.node("Cast", last, to=6), graph.node("Cast", longest, to=6)


def inverse_frequencies(shape: Shape) -> NDArray[np.float64]:
    """Angle per position of each pair of a head, (D / 2,), radians (Su et al. 2021, eq. 15)."""
    return shape.theta ** -(np.arange(0, shape.head_size, 2) / shape.head_size)


def tables(shape: Shape, graph: Graph, dtype: str) -> tuple[str, str]:
    """Cosines and sines of every position, (POSITIONS, D / 2) each."""
    angles = np.arange(POSITIONS)[:, None] * inverse_frequencies(shape)
    cosines, sines = (rotation.astype(FLOATS[dtype]) for rotation in (np.cos(angles), np.sin(angles)))
    return graph.weight("rope.cos", cosines), graph.weight("rope.sin", sines)


class Standard:
    """Operators of opset 23: Attention and RotaryEmbedding."""

    def __init__(self, shape: Shape, inputs: Inputs, dtype: str) -> None:
        self.shape, self.graph = shape, inputs.graph
        self.bias, self.rows = inputs.bias(dtype), inputs.rows()
        if not inputs.positions:
            self.rows = self.graph.node("Expand", self.rows, self.graph.node("Shape", inputs.tokens))
        self.tables = tables(shape, self.graph, dtype)

    def __call__(self, query: str, key: str, value: str, past: tuple[str, str]) -> tuple[str, str, str]:
        """See :class:`Attention`."""
        heads, shared = self.shape.heads, self.shape.kv_heads
        query, key = (
            self.graph.node("RotaryEmbedding", states, *self.tables, self.rows, num_heads=number)
            for states, number in ((query, heads), (key, shared))
        )
        inputs = [query, key, value, self.bias, *past]
        answer, keys, values = self.graph.nodes("Attention", inputs, 3, q_num_heads=heads, kv_num_heads=shared)
        return answer, keys, values


class Plain:
    """Elementary operators only, as a trace of the model's Python source has them."""

    def __init__(self, shape: Shape, inputs: Inputs, dtype: str) -> None:
        self.shape, self.graph, self.dtype = shape, inputs.graph, dtype
        graph = self.graph
        self.bias = inputs.bias("f32")
        rows = graph.node("Unsqueeze", graph.cast(inputs.rows(), "f32"), graph.constant(np.array([1, 3])))
        angles = graph.node("Mul", rows, graph.constant(inverse_frequencies(shape).astype(np.float32)))
        angles = graph.node("Concat", angles, angles, axis=-1)
        self.cosines, self.sines = (graph.cast(graph.node(op, angles), dtype) for op in ("Cos", "Sin"))

    def _heads(self, states: str, number: int) -> str:
        split = self.graph.reshape(states, 0, 0, number, self.shape.head_size)
        return self.graph.node("Transpose", split, perm=[0, 2, 1, 3])

    def _rotate(self, states: str) -> str:
        graph, half = self.graph, self.shape.head_size // 2
        first, second = (
            graph.node("Slice", states, *(graph.constant(np.array([bound])) for bound in (start, start + half, -1)))
            for start in (0, half)
        )
        turned = graph.node("Concat", graph.node("Neg", second), first, axis=-1)
        return graph.node("Add", graph.node("Mul", states, self.cosines), graph.node("Mul", turned, self.sines))

    def _repeat(self, states: str) -> str:
        """Each head of keys or values as often as query heads share it."""
        graph, shape = self.graph, self.shape
        group = graph.constant(np.array([1, 1, shape.heads // shape.kv_heads, 1, 1]))
        wide = graph.node("Expand", graph.node("Unsqueeze", states, graph.constant(np.array([2]))), group)
        return graph.reshape(wide, 0, shape.heads, -1, shape.head_size)

    def __call__(self, query: str, key: str, value: str, past: tuple[str, str]) -> tuple[str, str, str]:
        """See :class:`Attention`."""
        graph, shape = self.graph, self.shape
        query = self._rotate(self._heads(query, shape.heads))
        keys = graph.node("Concat", past[0], self._rotate(self._heads(key, shape.kv_heads)), axis=2)
        values = graph.node("Concat", past[1], self._heads(value, shape.kv_heads), axis=2)
        scale = graph.constant(np.array(shape.head_size**-0.5, FLOATS[self.dtype]))
        turned = graph.node("Transpose", self._repeat(keys), perm=[0, 1, 3, 2])
        scores = graph.node("Mul", graph.node("MatMul", query, turned), scale)
        scores = graph.node("Add", graph.node("Cast", scores, to=TYPES["f32"]), self.bias)
        shares = graph.cast(graph.node("Softmax", scores, axis=-1), self.dtype)
        answer = graph.node("Transpose", graph.node("MatMul", shares, self._repeat(values)), perm=[0, 2, 1, 3])
        return graph.reshape(answer, 0, 0, -1), keys, values


class Grouped:
    """com.microsoft.GroupQueryAttention, whose lengths come from the sum of the mask.

    With ``position_ids`` the rotation is com.microsoft.RotaryEmbedding, without them the operator rotates by lengths.
    """

    def __init__(self, shape: Shape, inputs: Inputs, dtype: str) -> None:
        self.shape, self.graph, self.rows = shape, inputs.graph, inputs.positions
        self.lengths = inputs.lengths()
        self.tables = tables(shape, self.graph, dtype)

    def __call__(self, query: str, key: str, value: str, past: tuple[str, str]) -> tuple[str, str, str]:
        """See :class:`Attention`."""
        shape, inside = self.shape, not self.rows
        if not inside:
            query, key = (
                self.graph.node(
                    "RotaryEmbedding", states, self.rows, *self.tables, domain=MICROSOFT, num_heads=number,
                    rotary_embedding_dim=shape.head_size,
                )
                for states, number in ((query, shape.heads), (key, shape.kv_heads))
            )  # fmt: skip
        inputs = [query, key, value, *past, *self.lengths, *(self.tables if inside else ())]
        answer, keys, values = self.graph.nodes(
            "GroupQueryAttention", inputs, 3, domain=MICROSOFT,
            num_heads=shape.heads, kv_num_heads=shape.kv_heads, do_rotary=int(inside),
        )  # fmt: skip
        return answer, keys, values


KINDS: Mapping[str, tuple[Callable[[Shape, Inputs, str], Attention], int]] = {
    "standard": (Standard, 23),
    "plain": (Plain, 18),
    "gqa": (Grouped, 18),
}
"""Each kind with the opset that its graph is written in."""
