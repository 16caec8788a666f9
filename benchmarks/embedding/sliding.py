"""What a full window costs with every token: the oldest is hidden, and now and then what is hidden is dropped.

The time of a step tells little of it, since the graph's own work on a long cache is a hundred times as much. So the
embedder's part alone is timed, in steps of a graph that does nothing, over a cache of the whole model's sizes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from benchmarks.embedding.costs import HOLLOW
from benchmarks.embedding.models import PROVENANCE, path_of
from harness.case import Check, Problem, Stage, case, player


@case(version=1, task="embedding.slide", check="benchmarks.embedding.sliding:slid")
def slide(window: int = 2048, slides: int = 1024, hollow: str = HOLLOW, seed: int = 0) -> Problem:
    """A session whose window is full takes so many tokens more, one at a time; the seed changes nothing."""
    del seed
    path_of(hollow)
    return Problem(inputs={"graph": hollow, "window": window, "slides": slides}, provenance=PROVENANCE)


@player(
    name="tcs-embedder window",
    task="embedding.slide",
    role="candidate",
    engine="tcs",
    packages={"onnxruntime": ">=1.22"},
    install="pip install -e '.[embedding,onnx]' -c constraints.txt",
    cite="tcs.embedder",
    note="its time is that of all steps together; the metrics tell one slide",
)
def sliding(inputs: Mapping[str, Any], stage: Stage) -> Callable[[], dict[str, Any]]:
    """A decoder whose window is full, and a watch around what makes room in it."""
    from tcs.embedder.decoder import Decoder
    from tcs.embedder.model import Model
    from tcs.embedder.window import Window

    window = Window(size=inputs["window"])
    decoder = Decoder(Model(path_of(inputs["graph"]), preset=None, threads=inputs["threads"]), window)
    one, seconds, admit = np.ones(1, np.int64), list[float](), decoder._admit

    def watched(tokens: int) -> int:
        start = time.perf_counter()
        found = admit(tokens)
        seconds.append(time.perf_counter() - start)
        return found

    decoder._admit = watched  # type: ignore[method-assign]
    # until hidden tokens were dropped once: then both buffers have been written, and no page of them is new to a slide
    for tokens in (np.ones(window.size, np.int64), *[one] * (window.capacity - window.size + 1)):
        for _ in decoder.advance(tokens):
            pass

    def solve() -> dict[str, Any]:
        seconds.clear()
        seen = [decoder.context_length for _ in range(inputs["slides"]) for _ in decoder.advance(one)]
        return {"seconds": np.array(seconds), "seen": np.array(seen)}

    return solve


def slid(inputs: Mapping[str, Any], known: Mapping[str, Any], answer: Mapping[str, Any]) -> Check:
    """Every token must have seen a whole window; ``mean``, ``p99`` and ``longest`` are of one slide, in seconds."""
    seconds, seen = np.asarray(answer["seconds"], np.float64), np.asarray(answer["seen"])
    wrong = int((seen != inputs["window"]).sum()) + abs(len(seconds) - inputs["slides"])
    times = {"mean": seconds.mean(), "p99": np.quantile(seconds, 0.99), "longest": seconds.max()}
    return Check(
        ok=not wrong,
        oracle="each token sees a whole window",
        detail=f"{wrong} of {inputs['slides']} tokens did not" if wrong else "",
        exact=False,
        metrics={
            f"slide_{name}": {"value": float(value), "unit": "s", "direction": "lower"} for name, value in times.items()
        },
    )
