"""The model of a question: a fixture by its name, or a user's own file by its path."""

from __future__ import annotations

import hashlib
import mmap
from pathlib import Path

import numpy as np

from benchmarks.embedding.models import MODELS, PROVENANCE, path_of

DYNAMIC = (b"DynamicQuantizeLinear", b"DynamicQuantizeMatMul")
"""Operators that take the scale of activations from a whole call."""
FEWER_BITS = ("f16", "int8", "8bit", "int4")


def file_of(model: str) -> Path:
    """Its ONNX file; a fixture is made if it is not here yet."""
    return path_of(model) if model in MODELS else Path(model)


def provenance_of(model: str) -> str:
    """Of its weights: random in a fixture; of a user's file nothing is known, so it bears no claim about quality."""
    return PROVENANCE if model in MODELS else "derived"


def precision_of(model: str) -> str:
    """``f32`` or one of ``FEWER_BITS``: of a fixture by its name, of a file by its operators and the type of its cache.

    A file that quantises activations dynamically is ``int8``; of others that are not ``f16`` no more needs to be known,
    since all of them are held to the same bound.
    """
    if model in MODELS:
        last = model.rpartition("-")[2]
        return last if last in FEWER_BITS else "f32"
    from benchmarks.embedding.plain import Graph

    with Path(model).open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
        if any(whole.find(operator) >= 0 for operator in DYNAMIC):
            return "int8"
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
