"""Progress while kernels are compiled, which happens once on a machine and takes many seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from numba.core import event

COMPILE = "numba:compile"


class Compilations(event.Listener):
    """Counts kernels that are compiled; those that are found in the cache are none of them.

    Args:
        progress: called as ``progress("compile", kernels so far, 0)``, in the thread that needs them.
    """

    def __init__(self, progress: Callable[[str, int, int], None]) -> None:
        self._progress = progress
        self._compiled = self._depth = 0

    def on_start(self, event: Any) -> None:
        """A kernel, or a function that it calls, is about to be compiled; the compiler does one at a time."""
        self._depth += 1
        if self._depth == 1:
            self._progress("compile", self._compiled, 0)

    def on_end(self, event: Any) -> None:
        """It is done."""
        self._depth -= 1
        if self._depth == 0:
            self._compiled += 1
            self._progress("compile", self._compiled, 0)


@contextmanager
def told_of(progress: Callable[[str, int, int], None]) -> Iterator[None]:
    """Call ``progress`` for every kernel that is compiled inside."""
    listener = Compilations(progress)
    event.register(COMPILE, listener)  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        event.unregister(COMPILE, listener)  # type: ignore[no-untyped-call]
