"""Points, or distances, from a file."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tcs.persistence.errors import InputError


def read_points(path: Path, *, mapped: bool = False) -> Any:
    """What a file holds: an array (n, d), or a sparse matrix of distances.

    Args:
        path: ``.npy`` (n, d), never unpickled; ``.npz`` of ``scipy.sparse.save_npz``, distances; ``.csv`` or ``.txt``,
            a point a line, numbers apart by comma, semicolon or white space, # before a comment; a first line without
            a number is a heading.
        mapped: leave a ``.npy`` on disk, to be read and checked slice by slice.

    Raises:
        InputError: the file is missing, of another kind or shape, or holds what is no finite number.
    """
    import numpy as np

    readers: dict[str, Callable[[Path], Any]] = {
        ".npy": lambda path: _read_npy(path, mapped=mapped),
        ".npz": _read_npz,
        ".csv": _read_text,
        ".txt": _read_text,
    }
    suffix = path.suffix.lower()
    if suffix not in readers:
        raise InputError(f"{path}: unknown suffix {path.suffix!r}; give one of {', '.join(readers)}")
    try:
        points = readers[suffix](path)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}; give a file that can be read") from None
    if suffix != ".npz":
        if points.ndim != 2 or points.dtype.kind not in "fiu":
            raise InputError(f"{path}: shape {points.shape} of {points.dtype}; give real numbers (n, d), a point a row")
        wrong = ~np.isfinite(points[: 0 if mapped else None]).all(axis=1)
        if wrong.any():
            raise InputError(f"{path}: row {int(wrong.argmax())} holds NaN or inf ({int(wrong.sum()):,} do)")
    return points


def _read_npy(path: Path, *, mapped: bool) -> Any:
    import numpy as np

    try:
        with path.open("rb") as file:
            array = np.lib.format.open_memmap(path, mode="r") if mapped else np.load(file, allow_pickle=False)
    except (ValueError, EOFError):
        array = None
    if not isinstance(array, np.ndarray):
        raise InputError(f"{path}: no whole .npy file of numbers; write it by numpy.save")
    return array


def _read_npz(path: Path) -> Any:
    from zipfile import BadZipFile

    from scipy import sparse

    try:
        return sparse.load_npz(path)
    except (ValueError, KeyError, EOFError, BadZipFile):
        raise InputError(f"{path}: no sparse matrix of distances; write it by scipy.sparse.save_npz") from None


def _read_text(path: Path) -> Any:
    import numpy as np

    try:
        with path.open(encoding="utf-8-sig") as file:
            number, first = next(((i, line) for i, line in enumerate(file) if line.split("#")[0].strip()), (0, ""))
        mark = next((mark for mark in ",;" if mark in first), None)
        heading = first and not any(map(is_number, first.split("#")[0].split(mark)))
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "loadtxt: input contained no data")
            points = np.loadtxt(path, delimiter=mark, ndmin=2, encoding="utf-8-sig", skiprows=number + bool(heading))
    except ValueError as error:
        what = str(error).partition(";")[0]
        raise InputError(f"{path}: {what}; give a point a line, the same number of numbers in each") from None
    if not points.size:
        raise InputError(f"{path}: no numbers; give a point a line")
    return points


def is_number(text: str) -> bool:
    """Whether it is read as a float."""
    try:
        float(text)
    except ValueError:
        return False
    return True
