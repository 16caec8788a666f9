"""The result of a computation: bars by dimension, and what was asked for besides.

One form for every engine here: float32, sorted, bars of length zero left out, so that equal answers have equal bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from tcs.persistence.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Barcode:
    """Persistent homology over Z/2, from dimension 0 up to the highest that was asked for.

    The arrays are taken over, not copied, and become read-only. Whoever makes a barcode hands over bars that are
    sorted and longer than zero; :func:`canonical` makes any into such.

    Attributes:
        bars: one float32 array of shape (m, 2) a dimension: birth, death, sorted by both. The death of an essential
            class, one that is alive at the threshold, is inf. Units are those of the filtration (lengths, grey values).
        threshold: the largest filtration value that was looked at, inf if there was no limit.
        n_points: how many points (vertices) there were.
        stages: seconds that each stage took.
        birth_simplices: None unless asked for; one int64 array (m, d + 1) a dimension, the vertices of the simplex
            that begins each bar.
        death_simplices: likewise (m, d + 2), the simplex that ends it; a row of -1 for an essential class.
        cycles: None unless asked for; for each dimension a list with one int array of vertices (k, 2) a bar, the
            edges of a cycle that represents the class.

    Raises:
        InputError: an array has another shape or dtype than is written here.

    Example:
        >>> bars = canonical([[[0, 0.5], [0, np.inf]], [[0.7, 0.9]]])
        >>> result = Barcode(bars=bars, threshold=1.0, n_points=2)
        >>> result
        Barcode(H0: 1 finite + 1 essential, H1: 1 finite + 0 essential, n_points=2, threshold=1)
        >>> result.betti(0.8)
        array([1, 1])
    """

    bars: tuple[NDArray[np.float32], ...]
    threshold: float
    n_points: int
    stages: Mapping[str, float] = field(default_factory=dict)
    birth_simplices: tuple[NDArray[np.int64], ...] | None = None
    death_simplices: tuple[NDArray[np.int64], ...] | None = None
    cycles: tuple[list[NDArray[np.integer[Any]]], ...] | None = None

    def __post_init__(self) -> None:
        for d, rows in enumerate(self.bars):
            _take(f"bars[{d}]", rows, np.dtype(np.float32), (None, 2))
        for name, more in (("birth_simplices", 1), ("death_simplices", 2)):
            simplices = getattr(self, name)
            if simplices is not None:
                self._one_a_dimension(name, simplices)
                for d, rows in enumerate(simplices):
                    _take(f"{name}[{d}]", rows, np.dtype(np.int64), (len(self.bars[d]), d + more))
        if self.cycles is not None:
            self._one_a_dimension("cycles", self.cycles)
            for d, edges in enumerate(self.cycles):
                if len(edges) != len(self.bars[d]):
                    raise InputError(
                        f"cycles[{d}] has {len(edges)} cycles for {len(self.bars[d])} bars; give one a bar"
                    )
                for array in edges:
                    array.flags.writeable = False

    def _one_a_dimension(self, name: str, values: Sequence[Any]) -> None:
        if len(values) != len(self.bars):
            raise InputError(f"{name} has {len(values)} dimensions and bars has {len(self.bars)}; give one for each")

    def finite(self, d: int) -> NDArray[np.float32]:
        """The bars of dimension ``d`` that end, (m, 2). Raises InputError for a dimension that was not computed."""
        rows = self._dimension(d)
        return rows[np.isfinite(rows[:, 1])]

    def essential(self, d: int) -> NDArray[np.float32]:
        """The bars of dimension ``d`` that never end, (m, 2) with deaths inf. Raises InputError as :meth:`finite`."""
        rows = self._dimension(d)
        return rows[np.isinf(rows[:, 1])]

    def _dimension(self, d: int) -> NDArray[np.float32]:
        if not 0 <= d < len(self.bars):
            raise InputError(f"d={d}: the dimensions computed are 0 to {len(self.bars) - 1}; ask for one of them")
        return self.bars[d]

    def betti(self, scale: float) -> NDArray[np.int64]:
        """Betti numbers of the complex of all simplices with values up to ``scale``, one a dimension.

        A bar counts where birth <= scale < death. Values here are float32, so ``scale`` is rounded to float32, too.

        Raises:
            InputError: ``scale`` is NaN, or above the threshold, beyond which nothing is known.
        """
        at = np.float32(scale)
        if not at <= np.float32(self.threshold):
            raise InputError(
                f"scale={scale:g}: what is known ends at the threshold {self.threshold:g}; compute up to a larger one"
            )
        return np.array([int(((rows[:, 0] <= at) & (at < rows[:, 1])).sum()) for rows in self.bars], dtype=np.int64)

    def digest(self) -> str:
        """sha256 (hex) over the bars: for each dimension the shape as text, then little-endian float32 in order."""
        total = hashlib.sha256()
        for rows in self.bars:
            total.update(str(rows.shape).encode())
            # adding 0 turns -0.0 into 0.0, which has other bytes
            total.update(np.ascontiguousarray(_sorted(rows + np.float32(0)), dtype="<f4").data if len(rows) else b"")
        return total.hexdigest()

    def __repr__(self) -> str:
        counts = [f"H{d}: {len(self.finite(d)):,} finite + {len(self.essential(d)):,} essential"
                  for d in range(len(self.bars))]  # fmt: skip
        return f"Barcode({', '.join([*counts, f'n_points={self.n_points}', f'threshold={self.threshold:g}'])})"

    def __reduce__(self) -> tuple[Any, ...]:
        # by way of the constructor, so that arrays that were copied or sent to another process are read-only as well
        return partial(Barcode, **{part.name: getattr(self, part.name) for part in fields(self)}), ()


def canonical(diagrams: Sequence[ArrayLike]) -> tuple[NDArray[np.float32], ...]:
    """Bars in the form of :attr:`Barcode.bars`: rounded to float32, without those of length zero, sorted.

    Rounding is monotone, so bars rounded are the bars of the rounded filtration (Bauer, Ripser, 2021, section 3).

    Args:
        diagrams: for each dimension anything that numpy reads as numbers of shape (m, 2); empty is (0, 2).

    Raises:
        InputError: another shape, NaN, a birth that is not finite, a death before its birth, or beyond float32.
    """
    return tuple(_canonical(f"diagrams[{d}]", rows) for d, rows in enumerate(diagrams))


def _canonical(name: str, rows: ArrayLike) -> NDArray[np.float32]:
    try:
        values = np.asarray(rows)
    except ValueError as error:
        raise InputError(f"{name} is no array: {error}; give rows of birth and death") from None
    if values.size == 0:
        return np.empty((0, 2), dtype=np.float32)
    if values.ndim != 2 or values.shape[1] != 2 or values.dtype.kind not in "fiu":
        raise InputError(f"{name} has shape {values.shape} of {values.dtype}; give numbers (m, 2): birth, death")
    with np.errstate(over="ignore"):
        rounded = values.astype(np.float32) + np.float32(0)
    for wrong, what in (
        (np.isnan(values).any(axis=1), "is NaN"),
        (np.isinf(values[:, 0]), "has no finite birth"),
        (values[:, 1] < values[:, 0], "dies before it is born"),
        ((np.isinf(rounded) & np.isfinite(values)).any(axis=1), "is beyond the range of float32"),
    ):
        if wrong.any():
            raise InputError(
                f"{name}: row {int(wrong.argmax())}, {values[wrong.argmax()].tolist()}, {what}; correct it"
            )
    return _sorted(rounded[rounded[:, 0] < rounded[:, 1]])


def _sorted(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows in the order of (birth, death); the same array if they are already."""
    birth, death = rows[:, 0], rows[:, 1]
    rising = (birth[:-1] < birth[1:]) | ((birth[:-1] == birth[1:]) & (death[:-1] <= death[1:]))
    return rows if rising.all() else rows[np.lexsort((death, birth))]


def _take(name: str, array: Any, dtype: np.dtype[Any], shape: tuple[int | None, int]) -> None:
    """Refuse an array of another form, and make it read-only."""
    if not isinstance(array, np.ndarray) or array.dtype != dtype:
        raise InputError(f"{name} is {getattr(array, 'dtype', type(array).__name__)}; give a numpy array of {dtype}")
    if array.ndim != 2 or array.shape[1] != shape[1] or shape[0] not in (None, len(array)):
        wanted = f"({'m' if shape[0] is None else shape[0]}, {shape[1]})"
        raise InputError(f"{name} has shape {array.shape}; give {wanted}")
    array.flags.writeable = False
