"""Answers of every kind can be drawn, small ones as vectors and large ones as a bitmap inside the vector picture."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="matplotlib draws the pictures")

from benchmarks.persistence.pictures import diagram


def _svg(answer: dict[str, Any], title: str = "torus[k=20]") -> str:
    target = io.StringIO()
    diagram(answer, title).savefig(target, format="svg", transparent=True)
    return target.getvalue()


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"bars_0": np.empty((0, 2))},
        {"bars_0": np.array([[0, np.inf]], dtype=np.float32)},
        {"bars_0": np.array([[0.0, 1.0], [0.0, np.inf]]), "bars_1": np.empty((0, 2)), "bars_2": np.array([[0.5, 0.7]])},
        {"bars_0": np.array([[-3.0, 2.0], [-4.0, np.inf]]), "bars_1": np.array([[1.0, 1.5]])},
    ],
)
def test_small_answers_are_drawn(answer: dict[str, Any]) -> None:
    """Empty, essential only, negative values (images): no warning, an SVG comes out."""
    assert "</svg>" in _svg(answer)


def test_a_large_answer_stays_small() -> None:
    """Fifty thousand bars make less than a megabyte, and their numbers stand in the legend."""
    birth = np.random.default_rng(0).random(50_000)
    text = _svg({"bars_0": np.stack([0 * birth, birth], axis=1), "bars_1": np.stack([birth, birth + 0.1], axis=1)})
    assert len(text) < 1_000_000
    assert "<image" in text
    assert "H1: 1 finite, 1 essential" in _svg({"bars_1": np.array([[0.1, 0.2], [0.1, np.inf]])})


def test_a_title_is_text_not_mathematics() -> None:
    """Dollar signs and underscores are taken as they are."""
    assert "</svg>" in _svg({"bars_0": np.array([[0.0, 1.0]])}, "a$b_{c[k=20]$")
