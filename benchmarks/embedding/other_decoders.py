"""A decoder of another architecture, GPT-2's, in small: it stands for a user's own model that nobody here has seen.

Learned absolute positions instead of rotary ones, LayerNorm with biases, as many key heads as query heads, one product
for query, key and value, a GELU network (Radford et al. 2019, Language Models are Unsupervised Multitask Learners).
Its file names the cache as public exports do and orders its inputs as they do: tokens, cache, mask, positions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.embedding.oracle import Pass, attend, band

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from benchmarks.embedding.graph import Graph


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpt2:
    """Sizes: ``positions`` is the longest context that there are learned positions for."""

    layers: int = 3
    hidden: int = 48
    heads: int = 4
    ffn: int = 192
    vocabulary: int = 256
    positions: int = 512
    epsilon: float = 1e-5

    @property
    def head_size(self) -> int:
        """Elements of one head."""
        return self.hidden // self.heads


GPT2_TINY = Gpt2()


def gpt2_weights(shape: Gpt2 = GPT2_TINY, seed: int = 0) -> dict[str, NDArray[np.float32]]:
    """All weights by name, float32, normal with standard deviation 1 / sqrt(hidden), those of norms about 1."""
    dims: dict[str, tuple[int, ...]] = {
        "tokens": (shape.vocabulary, shape.hidden),
        "positions": (shape.positions, shape.hidden),
    }
    for i in range(shape.layers):
        dims |= {f"h.{i}.{norm}.{part}": (shape.hidden,) for norm in ("norm_1", "norm_2") for part in ("scale", "bias")}
        for name, rows, columns in (
            ("attention", shape.hidden, 3 * shape.hidden),
            ("output", shape.hidden, shape.hidden),
            ("widen", shape.hidden, shape.ffn),
            ("narrow", shape.ffn, shape.hidden),
        ):
            dims |= {f"h.{i}.{name}.weight": (rows, columns), f"h.{i}.{name}.bias": (columns,)}
    dims |= {"norm.scale": (shape.hidden,), "norm.bias": (shape.hidden,)}
    made = {}
    for index, (name, size) in enumerate(dims.items()):
        values = np.random.default_rng((seed, index)).standard_normal(size, dtype=np.float32)
        made[name] = values * np.float32(shape.hidden**-0.5) + np.float32(name.endswith("scale"))
    return made


def gpt2_forward(
    weights: Mapping[str, NDArray[np.floating]],
    tokens: ArrayLike,
    shape: Gpt2 = GPT2_TINY,
    *,
    positions: ArrayLike | None = None,
    mask: NDArray[np.bool_] | None = None,
) -> Pass:
    """One full pass in float64, apart from any graph; arguments as in :func:`benchmarks.embedding.oracle.forward`."""
    ids = np.asarray(tokens, dtype=np.int64)
    where = np.arange(ids.size) if positions is None else np.asarray(positions, dtype=np.int64)
    seen = band(ids.size, ids.size) if mask is None else mask
    w = {name: np.asarray(values, dtype=np.float64) for name, values in weights.items()}

    def norm(states: NDArray[np.float64], name: str) -> NDArray[np.float64]:
        """(x - mean) / sqrt(variance + epsilon) * scale + bias (Ba, Kiros and Hinton 2016, eq. 4)."""
        centred = states - states.mean(axis=-1, keepdims=True)
        size: NDArray[np.float64] = np.sqrt(np.mean(centred**2, axis=-1, keepdims=True) + shape.epsilon)
        answer: NDArray[np.float64] = centred / size * w[f"{name}.scale"] + w[f"{name}.bias"]
        return answer

    def linear(states: NDArray[np.float64], name: str) -> NDArray[np.float64]:
        product: NDArray[np.float64] = states @ w[f"{name}.weight"] + w[f"{name}.bias"]
        return product

    def gelu(x: NDArray[np.float64]) -> NDArray[np.float64]:
        """The approximation by tanh (Hendrycks and Gimpel 2016, section 2)."""
        answer: NDArray[np.float64] = 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))
        return answer

    states = w["tokens"][ids] + w["positions"][where]
    layers, keys, values = [states], [], []
    for i in range(shape.layers):
        joint = linear(norm(states, f"h.{i}.norm_1"), f"h.{i}.attention")
        query, key, value = joint.reshape(ids.size, 3, shape.heads, -1).transpose(1, 2, 0, 3)
        keys.append(key)
        values.append(value)
        answer = attend(query, key, value, seen).transpose(1, 0, 2).reshape(ids.size, -1)
        states = states + linear(answer, f"h.{i}.output")
        states = states + linear(gelu(linear(norm(states, f"h.{i}.norm_2"), f"h.{i}.widen")), f"h.{i}.narrow")
        layers.append(states)
    hidden = norm(states, "norm")
    return Pass(
        hidden=hidden,
        logits=hidden @ w["tokens"].T,
        keys=np.stack(keys),
        values=np.stack(values),
        layers=np.stack(layers),
    )


def build_gpt2(path: Path, shape: Gpt2 = GPT2_TINY, *, seed: int = 0, position_ids: bool = True) -> None:
    """Write the decoder as ONNX, float32, with logits as its output.

    Args:
        position_ids: whether positions are an input, the last; without, they are counted from the length of the past,
            as older exports do.

    Raises:
        OSError: the file cannot be written.
    """
    from benchmarks.embedding.attention import Inputs
    from benchmarks.embedding.graph import Graph

    with Graph(path, opset=20) as graph:
        cache = ("batch", shape.heads, "past", shape.head_size)
        tokens = graph.input("input_ids", "i64", ("batch", "sequence"))
        past = [
            [graph.input(f"past_key_values.{i}.{part}", "f32", cache) for part in ("key", "value")]
            for i in range(shape.layers)
        ]
        mask = graph.input("attention_mask", "i64", ("batch", "total"))
        rows = graph.input("position_ids", "i64", ("batch", "sequence")) if position_ids else ""
        inputs = Inputs(graph, tokens, mask, rows, past[0][0])
        w = {name: graph.weight(name, values) for name, values in gpt2_weights(shape, seed).items()}
        bias = inputs.bias("f32")
        states = graph.node(
            "Add", graph.node("Gather", w["tokens"], tokens), graph.node("Gather", w["positions"], inputs.rows())
        )
        present = []
        for i in range(shape.layers):
            joint = _linear(graph, w, _norm(graph, w, states, f"h.{i}.norm_1", shape), f"h.{i}.attention")
            answer, *cached = _attention(graph, joint, past[i], bias, shape)
            present.append(cached)
            states = graph.node("Add", states, _linear(graph, w, answer, f"h.{i}.output"))
            wide = _linear(graph, w, _norm(graph, w, states, f"h.{i}.norm_2", shape), f"h.{i}.widen")
            narrow = _linear(graph, w, graph.node("Gelu", wide, approximate="tanh"), f"h.{i}.narrow")
            states = graph.node("Add", states, narrow)
        head = graph.node("Transpose", w["tokens"], perm=[1, 0])
        logits = graph.node("MatMul", _norm(graph, w, states, "norm", shape), head)
        graph.output(logits, "logits", "f32", ("batch", "sequence", shape.vocabulary))
        for i, (keys, values) in enumerate(present):
            graph.output(keys, f"present.{i}.key", "f32", ("batch", shape.heads, "total", shape.head_size))
            graph.output(values, f"present.{i}.value", "f32", ("batch", shape.heads, "total", shape.head_size))
        graph.save()


def _norm(graph: Graph, w: Mapping[str, str], states: str, name: str, shape: Gpt2) -> str:
    scale, bias = w[f"{name}.scale"], w[f"{name}.bias"]
    return graph.node("LayerNormalization", states, scale, bias, axis=-1, epsilon=shape.epsilon)


def _linear(graph: Graph, w: Mapping[str, str], states: str, name: str) -> str:
    return graph.node("Add", graph.node("MatMul", states, w[f"{name}.weight"]), w[f"{name}.bias"])


def _attention(graph: Graph, joint: str, past: Sequence[str], bias: str, shape: Gpt2) -> tuple[str, str, str]:
    """Attention in elementary operators; see :class:`benchmarks.embedding.attention.Attention`."""
    query, key, value = (
        graph.node("Transpose", graph.reshape(part, 0, 0, shape.heads, shape.head_size), perm=[0, 2, 1, 3])
        for part in graph.nodes("Split", [joint], 3, axis=-1, num_outputs=3)
    )
    keys = graph.node("Concat", past[0], key, axis=2)
    values = graph.node("Concat", past[1], value, axis=2)
    scores = graph.node("MatMul", query, graph.node("Transpose", keys, perm=[0, 1, 3, 2]))
    scores = graph.node("Div", scores, graph.constant(np.float32(shape.head_size**0.5)))
    shares = graph.node("Softmax", graph.node("Add", scores, bias), axis=-1)
    answer = graph.node("Transpose", graph.node("MatMul", shares, values), perm=[0, 2, 1, 3])
    return graph.reshape(answer, 0, 0, -1), keys, values
