"""Files written whole or not at all, and never through a link that somebody planted."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from harness.errors import StoreError


def append_line(path: Path, line: str) -> None:
    """Append one line and flush it to disk; on failure cut the file back to what it was."""
    data = line.encode() + b"\n"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror}; what was measured before is intact") from error
    try:
        size = os.fstat(descriptor).st_size
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(descriptor, view) :]
            os.fsync(descriptor)
        except OSError as error:
            os.ftruncate(descriptor, size)
            raise StoreError(
                f"cannot write {path}: {error.strerror}; what was measured before is intact. "
                f"Make room, then resume={path.parent}"
            ) from error
    finally:
        os.close(descriptor)


def refuse_link(folder: Path) -> None:
    """Raise StoreError for a folder of a run that is a link: what is written there would lie somewhere else."""
    if folder.is_symlink():
        raise StoreError(f"{folder} is a link, and no harness makes one; remove it, or make it a folder of the run")


def write_text(path: Path, text: str) -> None:
    """Write a whole file of text or nothing; see :func:`write_bytes`."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, data: bytes) -> None:
    """Write a whole file or nothing, flushed to disk; see :func:`replacing`."""
    try:
        with replacing(path) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror}; the records are intact") from error


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A new file of a random name, opened through no link, that takes the name ``path`` once it is whole.

    Raises:
        OSError: it cannot be written; nothing of it is left.
    """
    temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666)
        with os.fdopen(descriptor, "wb") as file:
            yield file
        os.replace(temporary, path)
    except OSError:
        with suppress(OSError):
            temporary.unlink()
        raise
