"""What users import, and that importing it costs nothing of what a model needs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import tcs.embedder
from tcs.embedder import errors

ROOT = Path(__file__).resolve().parents[3]
HEAVY = {"onnxruntime", "tokenizers", "cupy", "torch", "transformers", "onnx", "prometheus_client", "opentelemetry"}


def test_public_names() -> None:
    """A change here is a change of the interface."""
    assert sorted(tcs.embedder.__all__) == [
        "CacheError", "Contract", "ContractError", "Embedder", "EmbedderError", "Embedding", "InputError",
        "MissingError", "Observer", "OpenTelemetry", "PRESETS", "Preset", "Prometheus", "ProviderError", "Session",
    ]  # fmt: skip
    assert all(hasattr(tcs.embedder, name) for name in tcs.embedder.__all__)


def test_importing_it_is_light() -> None:
    """The runtime is loaded when a model is opened, the tokenizers' library when a file of it is read."""
    code = "import sys, json, tcs.embedder; print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not HEAVY & set(json.loads(done.stdout))


def test_the_tree_of_errors() -> None:
    """Every error is an EmbedderError and one of Python's own, as the docstring draws it."""
    for name in ("ContractError", "InputError", "CacheError", "ProviderError", "MissingError"):
        assert issubclass(getattr(errors, name), errors.EmbedderError)
        assert name in (errors.__doc__ or "")
    assert issubclass(errors.InputError, ValueError)
    assert issubclass(errors.ContractError, ValueError)
    assert issubclass(errors.CacheError, RuntimeError)
    assert issubclass(errors.ProviderError, RuntimeError)
    assert issubclass(errors.MissingError, FileNotFoundError)
