"""The result: its form is enforced, its bytes are canonical, and it can be neither changed nor misread."""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

from tcs.persistence.barcode import Barcode, canonical
from tcs.persistence.errors import InputError

INF = np.inf


def barcode(*diagrams: Any, threshold: float = 4.0, **more: Any) -> Barcode:
    return Barcode(bars=canonical(diagrams), threshold=threshold, n_points=3, **more)


RESULT = barcode([[0, 1], [0, 2], [0, INF]], [[2, 3], [1, INF]])


def test_finite_and_essential_part_the_bars() -> None:
    """Each bar is in one of the two, in its order; a dimension that was not computed is refused by name."""
    assert RESULT.finite(0).tolist() == [[0, 1], [0, 2]]
    assert RESULT.essential(0).tolist() == [[0, INF]]
    assert RESULT.finite(1).tolist() == [[2, 3]]
    assert RESULT.essential(1).tolist() == [[1, INF]]
    for d in (-1, 2):
        with pytest.raises(InputError, match=f"d={d}: the dimensions computed are 0 to 1"):
            RESULT.finite(d)


@pytest.mark.parametrize(
    ("scale", "right"),
    [(-1, [0, 0]), (0, [3, 0]), (1, [2, 1]), (1.5, [2, 1]), (2, [1, 2]), (3, [1, 1]), (4, [1, 1])],
)
def test_betti_numbers_at_a_scale(scale: float, right: list[int]) -> None:
    """Bars hold from their birth, inclusive, to their death, exclusive."""
    assert RESULT.betti(scale).tolist() == right
    assert RESULT.betti(scale).dtype == np.int64


def test_betti_takes_the_scale_in_float32() -> None:
    """An edge of length 0.1 is there at scale 0.1, though 0.1 in float32 is larger than in float64."""
    assert barcode([[0, 0.1], [0, INF]], threshold=0.1).betti(0.1).tolist() == [1]


@pytest.mark.parametrize("scale", [4.001, INF, np.nan])
def test_betti_beyond_the_threshold_is_unknown(scale: float) -> None:
    """No number is made up where nothing was computed."""
    with pytest.raises(InputError, match="ends at the threshold 4"):
        RESULT.betti(scale)


def test_the_digest_is_what_it_says() -> None:
    """sha256 of shapes and little-endian bytes, spelt out."""
    right = hashlib.sha256()
    for rows in ([[0, 1], [0, 2], [0, INF]], [[1, INF], [2, 3]]):
        right.update(f"({len(rows)}, 2)".encode() + np.array(rows, dtype="<f4").tobytes())
    assert RESULT.digest() == right.hexdigest()


def test_the_digest_sees_bars_and_nothing_else() -> None:
    """Not their order, not the sign of zero; but every bit, and in which dimension a bar lies."""
    mixed = np.array([[0, INF], [-0.0, 2], [0, 1]], dtype=np.float32)
    loops = RESULT.bars[1]
    assert Barcode(bars=(mixed, loops), threshold=9, n_points=7, stages={"sort": 1.0}).digest() == RESULT.digest()
    bit = np.array([[0, 1], [0, np.nextafter(np.float32(2), np.float32(3))], [0, INF]], dtype=np.float32)
    empty = np.empty((0, 2), dtype=np.float32)
    others = [(bit, loops), (loops, mixed), (mixed, loops, empty), (mixed,), (), (empty,), (empty, empty)]
    digests = {Barcode(bars=bars, threshold=4, n_points=3).digest() for bars in others}
    assert len(digests | {RESULT.digest()}) == len(others) + 1


def test_nothing_can_be_changed() -> None:
    """Fields are frozen, arrays are read-only and not copied; copies and pickles are so as well, and equal."""
    rows = np.array([[0, INF]], dtype=np.float32)
    simplices = (np.zeros((1, 1), dtype=np.int64),)
    deaths = (np.full((1, 2), -1, dtype=np.int64),)
    cycle = np.array([[0, 1]])
    first = Barcode(
        bars=(rows,), threshold=1.0, n_points=1, birth_simplices=simplices, death_simplices=deaths, cycles=([cycle],)
    )
    assert first.bars[0] is rows, "zero-copy"
    for result in (first, copy.deepcopy(first), pickle.loads(pickle.dumps(first))):
        assert result.digest() == first.digest()
        assert result.birth_simplices is not None
        assert result.death_simplices is not None
        assert result.cycles is not None
        for array in (result.bars[0], result.birth_simplices[0], result.death_simplices[0], result.cycles[0][0]):
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 7
        with pytest.raises(dataclasses.FrozenInstanceError):
            result.threshold = 2.0  # type: ignore[misc]
        assert not hasattr(result, "__dict__")


