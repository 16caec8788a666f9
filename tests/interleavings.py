"""Bars by kernels with one text changed: ``python interleavings.py SEED,SEED,... SANITIZER CHANGE``, with JSON's words.

CHANGE is null or ``[kernel, old text, new text]``. Printed is ``built``, and then ``right`` or ``wrong`` for each seed;
with a sanitizer, which has its own way to end a process, there are no seeds.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]

from clouds import torus
from host_device import HostDevice
from tcs.persistence.cloud.lengths import longest_square
from tcs.persistence.compute.clock import Clock
from tcs.persistence.cuda.backend import STEPS
from tcs.persistence.cuda.engine import bars_of

# A lattice, so that ties are everywhere; a torus on which every point has some thirty neighbours; an even cloud in
# which many rows want one column.
CLOUDS = (
    (np.ascontiguousarray(np.indices((4, 4, 3)).reshape(3, -1).T, dtype=np.float64), 1.5),
    (torus(64), 1.0),
    (np.arange(1, 151)[:, None] * STEPS % 1, 0.3),
)


def changed(text: str, change: list[str] | None) -> str:
    """The kernels with one text, which occurs once in a kernel or function, put in the place of another."""
    if change is None:
        return text
    within, old, new = change
    assert text.count(within) == 1, f"{within!r} occurs {text.count(within)} times"
    before, after = text.split(within)
    assert after.count(old) >= 1, f"{old!r} does not occur after {within!r}"
    return before + within + after.replace(old, new, 1)


def bars_with(change: Any, **more: Any) -> list[list[Any]]:
    """The bars of the clouds."""
    device = HostDevice(3, change=lambda text: changed(text, change), **more)
    return [bars_of(points, longest_square(threshold), 1, device, Clock()) for points, threshold in CLOUDS]


def main(seeds: str, sanitizer: str, change: str) -> None:
    """Print what came of each seed."""
    right = bars_with(None)
    ways: list[dict[str, Any]] = [{"sanitizer": sanitizer}]
    if not sanitizer:
        ways = [{"seed": int(seed)} for seed in seeds.split(",")]
    planted = json.loads(change)
    HostDevice(3, change=lambda text: changed(text, planted), **ways[0])
    print("built", flush=True)
    for way in ways:
        try:
            found = bars_with(planted, **way)
            same = all(
                np.array_equal(a, b) for x, y in zip(found, right, strict=True) for a, b in zip(x, y, strict=True)
            )
        except (ArithmeticError, IndexError):  # what the host code says of nonsense
            same = False
        print("right" if same else "wrong", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
