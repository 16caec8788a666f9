"""sha256 of files, remembered between calls so that a large data set is hashed once.

What is remembered is the hash that was found for one state of one file (device, inode, size, and both times
in nanoseconds), never that a file was right. A file that was changed within two seconds of being hashed is
not remembered, since a second change in the same tick of the clock would go unseen.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from pathlib import Path

from harness.errors import DataError

_SETTLED_NS = 2_000_000_000


def cache_folder() -> Path:
    """``$XDG_CACHE_HOME/tcs-harness``, by default ``~/.cache/tcs-harness``."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".cache") / "tcs-harness"


def file_sha256(path: Path) -> str:
    """sha256 of a file in hex, from memory if the file has not changed since.

    Raises:
        DataError: it cannot be read, or it changed while it was read.
    """
    try:
        state = _state(path)
        note = cache_folder() / "sha256" / hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:32]
        known = _recall(note, state)
        if known:
            return known
        with open(path, "rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        after = _state(path)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}; check its permissions and the disk") from error
    if after != state:
        raise DataError(f"{path} changed while it was read; wait until whatever writes it is done, then try again")
    if time.time_ns() - max(state[3:]) > _SETTLED_NS:
        _remember(note, state, found)
    return found


def _state(path: Path) -> list[int]:
    found = path.stat()
    return [found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns]


def _recall(note: Path, state: list[int]) -> str:
    try:
        values = json.loads(note.read_text())
        found = str(values["sha256"]) if values["state"] == state else ""
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return found if len(found) == 64 else ""


def _remember(note: Path, state: list[int], sha256: str) -> None:
    """A cache that cannot be written costs time, no more."""
    temporary = note.with_name(f"{note.name}.{os.getpid()}")
    try:
        note.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps({"state": state, "sha256": sha256}))
        os.replace(temporary, note)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
