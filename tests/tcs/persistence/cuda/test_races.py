"""Races planted in the kernels of the GPU are caught, by interleavings drawn at random and by sanitizers.

``pytest -s`` on this file prints the table.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

pytest.importorskip("numba", reason="the engine's kernels are compiled by numba")

from host_device import COMPILER

if COMPILER is None:
    pytest.skip("g++, which builds the CUDA kernels for this machine, is not installed", allow_module_level=True)

TESTS = Path(__file__).parents[3]
SEEDS = list(range(1, 11))
TIMEOUT = 300
EVERY = bool(os.environ.get("TCS_EVERY_FAULT"))


@dataclass(frozen=True)
class Race:
    """One text after another in the kernels, and what stands in its place."""

    title: str
    within: str
    old: str
    new: str


LIKELY = [
    Race(
        "the least length of a tree, found without an atomic step", "void find_least(",
        "atomicMin(&least[a], bits);", "if (bits < least[a]) least[a] = bits;",
    ),
    Race(
        "room for edges taken without an atomic step", "void lunes(",
        "edge = atomicAdd(&cursors[0], (u64)rings);", "edge = cursors[0]; cursors[0] = edge + rings;",
    ),
    Race(
        "lunes looked at before neighbours are sorted", "static void sort_by_length(",
        "    __syncwarp();\n}", "}",
    ),
]  # fmt: skip
# Kernels that mend in the next round what a race spoilt in this one: seen by the sanitizer only.
SELF_HEALING = [
    Race(
        "a column claimed without an atomic step", "void claim(",
        "atomicMax(&owner[columns[start[row]]], (u32)row + 1);",
        "if (owner[columns[start[row]]] < (u32)row + 1) owner[columns[start[row]]] = (u32)row + 1;",
    ),
    Race(
        "the first of equal edges, found without an atomic step", "void find_way(",
        "atomicMin(&way[a], (u32)e);", "if ((u32)e < way[a]) way[a] = (u32)e;",
    ),
]  # fmt: skip
OTHERS = [
    Race(
        "room for a sum taken without an atomic step", "void add_owners(",
        "u64 to = atomicAdd(&state[0], (end - from) + (last - j)), at = to;",
        "u64 to = state[0], at = to; state[0] = to + (end - from) + (last - j);",
    ),
    Race(
        "neighbours sorted before all are found", "static u32 neighbours(",
        "    __syncwarp();\n    return m;", "    return m;",
    ),
    Race(
        "a flood that goes on before its queue is written", "static u32 components(",
        "reached += __popc(word);\n            }\n            __syncwarp();", "reached += __popc(word);\n            }",
    ),
    Race(
        "an edge taken from the stack before it is there", "void push_down(",
        "waiting += 2;\n            __syncwarp();", "waiting += 2;",
    ),
    Race(
        "sums of owners that change in the same round", "void add_owners(",
        "if (claimed <= row + 1)", "if (claimed == row + 1)",
    ),
]  # fmt: skip
ALL = LIKELY + SELF_HEALING + OTHERS


def outcome(race: Race | None, *, seeds: list[int] | None = None, sanitizer: str = "") -> list[str]:
    """What is printed for each seed, and ``stopped`` if the process did not come to its end."""
    change = [race.within, race.old, race.new] if race else None
    environment = dict(os.environ)
    if sanitizer:
        library = subprocess.run(
            [str(COMPILER), f"-print-file-name=lib{sanitizer[0]}san.so"], capture_output=True, text=True, check=True
        ).stdout.strip()
        environment |= {
            "LD_PRELOAD": library,
            "TSAN_OPTIONS": "exitcode=66:halt_on_error=1",
            "ASAN_OPTIONS": "exitcode=66:detect_leaks=0",
        }
    asked = [",".join(map(str, seeds or [0])), sanitizer, json.dumps(change)]
    try:
        done = subprocess.run(
            [sys.executable, str(TESTS / "interleavings.py"), *asked],
            capture_output=True, text=True, timeout=TIMEOUT, env=environment, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return ["too slow"]
    words = done.stdout.split()
    assert words[:1] == ["built"], done.stderr
    if not race and done.returncode:
        print(done.stderr)
    return words[1:] + (["stopped"] if done.returncode else [])


@pytest.mark.slow
def test_sound_kernels_are_right_in_every_interleaving() -> None:
    assert outcome(None, seeds=SEEDS) == ["right"] * len(SEEDS)


@pytest.mark.slow
@pytest.mark.parametrize("sanitizer", ["thread", "address"])
def test_sanitizers_find_nothing_in_sound_kernels(sanitizer: str) -> None:
    assert outcome(None, sanitizer=sanitizer) == ["right"]


@pytest.mark.slow
@pytest.mark.parametrize("race", LIKELY, ids=lambda race: race.title)
def test_races_are_caught_by_interleavings(race: Race) -> None:
    assert set(outcome(race, seeds=SEEDS[:5])) != {"right"}


@pytest.mark.slow
def test_a_race_is_caught_by_the_sanitizer() -> None:
    assert outcome(SELF_HEALING[0], sanitizer="thread") == ["stopped"]


@pytest.mark.slow
def test_a_step_out_of_bounds_is_caught_by_the_sanitizer() -> None:
    beyond = Race("beyond the last cell", "void find_rows(", "high[i] = starts[end];", "high[i] = starts[end + 2];")
    assert outcome(beyond, sanitizer="address") == ["stopped"]


@pytest.mark.skipif(not EVERY, reason="the whole table takes minutes; set TCS_EVERY_FAULT=1")
def test_every_planted_race_is_caught(capsys: pytest.CaptureFixture[str]) -> None:
    """Print the table of docs/explanation/gpu.md."""
    lines, missed = ["| planted | interleavings that caught it, of ten | ThreadSanitizer |", "|---|---:|---|"], []
    for race in ALL:
        mixed, watched = outcome(race, seeds=SEEDS), outcome(race, sanitizer="thread")
        # a process that is stopped by a seed does not come to the next
        caught = "stopped" if mixed[-1] == "stopped" else str(mixed.count("wrong"))
        lines.append(f"| {race.title} | {caught} | {'stopped' if watched == ['stopped'] else 'nothing'} |")
        if set(mixed) == {"right"} and watched == ["right"]:
            missed.append(race.title)
    with capsys.disabled():
        print("", *lines, sep="\n")
    assert not missed