def test_arguments_have_names() -> None:
    """No field is given by its place, and what is optional says None, not an empty list."""
    with pytest.raises(TypeError):
        Barcode((), 1.0, 0)  # type: ignore[call-arg]
    empty = Barcode(bars=(), threshold=1.0, n_points=0)
    assert (empty.birth_simplices, empty.death_simplices, empty.cycles, empty.stages) == (None, None, None, {})
    assert empty.betti(0.5).shape == (0,)


ONE = np.array([[0, INF]], dtype=np.float32)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"bars": (ONE.astype(np.float64),)}, r"bars\[0\] is float64; give a numpy array of float32"),
        ({"bars": ([[0, 1]],)}, r"bars\[0\] is list"),
        ({"bars": (np.zeros((2, 3), np.float32),)}, r"bars\[0\] has shape \(2, 3\); give \(m, 2\)"),
        ({"bars": (np.zeros(2, np.float32),)}, r"bars\[0\] has shape \(2,\)"),
        ({"birth_simplices": ()}, "birth_simplices has 0 dimensions and bars has 1"),
        ({"birth_simplices": (np.zeros((1, 2), np.int64),)}, r"birth_simplices\[0\] has shape \(1, 2\); give \(1, 1\)"),
        ({"death_simplices": (np.zeros((2, 2), np.int64),)}, r"death_simplices\[0\] has shape \(2, 2\); give \(1, 2\)"),
        ({"death_simplices": (np.zeros((1, 2), np.int32),)}, r"death_simplices\[0\] is int32"),
        ({"cycles": ([],)}, r"cycles\[0\] has 0 cycles for 1 bars"),
        ({"cycles": ([], [])}, "cycles has 2 dimensions"),
    ],
)
def test_another_form_is_refused(changes: dict[str, Any], message: str) -> None:
    """Shapes and dtypes are what the documentation says, and the message names the field."""
    with pytest.raises(InputError, match=message):
        Barcode(**{"bars": (ONE,), "threshold": 1.0, "n_points": 1, **changes})


def test_its_text_is_short() -> None:
    """A million bars are counts by dimension."""
    rows = np.zeros((1_000_000, 2), dtype=np.float32)
    rows[:, 1] = 1
    text = repr(Barcode(bars=(rows, ONE), threshold=0.25, n_points=1_000_001))
    assert text == (
        "Barcode(H0: 1,000,000 finite + 0 essential, H1: 0 finite + 1 essential, n_points=1000001, threshold=0.25)"
    )


VALUES = st.floats(-8, 8, width=32) | st.sampled_from([0.0, -0.0, 1.0, 1 + 1e-9])


@given(st.lists(st.tuples(VALUES, VALUES | st.just(INF))).map(lambda rows: [tuple(sorted(row)) for row in rows]))
def test_canonical_sorts_rounds_and_drops(rows: list[tuple[float, float]]) -> None:
    """The same bars as plain Python finds, whatever their order; done twice it changes nothing."""
    rounded = [(float(np.float32(birth)) + 0, float(np.float32(death)) + 0) for birth, death in rows]
    right = sorted(bar for bar in rounded if bar[0] < bar[1])
    (found,) = canonical([rows])
    assert found.dtype == np.float32
    assert found.shape == (len(right), 2)
    assert found.tolist() == [list(bar) for bar in right]
    assert canonical([rows[::-1]])[0].tobytes() == found.tobytes()
    assert canonical([found])[0].tobytes() == found.tobytes()


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([[0, np.nan]], r"diagrams\[1\]: row 0, \[0.0, nan\], is NaN"),
        ([[0, 1], [np.nan, 1]], "row 1.*is NaN"),
        ([[0, 1], [2, 1]], "row 1.*dies before it is born"),
        ([[-INF, 1]], "has no finite birth"),
        ([[INF, INF]], "has no finite birth"),
        ([[0, 1e39]], "beyond the range of float32"),
        ([[0, 1, 2]], r"has shape \(1, 3\) of int64; give numbers \(m, 2\)"),
        ([[0, 1j]], "complex128"),
        ([["0", "1"]], "of <U1"),
        ([[0, 1], [2]], "is no array"),
    ],
)
def test_what_cannot_be_a_bar_is_refused(rows: Any, message: str) -> None:
    """NaN, a death before its birth and the like end in one sentence that names the row."""
    with pytest.raises(InputError, match=message):
        canonical([[], rows])


def test_importing_it_is_light() -> None:
    """numpy and nothing heavier; the same holds for every module of this face but the transformer."""
    modules = ["barcode", "convert", "cubical", "diagram", "__main__"]
    heavy = ["numba", "scipy", "matplotlib", "sklearn", "gudhi", "rich", "pandas"]
    code = (
        "import sys, importlib\nfor name in sys.argv[1].split(): importlib.import_module('tcs.persistence.' + name)\n"
    )
    code += "print(*sorted({name.split('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code, " ".join(modules)], capture_output=True, text=True, check=True)
    assert "numpy" in done.stdout.split()
    assert not set(heavy) & set(done.stdout.split())
