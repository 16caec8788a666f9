"""Threads and progress: results in order, counts that rise, and an interrupt that lets go."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("numba", reason="the engine's kernels are compiled by numba")

import tcs
from clouds import by_grid, torus
from tcs.persistence import rips
from tcs.persistence.compute.team import Team

POINTS = torus(6_000)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_results_are_in_the_order_of_the_parts(threads: int) -> None:
    """However long each takes; no parts, no results."""
    hold = threading.Event()

    def work(part: int, more: int) -> int:
        # the first part ends last
        if threads > 1:
            assert hold.wait(10) if part == 0 else True
        if part == 3:
            hold.set()
        return 10 * part + more

    with Team(threads) as team:
        assert team.run("stage", work, [(part, 1) for part in range(4)]) == [1, 11, 21, 31]
        assert team.run("stage", work, []) == []


@pytest.mark.parametrize("threads", [1, 3])
def test_an_error_in_a_part_comes_out(threads: int) -> None:
    """As it is."""
    with Team(threads) as team, pytest.raises(ZeroDivisionError):
        team.run("stage", lambda x: 1 // x, [(1,), (0,), (1,)])


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_progress_rises_to_its_end_in_every_stage(threads: int) -> None:
    """Counts of one stage rise by one up to its total, in the calling thread; and the answer is the same."""
    told: list[tuple[str, int, int]] = []
    caller = threading.get_ident()

    def progress(stage: str, done: int, total: int) -> None:
        if stage != "compile":
            assert threading.get_ident() == caller
            told.append((stage, done, total))

    found = rips(POINTS, threshold=0.13, threads=threads, progress=progress)
    assert found.digest() == rips(POINTS, threshold=0.13).digest()
    assert {stage for stage, _, _ in told} >= {"cells", "lunes", "forest", "push-down", "reduce"}
    before: tuple[str, int, int] = ("", 0, 0)
    for stage, done, total in told:
        assert 0 <= done <= total
        goes_on = stage == before[0] and done == before[1] + 1 and total == before[2]
        begins_anew = done <= 1 and before[1] == before[2]
        assert goes_on or begins_anew, f"{(stage, done, total)} after {before}"
        before = stage, done, total
    assert before[1] == before[2]
    assert max(total for stage, _, total in told if stage == "lunes") >= 4


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("stage", ["cells", "sort", "lunes", "forest", "push-down", "reduce"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, ValueError])
def test_an_error_in_the_callback_ends_the_work(stage: str, error: type[BaseException], threads: int) -> None:
    """Nothing more is told, no thread is left over, and the next call is whole."""
    told = []

    def progress(now: str, done: int, total: int) -> None:
        told.append(now)
        if now == stage:
            raise error

    before = threading.active_count()
    with pytest.raises(error):
        by_grid(POINTS, 0.13, threads=threads, progress=progress)
    assert told.count(stage) == 1
    assert told[-1] == stage
    assert threading.active_count() == before
    assert rips(POINTS, threshold=0.13, threads=threads).digest() == rips(POINTS, threshold=0.13).digest()


def run(code: str, act: Callable[[subprocess.Popen[str]], None]) -> tuple[int, str, str]:
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=Path(tcs.__file__).parents[1], text=True, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        try:
            act(process)
            output, errors = process.communicate(timeout=120)
        finally:
            process.kill()
    return process.returncode, output, errors


@pytest.mark.parametrize("threads", [1, 2])
def test_control_c(threads: int) -> None:
    """A signal in the midst of the lunes ends a call that would go on for minutes."""
    code = f"""
import signal
import numpy as np
from tcs.persistence import rips
# what is begun in the background of a shell ignores interrupts
signal.signal(signal.SIGINT, signal.default_int_handler)
points = np.random.default_rng(0).random((2_000_000, 3))
def progress(stage, done, total):
    if stage == "lunes" and done == 1:
        print("lunes", flush=True)
rips(points[:3_000], threshold=0.1)
try:
    rips(points, threshold=0.06, threads={threads}, progress=progress)
except KeyboardInterrupt:
    print("let go", len(rips(points[:3_000], threshold=0.05).bars))
"""

    def interrupt(process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        assert process.stdout.readline() == "lunes\n"
        process.send_signal(signal.SIGINT)

    status, output, errors = run(code, interrupt)
    assert (status, output) == (0, "let go 2\n"), errors


def test_an_interrupt_in_a_kernel_comes_out_as_one() -> None:
    """numba hands on a SystemError, whose cause it is; another SystemError is let through."""
    chained = SystemError()
    chained.__cause__ = SystemError()
    chained.__cause__.__cause__ = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt), Team(1):
        raise chained
    with pytest.raises(SystemError), Team(1):
        raise SystemError from ValueError()


def test_importing_is_light() -> None:
    """Neither numba nor scipy nor anything heavy is loaded before a call needs it; bad input needs none of it."""
    code = """
import sys
heavy = ("numba", "llvmlite", "scipy", "sklearn", "gudhi", "matplotlib", "pandas", "rich")
import tcs.persistence
assert "numpy" not in sys.modules
assert not [name for name in heavy if name in sys.modules], sorted(sys.modules)
from tcs.persistence import InputError, rips
try:
    rips([[float("nan")]], threshold=1)
except InputError:
    assert not [name for name in heavy if name in sys.modules], [name for name in heavy if name in sys.modules]
    print("refused")
"""
    status, output, errors = run(code, lambda process: None)
    assert (status, output) == (0, "refused\n"), errors


def test_no_more_threads_than_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """One thread means that no other is started."""
    monkeypatch.setattr(threading.Thread, "start", lambda self: pytest.fail("a thread was started"))
    assert len(by_grid(np.random.default_rng(1).random((2_000, 3)), 0.1, threads=1).bars) == 2
