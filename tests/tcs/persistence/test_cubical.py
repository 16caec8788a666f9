"""Sublevel persistence of grids: small images by hand, larger ones against a reduction written here."""

from __future__ import annotations

import itertools
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from tcs.persistence.barcode import canonical
from tcs.persistence.errors import InputError

INF = np.inf
pytest.importorskip("gudhi", reason="GUDHI computes cubical persistence")

from tcs.persistence.cubical import lower_star  # noqa: E402 - after the check that GUDHI is there


def cells(shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Cells of a grid in doubled coordinates: even is a vertex's coordinate, odd the interval between two."""
    return list(itertools.product(*(range(2 * side - 1) for side in shape)))


def textbook(values: Any) -> list[Any]:
    """Every cube, one matrix over Z/2, columns reduced from the left (Edelsbrunner and Harer 2010, VII.1)."""
    grid = np.asarray(values, dtype=float)

    def value(cell: tuple[int, ...]) -> float:
        corners = itertools.product(*({c // 2, (c + 1) // 2} for c in cell))
        return max(float(grid[corner]) for corner in corners)

    def faces(cell: tuple[int, ...]) -> list[tuple[int, ...]]:
        odd = [axis for axis, c in enumerate(cell) if c % 2]
        return [(*cell[:axis], cell[axis] + step, *cell[axis + 1 :]) for axis in odd for step in (-1, 1)]

    dimension = {cell: sum(c % 2 for c in cell) for cell in cells(grid.shape)}
    order = sorted((cell for cell in dimension if value(cell) < INF), key=lambda cell: (value(cell), dimension[cell]))
    place = {cell: i for i, cell in enumerate(order)}
    column_of: dict[int, set[int]] = {}
    unpaired: set[int] = set()
    bars: list[list[tuple[float, float]]] = [[] for _ in grid.shape]
    for i, cell in enumerate(order):
        column = {place[face] for face in faces(cell)}
        while column and max(column) in column_of:
            column ^= column_of[max(column)]
        if column:
            low = max(column)
            column_of[low] = column
            unpaired.remove(low)
            bars[dimension[order[low]]].append((value(order[low]), value(cell)))
        else:
            unpaired.add(i)
    for i in unpaired:
        bars[dimension[order[i]]].append((value(order[i]), INF))
    return bars


@pytest.mark.parametrize(
    ("values", "right"),
    [
        ([[0, 0, 0], [0, 5, 0], [0, 0, 0]], [[[0, INF]], [[0, 5]]]),
        ([[1, 3, 2]], [[[1, INF], [2, 3]], []]),
        ([[4]], [[[4, INF]], []]),
        ([[1, INF, 2]], [[[1, INF], [2, INF]], []]),
        ([[0, 1, 0], [1, INF, 1], [0, 1, 0]], [[[0, 1]] * 3 + [[0, INF]], [[1, INF]]]),
        (np.full((2, 2), INF), [[], []]),
        (np.empty((0, 3)), [[], []]),
        ([[False, True, False]], [[[0, 1], [0, INF]], []]),
    ],
)
def test_images_done_by_hand(values: Any, right: Any) -> None:
    """A ring round a hill, two valleys, one vertex, vertices left out, nothing at all."""
    result = lower_star(values)
    assert [rows.tolist() for rows in result.bars] == right
    assert result.n_points == np.size(values)
    assert result.threshold == INF
    assert list(result.stages) == ["cubical"]


def test_a_void_in_a_volume() -> None:
    """A high vertex in the middle of a low cube is enclosed until its value."""
    values = np.zeros((3, 3, 3), dtype=np.float32)
    values[1, 1, 1] = 7
    assert [rows.tolist() for rows in lower_star(values).bars] == [[[0, INF]], [], [[0, 7]]]


@settings(deadline=None, max_examples=60)
@given(st.data(), st.sampled_from([(3, 5), (1, 6), (5, 1), (4, 4), (2, 3, 3), (3, 1, 3), (3, 3, 3)]))
def test_all_dimensions_equal_the_textbook(data: st.DataObject, shape: tuple[int, ...]) -> None:
    """Random values with many ties and some vertices left out, in the plane and in space."""
    size = int(np.prod(shape))
    drawn = data.draw(st.lists(st.sampled_from([-1.5, 0, 0.1, 1, 2, INF]), min_size=size, max_size=size))
    values = np.array(drawn).reshape(shape)
    right = canonical(textbook(values))
    found = lower_star(values).bars
    assert [rows.tolist() for rows in found] == [rows.tolist() for rows in right]


def test_rounding_to_float32_comes_last() -> None:
    """float64 values that differ by less than float32 can tell leave no bar; others are rounded to the nearest."""
    assert lower_star([[1, 1 + 1e-9, 1]]).bars[0].tolist() == [[1, INF]]
    assert lower_star([[0.1, 0.3, 0.2]]).bars[0].tolist() == [
        [np.float32(0.1), INF],
        [np.float32(0.2), np.float32(0.3)],
    ]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1, 2], r"values has shape \(2,\); give \(rows, columns\)"),
        (np.zeros((2, 2, 2, 2)), r"values has shape \(2, 2, 2, 2\)"),
        ([[0, 1], [np.nan, 2]], r"values\[1, 0\] is NaN; fill it"),
        ([[0, -INF]], r"values\[0, 1\] is -inf"),
        ([[0, 1e39]], r"values\[0, 1\] is beyond the range of float32"),
        ([[0, 1j]], "values holds complex128"),
        (np.array([[0, None]], dtype=object), "values holds object"),
        ([["a"]], "values holds <U1"),
        ([[1, 2], [3]], "values is no array"),
    ],
)
def test_bad_values_are_refused(values: Any, message: str) -> None:
    """One sentence with the place of the first bad value, before GUDHI sees any."""
    with pytest.raises(InputError, match=message):
        lower_star(values)


def test_the_input_stays_as_it_is() -> None:
    """Neither changed nor made read-only."""
    values = np.arange(6.0).reshape(2, 3)
    lower_star(values)
    values += 1
    assert values.tolist() == [[1, 2, 3], [4, 5, 6]]


def test_a_missing_gudhi_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to install."""
    monkeypatch.setitem(sys.modules, "gudhi", None)
    with pytest.raises(ImportError, match=r"needs GUDHI; pip install 'tcs-harness\[peers\]'"):
        lower_star([[1]])
