"""Seconds that the stages of one computation took."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

Span = Callable[[str], AbstractContextManager[Any]]


class Clock:
    """Wall time by stage, in the order in which the stages began.

    Args:
        span: entered around each stage, under its name, so that a tracer sees the stages, too.
    """

    def __init__(self, span: Span | None = None) -> None:
        self.stages: dict[str, float] = {}
        self._span: Span = span or (lambda _: nullcontext())

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time spent inside to a stage."""
        start = time.perf_counter()
        try:
            with self._span(name):
                yield
        finally:
            self.stages[name] = self.stages.get(name, 0.0) + time.perf_counter() - start

    def read(self) -> dict[str, float]:
        """Seconds by stage."""
        return self.stages
