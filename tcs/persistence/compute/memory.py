"""How much memory a computation will take, told before it begins, and how much there is."""

from __future__ import annotations

import resource
from pathlib import Path

from tcs.persistence.errors import MemoryForecastError

GIB = 2**30
# Relative neighbours a point: 1.3 on surfaces and 1.6 in space were seen for even clouds, more is allowed for.
EDGES_A_POINT = 2.5
# Per edge: vertices and length in parts and joined, forest, numbers, columns and their reduction.
BYTES_AN_EDGE = 90
# Per point, besides the coordinates in the order of the cells: keys and places twice, cells, forest, row starts.
BYTES_A_POINT = 48
# Per edge of a graph, in the rows of both ends, with the sort before and the lunes after: from a matrix, from points.
BYTES_AN_EDGE_OF_MATRICES, BYTES_AN_EDGE_OF_POINTS = 75, 110
# What a small computation takes.
LITTLE = 16 * 2**20


def forecast(n: int, dimension: int) -> int:
    """Bytes that :func:`tcs.persistence.rips` takes for n points in so many coordinates, beyond the input itself.

    For an even cloud at thresholds where a point has some tens of neighbours; clumps and ties may take more.
    """
    return int(n * (8 * dimension + BYTES_A_POINT + EDGES_A_POINT * BYTES_AN_EDGE)) + LITTLE


def forecast_graph(n: int, edges: int, dimension: int = 0) -> int:
    """Bytes that :func:`tcs.persistence.rips` takes for a graph, beyond the input itself.

    Args:
        n, edges: of the graph. ``dimension``: of the points that it is made from; 0 for a matrix.
    """
    each = BYTES_AN_EDGE_OF_POINTS if dimension else BYTES_AN_EDGE_OF_MATRICES
    # the points scaled, centred and turned
    return edges * each + n * (4 * 8 * dimension + BYTES_A_POINT) + LITTLE


def available() -> int | None:
    """Bytes that may still be taken, the least of: the machine's, the control group's, those that ``ulimit -v`` leaves.

    None if nothing is known.
    """
    found = []
    for line in _lines(Path("/proc/meminfo")):
        if line.startswith("MemAvailable:"):
            found.append(int(line.split()[1]) * 1024)
    group = Path("/sys/fs/cgroup")
    limit = "".join(_lines(group / "memory.max")).strip()
    used = "".join(_lines(group / "memory.current")).strip()
    if limit.isdigit() and used.isdigit():
        found.append(max(0, int(limit) - int(used)))
    limit_of_process = resource.getrlimit(resource.RLIMIT_AS)[0]
    pages = "".join(_lines(Path("/proc/self/statm"))).split()
    if limit_of_process != resource.RLIM_INFINITY and pages:
        found.append(max(0, limit_of_process - int(pages[0]) * resource.getpagesize()))
    return min(found) if found else None


def require(
    needed: int, limit: int | None, what: str, instead: str = "give fewer points, a smaller threshold, or more memory"
) -> None:
    """Refuse work whose forecast is above the limit, or above what is available if there is no limit.

    Args:
        needed, limit: bytes. ``what``: is computed. ``instead``: what can be done.

    Raises:
        MemoryForecastError: says all of that.
    """
    allowed = available() if limit is None else limit
    if allowed is not None and needed > allowed:
        source = "are available" if limit is None else "are allowed (memory_limit)"
        raise MemoryForecastError(
            f"{what}: about {needed / GIB:.2f} GiB will be needed and {allowed / GIB:.2f} GiB {source}; {instead}"
        )


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []
