"""How kernels are compiled: exactly, with a cache that knows all that it was made from, or with none."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

pytest.importorskip("numba", reason="the engine's kernels are compiled by numba")

from tcs.persistence.compute import kernels

PACKAGE = kernels.ROOT


@settings(deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([1, 2, 3, 4, 5, 9]), st.sampled_from([1e-9, 1.0, 1e9]))
def test_squares_have_the_bits_of_plain_arithmetic(seed: int, dimension: int, scale: float) -> None:
    """Each product and each sum is rounded, in the order of the coordinates; unrolled or not."""
    points = scale * np.random.default_rng(seed).normal(size=(20, dimension))
    axes = kernels.axes_of(dimension)
    for a, b in zip(range(19), range(1, 20), strict=True):
        right = 0.0
        for x, y in zip(points[a].tolist(), points[b].tolist(), strict=True):
            right += (x - y) * (x - y)
        assert kernels.squared(points, a, b, axes) == kernels.squared(points, b, a, axes) == right


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=2))
def test_the_order_of_edges_is_total(found: list[tuple[int, int, int]]) -> None:
    """By length, then the smaller vertex, then the larger, whichever end is named first."""
    (one, a, b), (other, u, v) = found
    first, second = (one, min(a, b), max(a, b)), (other, min(u, v), max(u, v))
    assert kernels.precedes(float(one), a, b, float(other), min(u, v), max(u, v)) == (first < second)


def test_more_room_keeps_what_there_is() -> None:
    """At least twice as many along the first axis, of the same type."""
    for values in (np.arange(3, dtype=np.int32), np.arange(4.0).reshape(2, 2), np.empty(0)):
        grown = kernels.doubled(values)
        assert grown.dtype == values.dtype
        assert grown.shape[1:] == values.shape[1:]
        assert len(grown) > 2 * len(values)
        assert np.array_equal(grown[: len(values)], values)


def test_the_lowest_bit() -> None:
    """Of every power of two, alone and with higher ones."""

    @kernels.kernel
    def lowest(word: int) -> int:
        return kernels.trailing_zeros(word)

    for bit in range(63):
        assert lowest(1 << bit) == lowest(-1 << bit) == bit


def test_a_change_reaches_all_that_it_is_compiled_into(tmp_path: Path) -> None:
    """By way of other modules, around a circle, but not modules that do not import what was changed."""
    texts = {
        "shared": "x = 1",
        "inner/middle": "from tcs.persistence.shared import x",
        "top": "def f():\n    from tcs.persistence.inner.middle import x",
        "apart": "from tcs.persistence.inner.circle import y",
        "inner/circle": "from tcs.persistence.apart import x",
    }

    def digests(folder: str, **changed: str) -> dict[str, str]:
        root = tmp_path / folder
        (root / "inner").mkdir(parents=True)
        for name, text in (texts | changed).items():
            (root / f"{name}.py").write_text(text, encoding="utf-8")
        return {name: kernels.sources(root / f"{name}.py", root) for name in texts}

    before, after = digests("before"), digests("after", shared="x = 2")
    assert len(set(before.values())) == 4, "only the two in a circle are made from the same texts"
    assert {name for name in texts if before[name] != after[name]} == {"shared", "inner/middle", "top"}
    assert digests("same") == before


def test_kernels_are_named_by_what_they_are_made_from() -> None:
    """numba names its files by the qualified name of a function."""
    name, _, digest = kernels.squared.__qualname__.partition(".")
    assert name == "squared"
    assert digest == kernels.sources(PACKAGE / "compute" / "kernels.py")


def run(root: Path, code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("NUMBA_", "PYTHON"))}
    return subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, timeout=120, env=kept | environment
    )


def test_without_a_cache_folder_there_is_one_warning_and_the_right_answer(tmp_path: Path) -> None:
    """Where neither the package, nor the home, nor the folder that was named can be written to.

    Files stand where the folders would have to be: that stops root as well.
    """
    folder = tmp_path / "tcs" / "persistence"
    shutil.copytree(PACKAGE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy2(PACKAGE.parent / "__init__.py", folder.parent)
    for room in [folder, *(path for path in folder.iterdir() if path.is_dir())]:
        (room / "__pycache__").touch()
    blocked = str(folder / "__pycache__" / "cache")
    code = (
        "import numpy as np, tcs.persistence.reduced.matrix, tcs.persistence.cloud.euclidean; "
        "from tcs.persistence.reduced import reduction; "
        "paired, _ = reduction.transposed(1, np.zeros(1, np.int32), np.ones(1, np.int64)); "
        "print(reduction.__file__, paired[1:].tolist())"
    )
    done = run(tmp_path, code, HOME=blocked, XDG_CACHE_HOME=blocked, NUMBA_CACHE_DIR=blocked)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(folder / "reduced" / "reduction.py"), "[1]"]
    assert done.stderr.count("RuntimeWarning") == 1
    assert "set NUMBA_CACHE_DIR to a folder that can be written to" in done.stderr


def test_a_cache_folder_that_is_named_is_used(tmp_path: Path) -> None:
    """As the warning says that it would be."""
    code = (
        "import numpy as np; from tcs.persistence.reduced import reduction; "
        "reduction.transposed(1, np.zeros(1, np.int32), np.ones(1, np.int64))"
    )
    done = run(PACKAGE.parents[1], code, NUMBA_CACHE_DIR=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    assert list(tmp_path.rglob("reduction.transposed*.nbi"))
