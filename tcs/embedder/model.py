"""A graph opened in onnxruntime: its contract, and passes over whole sequences."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tcs.embedder import probes
from tcs.embedder.contract import CONSTANTS, MASK, POSITIONS, TOKENS, contract_of, mismatches
from tcs.embedder.errors import ContractError, InputError, MissingError, ProviderError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tcs.embedder.presets import Preset

INSTALL = "pip install 'tcs-harness[embedding]'"
CUDA_PACKAGE = "pip install 'tcs-harness[gpu]'"
CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"


class Model:
    """A decoder with a key-value cache; many sessions may use it at the same time.

    Args:
        path: of the ONNX file. ``preset``: what its contract must be; None takes it as it is.
        providers: of onnxruntime, the first that can run a part of the graph does. ``threads``: of one pass, 0 for
            as many as there are cores.

    Raises:
        MissingError: there is no such file, or onnxruntime is not installed.
        ProviderError: a provider is not there, or cannot be loaded.
        ContractError: the graph cannot be loaded, is no decoder with a cache, or is not the preset's.
    """

    def __init__(
        self, path: str | Path, *, preset: Preset | None, providers: Sequence[str] = (CPU,), threads: int = 0
    ) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise MissingError(f"there is no model file {self.path}; name an ONNX decoder that has a cache")
        if threads < 0:
            raise InputError(f"threads={threads}: 0 for all cores, or how many")
        self.session = _open(self.path, list(providers), threads)
        if lacking := [name for name in providers if name not in self.session.get_providers()]:
            raise ProviderError(
                f"the execution provider {lacking[0]!r} could not be loaded, for example for want of its libraries; "
                f"mend that, or leave it out of providers"
            )
        try:
            self.contract = contract_of(self.session.get_inputs(), self.session.get_outputs())
        except ContractError as error:
            raise ContractError(f"{self.path.name}: {error}") from None
        if preset and (differences := mismatches(self.contract, preset)):
            raise ContractError(
                f"{self.path.name} is not {preset.name}: {'; '.join(differences)}. Name another preset, or None to "
                f"take the graph as it is"
            )
        self.device = "cuda" if self.session.get_providers()[0] == CUDA else "cpu"
        self.constants = {name: CONSTANTS[name] for name in self.contract.constants}

    @functools.cached_property
    def width(self) -> int:
        """Of the output; found by a pass over one token where the graph does not say it."""
        return self.contract.width or int(self.outputs(np.zeros((1, 1), np.int64)).shape[-1])

    @functools.cached_property
    def paddings(self) -> frozenset[str]:
        """Sides on which its sequences can be padded; see :func:`tcs.embedder.probes.safe_paddings`."""
        return probes.safe_paddings(self)

    def outputs(
        self, tokens: NDArray[np.int64], mask: NDArray[np.int64] | None = None,
        positions: NDArray[np.int64] | None = None,
    ) -> NDArray[Any]:  # fmt: skip
        """Outputs (batch, tokens, width) of whole sequences (batch, tokens), from an empty cache that is not kept.

        Args:
            mask: 0 for tokens that are padding. ``positions``: of the tokens, from 0 on if not given.

        Raises:
            InputError: onnxruntime refuses the tokens, for example those outside the vocabulary.
        """
        return self.run(self.contract.output, self.feeds(tokens, mask, positions))

    def run(self, output: str, feeds: dict[str, NDArray[Any]]) -> NDArray[Any]:
        """One output by name.

        Raises:
            InputError: onnxruntime refuses what it is fed.
        """
        try:
            found: NDArray[Any] = self.session.run([output], feeds)[0]
        except _failures() as error:
            shape = feeds[TOKENS].shape
            raise InputError(f"{self.path.name}: a pass over {shape} tokens failed: {brief(error)}") from error
        return found

    def feeds(
        self, tokens: NDArray[np.int64], mask: NDArray[np.int64] | None = None,
        positions: NDArray[np.int64] | None = None, past: Sequence[NDArray[Any]] = (),
    ) -> dict[str, NDArray[Any]]:  # fmt: skip
        """What a pass is fed by name: tokens (batch, n), mask (batch, past + n), positions, and the past (empty)."""
        batch, n = tokens.shape
        contract = self.contract
        shape = (batch, contract.kv_heads, 0, contract.head_size)
        past = past or [np.empty(shape, contract.cache_type)] * len(contract.past)
        seen = past[0].shape[2]
        found = {TOKENS: tokens, **self.constants, **dict(zip(contract.past, past, strict=True))}
        if contract.mask:
            found[MASK] = np.ones((batch, seen + n), np.int64) if mask is None else mask
        if contract.positions:
            given = np.broadcast_to(np.arange(seen, seen + n), (batch, n)) if positions is None else positions
            found[POSITIONS] = np.ascontiguousarray(given, np.int64)
        return found


def brief(error: Exception) -> str:
    """The first line of what onnxruntime says."""
    return (str(error).splitlines() or [type(error).__name__])[0]


def _failures() -> tuple[type[Exception], ...]:
    """What onnxruntime raises when a graph cannot be run."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    return (state.Fail, state.InvalidArgument, state.RuntimeException, state.EPFail, state.NotImplemented)


def _open(path: Path, providers: list[str], threads: int) -> Any:
    try:
        import onnxruntime
    except ModuleNotFoundError as error:
        raise MissingError(f"onnxruntime is not installed; {INSTALL}") from error
    there = onnxruntime.get_available_providers()
    for name in providers:
        if name not in there:
            raise ProviderError(f"the execution provider {name!r} is not there; onnxruntime has {', '.join(there)}")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4  # what it would write of an error is in what it raises
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=providers)
    except Exception as error:  # onnxruntime's own errors have no common base
        raise ContractError(f"onnxruntime cannot load {path.name}: {brief(error)}") from error
