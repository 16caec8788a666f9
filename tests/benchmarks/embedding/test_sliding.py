"""A full window is watched from without, and one that is not full is found out."""

from __future__ import annotations

from contextlib import nullcontext

import numpy as np
import pytest

from benchmarks.embedding import sliding

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")


def test_every_token_slides_a_full_window() -> None:
    """Each of the tokens is told, moves of the cache among them, and sees the whole window."""
    problem = sliding.slide(window=16, slides=12)
    solve = sliding.sliding({**problem.inputs, "threads": 1}, lambda stage: nullcontext())
    for _ in range(2):
        answer = solve()
        assert answer["seen"].tolist() == [16] * 12
        found = sliding.slid(problem.inputs, problem.known, answer)
        assert found.ok, found.detail
        times = [found.metrics[f"slide_{name}"]["value"] for name in ("mean", "p99", "longest")]
        assert 0 < times[0] <= times[2]
        assert times[1] <= times[2]


def test_a_window_that_is_not_full_is_no_slide() -> None:
    """A token that saw less, or a slide that was not timed, is wrong: its time would be of something else."""
    inputs = {"window": 16, "slides": 3}
    right = {"seconds": np.full(3, 1e-5), "seen": np.full(3, 16)}
    assert sliding.slid(inputs, {}, right).ok
    assert not sliding.slid(inputs, {}, {**right, "seen": np.array([15, 16, 16])}).ok
    assert not sliding.slid(inputs, {}, {**right, "seconds": np.full(2, 1e-5)}).ok
