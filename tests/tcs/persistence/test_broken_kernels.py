"""Kernels that are broken on purpose are caught: each line of the table is a copy of the package with one text changed.

``pytest -s`` on this file prints the table of what was caught by which check.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba", reason="the engine's kernels are compiled by numba")

import battery
import tcs.persistence

PACKAGE = Path(tcs.persistence.__file__).parent
TIMEOUT = 600
SOUND = "nothing"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One text of a module, which must occur once, and what stands in its place."""

    title: str
    module: str
    old: str
    new: str


def fault(title: str, module: str, old: str, new: str) -> Fault:
    return Fault(title=title, module=module, old=old, new=new)


LIKELY = [
    fault(
        "no ties in the lune", "cloud/lunes",
        "third < square[p] or (third == square[p] and near[q] < s)", "third < square[p]",
    ),
    fault(
        "fused multiply-adds", "compute/kernels",
        'njit(nogil=True, cache=True, error_model="numpy")',
        'njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract"})',
    ),
    fault(
        "coordinates in float32", "cloud/lunes",
        "local[c, i] = points[w, c]", "local[c, i] = np.float32(points[w, c])",
    ),
    fault(
        "edges beyond the scratch space lost", "cloud/lunes",
        "edges, lengths = doubled(edges), doubled(lengths)", "m_edges -= 1",
    ),
]  # fmt: skip
OTHERS = [
    fault(
        "sums in any order", "compute/kernels",
        'njit(nogil=True, cache=True, error_model="numpy")',
        'njit(nogil=True, cache=True, error_model="numpy", fastmath={"reassoc", "contract", "nsz", "arcp"})',
    ),
    fault(
        "ties in the flood taken for earlier", "cloud/lunes",
        "if precedes(apart(local, w, x, axes), w, x, length, u, v):", "if apart(local, w, x, axes) <= length:",
    ),
    fault(
        "neighbours of one rounded length in any order", "cloud/lunes",
        'order = np.argsort(square[:m], kind="mergesort")', 'order = np.argsort(norm[:m], kind="mergesort")',
    ),
    fault("lengths sorted without their exponents", "compute/sorting", "HALF_DIGITS = 3", "HALF_DIGITS = 2"),
    fault(
        "margin of the lune with the wrong sign", "cloud/glance",
        "doubt = np.float32((4 * len(axes) + 16)", "doubt = -np.float32((4 * len(axes) + 16)",
    ),
    fault("margin of the lens with the wrong sign", "cloud/glance", ") + every(slack)", ") - every(slack)"),
    fault("margin of the star with the wrong sign", "cloud/glance", "every(longer - np", "every(longer + np"),
    fault("lens without being in the lune", "cloud/glance", "valid & at_least(depth, every(np.float32(0)))", "valid"),
    fault("last component lost", "cloud/lunes", "for part in range(1, number):", "for part in range(1, number - 1):"),
    fault(
        "fillers beyond the scratch space lost", "cloud/lunes",
        "fillers, times = doubled(fillers), doubled(times)", "m_fillers = 0",
    ),
    fault("shortest edge excluded", "cloud/lunes", "m += found <= longest", "m += found < longest"),
    fault("threshold one unit too long", "cloud/lengths", "np.int64(low).view", "np.int64(high).view"),
    fault("threshold one unit too short", "cloud/lengths", "np.int64(low).view", "np.int64(low - 1).view"),
    fault(
        "threshold not rounded to float32", "cloud/lengths",
        "np.float32(np.sqrt(square)) <= bound", "np.sqrt(square) <= threshold",
    ),
    fault(
        "lengths rounded before the root", "cloud/lengths",
        "np.sqrt(squares).astype(np.float32)", "np.sqrt(squares.astype(np.float32))",
    ),
    fault("cells shorter than the longest edge", "cloud/cells", "longest * (1 + 2**-20)", "longest * 0.5"),
    fault("rows of cells stop short", "cloud/cells", "keys[end] <= target + 2", "keys[end] <= target + 1"),
    fault(
        "sides added up without cancelling", "cloud/descent",
        "entries[i] = entries[end - 1]\n            return end - 1", "return end",
    ),
    fault(
        "a later row that is added to an earlier one", "reduced/reduction",
        "if not held or earlier(births, other, row):", "if not held:",
    ),
    fault("rows that wait forgotten", "reduced/reduction", "number += 1", "number += 0"),
    fault(
        "tiles without the points around them", "tiles/tiling",
        "lambda i: (self._tile(i, 1), self._index)", "lambda i: (self._tile(i, 0), self._index)",
    ),
    fault("columns that go on beyond their tile", "cloud/descent", "if a < whole or a >= end:", "if a < 0:"),
    fault("a block that ignores its border", "reduced/forest", "last in blocks:", "last in []:"),
]  # fmt: skip
FAULTS = LIKELY + OTHERS
EVERY_FAULT = "TCS_EVERY_FAULT" in os.environ


