"""Dory (pydory), which reads and writes text files: a list of edges in, one file of bars a dimension out."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.persistence import inputs as problem
from benchmarks.persistence.barcode import as_answer
from benchmarks.persistence.neighbours import neighbours
from benchmarks.persistence.players.packages import need
from harness.case import Stage, player
from harness.errors import Unavailable

if TYPE_CHECKING:
    from numpy.typing import NDArray

Solve = Callable[[], Mapping[str, Any]]

_SORTED_EDGES = 3
_NO_LIMIT = -1.0


@player(
    name="Dory",
    task="persistence.rips",
    engine="Dory",
    packages={"pydory": ">=1.1.137", "pyarrow": ">=17"},
    install="pip install -e '.[dory]' -c constraints.txt (source: needs a C compiler with OpenMP)",
    cite="Aggarwal and Periwal, Dory: Computation of persistence diagrams up to dimension two, 2024",
    note="it reads text alone: sorted edges, by pyarrow, which is charged; lengths scaled, since it writes 12 decimals",
)
def dory(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """Dory from a sorted list of edges (its file type 3; from points it would try all pairs).

    All four of its file types are text, so the text cannot be avoided; pyarrow writes it eight times faster than
    numpy's savetxt does.
    """
    task = problem.rips(inputs)
    package = need("pydory", "pip install -e '.[dory]' -c constraints.txt (source: needs a C compiler with OpenMP)")
    need("pyarrow.csv", "pip install -e '.[dory]' -c constraints.txt: pyarrow writes the text that Dory reads")
    if task.max_dimension > 2:
        raise Unavailable(f"Dory computes H0, H1 and H2, not H{task.max_dimension}; ask for max_dimension <= 2")
    # Scaled to about 2^20 the 12 decimals hold every float32; a power of two rounds nothing.
    scale = 2.0 ** (20 - math.frexp(task.threshold)[1])

    def solve() -> Mapping[str, Any]:
        with stage("neighbours"):
            found = neighbours(task.points, task.threshold)
            lengths = found.lengths.astype(np.float32)
            order = np.argsort(lengths, kind="stable")
            scaled = lengths[order] * np.float32(scale)
        # within TMPDIR, for which a runner sets the job's folder: what a kill leaves behind goes with the job
        with tempfile.TemporaryDirectory(prefix="dory-") as folder:
            edges, target = Path(folder, "edges.csv"), str(Path(folder, "bars_"))
            with stage("text"):
                _write(edges, found.i[order], found.j[order], scaled)
            with stage("reduction"):
                if len(scaled):
                    # asked for H0 alone it crashes
                    package.compute_PH(
                        str(edges), 0.0, _NO_LIMIT, _SORTED_EDGES, task.threads, target,
                        max(1, task.max_dimension), 0, 0, 0.0, 1, 1000, 1000,
                    )  # fmt: skip
            with stage("bars"):
                deaths = _read(Path(f"{target}H0_pers_data.txt")) / scale
                higher = [_read(Path(f"{target}H{d}_pers_data.txt")) for d in range(1, task.max_dimension + 1)]
        # it writes deaths alone in H0, and -1 for a class that never dies
        essential = np.full(len(task.points) - len(deaths), np.inf)
        low = np.concatenate([deaths, essential])
        pairs = [np.where(rows < 0, np.inf, rows / scale).reshape(-1, 2) for rows in higher]
        return as_answer([np.stack([np.zeros(len(low)), low], axis=1), *pairs])

    return solve


def _write(path: Path, i: NDArray[np.int32], j: NDArray[np.int32], lengths: NDArray[np.float32]) -> None:
    """Lines ``i,j,length``, with the shortest decimals that are read back as the same float32."""
    import pyarrow  # type: ignore[import-untyped, unused-ignore]
    import pyarrow.csv  # type: ignore[import-untyped, unused-ignore]

    table = pyarrow.table({"i": i, "j": j, "length": lengths})
    pyarrow.csv.write_csv(table, path, pyarrow.csv.WriteOptions(include_header=False))


def _read(path: Path) -> NDArray[np.float64]:
    """All numbers of a file, separated by commas and line ends."""
    if not path.exists():
        return np.empty(0)
    text = path.read_text().replace("\n", ",").rstrip(", ")
    return np.fromstring(text, sep=",") if text else np.empty(0)
