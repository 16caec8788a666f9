"""A decoder run call by call in onnxruntime: fed by name, on one thread, its cache in the caller's hands."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

DTYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16}


@dataclass(frozen=True, slots=True)
class Step:
    """Outputs of one call by name, and the cache for the next one."""

    outputs: dict[str, NDArray[Any]]
    past: dict[str, NDArray[Any]]

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        return self.outputs[name].astype(np.float64)

    def stacked(self, part: str, row: int = 0) -> NDArray[np.float64]:
        """Keys or values of every layer, (layers, kv_heads, T, head_size)."""
        layers = sum(name.endswith(part) for name in self.past)
        return np.stack([self[f"present.{i}.{part}"][row] for i in range(layers)])


class Decoder:
    """One session on one file."""

    def __init__(self, path: Path) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.inputs = {one.name: one for one in self.session.get_inputs()}
        self.outputs = [one.name for one in self.session.get_outputs()]

    def run(
        self,
        tokens: ArrayLike,
        past: dict[str, NDArray[Any]] | None = None,
        *,
        mask: NDArray[np.int64] | None = None,
        positions: NDArray[np.int64] | None = None,
    ) -> Step:
        """Tokens (T,) or (B, T) after a past; by default everything is seen and positions go on counting."""
        ids = np.atleast_2d(np.asarray(tokens, dtype=np.int64))
        cache = {name: one for name, one in self.inputs.items() if name.startswith("past_key_values")}
        if past is None:
            past = {
                name: np.zeros((len(ids), one.shape[1], 0, one.shape[3]), DTYPES[one.type])
                for name, one in cache.items()
            }
        start = next(iter(past.values())).shape[2]
        counted = np.tile(np.arange(start, start + ids.shape[1]), (len(ids), 1))
        feed = {"input_ids": ids, **past}
        feed["attention_mask"] = np.ones((len(ids), start + ids.shape[1]), np.int64) if mask is None else mask
        if "position_ids" in self.inputs:
            feed["position_ids"] = counted if positions is None else positions
        outputs = dict(zip(self.outputs, self.session.run(None, feed), strict=True))
        return Step(outputs, {name: outputs[name.replace("past_key_values", "present")] for name in cache})

    def steps(self, tokens: ArrayLike, *sizes: int) -> list[Step]:
        """The same tokens in calls of the given sizes, by default one by one."""
        ids = np.asarray(tokens)
        ends = np.cumsum(sizes or [1] * ids.size)
        made: list[Step] = []
        for start, end in zip([0, *ends[:-1]], ends, strict=True):
            made.append(self.run(ids[start:end], made[-1].past if made else None))
        return made


def together(steps: list[Step], name: str, row: int = 0) -> NDArray[np.float64]:
    """An output of shape (B, T, ...) over all steps, of one row: (all T, ...)."""
    return np.concatenate([step[name][row] for step in steps])


def relative(found: NDArray[np.float64], right: NDArray[np.float64]) -> float:
    """Relative error in the 2-norm over everything."""
    return float(np.linalg.norm(found - right) / np.linalg.norm(right))


def cosine(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Cosine of the angle between two vectors, in float64."""
    return float(np.vdot(a, b) / np.sqrt(np.vdot(a, a) * np.vdot(b, b)))
