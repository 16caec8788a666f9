"""Answers as files: one ``.npz`` an answer, named by the sha256 of its content. No pickle, ever."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import StoreError

if TYPE_CHECKING:
    import numpy


def answer_digest(arrays: Mapping[str, Any]) -> str:
    """sha256 (hex) over the names, dtypes, shapes and bytes of arrays, in the order of the names."""
    import numpy

    total = hashlib.sha256()
    for name in sorted(arrays):
        array = numpy.ascontiguousarray(arrays[name])
        total.update(f"{name}|{array.dtype.str}|{array.shape}|".encode())
        total.update(array.data if array.size else b"")
    return total.hexdigest()


def save(folder: Path, arrays: Mapping[str, Any]) -> str:
    """Write arrays as ``<digest>.npz`` unless that file exists; returns the digest.

    Raises:
        StoreError: the file cannot be written.
    """
    import numpy

    name = answer_digest(arrays)
    path = folder / f"{name}.npz"
    if not path.exists():
        temporary = folder / f".{name}.{os.getpid()}.npz"
        try:
            numpy.savez_compressed(
                temporary, allow_pickle=False, **{key: numpy.asarray(arrays[key]) for key in sorted(arrays)}
            )
            os.replace(temporary, path)
        except OSError as error:
            with suppress(OSError):
                temporary.unlink()
            raise StoreError(f"cannot write the answer {path}: {error.strerror}") from error
    return name


def load(path: Path) -> dict[str, numpy.ndarray[Any, Any]]:
    """Read arrays back; refuses pickled objects.

    Raises:
        StoreError: the file is missing, damaged or holds objects.
    """
    import numpy

    try:
        with numpy.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except Exception as error:  # noqa: BLE001 - numpy raises zip, zlib, OS, value and key errors for damaged files
        raise StoreError(f"the answer {path} cannot be read: {error}") from None
