"""Answers as files: one ``.npz`` an answer, named by the sha256 of its content. No pickle, ever.

And names as file names: :func:`slug`, and :func:`stem`, which keeps apart what a slug does not.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import StoreError
from harness.files import replacing

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
        try:
            with replacing(path) as file:
                numpy.savez_compressed(
                    file, allow_pickle=False, **{key: numpy.asarray(arrays[key]) for key in sorted(arrays)}
                )
        except OSError as error:
            raise StoreError(f"cannot write the answer {path}: {error.strerror}") from error
    return name


def slug(text: str) -> str:
    """A name as a part of a file name: lower case, everything but letters and digits as single hyphens.

    >>> slug("torus[k=20,n=1000]")
    'torus-k-20-n-1000'
    """
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def stem(label: str) -> str:
    """A label as a file name of its own: its slug and the beginning of its sha256, since ``x=-1`` and ``x=1`` are two.

    >>> stem("torus[k=20,n=1000]")
    'torus-k-20-n-1000-70f1e3a0'
    """
    return "-".join(part for part in (slug(label)[:120], hashlib.sha256(label.encode()).hexdigest()[:8]) if part)


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
