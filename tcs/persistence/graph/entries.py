"""The entries of a distance matrix, sparse or dense: checked, and each pair once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tcs.persistence.compute.kernels import kernel
from tcs.persistence.compute.memory import forecast_graph, require
from tcs.persistence.errors import InputError
from tcs.persistence.graph.pairs import index_type, sorted_pairs

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Entries a side of a tile, so that a tile and the one across the diagonal stay in the nearest cache.
TILE = 32


def sparse_pairs(
    matrix: Any, memory_limit: int | None = None
) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.float64]]:
    """Pairs of a scipy sparse matrix with their distances, sorted by smaller vertex, then by larger.

    Raises:
        InputError, MemoryForecastError: as :func:`tcs.persistence.graph.graph.from_sparse`.
    """
    from scipy import sparse

    if not sparse.issparse(matrix):
        raise InputError(f"matrix: a scipy sparse matrix is needed, not {type(matrix).__name__}; see from_dense")
    _check_form(matrix)
    if matrix.format == "bsr":
        raise InputError("matrix: blocks of the BSR format hold zeros that nobody stored; pass it as COO or CSR")
    entries = matrix.tocoo()
    n, upper = matrix.shape[0], int(np.count_nonzero(entries.row < entries.col))
    # a pair may be stored once, in either triangle, or in both
    edges = max(upper, entries.nnz - upper)
    require(forecast_graph(n, edges), memory_limit, f"matrix: {n:,} points, up to {edges:,} edges")
    index = index_type(matrix.shape[0])
    rows, columns = entries.row.astype(index, copy=False), entries.col.astype(index, copy=False)
    # adding zero takes the sign off a zero, and makes a copy
    values = entries.data.astype(np.float64, copy=False) + 0.0
    usable = (values >= 0) & (values < np.inf)
    if not usable.all():
        wrong = int(np.argmin(usable))
        raise InputError(
            f"matrix: entry ({rows[wrong]}, {columns[wrong]}) is {values[wrong]}; distances are finite and not "
            "negative, and pairs that are never joined are left out"
        )
    diagonal = rows == columns
    if diagonal.any():
        if values[diagonal].any():
            wrong = int(np.argmax(diagonal & (values != 0)))
            raise _diagonal(rows[wrong], values[wrong])
        rows, columns, values = rows[~diagonal], columns[~diagonal], values[~diagonal]
    return _each_pair_once(matrix.shape[0], rows, columns, values)


def dense_entries(matrix: Any, memory_limit: int | None = None) -> tuple[NDArray[np.float64], float]:
    """A dense distance matrix as float64, and its radius: the least of the largest entries of its rows.

    Raises:
        InputError, MemoryForecastError: as :func:`tcs.persistence.graph.graph.from_dense`.
    """
    if isinstance(matrix, np.ma.MaskedArray):
        raise InputError("matrix: masked arrays are not read; fill masked entries with infinity")
    try:
        matrix = np.asarray(matrix)
    except ValueError as error:
        raise InputError(f"matrix: {error}; give rows of one length each") from None
    _check_form(matrix)
    if matrix.dtype != np.float64 or not matrix.flags.c_contiguous:
        require(8 * matrix.size, memory_limit, f"matrix: {len(matrix):,} points, {matrix.size:,} entries as float64")
    values = np.ascontiguousarray(matrix, dtype=np.float64)
    i, j, radius = first_fault(values)
    if i >= 0:
        a, b = values[i, j], values[j, i]
        if i == j:
            raise _diagonal(i, a)
        if not (a >= 0 and b >= 0):
            i, j, a = (i, j, a) if not a >= 0 else (j, i, b)
            raise InputError(
                f"matrix: entry ({i}, {j}) is {a}; distances are numbers from 0, and infinity says that two "
                "vertices are never joined"
            )
        raise InputError(f"matrix: entry ({i}, {j}) is {a} but ({j}, {i}) is {b}; make the matrix symmetric")
    return values, radius


def _check_form(matrix: Any) -> None:
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise InputError(f"matrix: its shape is {matrix.shape}; a distance matrix is square, (n, n)")
    if matrix.dtype.kind not in "iuf":
        raise InputError(f"matrix: entries are of type {matrix.dtype}; pass real numbers, such as float64")


def _diagonal(vertex: int, value: float) -> InputError:
    return InputError(
        f"matrix: diagonal entry ({vertex}, {vertex}) is {value}; vertices are born at 0 here, so set the diagonal to 0"
    )


def _each_pair_once(
    n: int, rows: NDArray[Any], columns: NDArray[Any], values: NDArray[np.float64]
) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.float64]]:
    flipped = rows > columns
    low, high, keys, flipped = sorted_pairs(n, np.minimum(rows, columns), np.maximum(rows, columns), values, flipped)
    same = (low[1:] == low[:-1]) & (high[1:] == high[:-1])
    if not same.any():
        return low, high, keys
    repeated = same & (flipped[1:] == flipped[:-1])
    repeated[1:] |= same[1:] & same[:-1]
    if repeated.any():
        wrong = int(np.argmax(repeated))
        raise InputError(
            f"matrix: an entry of the pair ({low[wrong]}, {high[wrong]}) is stored more than once; call "
            "sum_duplicates() if such entries are to be added up, or keep one"
        )
    unequal = same & (keys[1:] != keys[:-1])
    if unequal.any():
        wrong = int(np.argmax(unequal))
        upper, lower = (wrong + 1, wrong) if flipped[wrong] else (wrong, wrong + 1)
        i, j = low[wrong], high[wrong]
        raise InputError(
            f"matrix: entry ({i}, {j}) is {keys[upper]} but ({j}, {i}) is {keys[lower]}; make the matrix symmetric, "
            "or store each pair once"
        )
    first = np.concatenate([[True], ~same])
    return low[first], high[first], keys[first]


@kernel
def first_fault(matrix: NDArray[np.float64]) -> tuple[int, int, float]:
    """An entry that a distance matrix cannot have, or (-1, -1); and the least of the largest entries of rows."""
    n = len(matrix)
    farthest = np.zeros(n)
    for top in range(0, n, TILE):
        for left in range(top, n, TILE):
            for i in range(top, min(top + TILE, n)):
                for j in range(max(left, i), min(left + TILE, n)):
                    value = matrix[i, j]
                    if not (value >= 0 and value == matrix[j, i]) or (i == j and value != 0):
                        return i, j, 0.0
                    farthest[i] = max(farthest[i], value)
                    farthest[j] = max(farthest[j], value)
    return -1, -1, farthest.min() if n else 0.0


@kernel
def rows_within(matrix: NDArray[np.float64], bound: float, index: NDArray[Any]) -> Any:
    """Rows of the graph of all entries up to ``bound``, off the diagonal."""
    n = len(matrix)
    starts = np.zeros(n + 1, np.int64)
    for i in range(n):
        count = 0
        for j in range(n):
            count += matrix[i, j] <= bound
        # the diagonal is zero and was counted
        starts[i + 1] = starts[i] + count - 1
    neighbours, keys = np.empty(starts[n], index.dtype), np.empty(starts[n])
    for i in range(n):
        at = starts[i]
        for j in range(n):
            if matrix[i, j] <= bound and j != i:
                neighbours[at], keys[at] = j, matrix[i, j] + 0.0
                at += 1
    return starts, neighbours, keys
