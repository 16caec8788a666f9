"""Sublevel sets of images and volumes: cubical persistence with values on the vertices, computed by GUDHI."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from tcs.persistence.barcode import Barcode, canonical
from tcs.persistence.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def lower_star(values: ArrayLike) -> Barcode:
    """Persistent homology over Z/2 of the sublevel sets of a grid: each cube appears with its largest vertex.

    GUDHI's CubicalComplex (Dlotko; Wagner, Chen and Vucini 2012; under the MIT licence) computes it, in float64;
    the bars are then rounded to float32, and those that rounding makes empty are left out.

    Args:
        values: real numbers of shape (rows, columns) or (planes, rows, columns), one for each vertex. inf leaves a
            vertex out, with every cube that it bounds: a mask.

    Returns:
        Bars of dimension 0 to one less than that of the grid; the threshold is inf. ``n_points`` counts all vertices.

    Raises:
        InputError: another number of axes, no real numbers, NaN, -inf, or beyond float32.
        ImportError: GUDHI is missing.

    Example:
        >>> lower_star([[0, 0, 0], [0, 5, 0], [0, 0, 0]]).bars[1]
        array([[0., 5.]], dtype=float32)
    """
    begin = time.perf_counter()
    grid = _grid(values)
    try:
        import gudhi
    except ImportError as error:
        raise ImportError("lower_star needs GUDHI; pip install 'tcs-harness[peers]', or gudhi itself") from error
    diagrams: list[Any] = [[] for _ in range(grid.ndim)]
    if grid.size:
        complex_ = gudhi.CubicalComplex(vertices=grid)
        complex_.compute_persistence(homology_coeff_field=2)
        for d in range(grid.ndim):
            bars = complex_.persistence_intervals_in_dimension(d).reshape(-1, 2)
            diagrams[d] = bars[bars[:, 0] < np.inf]
    return Barcode(
        bars=canonical(diagrams), threshold=float("inf"), n_points=grid.size,
        stages={"cubical": time.perf_counter() - begin},
    )  # fmt: skip


def _grid(values: ArrayLike) -> NDArray[np.float64]:
    """The values as float64, or an InputError that says what is wrong with them."""
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise InputError(f"values is no array: {error}; give rows of equal length") from None
    if array.dtype.kind not in "fiub":
        raise InputError(f"values holds {array.dtype}; give real numbers")
    if array.ndim not in (2, 3):
        raise InputError(f"values has shape {array.shape}; give (rows, columns) or (planes, rows, columns)")
    grid = array.astype(np.float64)
    for wrong, what in (
        (np.isnan(grid), "NaN; fill it, or use inf to leave a vertex out"),
        (np.isneginf(grid), "-inf; give a finite number"),
        (np.isfinite(grid) & (np.abs(grid) > np.finfo(np.float32).max), "beyond the range of float32; rescale"),
    ):
        if wrong.any():
            place = tuple(int(i) for i in np.unravel_index(wrong.argmax(), grid.shape))
            raise InputError(f"values[{', '.join(map(str, place))}] is {what}")
    return grid
