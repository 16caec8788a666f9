"""Clouds that are larger than memory: drawn in chunks onto a disk, computed in tiles, checked in some of them.

The answer is no list of bars, which would be gigabytes, but their counts and digest, and what was found in three
tiles. The check draws the cloud again, keeps what lies in those tiles and around them, and finds relative neighbours
and components of lunes of some points there by another way: a k-d tree, all pairs of a lune, and scipy's components.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.persistence.thresholds import threshold
from harness.case import Check, Problem, case

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHUNK = 2**22
# Points of each tile whose lunes are found again.
LOOKED_AT = 500
_ORACLE = "lunes of {} points in {} tiles (k-d tree, scipy's components)"


@case(version=1, task="persistence.rips_in_tiles", check="benchmarks.persistence.tiles:tiles")
def torus_on_disk(n: int, k: int, seed: int = 0) -> Problem:
    """W(n, k), drawn onto a disk by the player itself: the torus in R^3 at mean degree k."""
    return Problem(inputs={"n": n, "seed": seed, "threshold": threshold("torus", n, k)})


def torus_in_chunks(n: int, seed: int = 0) -> Iterator[NDArray[np.float64]]:
    """The points of :func:`benchmarks.persistence.workloads.torus`, bit for bit, some millions at a time.

    Every kind of draw has a generator of its own, advanced to where its draws begin in the single stream.

    Raises:
        ValueError: so few points that one round of rejection does not suffice, and the draws begin elsewhere.
    """
    angles, heights, turns, noise = (np.random.Generator(np.random.PCG64(seed).advance(k * n)) for k in (0, 2, 4, 5))
    drawn = given = 0
    waiting = np.empty(0)
    while given < n:
        while len(waiting) < min(CHUNK, n - given):
            size = min(CHUNK, 2 * n - drawn)
            if size == 0:
                raise ValueError(f"n: {n} points need a second round of rejection; draw them by workloads.torus")
            theta = angles.uniform(0, 2 * np.pi, size)
            kept = heights.uniform(0, 1, size) <= (1.0 + 0.4 * np.cos(theta)) / (1.0 + 0.4)
            waiting = np.concatenate([waiting, theta[kept]])
            drawn += size
        size = min(CHUNK, n - given)
        theta, waiting = waiting[:size], waiting[size:]
        phi = turns.uniform(0, 2 * np.pi, size)
        ring = 1.0 + 0.4 * np.cos(theta)
        points = np.stack([ring * np.cos(phi), ring * np.sin(phi), 0.4 * np.sin(theta)], axis=1)
        given += size
        yield np.ascontiguousarray(points + noise.normal(0, 0.002, (size, 3)))


def tiles(inputs: Mapping[str, Any], known: Mapping[str, Any], answer: Mapping[str, Any]) -> Check:
    """Counts that fit each other, and the lunes of some points of each tile that was handed in.

    An answer holds ``counts`` (2, 2), finite and essential by dimension; the ``digest`` of the bars (32 bytes); the
    number of ``edges``, relative neighbours; ``axis``, along which tiles lie, and ``spans`` (m, 2), where each begins
    and ends; for each tile j ``edges_j`` and ``fillers_j`` (.., 2): relative neighbours, and an edge for each
    component of its lune but the first, by places in the input, of all edges whose ends lie well within the tile.
    """
    n, longest = int(inputs["n"]), float(inputs["threshold"])
    counts, spans = np.asarray(answer["counts"]), np.asarray(answer["spans"]).reshape(-1, 2)
    wrong = ""
    if counts[0].sum() != n:
        wrong = f"H0 has {counts[0].sum():,} bars, not one for each of {n:,} points"
    # at most, since a loop that is filled at once is no bar
    elif (loops := int(answer["edges"]) - int(counts[0, 0])) < counts[1].sum():
        wrong = f"H1 has {counts[1].sum():,} bars, and {loops:,} relative neighbours are outside of the forest"
    seen = 0
    for j, (places, points) in enumerate(_around(inputs, int(answer["axis"]), spans, 3 * longest)):
        if wrong:
            break
        looked_at, wrong = _look(
            places, points, longest, spans[j], int(answer["axis"]), answer[f"edges_{j}"], answer[f"fillers_{j}"]
        )
        seen += looked_at
    canonical = {"counts": counts, "digest": np.asarray(answer["digest"])}
    return Check(ok=not wrong, oracle=_ORACLE.format(seen, len(spans)), detail=wrong, canonical=canonical)


def _around(
    inputs: Mapping[str, Any], axis: int, spans: NDArray[np.float64], margin: float
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float64]]]:
    """Points in each span and a margin around it, and their places in the input."""
    found: list[list[tuple[NDArray[np.int64], NDArray[np.float64]]]] = [[] for _ in spans]
    first = 0
    for chunk in torus_in_chunks(int(inputs["n"]), int(inputs["seed"])):
        for j, (low, high) in enumerate(spans):
            inside = np.flatnonzero((chunk[:, axis] >= low - margin) & (chunk[:, axis] < high + margin))
            found[j].append((inside + first, chunk[inside]))
        first += len(chunk)
    for each in found:
        places, points = (np.concatenate(part) for part in zip(*each, strict=True))
        yield places, points


def _look(
    places: NDArray[np.int64], points: NDArray[np.float64], longest: float, span: NDArray[np.float64], axis: int,
    edges: NDArray[np.int64], fillers: NDArray[np.int64],
) -> tuple[int, str]:  # fmt: skip
    """How many points of a tile were looked at, and what is wrong with their lunes."""
    from scipy.spatial import cKDTree

    tree = cKDTree(points)
    inside = np.flatnonzero((points[:, axis] >= span[0] + 2 * longest) & (points[:, axis] < span[1] - 2 * longest))
    if len(inside) == 0:
        return 0, f"the tile from {span[0]} to {span[1]} has no points further than two edges from its borders"
    chosen = np.random.default_rng(0).choice(inside, min(LOOKED_AT, len(inside)), replace=False)
    at_edges, at_fillers = _by_vertex(edges), _by_vertex(fillers)
    for x in chosen:
        near = np.array([y for y in tree.query_ball_point(points[x], longest * (1 + 1e-9)) if y != x], dtype=np.int64)
        right_edges, right_fillers = _lunes(points, x, near, longest)
        for what, right, found in (
            ("relative neighbours", right_edges, at_edges), ("fillers", right_fillers, at_fillers),
        ):  # fmt: skip
            if sorted(places[right].tolist()) != sorted(found.get(int(places[x]), [])):
                return len(chosen), f"point {places[x]} has other {what} than {sorted(places[right].tolist())}"
    return len(chosen), ""


def _by_vertex(pairs: NDArray[np.int64]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for a, b in np.asarray(pairs).tolist():
        found.setdefault(a, []).append(b)
        found.setdefault(b, []).append(a)
    return found


def _lunes(
    points: NDArray[np.float64], x: int, near: NDArray[np.int64], longest: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Ends of the edges from x with an empty lune, and of those with several components, once for each but one.

    Equal lengths, which have probability nought here, are not told apart.
    """
    from scipy.sparse.csgraph import connected_components

    # squared distances, coordinate by coordinate
    squares = np.zeros((len(near) + 1,) * 2)
    for column in points[np.append(near, x)].T:
        squares += (column[:, None] - column[None]) ** 2
    to_x = squares[-1, :-1]
    empty, several = [], []
    for i, y in enumerate(near):
        if np.float32(np.sqrt(to_x[i])) > np.float32(longest):
            continue
        lune = np.flatnonzero((to_x < to_x[i]) & (squares[i, :-1] < to_x[i]))
        if len(lune) == 0:
            empty.append(y)
            continue
        parts, _ = connected_components(squares[np.ix_(lune, lune)] < to_x[i], directed=False)
        several += [y] * (parts - 1)
    return np.array(empty, dtype=np.int64), np.array(several, dtype=np.int64)
