"""File names of labels, and answers that are written through no link."""

from __future__ import annotations

from pathlib import Path

import numpy

from harness import answers


def test_labels_that_differ_have_stems_that_differ() -> None:
    """A slug drops the sign; a stem keeps the two apart, and stays short enough for a file name."""
    labels = ["torus[x=1.5]", "torus[x=-1.5]", "Torus[x=1.5]", "", "[]", "x" * 300, "x" * 299]
    assert len({answers.stem(label) for label in labels}) == len(labels)
    assert answers.slug(labels[0]) == answers.slug(labels[1])
    assert max(len(answers.stem(label)) for label in labels) < 140
    assert answers.stem(labels[0]).startswith("torus-x-1-5-")


def test_an_answer_comes_back(tmp_path: Path) -> None:
    """Under the name of its content, with nothing left beside it."""
    name = answers.save(tmp_path, {"h1": numpy.array([[0.0, 1.0]])})
    assert [path.name for path in tmp_path.iterdir()] == [f"{name}.npz"]
    assert answers.answer_digest(answers.load(tmp_path / f"{name}.npz")) == name
