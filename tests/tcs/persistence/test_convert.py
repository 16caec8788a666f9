"""Barcodes survive the way into each shape and back, and each shape is the one that its package makes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

from tcs.persistence import convert
from tcs.persistence.barcode import Barcode, canonical
from tcs.persistence.errors import InputError

INF = np.inf
# The corners of a unit square and a point at distance 9; giotto-tda 0.6.2 answered what the tests below say.
CORNERS = np.array([[0.0, 0], [1, 0], [1, 1], [0, 1], [10, 0]])
SQUARE = Barcode(
    bars=canonical([[[0, 1]] * 3 + [[0, INF]] * 2, [[1, np.sqrt(2)]]]),
    threshold=2.0,
    n_points=5,
)
OPEN = Barcode(bars=canonical([[[0, 1]] * 3 + [[0, INF]] * 2, [[1, INF]]]), threshold=1.2, n_points=5)
ROOT = float(np.float32(np.sqrt(2)))

births = st.floats(0, 4, width=32)
bars = st.tuples(births, births | st.just(INF)).map(sorted)
diagrams = st.lists(st.lists(bars, max_size=6), max_size=4)


def same(first: Barcode, second: Barcode) -> bool:
    return [rows.tolist() for rows in first.bars] == [rows.tolist() for rows in second.bars]


@given(diagrams)
def test_every_shape_gives_the_same_bars_back(drawn: Any) -> None:
    """float32 fits into float64, so nothing is lost on the way out and back, whatever the order."""
    result = Barcode(bars=canonical(drawn), threshold=9.0, n_points=3)
    top = len(result.bars) - 1
    known: dict[str, Any] = {"threshold": 9.0, "n_points": 3}
    ways = [
        convert.from_persim(convert.to_persim(result), **known),
        convert.from_ripser(convert.to_ripser(result), **known),
        convert.from_gudhi(convert.to_gudhi(result), max_dimension=top, **known),
        convert.from_gudhi(convert.to_gudhi(result)[::-1], max_dimension=top, **known),
        convert.from_gudhi_sklearn(
            convert.to_gudhi_sklearn(result, range(top + 1)), range(top + 1), **known
        ),
        convert.from_giotto(
            convert.to_giotto(result, infinity_values=INF, reduced_homology=False), reduced_homology=False, **known
        ),
        convert.from_giotto(
            convert.to_giotto(result, reduced_homology=False), infinity_values=9.0, reduced_homology=False, **known
        ),
    ]  # fmt: skip
    for back in ways:
        assert same(back, result)
        assert (back.threshold, back.n_points) == (9.0, 3)


def test_what_a_shape_does_not_say_is_said_to_be_unknown() -> None:
    """The threshold becomes inf; points are counted by the bars of H0, or by ripser.py's idx_perm."""
    back = convert.from_persim(convert.to_persim(SQUARE))
    assert (back.threshold, back.n_points) == (INF, 5)
    assert convert.from_persim([]).n_points == 0
    assert convert.from_ripser({"dgms": [[]], "idx_perm": np.arange(7)}).n_points == 7
    assert convert.from_ripser({"dgms": [[]], "idx_perm": np.arange(7)}, n_points=8).n_points == 8


def test_arrays_are_copies_in_float64() -> None:
    """Whoever gets a diagram may change it; the barcode stays."""
    for array in (convert.to_persim(SQUARE)[0], convert.to_gudhi_sklearn(SQUARE, 0), convert.to_giotto(SQUARE)):
        assert isinstance(array, np.ndarray)
        assert array.dtype == np.float64
        array += 1
    assert SQUARE.bars[0][0].tolist() == [0, 1]


def test_the_order_of_gudhi() -> None:
    """Highest dimension first, longest first, infinite before all, equal lengths by birth; plain Python numbers."""
    drawn: Any = [[[0, 1], [0, INF], [0, 3]], [[2, 4], [1, 3], [3, INF]]]
    result = Barcode(bars=canonical(drawn), threshold=4, n_points=3)
    found = convert.to_gudhi(result)
    assert found == [
        (1, (3.0, INF)), (1, (1.0, 3.0)), (1, (2.0, 4.0)),
        (0, (0.0, INF)), (0, (0.0, 3.0)), (0, (0.0, 1.0)),
    ]  # fmt: skip
    assert {type(value) for d, bar in found for value in bar} == {float}


