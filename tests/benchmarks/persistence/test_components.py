"""Components of a growing graph, and by duality the top homology, equal the textbook reduction."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from benchmarks.persistence.components import component_bars, grid_bars

if TYPE_CHECKING:
    from numpy.typing import NDArray


def _cubes(values: NDArray[np.float64]) -> dict[tuple[int, ...], float]:
    """Every cube of the grid, even coordinates for vertices, with the highest of its vertices."""
    cells = {}
    for cell in product(*(range(2 * side - 1) for side in values.shape)):
        spans = [(c // 2, c // 2 + 1) if c % 2 else (c // 2,) for c in cell]
        cells[cell] = max(float(values[vertex]) for vertex in product(*spans))
    return cells


def _reduced(values: NDArray[np.float64]) -> list[list[tuple[float, float]]]:
    """Bars by reducing the boundary matrix of the grid of cubes."""
    cells = _cubes(values)
    order = sorted(cells, key=lambda cell: (cells[cell], sum(c % 2 for c in cell), cell))
    position = {cell: index for index, cell in enumerate(order)}
    columns: dict[int, set[int]] = {}
    unpaired: set[int] = set()
    bars: list[list[tuple[float, float]]] = [[] for _ in range(values.ndim + 1)]
    for index, cell in enumerate(order):
        column: set[int] = set()
        for axis in (axis for axis in range(values.ndim) if cell[axis] % 2):
            for step in (-1, 1):
                column ^= {position[*cell[:axis], cell[axis] + step, *cell[axis + 1 :]]}
        while column and max(column) in columns:
            column ^= columns[max(column)]
        if not column:
            unpaired.add(index)
            continue
        low = max(column)
        columns[low] = column
        unpaired.discard(low)
        if cells[order[low]] < cells[cell]:
            bars[sum(c % 2 for c in order[low])].append((cells[order[low]], cells[cell]))
    for index in unpaired:
        bars[sum(c % 2 for c in order[index])].append((cells[order[index]], np.inf))
    return [sorted(rows) for rows in bars]


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6), levels=st.sampled_from([2, 4, 10**6]),
    shape=st.one_of(
        st.tuples(st.integers(1, 6), st.integers(1, 6)),
        st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(1, 4)),
    ),
)  # fmt: skip
def test_grids_have_the_bars_of_the_reduction(seed: int, levels: int, shape: tuple[int, ...]) -> None:
    """H0 and H(d-1), with ties and without, sides of one vertex included."""
    values = np.random.default_rng(seed).integers(0, levels, shape).astype(float)
    right = _reduced(values)
    low, top = grid_bars(values)
    assert sorted(map(tuple, low.tolist())) == right[0]
    assert sorted(map(tuple, top.tolist())) == right[values.ndim - 1]


def test_a_ring_of_low_values_has_one_hole() -> None:
    """A single peak inside a flat frame: the hole is born with the frame and dies at the peak."""
    values = np.zeros((3, 3))
    values[1, 1] = 5.0
    low, holes = grid_bars(values)
    assert low.tolist() == [[0.0, np.inf]]
    assert holes.tolist() == [[0.0, 5.0]]


def test_the_younger_component_dies() -> None:
    """Two valleys meet at a pass: the higher one ends there; an edge without effect leaves no bar."""
    births, values = np.array([1.0, 4.0, 2.0]), np.array([4.0, 4.0, 9.0])
    bars = component_bars(births, np.array([0, 1, 0]), np.array([1, 2, 2]), values)
    assert sorted(map(tuple, bars.tolist())) == [(1.0, np.inf), (2.0, 4.0)]


def test_nodes_without_edges_stay() -> None:
    """Each is an essential class."""
    empty = np.empty(0, dtype=np.intp)
    assert component_bars(np.array([3.0, 1.0]), empty, empty, np.empty(0)).tolist() == [[3.0, np.inf], [1.0, np.inf]]


def test_three_dimensions_are_enough_for_every_offset() -> None:
    """Half of the 26 neighbours of a voxel are listed, so that each pair is met once."""
    from benchmarks.persistence.components import _adjacent

    i, j = _adjacent((3, 3, 3), diagonal=True)
    centre = 13
    assert len({*i[j == centre].tolist(), *j[i == centre].tolist()}) == 26
    assert len({frozenset(pair) for pair in zip(i.tolist(), j.tolist(), strict=True)}) == len(i)
    straight = _adjacent((3, 3, 3), diagonal=False)
    assert len(straight[0]) == pytest.approx(54)
