"""A stateful text embedder: any ONNX decoder with a key-value cache, on onnxruntime.

Importing this is cheap: onnxruntime is loaded when a model is opened.
"""

from __future__ import annotations

from tcs.embedder.contract import Contract
from tcs.embedder.embedder import Embedder
from tcs.embedder.errors import (
    CacheError,
    ContractError,
    EmbedderError,
    InputError,
    MissingError,
    ProviderError,
)
from tcs.embedder.observe import Observer, OpenTelemetry, Prometheus
from tcs.embedder.presets import PRESETS, Preset
from tcs.embedder.session import Embedding, Session

__all__ = [
    "PRESETS",
    "CacheError",
    "Contract",
    "ContractError",
    "Embedder",
    "EmbedderError",
    "Embedding",
    "InputError",
    "MissingError",
    "Observer",
    "OpenTelemetry",
    "Preset",
    "Prometheus",
    "ProviderError",
    "Session",
]