def test_dimensions_are_chosen_in_the_order_asked_for() -> None:
    """An int gives one array, a sequence a list; a dimension that was not computed is refused."""
    one = convert.to_gudhi_sklearn(SQUARE, 1)
    assert isinstance(one, np.ndarray)
    assert one.tolist() == [[1, ROOT]]
    many = convert.to_gudhi_sklearn(SQUARE, (1, 0))
    assert isinstance(many, list)
    assert [len(rows) for rows in many] == [1, 5]
    back = convert.from_gudhi_sklearn(one, 1)
    assert [len(rows) for rows in back.bars] == [0, 1]
    assert same(convert.from_gudhi_sklearn(many, (1, 0)), SQUARE)
    for wrong in (2, (0, -1)):
        with pytest.raises(InputError, match="computed are 0 to 1"):
            convert.to_gudhi_sklearn(SQUARE, wrong)


def test_giotto_leaves_one_component_out_and_ends_the_others_at_the_threshold() -> None:
    """What giotto-tda 0.6.2 gives for the corners with max_edge_length=2, and by infinity_values=9 unreduced."""
    assert convert.to_giotto(SQUARE).tolist() == [[0, 1, 0]] * 3 + [[0, 2, 0], [1, ROOT, 1]]
    ended = float(np.float32(1.2))
    assert convert.to_giotto(OPEN).tolist() == [[0, 1, 0]] * 3 + [[0, ended, 0], [1, ended, 1]]
    unreduced = convert.to_giotto(OPEN, infinity_values=9.0, reduced_homology=False)
    assert unreduced.tolist() == [[0, 1, 0]] * 3 + [[0, 9, 0]] * 2 + [[1, 9, 1]]


def test_giotto_pads_an_empty_dimension() -> None:
    """One row of length zero a dimension; a class born at the value that stands for infinity is lost, as there."""
    lone = Barcode(bars=canonical([[[0, INF]], [[1, INF]]]), threshold=1.0, n_points=1)
    assert convert.to_giotto(lone).tolist() == [[0, 0, 0], [0, 0, 1]]
    assert convert.to_giotto(Barcode(bars=(), threshold=1.0, n_points=0)).shape == (0, 3)


def test_reading_giotto_undoes_what_it_did() -> None:
    """Padding goes; infinity and the missing component come back where the caller says how they were written."""
    read = convert.from_giotto([[0, 1, 0]] * 3 + [[0, 1.2, 0], [0, 0, 0], [1, np.float32(1.2), 1]], infinity_values=1.2)
    assert same(read, OPEN)
    finite = convert.from_giotto(convert.to_giotto(OPEN))
    assert [len(finite.essential(d)) for d in range(2)] == [1, 0]
    assert len(convert.from_giotto([[0, 0, 0]], infinity_values=0.0, reduced_homology=False).bars[0]) == 0
    assert convert.from_giotto(np.empty((0, 3))).bars == ()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: convert.from_ripser({"diagrams": []}), r"result has the keys \['diagrams'\]"),
        (lambda: convert.from_persim([[[1, 0]]]), "dies before it is born"),
        (lambda: convert.from_gudhi([(0, 1.0)]), "no list of"),  # type: ignore[list-item]
        (lambda: convert.from_gudhi([(2, (0.0, 1.0))], max_dimension=1), "outside the dimensions 0 to 1"),
        (lambda: convert.from_gudhi([(-1, (0.0, 1.0))]), "outside the dimensions"),
        (lambda: convert.from_gudhi_sklearn([[]], (0, 1)), "sample has 1 arrays"),
        (lambda: convert.from_gudhi_sklearn([[]], (-1,)), "has a negative one"),
        (lambda: convert.from_giotto([[0, 1]]), r"diagram has shape \(1, 2\)"),
        (lambda: convert.from_giotto([[[0, 1, 0]]]), "give one of a collection"),
        (lambda: convert.from_giotto([[0, 1, 0.5]]), "not the homology dimension"),
        (lambda: convert.from_giotto([[0, 1, np.nan]]), "not the homology dimension"),
    ],
)
def test_other_shapes_are_refused(call: Any, message: str) -> None:
    """What is not the shape of the package ends in one sentence."""
    with pytest.raises(InputError, match=message):
        call()


