"""TCS in tiles: the persistence engine of this project on clouds that are larger than memory."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.persistence import inputs as problem
from benchmarks.persistence.barcode import as_answer
from benchmarks.persistence.players.packages import need
from benchmarks.persistence.players.steps import Answer, Solve
from benchmarks.persistence.players.tcs import FIRST, INSTALL, neighbourhood
from harness.case import Stage, player
from harness.errors import Unavailable

TILE_POINTS = 2**20
HIGHEST = 1


@player(
    name="tcs in tiles",
    task="persistence.rips",
    role="candidate",
    engine="tcs",
    packages={"numba": ">=0.60"},
    install="pip install -e '.[persistence]' -c constraints.txt",
    cite="tcs.persistence; reduced Vietoris-Rips complex: Koyama, Memoli, Robins and Turner, arXiv:2307.16333",
    note="points and results of tiles on disk, in a temporary folder; its kernels are loaded before it is timed",
)
def in_tiles(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """tcs.persistence.rips_in_tiles, from points to bars, in at least ten tiles."""
    task = problem.rips(inputs)
    need("numba", INSTALL)
    from tcs.persistence import rips_in_tiles
    from tcs.persistence.vietoris_rips import GRID_DIMENSION

    if task.max_dimension > HIGHEST:
        raise Unavailable(f"tiles are for H0 to H{HIGHEST}, not H{task.max_dimension}")
    if task.points.shape[1] > GRID_DIMENSION:
        raise Unavailable(f"{task.points.shape[1]} coordinates cannot be tiled, up to {GRID_DIMENSION} can")
    size = _size(len(task.points))
    rips_in_tiles(neighbourhood(task.points), threshold=task.threshold, threads=task.threads)

    def solve() -> Answer:
        found = rips_in_tiles(
            task.points, threshold=task.threshold, max_dimension=task.max_dimension, threads=task.threads,
            tile_points=size, span=stage,
        )  # fmt: skip
        return as_answer(found.bars)

    return solve


@player(
    name="tcs from disk",
    task="persistence.rips_in_tiles",
    role="candidate",
    engine="tcs",
    packages={"numba": ">=0.60"},
    install="pip install -e '.[persistence]' -c constraints.txt",
    cite="tcs.persistence; reduced Vietoris-Rips complex: Koyama, Memoli, Robins and Turner, arXiv:2307.16333",
    note="the cloud is drawn onto a disk before it is timed; sorting it, tiles and their results on disk are timed",
)
def from_disk(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """tcs.persistence.rips_in_tiles, from a memory map of points to counts, a digest and what three tiles hold."""
    from benchmarks.persistence.tiles import torus_in_chunks

    need("numba", INSTALL)
    from tcs.persistence import rips_in_tiles

    scratch = Path(tempfile.mkdtemp(prefix="tcs-from-disk-"))
    atexit.register(shutil.rmtree, scratch, ignore_errors=True)
    place = scratch / "points.npy"
    n, longest, threads = int(inputs["n"]), float(inputs["threshold"]), problem.threads(inputs)
    points = np.lib.format.open_memmap(place, mode="w+", dtype=np.float64, shape=(n, 3))
    first = 0
    for chunk in torus_in_chunks(n, int(inputs["seed"])):
        points[first : first + len(chunk)] = chunk
        first += len(chunk)
    points.flush()
    rips_in_tiles(points[:FIRST], threshold=longest, threads=threads)
    rounds, size = 0, _size(n)

    def solve() -> Answer:
        nonlocal rounds
        rounds += 1
        folder = scratch / f"tiles-{rounds}"
        cloud = np.load(place, mmap_mode="r", allow_pickle=False)
        found = rips_in_tiles(
            cloud, threshold=longest, threads=threads, folder=folder, tile_points=size, span=stage
        )  # fmt: skip
        counts = [[len(found.finite(d)), len(found.essential(d))] for d in (0, 1)]
        digest = np.frombuffer(bytes.fromhex(found.digest()), dtype=np.uint8)
        return {"counts": np.array(counts), "digest": digest, **_tiles(folder, size)}

    return solve


def _size(n: int) -> int:
    """Points of a tile: at least ten tiles, since one would show nothing."""
    return max(1, min(TILE_POINTS, n // 10))


def _tiles(folder: Path, most: int) -> Answer:
    """What the first, the middle and the last tile hold, by places in the input, and how many edges all hold."""
    from tcs.persistence.tiles.folder import Folder
    from tcs.persistence.tiles.layers import layers_in
    from tcs.persistence.tiles.tiling import lunes_of

    kept = Folder(folder)
    layers = layers_in(kept)
    order, grid, cuts = layers.order.read(0, layers.n).ravel().astype(np.int64), layers.grid, layers.cut(most)
    answer: dict[str, Any] = {"axis": int(grid.axes[0])}
    answer["edges"] = sum(len(kept.load(lunes_of(i), "lengths")["lengths"]) for i in range(len(cuts)))
    spans = []
    for j, i in enumerate(sorted({0, len(cuts) // 2, len(cuts) - 1})):
        # a layer of empty cells comes before the first that holds points
        spans.append([grid.corner[grid.axes[0]] + (layer - 1) * grid.side for layer in cuts[i]])
        found = kept.load(lunes_of(i), "edges", "fillers")
        answer[f"edges_{j}"], answer[f"fillers_{j}"] = order[found["edges"]], order[found["fillers"][:, :2]]
    answer["spans"] = np.array(spans)
    return answer
