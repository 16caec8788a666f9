"""The forward pass of a Qwen2 decoder as the papers have it: numpy, float64, no cache, one sequence.

Slow and plain on purpose, and written apart from every graph: it is the judge of what a runtime answers, of keys and
values too. Sources: RMSNorm, Zhang and Sennrich 2019; rotary positions, Su et al. 2021; scaled dot-product attention,
Vaswani et al. 2017; grouped queries, Ainslie et al. 2023; SwiGLU, Shazeer 2020; their order and the tied head, the
Qwen2.5-Coder Technical Report, arXiv:2409.12186.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from benchmarks.embedding.decoder import Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """What one pass over T tokens gives, all float64.

    Attributes:
        hidden: (T, hidden), after the last normalisation.
        logits: (T, vocabulary).
        keys: (layers, kv_heads, T, head_size), rotated, as a cache holds them.
        values: (layers, kv_heads, T, head_size).
        layers: (layers + 1, T, hidden), the embeddings and what each layer makes of them, not normalised.
    """

    hidden: NDArray[np.float64]
    logits: NDArray[np.float64]
    keys: NDArray[np.float64]
    values: NDArray[np.float64]
    layers: NDArray[np.float64]


def band(tokens: int, window: int) -> NDArray[np.bool_]:
    """Who sees whom, (T, T) bool: each token itself and the ``window - 1`` before it; ``window >= tokens`` is causal.

    >>> band(3, 2).astype(int).tolist()
    [[1, 0, 0], [1, 1, 0], [0, 1, 1]]
    """
    distance = np.arange(tokens)[:, None] - np.arange(tokens)
    return (distance >= 0) & (distance < window)


def rms_norm(states: NDArray[np.float64], weight: NDArray[np.float64], epsilon: float) -> NDArray[np.float64]:
    """x / sqrt(mean(x^2) + epsilon) * weight over the last axis (Zhang and Sennrich 2019, eq. 4)."""
    size: NDArray[np.float64] = np.sqrt(np.mean(states**2, axis=-1, keepdims=True) + epsilon)
    return states / size * weight


def rotate(states: NDArray[np.float64], positions: NDArray[np.float64], theta: float) -> NDArray[np.float64]:
    """Turn the pair (x_j, x_{j + D/2}) at position p by the angle p * theta^(-2j / D).

    Su et al. 2021, eqs. 15 and 34, with pairs taken from the two halves of a head, as GPT-NeoX and Qwen do.

    Args:
        states: (heads, T, D).
        positions: (T,).
    """
    half = states.shape[-1] // 2
    angles = positions[:, None] * theta ** -(np.arange(half) / half)
    turned = (states[..., :half] + 1j * states[..., half:]) * np.exp(1j * angles)
    return np.concatenate([turned.real, turned.imag], axis=-1)


def attend(
    queries: NDArray[np.float64], keys: NDArray[np.float64], values: NDArray[np.float64], mask: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """softmax(Q K^T / sqrt(D)) V (Vaswani et al. 2017, eq. 1), g query heads to each key head (Ainslie et al. 2023).

    Args:
        queries: (heads, T, D).
        keys: (kv_heads, T, D); ``values`` likewise.
        mask: (T, T), who sees whom.

    Returns:
        (heads, T, D).
    """
    group = len(queries) // len(keys)
    answers = []
    for head, query in enumerate(queries):
        scores = query @ keys[head // group].T / np.sqrt(query.shape[-1])
        scores = np.where(mask, scores, -np.inf)
        shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
        answers.append(shares / shares.sum(axis=-1, keepdims=True) @ values[head // group])
    return np.stack(answers)


def swiglu(
    states: NDArray[np.float64],
    gate: NDArray[np.float64],
    up: NDArray[np.float64],
    down: NDArray[np.float64],
) -> NDArray[np.float64]:
    """(silu(x W) * x V) W2 (Shazeer 2020, eq. 6)."""
    opening: NDArray[np.float64] = states @ gate
    answer: NDArray[np.float64] = (opening / (1 + np.exp(-opening)) * (states @ up)) @ down
    return answer


def forward(
    weights: Mapping[str, NDArray[np.floating]],
    shape: Shape,
    tokens: ArrayLike,
    *,
    positions: ArrayLike | None = None,
    mask: NDArray[np.bool_] | None = None,
) -> Pass:
    """One full pass.

    Args:
        weights: as :func:`benchmarks.embedding.decoder.weights` gives them.
        tokens: (T,) integers from 0 to ``vocabulary - 1``.
        positions: (T,), by default 0 to T - 1.
        mask: (T, T), row i true where token i sees, by default causal; see :func:`band`.

    Raises:
        ValueError: tokens, positions or mask do not go together, or a token sees nothing.
    """
    ids = np.asarray(tokens, dtype=np.int64)
    where = np.arange(ids.size, dtype=np.float64) if positions is None else np.asarray(positions, dtype=np.float64)
    seen = band(ids.size, ids.size) if mask is None else np.asarray(mask, dtype=bool)
    if ids.ndim != 1 or not ids.size or where.shape != ids.shape or seen.shape != (ids.size, ids.size):
        raise ValueError(
            f"tokens {ids.shape}, positions {where.shape} and mask {seen.shape}: give (T,), (T,) and (T, T), T >= 1"
        )
    if not seen.any(axis=1).all():
        raise ValueError(f"mask: token {int(np.argmin(seen.any(axis=1)))} sees nothing; let each see itself at least")
    if ids.min() < 0 or ids.max() >= shape.vocabulary:
        raise ValueError(f"tokens: {ids.min()} to {ids.max()} go beyond the vocabulary, 0 to {shape.vocabulary - 1}")

    def weight(name: str) -> NDArray[np.float64]:
        return np.asarray(weights[name], dtype=np.float64)

    def heads(states: NDArray[np.float64], name: str) -> NDArray[np.float64]:
        projected = states @ weight(f"{name}.weight") + weight(f"{name}.bias")
        return projected.reshape(ids.size, -1, shape.head_size).transpose(1, 0, 2)

    states = np.asarray(weights["embedding"][ids], dtype=np.float64)
    layers, keys, values = [states], [], []
    for i in range(shape.layers):
        layer = f"layers.{i}"
        normal = rms_norm(states, weight(f"{layer}.attention_norm"), shape.epsilon)
        query = rotate(heads(normal, f"{layer}.query"), where, shape.theta)
        keys.append(rotate(heads(normal, f"{layer}.key"), where, shape.theta))
        values.append(heads(normal, f"{layer}.value"))
        answer = attend(query, keys[-1], values[-1], seen).transpose(1, 0, 2).reshape(ids.size, -1)
        states = states + answer @ weight(f"{layer}.output.weight")
        normal = rms_norm(states, weight(f"{layer}.ffn_norm"), shape.epsilon)
        states = states + swiglu(normal, *(weight(f"{layer}.{name}.weight") for name in ("gate", "up", "down")))
        layers.append(states)
    hidden = rms_norm(states, weight("norm"), shape.epsilon)
    return Pass(
        hidden=hidden,
        logits=hidden @ weight("embedding").T,
        keys=np.stack(keys),
        values=np.stack(values),
        layers=np.stack(layers),
    )
