"""How far one sequence of outputs is from another, in numbers that do not depend on what made them.

They are used three times and never mixed: cached against one full pass (cache error), fewer bits against float32
(quantisation error), windowed against unwindowed (window error). ``found`` is always held against ``right``, row by
row, a row for each token. All sums are in float64; 1 - cosine would end at 1e-7 in float32, and here it ends at 1e-32.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

TOP = 10
"""Tokens of the vocabulary, and neighbours of an output, that are looked at."""
MOST_NEIGHBOURS = 1024
"""Rows among which neighbours are looked for, evenly spread over those there are."""
LEAST = 1e-20
"""Smaller errors are rounding in float64, which grows with nothing."""


def one_minus_cosine(found: ArrayLike, right: ArrayLike) -> NDArray[np.float64]:
    """1 - cosine of the angle between rows (n, width), (n,), as half the squared distance of the unit vectors.

    Raises:
        ValueError: the shapes differ, or a row is 0 or not finite, so that it has no direction.

    >>> one_minus_cosine([[1.0, 0.0], [1.0, 1.0]], [[2.0, 0.0], [1.0, -1.0]]).round(12).tolist()
    [0.0, 1.0]
    """
    a, b = _rows(found, right)
    lengths = np.linalg.norm(a, axis=1, keepdims=True), np.linalg.norm(b, axis=1, keepdims=True)
    if not (np.isfinite(lengths).all() and min(each.min(initial=1.0) for each in lengths) > 0):
        raise ValueError("a row is 0 or not finite, so it has no direction; look at what made it")
    halves: NDArray[np.float64] = 0.5 * ((a / lengths[0] - b / lengths[1]) ** 2).sum(axis=1)
    return halves


def relative_l2(found: ArrayLike, right: ArrayLike) -> NDArray[np.float64]:
    """|found - right| / |right| of rows (n, width), (n,); 0 where both are 0.

    >>> relative_l2([[3.0, 4.0]], [[3.0, 0.0]]).round(4).tolist()
    [1.3333]
    """
    a, b = _rows(found, right)
    off, size = np.linalg.norm(a - b, axis=1), np.linalg.norm(b, axis=1)
    share: NDArray[np.float64] = np.divide(off, size, out=np.where(off > 0, np.inf, 0.0), where=size > 0)
    return share


def divergence(found: ArrayLike, right: ArrayLike) -> NDArray[np.float64]:
    """KL(right || found) of the distributions that rows of logits (n, vocabulary) stand for, (n,) in nats.

    sum_t p(t) (log p(t) - log q(t)), p of ``right`` (Kullback and Leibler 1951, eq. 2.4).

    >>> divergence([[0.0, 0.0]], [[0.0, float(np.log(3))]]).round(6).tolist()
    [0.130812]
    """
    q, p = (_log_softmax(each) for each in _rows(found, right))
    nats: NDArray[np.float64] = np.maximum((np.exp(p) * (p - q)).sum(axis=1), 0.0)
    return nats


def top_agreement(found: ArrayLike, right: ArrayLike, k: int) -> float:
    """Share of the ``k`` largest coordinates of each row that both have, over all rows; 1 if they are the same.

    >>> top_agreement([[3, 2, 1, 0]], [[3, 1, 2, 0]], 1), top_agreement([[3, 2, 1, 0]], [[3, 1, 2, 0]], 2)
    (1.0, 0.5)
    """
    a, b = _rows(found, right)
    return _overlap(_largest(a, k), _largest(b, k))


def neighbour_stability(found: ArrayLike, right: ArrayLike, k: int) -> float:
    """Share of each row's ``k`` nearest other rows, by cosine, that are the same on both sides; 1 if they all are.

    Of more than ``MOST_NEIGHBOURS`` rows as many are taken, evenly spread.

    >>> line = [[1, 0], [1, 0.1], [0, 1], [0.1, 1]]
    >>> neighbour_stability(line, line, 1)
    1.0
    """
    a, b = _rows(found, right)
    if len(a) > MOST_NEIGHBOURS:
        taken = np.linspace(0, len(a) - 1, MOST_NEIGHBOURS).astype(int)
        a, b = a[taken], b[taken]
    k = min(k, len(a) - 1)
    return _overlap(_largest(_cosines(a), k), _largest(_cosines(b), k)) if k > 0 else 1.0


def layer_errors(found: NDArray[Any], right: NDArray[Any]) -> NDArray[np.float64]:
    """Relative L2 of keys and of values of each layer, (layers, 2), of caches (layers, 2, kv_heads, tokens, size)."""
    if found.shape != right.shape:
        raise ValueError(f"caches of shapes {found.shape} and {right.shape} cannot be compared")
    flat = [np.asarray(each, np.float64).reshape(found.shape[0] * 2, -1) for each in (found, right)]
    return relative_l2(*flat).reshape(-1, 2)


def slope(errors: ArrayLike) -> float:
    """Decades by which errors (n,) grow over 1,000 positions: least squares on log10; 0 where fewer than two are above
    ``LEAST``.

    >>> round(slope(10.0 ** (np.arange(500) / 100 - 8)), 6)
    10.0
    """
    values = np.asarray(errors, np.float64)
    at = np.flatnonzero(values > LEAST)
    if len(at) < 2:
        return 0.0
    positions, logs = at - at.mean(), np.log10(values[at])
    return float(1000 * (positions @ (logs - logs.mean())) / (positions @ positions))


def rows_differing(found: NDArray[Any], right: NDArray[Any]) -> int:
    """How many rows differ in any bit; NaN equals the same NaN, and 0.0 is not -0.0."""
    if found.shape != right.shape or found.dtype != right.dtype:
        raise ValueError(f"{found.dtype} {found.shape} and {right.dtype} {right.shape} cannot be compared bit by bit")
    a, b = (np.ascontiguousarray(each).view(np.uint8).reshape(len(each), -1) for each in (found, right))
    return int((a != b).any(axis=1).sum())


def baseline(rows: ArrayLike) -> float:
    """Mean 1 - cosine of all pairs of rows (n, width): what unrelated texts have between them.

    States of decoders point much the same way, so an error says little until it is held against this.

    Raises:
        ValueError: fewer than two rows.
    """
    values = np.asarray(rows, np.float64)
    if len(values) < 2:
        raise ValueError("a baseline takes two rows or more")
    first, second = np.triu_indices(len(values), 1)
    return float(one_minus_cosine(values[first], values[second]).mean())


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """All of it for n tokens.

    Attributes:
        error: 1 - cosine, (n,). ``l2``: relative, (n,). ``kl``: (n,) in nats, None where rows are no logits.
        top_1, top_k, neighbours: shares that agree; the first two 1 where rows are no logits.
        layers: relative L2 of keys and values, (layers, 2), None where no caches were given.
    """

    error: NDArray[np.float64]
    l2: NDArray[np.float64]
    kl: NDArray[np.float64] | None
    top_1: float
    top_k: float
    neighbours: float
    layers: NDArray[np.float64] | None

    def metrics(self, name: str) -> dict[str, Mapping[str, Any]]:
        """Metrics of a check, ``<name>_error`` (the worst token's 1 - cosine) first."""
        found: dict[str, Mapping[str, Any]] = {
            f"{name}_error": _metric(self.error.max(), "cosine distance"),
            f"{name}_error_mean": _metric(self.error.mean(), "cosine distance"),
            f"{name}_l2": _metric(self.l2.max(), "relative L2"),
            f"{name}_slope": _metric(slope(self.error), "decades per 1,000 tokens"),
            f"{name}_neighbours": _metric(self.neighbours, "share", "higher"),
        }
        if self.kl is not None:
            found |= {
                f"{name}_kl_mean": _metric(self.kl.mean(), "nats"),
                f"{name}_kl_p99": _metric(np.quantile(self.kl, 0.99), "nats"),
                f"{name}_kl_max": _metric(self.kl.max(), "nats"),
                f"{name}_top_1": _metric(self.top_1, "share", "higher"),
                f"{name}_top_{TOP}": _metric(self.top_k, "share", "higher"),
            }
        if self.layers is not None:
            found |= {
                f"{name}_keys": _metric(self.layers[:, 0].max(), "relative L2"),
                f"{name}_values": _metric(self.layers[:, 1].max(), "relative L2"),
            }
        return found


def drift(
    found: NDArray[Any], right: NDArray[Any], *, logits: bool,
    caches: tuple[NDArray[Any], NDArray[Any]] | None = None,
) -> Drift:  # fmt: skip
    """Hold outputs (n, width) against others; ``caches``: found and right, (layers, 2, kv_heads, tokens, size).

    Raises:
        ValueError: shapes differ, or a row has no direction.
    """
    return Drift(
        error=one_minus_cosine(found, right),
        l2=relative_l2(found, right),
        kl=divergence(found, right) if logits else None,
        top_1=top_agreement(found, right, 1) if logits else 1.0,
        top_k=top_agreement(found, right, TOP) if logits else 1.0,
        neighbours=neighbour_stability(found, right, TOP),
        layers=layer_errors(*caches) if caches else None,
    )


def _metric(value: Any, unit: str, direction: str = "lower") -> dict[str, Any]:
    return {"value": float(value), "unit": unit, "direction": direction}


def _rows(found: ArrayLike, right: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    a, b = np.asarray(found, np.float64), np.asarray(right, np.float64)
    if a.ndim != 2 or a.shape != b.shape:
        raise ValueError(f"rows of shapes {a.shape} and {b.shape} cannot be compared; give (n, width) twice")
    return a, b


def _log_softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    shifted = logits - logits.max(axis=1, keepdims=True)
    found: NDArray[np.float64] = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return found


def _largest(rows: NDArray[np.float64], k: int) -> NDArray[np.intp]:
    """Columns (n, k) of the largest values of each row, in no order."""
    k = min(k, rows.shape[1])
    found: NDArray[np.intp] = np.argpartition(-rows, k - 1, axis=1)[:, :k]
    return found


def _cosines(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Between all rows; none is a neighbour of its own."""
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    found: NDArray[np.float64] = unit @ unit.T
    np.fill_diagonal(found, -np.inf)
    return found


def _overlap(a: NDArray[np.intp], b: NDArray[np.intp]) -> float:
    return float(np.mean([len(np.intersect1d(x, y)) / len(x) for x, y in zip(a, b, strict=True)]))
