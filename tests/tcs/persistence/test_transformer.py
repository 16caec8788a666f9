"""The transformer keeps scikit-learn's rules and GUDHI's convention, and its diagrams are right."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from tcs.persistence.barcode import canonical
from tcs.persistence.errors import InputError

pytest.importorskip("sklearn", reason="the transformer is scikit-learn's")
pytest.importorskip("numba", reason="the engine's kernels are compiled by numba")

from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from tcs.persistence.transformer import RipsPersistence

SQUARE = np.array([[0.0, 0], [1, 0], [1, 1], [0, 1]])
ROOT = float(np.float32(np.sqrt(2)))


@pytest.fixture(scope="module")
def clouds() -> list[Any]:
    """Clouds of several sizes, in the plane and in space."""
    rng = np.random.default_rng(7)
    return [rng.normal(size=shape) for shape in ((40, 2), (25, 3), (1, 2), (60, 2))]


def test_a_square_has_one_loop() -> None:
    """A list of diagrams a cloud, in the order of the dimensions; float64 with inf."""
    (sample,) = RipsPersistence(2.0).fit_transform([SQUARE])
    assert [rows.tolist() for rows in sample] == [[[0, 1]] * 3 + [[0, np.inf]], [[1, ROOT]]]
    assert {rows.dtype for rows in sample} == {np.dtype(np.float64)}
    (turned,) = RipsPersistence(2.0, (1, 0)).fit_transform([SQUARE])
    assert [len(rows) for rows in turned] == [1, 4]


def test_an_int_gives_one_diagram_a_cloud() -> None:
    """No list around it, and dimension 0 is an int as well."""
    cases: list[tuple[Any, int]] = [(0, 4), (1, 1), (np.int64(1), 1)]
    for d, length in cases:
        (rows,) = RipsPersistence(2.0, d).fit_transform([SQUARE])
        assert rows.shape == (length, 2)
    assert RipsPersistence(2.0, 1).fit_transform([]) == []


def test_no_bars_are_an_empty_array() -> None:
    """Of shape (0, 2), as GUDHI's."""
    (sample,) = RipsPersistence(0.5).fit_transform([SQUARE[:1].tolist()])
    assert [rows.shape for rows in sample] == [(1, 2), (0, 2)]


@pytest.mark.peers
@pytest.mark.parametrize("dimensions", [(0, 1), (1,), 1, 0, [1, 0]])
def test_it_gives_what_gudhi_gives(clouds: list[Any], dimensions: Any) -> None:
    """The same nesting, dtypes and, in float32 and sorted, bars as gudhi.sklearn.RipsPersistence."""
    peer = pytest.importorskip("gudhi.sklearn").RipsPersistence(dimensions, threshold=0.8, homology_coeff_field=2)
    theirs, ours = peer.fit_transform(clouds), RipsPersistence(0.8, dimensions).fit_transform(clouds)
    assert len(ours) == len(clouds)
    for first, second in zip(theirs, ours, strict=True):
        assert isinstance(second, type(first))
        pairs = [(first, second)] if isinstance(dimensions, int) else zip(first, second, strict=True)
        for right, found in pairs:
            assert found.dtype == right.dtype
            assert found.tolist() == canonical([right])[0].tolist()


@pytest.mark.peers
def test_it_stands_in_a_pipeline(clouds: list[Any]) -> None:
    """Before GUDHI's selector and images: one row of pixels a cloud, the same as after GUDHI's own transformer."""
    representations = pytest.importorskip("gudhi.representations")
    peer = pytest.importorskip("gudhi.sklearn")

    def images(first: Any) -> Any:
        return make_pipeline(
            first,
            representations.DiagramSelector(use=True, point_type="finite"),
            representations.PersistenceImage(bandwidth=0.1, resolution=[8, 8], im_range=[0, 1, 0, 1]),
        )

    clouds = [clouds[0], clouds[3]]
    pipeline = images(RipsPersistence(0.8, 1, threads=1))
    found = pipeline.fit_transform(clouds)
    assert found.shape == (2, 64)
    assert found.any(axis=1).all()
    right = images(peer.RipsPersistence(1, threshold=0.8, homology_coeff_field=2)).fit_transform(clouds)
    np.testing.assert_allclose(found, right, rtol=1e-5)
    assert not np.array_equal(clone(pipeline).set_params(ripspersistence__threshold=0.4).fit_transform(clouds), found)


def test_it_can_be_cloned_and_set() -> None:
    """Parameters come back as they were given, the very objects, and a clone is not fitted."""
    dimensions = [0, 1]
    first = RipsPersistence(threshold=2.0, homology_dimensions=dimensions, threads=1)
    assert first.get_params() == {"threshold": 2.0, "homology_dimensions": [0, 1], "threads": 1}
    assert first.homology_dimensions is dimensions
    assert RipsPersistence(1.0).get_params() == {"threshold": 1.0, "homology_dimensions": (0, 1), "threads": None}
    second = clone(first.fit([]))
    assert second.get_params() == first.get_params()
    with pytest.raises(NotFittedError):
        second.transform([SQUARE])
    assert second.set_params(homology_dimensions=1).fit_transform([SQUARE])[0].tolist() == [[1, ROOT]]
    assert repr(RipsPersistence(2.0, 1)) == "RipsPersistence(homology_dimensions=1, threshold=2.0)"


def test_its_outputs_have_names() -> None:
    """What each diagram of a sample is."""
    assert RipsPersistence(1.0, (1, 0)).fit([]).get_feature_names_out().tolist() == ["H1", "H0"]
    assert RipsPersistence(1.0, 1).fit([]).get_feature_names_out().tolist() == ["H1"]


@pytest.mark.parametrize("dimensions", [(), -1, (0, -1), 0.5, "1", None, [[0, 1]], True])
def test_wrong_dimensions_are_refused_by_fit(dimensions: Any) -> None:
    """Not by the constructor, which scikit-learn wants to take anything."""
    transformer = RipsPersistence(1.0, dimensions)
    with pytest.raises(InputError, match="homology_dimensions="):
        transformer.fit([SQUARE])


def test_a_bad_cloud_is_named() -> None:
    """The second of two holds NaN."""
    with pytest.raises(InputError, match=r"X\[1\]: "):
        RipsPersistence(1.0).fit_transform([SQUARE, SQUARE * np.nan])


def test_a_missing_scikit_learn_is_named() -> None:
    """With what to install."""
    code = "import sys; sys.modules['sklearn'] = sys.modules['sklearn.base'] = None; import tcs.persistence.transformer"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "ImportError: the transformer needs scikit-learn; pip install 'tcs-harness[peers]'"
    )
