"""A decoder run by nothing but onnxruntime's ``run`` and numpy: what the oracle and the raw loop stand on.

It looks at a graph in its own way and imports nothing of the embedder, so that a mistake there is not repeated here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness import Unavailable

if TYPE_CHECKING:
    from numpy.typing import NDArray

INSTALL = "pip install -e '.[embedding,onnx]' -c constraints.txt"
CONSTANTS: dict[str, Any] = {"use_cache_branch": np.ones(1, bool), "num_logits_to_keep": np.array(0, np.int64)}
"""Inputs of some exports that are always the same: the branch with a cache, and outputs for all tokens."""
FLOATS = {"tensor(float)": np.float32, "tensor(float16)": np.float16}


class Graph:
    """A decoder's graph; ``layers``, ``heads`` and ``size`` are those of its cache, ``logits`` tells what it gives.

    ``inputs`` are the names of what it takes.
    """

    def __init__(self, path: Path, threads: int = 1) -> None:
        try:
            import onnxruntime
        except ModuleNotFoundError as error:
            raise Unavailable(f"{error}; {INSTALL}") from None
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.log_severity_level = threads, 3
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        inputs = {each.name: each for each in self._session.get_inputs()}
        self.inputs = set(inputs)
        outputs = [each.name for each in self._session.get_outputs()]
        self._past = sorted((name for name in inputs if "past" in name), key=_slot)
        self._present = sorted((name for name in outputs if "present" in name), key=_slot)
        named = [name for name in ("last_hidden_state", "hidden_states", "logits") if name in outputs]
        self.output = (named or [name for name in outputs if "present" not in name])[0]
        self.logits = self.output == "logits"
        self._mask, self._positions = "attention_mask" in inputs, "position_ids" in inputs
        self._constants = {name: value for name, value in CONSTANTS.items() if name in inputs}
        first = inputs[self._past[0]]
        self.layers, (_, self.heads, _, self.size) = len(self._past) // 2, first.shape
        self.cache_type = FLOATS[first.type]

    def empty(self, batch: int = 1) -> list[NDArray[Any]]:
        """A past of length 0."""
        return [np.empty((batch, self.heads, 0, self.size), self.cache_type) for _ in self._past]

    def run(
        self, tokens: NDArray[np.int64], past: Sequence[NDArray[Any]] = (), first: int | None = None,
        mask: NDArray[np.int64] | None = None, positions: NDArray[np.int64] | None = None,
    ) -> tuple[NDArray[Any], list[NDArray[Any]]]:  # fmt: skip
        """Outputs (batch, t, width) of tokens (batch, t), and all keys and values after them, in turn.

        Args:
            past: keys and values before them. ``first``: position of the first token, that of the past's end if None.
            mask: (batch, past + t). ``positions``: (batch, t), in place of ``first``.
        """
        batch, count = tokens.shape
        past = past or self.empty(batch)
        seen = past[0].shape[2]
        feeds = {"input_ids": tokens, **self._constants, **dict(zip(self._past, past, strict=True))}
        if self._mask:
            feeds["attention_mask"] = np.ones((batch, seen + count), np.int64) if mask is None else mask
        if self._positions:
            start = seen if first is None else first
            along = np.tile(np.arange(start, start + count), (batch, 1)) if positions is None else positions
            feeds["position_ids"] = along
        found, *present = self._session.run([self.output, *self._present], feeds)
        return found, present


def cache_of(tensors: Sequence[NDArray[Any]], last: int | None = None) -> NDArray[Any]:
    """Keys and values in turn as (layers, 2, kv_heads, tokens, size) of the first sequence, of the last tokens only."""
    stacked = np.stack([each[0] for each in tensors])
    kept = stacked if last is None else stacked[:, :, stacked.shape[2] - last :]
    return kept.reshape(-1, 2, *kept.shape[1:])


def turned(keys: NDArray[Any], positions: float, theta: float) -> NDArray[Any]:
    """Keys (..., size) as they would be so many positions later: Su et al. 2021 (arXiv:2104.09864), eq. 34.

    A pair of coordinates, one from each half of a head, is a complex number z_j; it becomes z_j e^(i m theta^(-2j/d)).
    """
    half = keys.shape[-1] // 2
    pairs = keys[..., :half].astype(np.complex128) + 1j * keys[..., half:]
    pairs *= np.exp(1j * positions * float(theta) ** (-np.arange(half) / half))
    return np.concatenate([pairs.real, pairs.imag], axis=-1).astype(keys.dtype)


def _slot(name: str) -> tuple[int, str]:
    number = re.search(r"\d+", name)
    return int(number[0]) if number else -1, "value" if "value" in name.replace("key_values", "") else "key"
