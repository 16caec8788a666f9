"""What runs now, what is next and how long it will take: a live bar, plain lines, or nothing.

The bar is redrawn between trials only: a thread that redraws while a child measures would take its time.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from statistics import median
from typing import Any, Protocol

from harness.record import Record
from harness.trials.plan import Trial

Left = Mapping[tuple[str, str], int]
"""Instance and player to the number of trials that are to be played yet."""


class Progress(Protocol):
    """Told before and after each trial."""

    def begin(self, trial: Trial, upcoming: Trial | None, left: Left) -> None:
        """``trial`` starts now; ``upcoming`` is the next one, and ``left`` counts all that follow."""

    def done(self, trial: Trial, record: Record | None) -> None:
        """``trial`` ended with ``record``, or was left out (None)."""

    def close(self) -> None:
        """The run is over."""


class Estimate:
    """Seconds left, from what processes of the same player on the same instance took so far."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], float] = {}

    def learn(self, trial: Trial, seconds: float) -> None:
        """A process took this long, its check included."""
        self._seen[trial.pair] = seconds

    def left(self, trials: Left) -> float:
        """Seconds for these trials; one never seen counts as its instance's median, or that of all."""
        overall = median(self._seen.values()) if self._seen else 0.0
        by_instance: dict[str, list[float]] = {}
        for (instance, _), seconds in self._seen.items():
            by_instance.setdefault(instance, []).append(seconds)
        usual = {instance: median(seconds) for instance, seconds in by_instance.items()}
        return sum(
            number * self._seen.get((instance, player), usual.get(instance, overall))
            for (instance, player), number in trials.items()
        )


def result_words(record: Record) -> str:
    """A record in a few words: ``0.123 s``, ``timeout: killed after 60 s``."""
    if record.status == "ok":
        middle = sorted(record.samples)[len(record.samples) // 2]
        peak = record.memory.get("host_peak")
        return f"{middle:.4g} s, {peak / 2**20:.0f} MiB" if peak else f"{middle:.4g} s"
    return f"{record.status}: {record.reason}".splitlines()[0][:140]


def for_terminal(kind: str, total: int) -> Progress:
    """The progress display: ``rich``, ``plain``, ``none``, or ``auto`` (a line an
    instance in CI, rich on a terminal, plain elsewhere).
    """
    if kind == "none":
        return Silent()
    if kind == "auto" and os.environ.get("CI"):
        return Quiet(total)
    return Rich(total) if kind == "rich" or (kind == "auto" and sys.stderr.isatty()) else Plain(total)


class Silent:
    """Shows nothing."""

    def begin(self, trial: Trial, upcoming: Trial | None, left: Left) -> None:
        """A trial starts."""

    def done(self, trial: Trial, record: Record | None) -> None:
        """A trial ended."""

    def close(self) -> None:
        """The run is over."""


class Plain:
    """One line a trial, for logs: what runs now at once, and how it ended when it has."""

    def __init__(self, total: int) -> None:
        self._total, self._count, self._estimate, self._start, self._after = total, 0, Estimate(), 0.0, ""

    def begin(self, trial: Trial, upcoming: Trial | None, left: Left) -> None:
        """A trial starts."""
        self._start = time.monotonic()
        seconds = self._estimate.left(left)
        self._after = f"; about {seconds:.0f} s left" if seconds >= 1 else ""
        if upcoming:
            self._after += f", next {upcoming.instance} {upcoming.player}"
        what = f"{trial.instance} {trial.player} #{trial.process}"
        print(f"[{self._count + 1}/{self._total}] {what}: ", end="", file=sys.stderr, flush=True)

    def done(self, trial: Trial, record: Record | None) -> None:
        """A trial ended."""
        self._count += 1
        if record is not None:
            self._estimate.learn(trial, time.monotonic() - self._start)
            print(f"{result_words(record)}{self._after}", file=sys.stderr, flush=True)

    def close(self) -> None:
        """The run is over."""


class Quiet:
    """One line an instance when its last trial ended, for CI, and why a player did not answer."""

    def __init__(self, total: int) -> None:
        self._total, self._count, self._instance, self._ok = total, 0, "", 0
        self._bad: dict[str, str] = {}

    def begin(self, trial: Trial, upcoming: Trial | None, left: Left) -> None:
        """A trial starts."""

    def done(self, trial: Trial, record: Record | None) -> None:
        """A trial ended."""
        if trial.instance != self._instance:
            self.close()
            self._instance = trial.instance
        self._count += 1
        if record is not None and record.status == "ok":
            self._ok += 1
        elif record is not None:
            self._bad.setdefault(trial.player, result_words(record))

    def close(self) -> None:
        """An instance, or the run, is over."""
        if self._ok or self._bad:
            found = [f"{self._ok} ok", *(f"{player} {words}" for player, words in self._bad.items())]
            print(f"[{self._count}/{self._total}] {self._instance}: {'; '.join(found)}", file=sys.stderr, flush=True)
        self._ok, self._bad = 0, {}


class Rich:
    """A live bar with what runs now and what is next, and above it a line for what went wrong."""

    def __init__(self, total: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress as Bar, TextColumn, TimeElapsedColumn

        self._estimate, self._start = Estimate(), 0.0
        self._bar: Any = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            console=Console(stderr=True),
            auto_refresh=False,
        )
        self._task = self._bar.add_task("", total=total, left="")
        self._bar.start()

    def begin(self, trial: Trial, upcoming: Trial | None, left: Left) -> None:
        """A trial starts."""
        self._start = time.monotonic()
        seconds = self._estimate.left({**left, trial.pair: left.get(trial.pair, 0) + 1})
        after = f"  next {upcoming.instance} {upcoming.player}" if upcoming else ""
        text = f"[bold]{_plain(trial.instance)}[/] {_plain(trial.player)} #{trial.process}[dim]{_plain(after)}[/]"
        known = f"~{seconds:.0f} s left" if seconds >= 1 else ""
        self._bar.update(self._task, description=text, left=known, refresh=True)

    def done(self, trial: Trial, record: Record | None) -> None:
        """A trial ended."""
        if record is not None:
            self._estimate.learn(trial, time.monotonic() - self._start)
            if record.status != "ok":
                self._bar.console.print(
                    f"{_plain(trial.instance)} {_plain(trial.player)}: {_plain(result_words(record))}"
                )
        self._bar.update(self._task, advance=1, refresh=True)

    def close(self) -> None:
        """The run is over."""
        self._bar.stop()


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(text)
