"""One lock a machine: two runs never time at once. The system frees it when its holder dies."""

from __future__ import annotations

import fcntl
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.errors import Locked, StoreError


def lock_path() -> Path:
    """Where the lock lies: one file for all users of the machine (``HARNESS_LOCK`` names another, for tests)."""
    return Path(os.environ.get("HARNESS_LOCK") or Path(tempfile.gettempdir()) / "tcs-harness.lock")


@contextmanager
def machine_lock(holder: str, *, wait_s: float = 0.0) -> Iterator[None]:
    """Hold the machine's lock.

    Args:
        holder: shown to whoever finds it taken. wait_s: how long to wait for it.

    Raises:
        Locked: another run holds it; the message says which.
    """
    path = lock_path()
    try:
        descriptor = _open(path)
    except OSError as error:
        raise StoreError(
            f"cannot open the machine lock {path}: {error.strerror}; set HARNESS_LOCK to a file that "
            "every run on this machine can write"
        ) from error
    try:
        end = time.monotonic() + wait_s
        while not _try(descriptor):
            if time.monotonic() >= end:
                raise Locked(
                    f"another run is timing on this machine: {_holder(path)}. Two at once would disturb each "
                    "other; wait for it, or start this one with lock_wait_s=SECONDS"
                )
            time.sleep(min(0.5, max(0.0, end - time.monotonic())))
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{holder} (process {os.getpid()})\n".encode(), 0)
        yield
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def holder() -> str:
    """Who holds the lock now, or an empty string."""
    try:
        descriptor = os.open(lock_path(), os.O_RDWR | os.O_NOFOLLOW)
    except OSError:
        return ""
    try:
        return "" if _try(descriptor) else _holder(lock_path())
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    """Open without O_CREAT first: in a sticky folder the kernel refuses O_CREAT on another user's file."""
    try:
        return os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
        os.fchmod(descriptor, 0o666)
        return descriptor


def _try(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(path: Path) -> str:
    try:
        return path.read_text().strip()[:200] or "a run that did not say which"
    except OSError:
        return "a run that did not say which"
