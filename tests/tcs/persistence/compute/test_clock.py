"""Stage times: added up by name, in the order in which stages began, and told to a tracer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tcs.persistence.compute.clock import Clock


def test_times_of_one_name_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read from the clock at both ends of a stage, also when it ends with an error."""
    readings = iter([10.0, 12.0, 20.0, 20.5, 30.0, 31.0])
    monkeypatch.setattr("tcs.persistence.compute.clock.time.perf_counter", lambda: next(readings))
    clock = Clock()
    with clock.stage("sort"):
        pass
    with clock.stage("lune"):
        pass
    with pytest.raises(KeyError), clock.stage("sort"):
        raise KeyError
    assert list(clock.stages.items()) == [("sort", 3.0), ("lune", 0.5)]


def test_a_tracer_enters_and_leaves_every_stage() -> None:
    """In their order."""
    seen = []

    @contextmanager
    def span(name: str) -> Iterator[None]:
        seen.append(f"+{name}")
        yield
        seen.append(f"-{name}")

    clock = Clock(span)
    for name in ("grid", "lune"):
        with clock.stage(name):
            seen.append("work")
    assert seen == ["+grid", "work", "-grid", "+lune", "work", "-lune"]