def copy(to: Path) -> Path:
    """The package, with what was compiled of it: numba takes no machine code for a text from which it was not made."""
    folder = to / "tcs" / "persistence"
    # other processes may be compiling; what numba is just writing has a name of its own
    shutil.copytree(PACKAGE, folder, ignore=shutil.ignore_patterns("*.tmp.*"))
    shutil.copy2(PACKAGE.parent / "__init__.py", folder.parent)
    return to


def break_copy(sound: Path, to: Path, broken: Fault) -> Path:
    """Links to the files of the sound copy, except for the broken module; what the fault reaches is compiled anew."""
    shutil.copytree(sound, to, copy_function=os.link)
    module = to / "tcs" / "persistence" / f"{broken.module}.py"
    text = module.read_text(encoding="utf-8")
    module.unlink()
    module.write_text(text.replace(broken.old, broken.new), encoding="utf-8")
    return to


def play(root: Path, expected: Path) -> dict[str, str | None]:
    """What the battery says of a copy, in a process of its own."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("NUMBA_", "PYTHON"))}
    done = subprocess.run(
        [sys.executable, battery.__file__, str(root), str(expected)],
        capture_output=True, text=True, timeout=TIMEOUT, env=environment, cwd=root,
    )  # fmt: skip
    if done.returncode:
        raise AssertionError(f"the copy did not run (exit status {done.returncode}):\n{done.stderr[-2000:]}")
    said: dict[str, str | None] = json.loads(done.stdout)
    return said


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[Any]]]:
    """What the battery says of the sound copy and of each broken one, as many at once as there are processors."""
    folder = tmp_path_factory.mktemp("copies")
    expected = folder / "expected.npz"
    np.savez(expected, **battery.expected())
    sound = copy(folder / "sound")
    found: dict[str, Future[Any]] = {}
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        first = found[SOUND] = pool.submit(play, sound, expected)
        first.exception()
        for number, broken in enumerate(FAULTS if EVERY_FAULT else LIKELY):
            found[broken.title] = pool.submit(
                lambda number, broken: play(break_copy(sound, folder / f"broken{number}", broken), expected),
                number, broken,
            )  # fmt: skip
        yield found
        pool.shutdown(cancel_futures=True)
    print("\n" + table(found))


def table(found: dict[str, Future[Any]]) -> str:
    """What each check said of each copy, as Markdown."""
    names = [check.__name__.replace("_", " ") for check in battery.CHECKS]
    lines = [f"| fault | {' | '.join(names)} |", f"|---|{'---|' * len(names)}"]
    for title, future in found.items():
        if not future.cancelled() and future.done() and not future.exception():
            marks = ["caught" if message else "" for message in future.result().values()]
            lines.append(f"| {title} | {' | '.join(marks)} |")
    return "\n".join(lines)


@pytest.mark.parametrize("broken", FAULTS, ids=[broken.title for broken in FAULTS])
def test_a_fault_has_one_place(broken: Fault) -> None:
    """Where a module no longer has the text, or has it twice, the table would be of other faults than it says."""
    text = (PACKAGE / f"{broken.module}.py").read_text(encoding="utf-8")
    assert text.count(broken.old) == 1


def test_the_sound_copy_passes(runs: dict[str, Future[Any]]) -> None:
    """No check cries wolf."""
    assert runs[SOUND].result() == {check.__name__: None for check in battery.CHECKS}


@pytest.mark.slow
@pytest.mark.parametrize("broken", LIKELY, ids=[broken.title for broken in LIKELY])
def test_a_likely_fault_is_caught(broken: Fault, runs: dict[str, Future[Any]]) -> None:
    """The copy runs to its end, and at least one check says that its answers are wrong."""
    assert any(runs[broken.title].result().values())


@pytest.mark.slow
@pytest.mark.skipif(not EVERY_FAULT, reason="takes minutes; run with TCS_EVERY_FAULT=1 after a change to the kernels")
@pytest.mark.parametrize("broken", OTHERS, ids=[broken.title for broken in OTHERS])
def test_any_other_fault_is_caught(broken: Fault, runs: dict[str, Future[Any]]) -> None:
    """Likewise."""
    assert any(runs[broken.title].result().values())
