"""Threads that work side by side on the parts of a stage; compiled kernels release the GIL."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack
from types import TracebackType
from typing import Any

import numpy as np

Progress = Callable[[str, int, int], None]


def parts_of(n: int, size: int) -> list[tuple[int, int]]:
    """Ranges of at most ``size`` that make up 0 to n; one that is empty if n is 0."""
    return [(start, min(start + size, n)) for start in range(0, max(n, 1), size)]


class Team:
    """A pool of threads for one computation; used with ``with``.

    Args:
        threads: how many may work at once, at least 1.
        progress: called in the calling thread as ``progress(stage, parts done, parts)``. While kernels are compiled,
            once on a machine, it is called as ``progress("compile", kernels so far, 0)``, from any thread.
    """

    def __init__(self, threads: int, progress: Progress | None = None) -> None:
        self.threads = threads
        self._progress = progress
        self._told_of_kernels = ExitStack()
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None

    def __enter__(self) -> Team:
        if self._progress is not None:
            from tcs.persistence.compute.compilations import told_of

            self._told_of_kernels.enter_context(told_of(self._progress))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._told_of_kernels.close()
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
        # an interrupt that meets numba on its way out of a kernel is handed on as the cause of SystemErrors
        while isinstance(error, SystemError):
            error = error.__cause__
            if isinstance(error, KeyboardInterrupt):
                raise KeyboardInterrupt from None

    def run(self, stage: str, work: Callable[..., Any], parts: Sequence[tuple[Any, ...]]) -> list[Any]:
        """Results of ``work(*part)`` for all parts, in their order. An interrupt lets go after the parts under way."""
        return self._all(work, parts, lambda done: self.tell(stage, done, len(parts)))

    def gather(self, stage: str, work: Callable[..., Sequence[Any]], parts: Sequence[tuple[Any, ...]]) -> list[Any]:
        """The arrays that ``work(*part)`` returns, each joined with those of the other parts along the first axis."""
        from tcs.persistence.compute.kernels import room

        joined, copies = [], []
        for arrays in zip(*self.run(stage, work, parts), strict=True):
            ends = [0, *itertools.accumulate(map(len, arrays))]
            joined.append(room((ends[-1], *arrays[0].shape[1:]), arrays[0].dtype))
            for a, b in parts_of(len(arrays), -(-len(arrays) // self.threads)):
                copies.append((arrays[a:b], joined[-1][ends[a] : ends[b]]))
        self._all(lambda arrays, to: np.concatenate(arrays, out=to), copies)
        return joined

    def tell(self, stage: str, done: int, total: int) -> None:
        """Report progress, if anyone listens."""
        if self._progress is not None:
            self._progress(stage, done, total)

    def _all(
        self,
        work: Callable[..., Any],
        parts: Sequence[tuple[Any, ...]],
        tell: Callable[[int], None] = lambda done: None,
    ) -> list[Any]:
        if self._pool is None or len(parts) == 1:
            results = []
            for done, part in enumerate(parts):
                results.append(work(*part))
                tell(done + 1)
            return results
        futures = [self._pool.submit(work, *part) for part in parts]
        if self._progress is not None:
            for done, future in enumerate(futures):
                wait([future])
                tell(done + 1)
        return [future.result() for future in futures]
