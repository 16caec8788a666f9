"""Barcodes to and from the shapes that ripser.py, GUDHI, giotto-tda and persim use; none of them is imported.

Other shapes hold float64 and do not say up to which threshold they were computed, nor from how many points. Whoever
reads one in may say so; otherwise the threshold is inf, and ``n_points`` is the number of bars of H0, which is right
where no two points coincide. Bars are rounded to float32, and those of length zero are left out, by
:func:`tcs.persistence.barcode.canonical`, whose errors all readers here raise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tcs.persistence.barcode import Barcode, canonical
from tcs.persistence.errors import InputError

Diagram = NDArray[np.float64]
GudhiList = list[tuple[int, tuple[float, float]]]


def to_persim(barcode: Barcode) -> list[Diagram]:
    """One float64 array (m, 2) a dimension, deaths inf for essential classes: what persim's functions take.

    persim's images and landscapes refuse or warn about inf: give them ``barcode.finite(d)``.
    """
    return [rows.astype(np.float64) for rows in barcode.bars]


def from_persim(
    diagrams: Sequence[ArrayLike], *, threshold: float = float("inf"), n_points: int | None = None
) -> Barcode:
    """A barcode from one array (m, 2) a dimension, H0 first.

    Args:
        threshold, n_points: what the diagrams were computed from, if known; see the top of this module.

    Raises:
        InputError: what stands there cannot be bars.
    """
    bars = canonical(diagrams)
    if n_points is None:
        n_points = len(bars[0]) if bars else 0
    return Barcode(bars=bars, threshold=threshold, n_points=n_points)


def to_ripser(barcode: Barcode) -> dict[str, list[Diagram]]:
    """The dictionary of ripser.py with its key ``dgms``: one float64 array (m, 2) a dimension."""
    return {"dgms": to_persim(barcode)}


def from_ripser(result: Mapping[str, Any], *, threshold: float = float("inf"), n_points: int | None = None) -> Barcode:
    """A barcode from what ``ripser.ripser`` returned; its cocycles are left behind.

    Args:
        result: with ``dgms``; the number of points is that of ``idx_perm``, if it is there.
        threshold: the ``thresh`` of the call, which the result does not hold.
        n_points: stands above ``idx_perm``.

    Raises:
        InputError: no ``dgms``, or no bars in it.
    """
    if "dgms" not in result:
        raise InputError(f"result has the keys {sorted(result)}; give the dictionary of ripser.py, with 'dgms'")
    if n_points is None and "idx_perm" in result:
        n_points = len(result["idx_perm"])
    return from_persim(result["dgms"], threshold=threshold, n_points=n_points)


def to_gudhi(barcode: Barcode) -> GudhiList:
    """The list ``(dimension, (birth, death))`` of GUDHI's ``persistence()``, in its order.

    That is the highest dimension first, and the longest bar first in each. GUDHI leaves the order of bars of one
    length open; here the earlier birth comes first.
    """
    result: GudhiList = []
    for d in reversed(range(len(barcode.bars))):
        rows = barcode.bars[d].astype(np.float64)
        rows = rows[np.argsort(rows[:, 0] - rows[:, 1], kind="stable")]
        result += [(d, (birth, death)) for birth, death in rows.tolist()]
    return result


def from_gudhi(
    persistence: Sequence[tuple[int, tuple[float, float]]],
    *,
    max_dimension: int | None = None,
    threshold: float = float("inf"),
    n_points: int | None = None,
) -> Barcode:
    """A barcode from the list that GUDHI's ``persistence()`` returns.

    Args:
        persistence: ``(dimension, (birth, death))`` in any order.
        max_dimension: the highest dimension that was computed; a list cannot show one that is empty. None takes the
            highest in the list.

    Raises:
        InputError: an entry of another form, or of a dimension above ``max_dimension``.
    """
    try:
        dimensions = np.array([d for d, _ in persistence], dtype=np.int64)
        rows = np.array([bar for _, bar in persistence], dtype=np.float64).reshape(-1, 2)
    except (TypeError, ValueError) as error:
        raise InputError(f"persistence is no list of (dimension, (birth, death)): {error}; give GUDHI's") from None
    top = int(dimensions.max(initial=-1)) if max_dimension is None else max_dimension
    if len(rows) != len(dimensions) or ((dimensions < 0) | (dimensions > top)).any():
        raise InputError(f"persistence has bars outside the dimensions 0 to {top}; give a larger max_dimension")
    diagrams = [rows[dimensions == d] for d in range(top + 1)]
    return from_persim(diagrams, threshold=threshold, n_points=n_points)


def to_gudhi_sklearn(barcode: Barcode, homology_dimensions: int | Sequence[int]) -> Diagram | list[Diagram]:
    """What ``gudhi.sklearn`` gives for one sample: a float64 array (m, 2), or a list of one for each dimension.

    Args:
        homology_dimensions: an int for one array; a sequence for a list in its order.

    Raises:
        InputError: a dimension that was not computed.
    """
    single = isinstance(homology_dimensions, int | np.integer)
    wanted = [int(d) for d in np.atleast_1d(homology_dimensions)]
    for d in wanted:
        if not 0 <= d < len(barcode.bars):
            raise InputError(f"homology_dimensions has {d}; computed are 0 to {len(barcode.bars) - 1}")
    arrays = [barcode.bars[d].astype(np.float64) for d in wanted]
    return arrays[0] if single else arrays


def from_gudhi_sklearn(
    sample: Any,
    homology_dimensions: int | Sequence[int],
    *,
    threshold: float = float("inf"),
    n_points: int | None = None,
) -> Barcode:
    """A barcode from one sample of ``gudhi.sklearn``; dimensions below that were not asked for are left empty.

    Args:
        sample: an array (m, 2) where ``homology_dimensions`` is an int, else a sequence of them.

    Raises:
        InputError: the number of arrays is not that of the dimensions, or they hold no bars.
    """
    wanted = [int(d) for d in np.atleast_1d(homology_dimensions)]
    arrays = [sample] if isinstance(homology_dimensions, int | np.integer) else list(sample)
    if min(wanted, default=0) < 0:
        raise InputError(f"homology_dimensions={homology_dimensions} has a negative one; give whole numbers from 0")
    if len(arrays) != len(wanted):
        raise InputError(f"sample has {len(arrays)} arrays for homology_dimensions={homology_dimensions}; give as many")
    by_dimension = dict(zip(wanted, arrays, strict=True))
    diagrams = [by_dimension.get(d, ()) for d in range(max(wanted, default=-1) + 1)]
    return from_persim(diagrams, threshold=threshold, n_points=n_points)


def to_giotto(barcode: Barcode, *, infinity_values: float | None = None, reduced_homology: bool = True) -> Diagram:
    """One diagram of giotto-tda: float64 (n_features, 3) with birth, death, homology dimension.

    As giotto-tda does by default, one essential class of H0 is left out, the other infinite deaths become the
    threshold, and a dimension without bars has one row (0, 0, dimension). ``to_giotto(...)[None]`` is a collection
    of one, which its transformers take.

    Args:
        infinity_values: what stands for an infinite death; None takes the threshold, as giotto-tda takes
            ``max_edge_length``; inf keeps it. An essential class that is born there has length zero and is left out.
        reduced_homology: leave out one essential class of H0.
    """
    # giotto-tda writes it in float32, in which all its values are
    infinity = np.float32(barcode.threshold if infinity_values is None else infinity_values)
    parts = []
    for d, bars in enumerate(barcode.bars):
        rows = bars.astype(np.float64)
        endless = np.flatnonzero(np.isinf(rows[:, 1]))
        if d == 0 and reduced_homology and len(endless):
            rows = np.delete(rows, endless[0], axis=0)
        rows[np.isinf(rows[:, 1]), 1] = infinity
        rows = rows[rows[:, 0] < rows[:, 1]]
        rows = rows if len(rows) else np.zeros((1, 2))
        parts.append(np.column_stack([rows, np.full(len(rows), float(d))]))
    return np.concatenate(parts) if parts else np.empty((0, 3))


def from_giotto(
    diagram: ArrayLike,
    *,
    infinity_values: float | None = None,
    reduced_homology: bool = True,
    threshold: float = float("inf"),
    n_points: int | None = None,
) -> Barcode:
    """A barcode from one diagram of giotto-tda, float (n_features, 3); its padding (birth = death) is left out.

    Args:
        infinity_values: deaths equal to it in float32 were infinite; a class that really ended there looks the same
            and is read as essential, too. None leaves finite deaths finite.
        reduced_homology: put back the essential class (0, inf) of H0 that giotto-tda left out.

    Raises:
        InputError: another shape, or dimensions that are no whole numbers from 0.
    """
    rows = np.array(diagram, dtype=np.float64)
    if rows.ndim != 2 or rows.shape[1] != 3:
        raise InputError(f"diagram has shape {rows.shape}; give one of a collection, (n_features, 3)")
    dimensions = rows[:, 2]
    if not ((dimensions >= 0) & (dimensions == np.floor(dimensions)) & (dimensions < 2**31)).all():
        raise InputError("diagram[:, 2] is not the homology dimension, a whole number from 0; correct it")
    if infinity_values is not None:
        ended = rows[:, 1].astype(np.float32) == np.float32(infinity_values)
        rows[ended & (rows[:, 0] < rows[:, 1]), 1] = np.inf
    diagrams = [rows[dimensions == d, :2] for d in range(int(dimensions.max(initial=-1)) + 1)]
    if reduced_homology and diagrams:
        diagrams[0] = np.concatenate([diagrams[0], [[0.0, np.inf]]])
    return from_persim(diagrams, threshold=threshold, n_points=n_points)
