"""The model of a question: a fixture by its name, or a user's own file by its path."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from benchmarks.embedding.models import MODELS, PROVENANCE, path_of

FEWER_BITS = ("f16", "int8", "8bit", "int4")


def file_of(model: str) -> Path:
    """Its ONNX file; a fixture is made if it is not here yet."""
    return path_of(model) if model in MODELS else Path(model)


def provenance_of(model: str) -> str:
    """Of its weights: random in a fixture; of a user's file nothing is known, so it bears no claim about quality."""
    return PROVENANCE if model in MODELS else "derived"


def precision_of(model: str) -> str:
    """``f32`` or one of ``FEWER_BITS``: of a fixture by its name, of a file by the type of its cache.

    What the products of a file are computed in cannot be seen from without, so it is held to the strictest bound.
    """
    if model in MODELS:
        last = model.rpartition("-")[2]
        return last if last in FEWER_BITS else "f32"
    from benchmarks.embedding.plain import Graph

    return "f16" if Graph(Path(model)).cache_type is np.float16 else "f32"


def sha256_of(model: str) -> str:
    """Of its file, and of the weights beside it if there are any."""
    path = file_of(model)
    total = hashlib.sha256()
    for part in (path, path.with_name(path.name + ".data")):
        if part.is_file():
            with part.open("rb") as file:
                total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()
