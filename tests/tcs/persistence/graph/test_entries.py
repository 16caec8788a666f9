"""Distance matrices: what they may hold, and what is refused by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import sparse

pytest.importorskip("numba", reason="the engine's kernels are compiled by numba")

from tcs.persistence.errors import InputError
from tcs.persistence.graph.entries import TILE, dense_entries, sparse_pairs

ROWS, COLUMNS, VALUES = np.array([0, 0, 1, 3]), np.array([1, 3, 2, 4]), np.array([3.0, 0.5, 0.0, 2.0])


def coo(rows: Any, columns: Any, values: Any, n: int = 5) -> Any:
    return sparse.coo_matrix((np.asarray(values), (rows, columns)), shape=(n, n))


@pytest.mark.parametrize("stored", ["upper", "lower", "both", "mixed", "shuffled"])
@pytest.mark.parametrize("format", ["coo", "csr", "csc", "lil", "dok"])
def test_pairs_do_not_depend_on_how_they_are_stored(stored: str, format: str) -> None:
    """Either triangle or both, any order and format: the same pairs, zeros that are stored among them."""
    rows, columns, values = {
        "upper": (ROWS, COLUMNS, VALUES),
        "lower": (COLUMNS, ROWS, VALUES),
        "both": (np.append(ROWS, COLUMNS), np.append(COLUMNS, ROWS), np.append(VALUES, VALUES)),
        "mixed": (np.append(ROWS, 2), np.append(COLUMNS, 1), np.append(VALUES, 0.0)),
        "shuffled": (ROWS[::-1], COLUMNS[::-1], VALUES[::-1]),
    }[stored]
    matrix = coo(rows, columns, values).asformat(format)
    if format in ("lil", "dok"):
        # scipy drops zeros on the way to these formats; stored by hand they stay
        matrix = coo(rows, columns, np.where(values == 0, 9, values)).asformat("dok")
        for i, j in zip(rows, columns, strict=True):
            matrix._dict[int(i), int(j)] = 0.0 if matrix[i, j] == 9 else matrix[i, j]
    low, high, keys = sparse_pairs(matrix)
    np.testing.assert_array_equal(low, ROWS)
    np.testing.assert_array_equal(high, COLUMNS)
    np.testing.assert_array_equal(keys, VALUES)
    assert low.dtype == high.dtype == np.int32
    assert keys.dtype == np.float64


@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.uint8])
def test_real_numbers_of_any_width_are_read(dtype: Any) -> None:
    """Lengths are float64 from then on; a diagonal of zeros is no entry."""
    matrix = sparse.csr_array(coo([0, 1, 1], [1, 2, 1], np.array([3, 4, 0], dtype=dtype), 3))
    low, high, keys = sparse_pairs(matrix)
    assert (low.tolist(), high.tolist(), keys.tolist()) == ([0, 1], [1, 2], [3.0, 4.0])
    values, radius = dense_entries(np.array([[0, 3, 9], [3, 0, 4], [9, 4, 0]], dtype=dtype))
    assert values.dtype == np.float64
    assert radius == 4


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (np.zeros((2, 2)), "sparse matrix is needed, not ndarray"),
        (sparse.coo_matrix((2, 3)), r"shape is \(2, 3\)"),
        (sparse.coo_array([0.0, 1.0]), r"shape is \(2,\)"),
        (coo([0], [1], [1j]), "complex128"),
        (coo([0], [1], [True]), "bool"),
        (coo([0, 1], [1, 2], [1.0, np.nan]), r"entry \(1, 2\) is nan"),
        (coo([0, 4], [1, 2], [1.0, -2.0]), r"entry \(4, 2\) is -2"),
        (coo([0, 4], [1, 2], [1.0, np.inf]), r"entry \(4, 2\) is inf"),
        (coo([0, 3], [1, 3], [1.0, 0.5]), r"diagonal entry \(3, 3\) is 0.5"),
        (coo([0, 2, 0], [1, 0, 2], [1.0, 7.0, 6.0]), r"entry \(0, 2\) is 6.0 but \(2, 0\) is 7.0"),
        (coo([0, 0, 2], [1, 2, 0], [1.0, 7.0, 6.0]), r"entry \(0, 2\) is 7.0 but \(2, 0\) is 6.0"),
        (coo([3, 3], [1, 1], [1.0, 1.0]), r"pair \(1, 3\) is stored more than once"),
        (coo([3, 1, 3], [1, 3, 1], [1.0, 1.0, 1.0]), r"pair \(1, 3\) is stored more than once"),
        (sparse.bsr_matrix(np.array([[0, 1.0], [1, 0]]), blocksize=(2, 2)), "BSR"),
    ],
)
def test_a_sparse_matrix_that_cannot_be_meant_is_refused(matrix: Any, message: str) -> None:
    """The message names the entry that is wrong."""
    with pytest.raises(InputError, match=message):
        sparse_pairs(matrix)


def changed(entries: dict[tuple[int, int], float], n: int = 4) -> Any:
    matrix = 1.0 - np.eye(n)
    for place, value in entries.items():
        matrix[place] = value
    return matrix


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (np.zeros((2, 3)), r"shape is \(2, 3\)"),
        (np.zeros(4), r"shape is \(4,\)"),
        (np.zeros((2, 2), dtype=complex), "complex128"),
        (np.zeros((2, 2), dtype=object), "object"),
        (np.ma.masked_equal(changed({}), 1), "masked"),
        (changed({(1, 2): 3.0}), r"entry \(1, 2\) is 3.0 but \(2, 1\) is 1.0"),
        (changed({(2, 1): np.inf}), r"entry \(1, 2\) is 1.0 but \(2, 1\) is inf"),
        (changed({(3, 3): 0.5}), r"diagonal entry \(3, 3\) is 0.5"),
        (changed({(1, 1): np.nan}), r"diagonal entry \(1, 1\) is nan"),
        (changed({(0, 2): -1.0, (2, 0): -1.0}), r"entry \(0, 2\) is -1.0"),
        (changed({(0, 2): np.nan, (2, 0): np.nan}), r"entry \(0, 2\) is nan"),
        (changed({(3, 0): np.nan}), r"entry \(3, 0\) is nan"),
    ],
)
def test_a_dense_matrix_that_cannot_be_meant_is_refused(matrix: Any, message: str) -> None:
    """The message names the entry that is wrong."""
    with pytest.raises(InputError, match=message):
        dense_entries(matrix)


@pytest.mark.parametrize("n", [TILE - 1, TILE, 2 * TILE + 5])
def test_every_single_wrong_entry_is_found(n: int) -> None:
    """One changed entry anywhere, in any tile, is named with the one across the diagonal."""
    rng = np.random.default_rng(n)
    matrix = rng.random((n, n))
    matrix = matrix + matrix.T
    np.fill_diagonal(matrix, 0)
    assert dense_entries(matrix)[1] == matrix.max(axis=1).min()
    for _ in range(200):
        i, j = rng.integers(0, n, 2)
        spoilt = matrix.copy()
        spoilt[i, j] += 1
        with pytest.raises(InputError, match=rf"\({min(i, j)}, {max(i, j)}\)"):
            dense_entries(spoilt)
