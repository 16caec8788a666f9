"""Progress tells of kernels that are compiled, and of none that were compiled before."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("numba", reason="the engine's kernels are compiled by numba")

CODE = """
import numpy as np
from tcs.persistence.compute.team import Team
from tcs.persistence.reduced.matrix import starts_of_rows
told = []
with Team(1, lambda *given: told.append(given)) as team:
    team.run("rows", starts_of_rows, [(3, np.array([[0, 1]], dtype=np.int32))])
starts_of_rows(3, np.array([[0, 1]], dtype=np.int64))
print(told)
"""


def test_kernels_are_told_of_once(tmp_path: Path) -> None:
    """In the first process, not in the second, which finds them in the cache; and not after the team is gone."""
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    found = [
        subprocess.run([sys.executable, "-c", CODE], env=environment, capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    assert found[0].strip() == "[('compile', 0, 0), ('compile', 1, 0), ('rows', 1, 1)]"
    assert found[1].strip() == "[('rows', 1, 1)]"
