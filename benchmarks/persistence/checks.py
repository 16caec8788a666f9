"""What makes an answer right, without asking any player: one check for each task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.persistence import inputs as problem
from benchmarks.persistence.barcode import Bars, canonical, counts, deaths, sha256
from harness.case import Check

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Up to here the textbook reduction holds every simplex in well under a second or two.
ORACLE_SIMPLICES = 20_000
# Up to here all edges are listed once more to see that bars begin and end at their lengths.
LISTED_POINTS = 150_000
ALPHA_TOLERANCE = 1e-9

_RIPS = "minimum spanning forest (scipy)"
_ALPHA = "minimum spanning tree and dual graph of a qhull triangulation"
_GRID = "union-find over vertices and over the complement"


def rips(inputs: Mapping[str, Any], known: Mapping[str, Any], answer: Mapping[str, Any]) -> Check:
    """Bars of a Vietoris-Rips filtration: exact, bit for bit after rounding to float32.

    H0 is held against a minimum spanning forest that was found apart from any player; H1 and up against the known
    counts, the lengths of all edges (every bar begins and ends at one; not above ``LISTED_POINTS`` points, which the
    oracle's text then says) and, where the complex is small, the textbook reduction.
    """
    task = problem.rips(inputs)
    try:
        bars = canonical(answer, task.max_dimension, ceiling=task.threshold)
    except ValueError as error:
        return Check(ok=False, oracle=_RIPS, detail=str(error))
    small = _few_simplices(task)
    oracle = _rips_oracle(task, known, small=small)
    wrong = _forest_differs(task, known, bars["bars_0"]) or _counts_differ(known, bars) or _no_edges(task, bars)
    if not wrong and small:
        from benchmarks.persistence.oracle import rips as reduce

        right = reduce(task.points, task.threshold, task.max_dimension)
        wrong = _differs(canonical({f"bars_{d}": rows for d, rows in enumerate(right)}, task.max_dimension), bars)
    distance = None if wrong else 0.0
    return Check(ok=not wrong, oracle=oracle, detail=wrong, distance=distance, tolerance=0.0, canonical=bars)


def forest(task: problem.Rips) -> dict[str, Any]:
    """What H0 must be, as JSON: ``components`` and the ``sha256`` of the sorted non-zero float32 deaths."""
    lengths, components = _forest(task)
    return {"components": components, "sha256": sha256(lengths)}


def alpha(inputs: Mapping[str, Any], known: Mapping[str, Any], answer: Mapping[str, Any]) -> Check:
    """Bars of an alpha filtration with values that are squared radii, within 1e-9 relative.

    H0 and H(d-1) are held against a second triangulation; of H1 in 3-D only form and counts are checked. Values are
    sums of products, which right programs round differently, so answers are compared by distance, not by digest.
    """
    from benchmarks.persistence.alpha import reference

    points = problem.cloud(inputs["points"])
    top = points.shape[1] - 1
    try:
        bars = canonical(answer, top)
    except ValueError as error:
        return Check(ok=False, oracle=_ALPHA, detail=str(error), exact=False)
    right_deaths, right_top = reference(points)
    low = _long(answer["bars_0"])
    found, right = _long(answer[f"bars_{top}"]), _long(right_top)
    distance: float | None = 0.0
    wrong = ""
    for name, ours, reference_values in (
        ("deaths in H0", low[np.isfinite(low[:, 1]), 1], right_deaths),
        (f"births in H{top}", found[:, 0], right[:, 0]),
        (f"deaths in H{top}", found[:, 1], right[:, 1]),
    ):
        if len(ours) != len(reference_values):
            wrong = wrong or f"{len(ours)} {name} instead of {len(reference_values)}"
            distance = None
            continue
        off = _relative(np.sort(ours), np.sort(reference_values))
        # a distance is a finite number or none: an infinite death where a finite one belongs has none
        distance = max(distance, off) if distance is not None and np.isfinite(off) else None
        if not off <= ALPHA_TOLERANCE:
            wrong = wrong or f"{name} are off by up to {off:.1e} relative; are the values squared radii?"
    essential = counts(bars)["essential"]
    if any(essential[str(d)] != (d == 0) for d in range(top + 1)):
        wrong = wrong or f"essential classes by dimension are {essential}; a ball has one, in dimension 0"
    wrong = wrong or _counts_differ(known, bars)
    return Check(
        ok=not wrong, oracle=_ALPHA, detail=wrong, distance=distance, tolerance=ALPHA_TOLERANCE, canonical=bars,
        exact=False,
    )  # fmt: skip


def cubical(inputs: Mapping[str, Any], known: Mapping[str, Any], answer: Mapping[str, Any]) -> Check:
    """Bars of the lower-star filtration of a grid of cubes with values on its vertices: exact.

    H0 and H(d-1) are held against a union-find over the vertices and over the complement.
    """
    from benchmarks.persistence.components import grid_bars

    values = problem.grid(inputs["values"])
    top = values.ndim - 1
    try:
        bars = canonical(answer, top, ceiling=float(values.max()))
    except ValueError as error:
        return Check(ok=False, oracle=_GRID, detail=str(error))
    low, high = grid_bars(values)
    right = canonical({"bars_0": low, "bars_1": high}, 1)
    wrong = _differs({"bars_0": right["bars_0"], f"bars_{top}": right["bars_1"]}, bars) or _counts_differ(known, bars)
    distance = None if wrong else 0.0
    return Check(ok=not wrong, oracle=_GRID, detail=wrong, distance=distance, tolerance=0.0, canonical=bars)


def flood(inputs: Mapping[str, Any], known: Mapping[str, Any], answer: Mapping[str, Any]) -> Check:
    """Bars of a Flood complex (radii): how far from the alpha bars of all points, in bottleneck distance.

    The tolerance is the covering radius of the landmarks: the Flood complex sees nothing smaller.
    """
    import gudhi

    points = problem.cloud(inputs["points"])
    top = points.shape[1] - 1
    tolerance = float(known["covering_radius"])
    oracle = "bottleneck distance to the alpha filtration of all points (GUDHI)"
    try:
        bars = canonical(answer, top)
    except ValueError as error:
        return Check(ok=False, oracle=oracle, detail=str(error), exact=False)
    tree = gudhi.AlphaComplex(points=points, precision="safe").create_simplex_tree()
    tree.compute_persistence(homology_coeff_field=2)
    distance = 0.0
    for d in range(top + 1):
        full = np.sqrt(np.maximum(tree.persistence_intervals_in_dimension(d).reshape(-1, 2), 0))
        pair = [rows[rows[:, 1] - rows[:, 0] > tolerance / 10] for rows in (full, bars[f"bars_{d}"].astype(np.float64))]
        distance = max(distance, float(gudhi.bottleneck_distance(*pair)))
    ok = distance <= tolerance
    detail = "" if ok else f"bottleneck distance {distance:.3g} is above the covering radius {tolerance:.3g}"
    if not np.isfinite(distance):
        return Check(ok=False, oracle=oracle, detail=detail, tolerance=tolerance, canonical=bars, exact=False)
    return Check(
        ok=ok, oracle=oracle, detail=detail, distance=distance, tolerance=tolerance, canonical=bars, exact=False,
        metrics={"bottleneck": {"value": distance, "unit": "length", "direction": "lower"}},
    )  # fmt: skip


def _rips_oracle(task: problem.Rips, known: Mapping[str, Any], *, small: bool) -> str:
    """What an answer is held against, in words; for points too many to list the edges of, also what it is not."""
    parts = [_RIPS]
    if listed := len(task.points) <= LISTED_POINTS:
        parts.append("lengths of edges")
    counted = {int(d) for kind in ("finite", "essential") for d in known.get(kind) or {}}
    if counted:
        parts.append("known counts")
    if small:
        parts.append("textbook reduction")
    text = ", ".join(parts)
    if listed:
        return text
    for d in range(1, task.max_dimension + 1):
        text += f"; H{d} checked by counts" if d in counted else f"; H{d} unchecked"
        text += "; its bars rest on agreement"
    return text


def _few_simplices(task: problem.Rips) -> bool:
    n, pairs = len(task.points), 0.0
    if n > 400:
        return False
    from benchmarks.persistence.neighbours import neighbours

    # the number of simplices is at most that of a complex whose vertices all have the largest degree
    found = neighbours(task.points, task.threshold)
    degree = int(np.bincount(np.concatenate([found.i, found.j]), minlength=n).max(initial=0))
    total, pairs = float(n), float(n)
    for d in range(1, task.max_dimension + 2):
        pairs *= max(0, degree - d + 1) / (d + 1)
        total += pairs
    return total <= ORACLE_SIMPLICES


def _forest(task: problem.Rips) -> tuple[Bars, int]:
    from benchmarks.persistence.neighbours import TREE_DIMENSION, cloud_forest, neighbours, spanning_forest

    n, dimension = task.points.shape
    if n > LISTED_POINTS and dimension <= TREE_DIMENSION:
        lengths, components = cloud_forest(task.points, task.threshold)
    else:
        lengths, components = spanning_forest(n, neighbours(task.points, task.threshold))
    rounded = lengths.astype(np.float32)
    return rounded[rounded > 0], components


def _forest_differs(task: problem.Rips, known: Mapping[str, Any], bars: Bars) -> str:
    """Why H0 is wrong, or an empty text."""
    if (bars[:, 0] != 0).any():
        return f"H0: {int((bars[:, 0] != 0).sum())} bars are not born at 0"
    found, essential = deaths(bars), int(np.isinf(bars[:, 1]).sum())
    expected = known.get("forest") or {}
    if expected.get("components") == essential and expected.get("sha256") == sha256(found):
        return ""
    right, components = _forest(task)
    if essential != components:
        return f"H0: {essential} essential classes, but {components} components"
    if len(found) != len(right):
        return f"H0: {len(found)} finite bars of positive length, but the spanning forest has {len(right)} such edges"
    if different := int((found.view(np.uint32) != np.sort(right).view(np.uint32)).sum()):
        return f"H0: {different} of {len(right)} deaths are not the float32 length of an edge of the spanning forest"
    return ""


def _no_edges(task: problem.Rips, bars: Mapping[str, Bars]) -> str:
    """Which bars above H0 begin or end where there is no edge, or an empty text."""
    if task.max_dimension == 0 or len(task.points) > LISTED_POINTS:
        return ""
    from benchmarks.persistence.neighbours import neighbours

    lengths = np.unique(neighbours(task.points, task.threshold).lengths.astype(np.float32))
    for d in range(1, task.max_dimension + 1):
        ends = bars[f"bars_{d}"].ravel()
        strange = np.setdiff1d(ends[np.isfinite(ends)], lengths)
        if strange.size:
            example = float(strange[0])
            return f"H{d}: {strange.size} births or deaths are no float32 length of an edge, for example {example}"
    return ""


def _counts_differ(known: Mapping[str, Any], bars: Mapping[str, Bars]) -> str:
    found = counts(bars)
    for kind in ("finite", "essential"):
        for d, right in (known.get(kind) or {}).items():
            if d in found[kind] and found[kind][d] != right:
                return f"H{d}: {found[kind][d]} {kind} bars instead of {right}"
    return ""


def _differs(right: Mapping[str, Bars], bars: Mapping[str, Bars]) -> str:
    for name, rows in right.items():
        if rows.tobytes() != bars[name].tobytes():
            lost = {tuple(row) for row in rows.tolist()} - {tuple(row) for row in bars[name].tolist()}
            example = f", for example {min(lost)} is missing" if lost else ""
            return f"{name}: {len(bars[name])} bars differ from the {len(rows)} right ones{example}"
    return ""


def _long(bars: Any) -> NDArray[np.float64]:
    """Bars that rounding cannot have made: longer than 1e-7 of their death, or without end."""
    rows: NDArray[np.float64] = np.asarray(bars, dtype=np.float64).reshape(-1, 2)
    birth, death = rows[:, 0], rows[:, 1]
    kept: NDArray[np.float64] = rows[(birth < death * (1 - 1e-7)) | np.isinf(death)]
    return kept


def _relative(found: NDArray[np.float64], right: NDArray[np.float64]) -> float:
    with np.errstate(over="ignore", invalid="ignore"):
        off = np.abs(found - right) / np.maximum(np.abs(right), np.finfo(np.float64).tiny)
    return float(off.max(initial=0.0))
