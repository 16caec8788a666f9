"""Forecasts of memory: they cover what is taken, grow with what they are told, and refuse in words."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from scipy import sparse

pytest.importorskip("numba", reason="the engine's kernels are compiled by numba")

from tcs.persistence import rips
from tcs.persistence.compute.memory import LITTLE, forecast_graph
from tcs.persistence.errors import MemoryForecastError

# What a call takes beyond what was there before it, in a process that has loaded its kernels.
PEAK = """
import sys
import numpy as np
from scipy import sparse
from tcs.persistence import rips

kind, n, max_dimension = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])

def read(key):
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(key))

def given(n):
    points = np.random.default_rng(0).random((n, 3))
    if kind == "points":
        return points, 1.2, "cityblock"
    matrix = abs(points[:, None] - points[None]).sum(axis=2)
    return matrix if kind == "dense" else sparse.coo_matrix(np.triu(matrix, 1)).tocsr(), 1.2, "precomputed"

for size in (n // 20, n):
    cloud, threshold, metric = given(size)
    with open("/proc/self/clear_refs", "w") as peak:
        peak.write("5")
    before = read("VmRSS")
    rips(cloud, threshold=threshold, metric=metric, max_dimension=max_dimension, threads=2)
print(read("VmHWM") - before)
"""


@pytest.mark.parametrize(("kind", "max_dimension"), [("dense", 2), ("sparse", 1), ("points", 1)])
def test_the_forecast_of_a_graph_covers_what_is_taken(kind: str, max_dimension: int) -> None:
    """And is no more than three times as much: some million edges, in a process of its own."""
    n = 2_500
    points = np.random.default_rng(0).random((n, 3))
    edges = sum(int((abs(points[i + 1 :] - points[i]).sum(axis=1) <= 1.2).sum()) for i in range(n))
    command = [sys.executable, "-c", PEAK, kind, str(n), str(max_dimension)]
    taken = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    needed = forecast_graph(n, edges, 3 if kind == "points" else 0)
    assert needed / 3 < taken < needed


def test_the_forecast_of_a_graph_grows_with_edges_and_coordinates() -> None:
    """For nothing it is little; a billion edges take more than most machines have."""
    assert forecast_graph(0, 0) == LITTLE
    assert forecast_graph(100, 1000) < forecast_graph(100, 2000) < forecast_graph(100, 2000, 3)
    assert forecast_graph(100, 2000, 3) < forecast_graph(100, 2000, 30) < forecast_graph(1000, 2000, 30)
    assert 2**36 < forecast_graph(10**5, 10**9) < 2**38


def test_graphs_are_refused_by_their_edges() -> None:
    """Before they are made, with their number and the next step; a pair stored twice is one edge."""
    n = 600
    points = np.random.default_rng(1).random((n, 14))
    matrix = abs(points[:, None] - points[None]).max(axis=2)
    every, limit = n * (n - 1) // 2, forecast_graph(n, n * (n - 1) // 2)
    both, upper = sparse.csr_matrix(matrix), sparse.triu(matrix, 1)
    half = int((np.triu(matrix, 1)[np.triu_indices(n, 1)] <= 0.6).sum())
    told = f"matrix: {n} points, {half:,} edges: about .* GiB are allowed .memory_limit.; give fewer points, a smaller"
    with pytest.raises(MemoryForecastError, match=told):
        rips(matrix, threshold=0.6, metric="precomputed", memory_limit=forecast_graph(n, half) - 1)
    assert rips(matrix, threshold=0.6, metric="precomputed", memory_limit=forecast_graph(n, half)).n_points == n
    for stored in (both, upper):
        assert rips(stored, threshold=0.6, metric="precomputed", memory_limit=limit).n_points == n
        with pytest.raises(MemoryForecastError, match=f"up to {every:,} edges: about"):
            rips(stored, threshold=0.6, metric="precomputed", memory_limit=limit - 1)
    with pytest.raises(MemoryForecastError, match=r"600 points, [\d,]+ edges expected: about"):
        rips(points, threshold=0.9, metric="chebyshev", memory_limit=LITTLE + 2**20)
    with pytest.raises(MemoryForecastError, match=f"{n * n:,} entries as float64: about"):
        rips(matrix.astype(np.float32), threshold=0.6, metric="precomputed", memory_limit=8 * n * n - 1)


def test_high_dimensions_are_refused_by_their_edges_too() -> None:
    """Euclidean points that no grid parts are a graph: their edges are told, not only their number."""
    points = np.random.default_rng(1).random((2_000, 20))
    with pytest.raises(MemoryForecastError, match=r"2,000 points, 1,[\d,]+ edges expected: about"):
        rips(points, threshold=np.inf, memory_limit=2**26)
