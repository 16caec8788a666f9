"""Tiles: what one finds does not depend on how the cloud was cut, or on who worked on it."""

from __future__ import annotations

import os
import signal
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, strategies as st

pytest.importorskip("numba", reason="the engine's kernels are compiled by numba")

from clouds import torus
from tcs.persistence import WorkerError, rips, rips_in_tiles
from tcs.persistence.errors import InputError
from tcs.persistence.tiles import tiling
from tcs.persistence.tiles.tile import Tile, find_lunes
from tcs.persistence.tiles.tiling import filled_in, results

CLOUD, THRESHOLD = torus(2_000), 0.25


@pytest.fixture(scope="module")
def right() -> str:
    """The digest of the bars in one piece."""
    return rips(CLOUD, threshold=THRESHOLD).digest()


def test_columns_that_leave_their_tile_are_tried_again(right: str, tmp_path: Path) -> None:
    """With a halo of one layer, that of lunes, some do; at last every column is there."""
    with patch.object(tiling, "LAYERS_AROUND", 1):
        found = rips_in_tiles(CLOUD, threshold=THRESHOLD, folder=tmp_path, tile_points=100)
    assert found.digest() == right
    halos = {int(path.stem.rsplit("-", 1)[1]) for path in tmp_path.glob("columns-*.npz")}
    assert {1, 2} <= halos


@given(st.lists(st.tuples(st.lists(st.integers(0, 9)), st.booleans(), st.booleans())))
def test_columns_are_filled_in(columns: list[tuple[list[int], bool, bool]]) -> None:
    """Each in its place; some may be missing again."""
    kept = [(rows if there else None) for rows, there, _ in columns]
    new = [(rows if now else None) for rows, there, now in columns if not there]

    def packed(each: list[Any]) -> tuple[Any, Any]:
        entries = np.array([row for rows in each if rows for row in rows], dtype=np.int32)
        return entries, np.array([-1 if rows is None else len(rows) for rows in each], dtype=np.int64)

    entries, sizes = filled_in(*packed(kept), *packed(new))
    right, right_sizes = packed([rows if there or now else None for rows, there, now in columns])
    assert entries.dtype == np.int32
    assert entries.tolist() == right.tolist()
    assert sizes.tolist() == right_sizes.tolist()


def test_processes_work_on_tiles(right: str) -> None:
    """As they do on another machine: all that a tile needs travels with it."""
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        assert rips_in_tiles(CLOUD, threshold=THRESHOLD, tile_points=500, executor=pool).digest() == right


def die(tile: Tile, index: Any) -> Any:
    """End the process that works on one of the tiles."""
    if tile.offset > 0:
        os._exit(9)
    return find_lunes(tile, index)


def test_a_worker_that_is_killed(right: str, tmp_path: Path) -> None:
    """The error says what to do, and doing it leads to the right bars."""
    with (
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool,
        patch.object(tiling, "find_lunes", die),
        pytest.raises(WorkerError, match=r"a worker failed on a tile: BrokenProcessPool.* name it again to go on"),
    ):
        rips_in_tiles(CLOUD, threshold=THRESHOLD, tile_points=500, executor=pool, folder=tmp_path)
    assert not list(tmp_path.glob("*.part"))
    assert rips_in_tiles(CLOUD, threshold=THRESHOLD, tile_points=500, folder=tmp_path).digest() == right


class Counting(ThreadPoolExecutor):
    """Counts what is under way."""

    most = under_way = 0

    def submit(self, *given: Any, **more: Any) -> Future[Any]:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        return super().submit(*given, **more)


def test_only_so_many_tiles_are_under_way() -> None:
    """Arguments are made when there is room for them, and results come in order."""
    with Counting(2) as pool:
        found = []
        for each in results(pool, lambda k: {"k": np.array(k)}, ((k,) for k in range(100))):
            pool.under_way -= 1
            found.append(int(each["k"]))
        assert pool.most <= tiling.UNDER_WAY
    assert found == list(range(100))


def test_our_own_errors_are_handed_on() -> None:
    """They say more than that a worker failed; tiles that wait are called off."""

    def refuse(k: int) -> Any:
        raise InputError(f"tile {k}")

    with ThreadPoolExecutor(1) as pool, pytest.raises(InputError, match="tile 0"):
        list(results(pool, refuse, ((k,) for k in range(5))))


def test_dask_works_on_tiles(right: str, tmp_path: Path) -> None:
    """A local cluster of two processes, one of which is killed after the first tile: the bars are right."""
    distributed = pytest.importorskip("distributed", reason="the extra 'dask' is not installed")
    killed: list[int] = []
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, local_directory=str(tmp_path)
        ) as cluster,
        distributed.Client(cluster) as client,
    ):

        def kill_one(stage: str, done: int, total: int) -> None:
            if stage == "lunes" and done == 1 and not killed:
                killed.append(min(client.run(os.getpid).values()))
                os.kill(killed[0], signal.SIGKILL)

        executor: Executor = client.get_executor()
        found = rips_in_tiles(CLOUD, threshold=THRESHOLD, tile_points=100, executor=executor, progress=kill_one)
    assert killed
    assert found.digest() == right