@pytest.fixture(scope="module")
def lengths() -> Any:
    """Distances of 60 random points, float32 values in float64, so that all engines see the same numbers."""
    points = np.random.default_rng(5).normal(size=(60, 2))
    return np.sqrt(((points[:, None] - points[None]) ** 2).sum(axis=-1)).astype(np.float32).astype(np.float64)


@pytest.mark.peers
def test_ripser_and_gudhi_agree_through_their_shapes(lengths: Any) -> None:
    """The two packages' answers, read in, are one barcode; GUDHI's list written out is GUDHI's own."""
    gudhi = pytest.importorskip("gudhi")
    ripser = pytest.importorskip("ripser")
    sklearn = pytest.importorskip("gudhi.sklearn")
    result = ripser.ripser(lengths, distance_matrix=True, thresh=0.7)
    first = convert.from_ripser(result, threshold=0.7)
    tree = gudhi.RipsComplex(distance_matrix=lengths, max_edge_length=0.7).create_simplex_tree(max_dimension=2)
    own = tree.persistence(homology_coeff_field=2)
    assert first.n_points == 60
    assert len(first.finite(1)) > 3
    assert len(first.essential(0)) > 1
    assert same(convert.from_gudhi(own), first)
    written = convert.to_gudhi(first)
    assert sorted(written) == sorted(own)
    assert [(d, death - birth) for d, (birth, death) in written] == [(d, death - birth) for d, (birth, death) in own]
    by_dimension = [tree.persistence_intervals_in_dimension(d) for d in range(2)]
    assert same(convert.from_gudhi_sklearn(by_dimension, (0, 1)), first)
    rips = sklearn.RipsPersistence((1, 0), threshold=0.7, input_type="full distance matrix", homology_coeff_field=2)
    (sample,) = rips.fit_transform([lengths])
    assert same(convert.from_gudhi_sklearn(sample, (1, 0)), first)
    for ours, theirs in zip(convert.to_gudhi_sklearn(first, (1, 0)), sample, strict=True):
        assert (ours.dtype, sorted(ours.tolist())) == (theirs.dtype, sorted(theirs.tolist()))
    for ours, theirs in zip(convert.to_ripser(first)["dgms"], result["dgms"], strict=True):
        assert sorted(ours.tolist()) == sorted(theirs.tolist())


@pytest.mark.peers
def test_persim_takes_its_shape() -> None:
    """Its bottleneck distance between a diagram and itself with one bar longer by 1 is 1."""
    persim = pytest.importorskip("persim")
    longer = Barcode(bars=canonical([[[0, 5], [0, 9]], []]), threshold=9, n_points=2)
    shorter = Barcode(bars=canonical([[[0, 5], [0, 8]], []]), threshold=9, n_points=2)
    assert persim.bottleneck(convert.to_persim(longer)[0], convert.to_persim(shorter)[0]) == 1


@pytest.mark.peers
@pytest.mark.parametrize("result", [SQUARE, OPEN])
def test_giotto_makes_the_same_array(result: Barcode) -> None:
    """Where giotto-tda is installed, it gives the array that is written here, row by row."""
    homology = pytest.importorskip("gtda.homology", reason="giotto-tda pins packages of its own and is no extra")
    engine = homology.VietorisRipsPersistence(homology_dimensions=(0, 1), max_edge_length=result.threshold)
    (own,) = engine.fit_transform([CORNERS])
    assert convert.to_giotto(result).tolist() == own.tolist()
    assert same(convert.from_giotto(own, infinity_values=result.threshold), result)
