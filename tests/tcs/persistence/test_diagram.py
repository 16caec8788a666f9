"""Pictures show every bar, say what they leave out, and stay small."""

from __future__ import annotations

import io
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

from tcs.persistence import diagram
from tcs.persistence.barcode import Barcode, canonical
from tcs.persistence.errors import InputError

INF = np.inf
pytest.importorskip("matplotlib")


def barcode(*diagrams: Any) -> Barcode:
    return Barcode(bars=canonical(diagrams), threshold=4.0, n_points=3)


def bytes_of(figure: Any, format: str) -> bytes:
    target = io.BytesIO()
    diagram.save(figure, target, format)
    return target.getvalue()


def panels(barcode: Barcode) -> Any:
    """The axes of the diagram and those of the bars."""
    return diagram.draw(barcode).axes


def many(m: int) -> Barcode:
    """A component and m loops, most near the diagonal, one far away."""
    rng = np.random.default_rng(0)
    births = rng.uniform(1, 2, m)
    loops = np.column_stack([births, births + rng.exponential(0.01, m)])
    return barcode([[0, INF]], np.concatenate([loops, [[1, 3.5], [1.5, INF]]]))


SMALL = barcode([[0, 1], [0, 2], [0, INF]], [[2, 3], [1, INF], [2.5, INF]])
CASES = {
    "small": SMALL,
    "no dimension": barcode(),
    "no bar": barcode([], []),
    "one essential class": barcode([[0, INF]]),
    "negative values": barcode([[-3, -1], [-3.5, INF]]),
    "tiny values": barcode([[0, 1e-30], [0, INF]]),
    "equal births": barcode([[5, INF], [5, INF]]),
    "seven dimensions": barcode(*[[[d, d + 1]] for d in range(7)]),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("format", diagram.FORMATS)
def test_any_barcode_can_be_drawn(name: str, format: str) -> None:
    """Empty ones, too; the file is of its kind, and the same barcode makes the same bytes."""
    first = bytes_of(diagram.draw(CASES[name], title="5 $ & <b>"), format)
    assert first.startswith(b"\x89PNG" if format == "png" else b"<?xml")
    assert first == bytes_of(diagram.draw(CASES[name], title="5 $ & <b>"), format)


def dots(axes: Any) -> list[Any]:
    """Places of the dots of each dimension; empty ones are there for the legend only."""
    return [np.asarray(part.get_offsets()) for part in axes.collections if hasattr(part, "get_offsets")]


def test_every_bar_is_a_dot() -> None:
    """Finite ones at (birth, death), essential ones on one line above all deaths, named by a sign."""
    left, _ = panels(SMALL)
    low, loops = (places.tolist() for places in dots(left) if len(places) == 3)
    infinity = low[-1][1]
    assert infinity > 3
    assert low == [[0, 1], [0, 2], [0, infinity]]
    assert loops == [[2, 3], [1, infinity], [2.5, infinity]]
    assert any(text.get_text() == "∞" for text in left.texts)
    assert [text.get_text() for text in left.get_legend().get_texts()] == [
        "H0: 2 finite, 1 essential",
        "H1: 1 finite, 2 essential",
    ]


def test_no_line_of_infinity_without_essential_classes() -> None:
    """A sign for what is not there would mislead."""
    left, _ = panels(barcode([[0, 1]]))
    assert not left.texts


def test_dimensions_differ_in_colour_and_in_shape() -> None:
    """Okabe and Ito's colours; two dimensions are told apart without any."""
    left, _ = panels(CASES["seven dimensions"])
    assert len(set(diagram.COLOURS)) == len(set(diagram.MARKS)) == 6
    shapes = [part.get_paths()[0].vertices.tobytes() for part in left.collections if len(part.get_paths())][1:]
    assert len(set(shapes)) == 6


@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=200),
    st.sampled_from([(0.0, 1.0), (-1.0, 2.0)]),
)
def test_thinning_leaves_no_place_without_a_dot(drawn: Any, ends: tuple[float, float]) -> None:
    """Every bar is within one cell of a dot in both directions, the counts add up, and a dot is a bar."""
    rows = np.array(drawn)
    chosen, counts = diagram.thinned(rows, *ends)
    cell = (ends[1] - ends[0]) / diagram.CELLS
    apart = np.abs(rows[:, None] - rows[chosen][None]).max(axis=-1)
    assert (apart.min(axis=1) <= cell * (1 + 1e-9)).all()
    assert counts.sum() == len(rows)
    assert len(set(chosen.tolist())) == len(chosen) <= len(rows)


def test_thinning_merges_what_lies_together() -> None:
    """A thousand bars at one place are one dot that stands for them."""
    chosen, counts = diagram.thinned(np.concatenate([np.full((1000, 2), 0.5), [[0.1, 0.9]]]), 0.0, 1.0)
    assert sorted(zip(chosen.tolist(), counts.tolist(), strict=True)) == [(0, 1000), (1000, 1)]


def test_a_large_diagram_is_thinned_and_says_so() -> None:
    """Fewer dots than bars, the lone bar among them, the densest drawn last and darkest; the legend has both counts."""
    result = many(60_000)
    left, _ = panels(result)
    (part,) = [part for part in left.collections if len(np.asarray(part.get_offsets())) > 1_000]
    places = np.asarray(part.get_offsets())
    assert len(places) < 60_000
    assert [1, 3.5] in places.tolist()
    brightness = part.get_facecolors()[:, :3].sum(axis=1)
    assert (np.diff(brightness) <= 1e-12).all()
    assert brightness[0] > 2 * brightness[-1]
    text = left.get_legend().get_texts()[1].get_text()
    assert "H1: 60,001 finite, 1 essential" in text
    assert f"({len(places):,} dots, light: 1 bar, dark: " in text


def test_a_diagram_below_the_limit_is_whole() -> None:
    """50,000 bars are 50,000 dots."""
    left, _ = panels(many(49_998))
    assert 50_000 in [len(places) for places in dots(left)]


@pytest.mark.parametrize("m", [100, 3_000, 60_000])
def test_vector_pictures_stay_small(m: int) -> None:
    """Few dots are vectors, many are one bitmap inside: below 500 kB in all cases."""
    text = bytes_of(diagram.draw(many(m)), "svg")
    assert (b"<image" in text) == (m > diagram.RASTER_ABOVE)
    assert len(text) < 500_000


def test_the_longest_bars_are_chosen() -> None:
    """All of a small dimension; else 60, at least half of them finite where there are so many, and that is said."""
    bars, label = diagram.longest(SMALL, 1)
    assert bars.tolist() == [[1, INF], [2, 3], [2.5, INF]]
    assert label == "H1"
    finite = [[0, k] for k in range(1, 101)]
    bars, label = diagram.longest(barcode(finite + [[0, INF]] * 40), 0)
    assert bars.tolist() == [[0, k] for k in range(71, 101)] + [[0, INF]] * 30
    assert label == "H0: 30 of 100 finite,\n30 of 40 essential"
    bars, label = diagram.longest(barcode([[0, 1]] + [[0, INF]] * 100), 0)
    assert bars.tolist() == [[0, 1]] + [[0, INF]] * 59
    assert label == "H0: 1 of 1 finite,\n59 of 100 essential"
    bars, label = diagram.longest(barcode([*finite, [0, INF]]), 0)
    assert len(bars) == 60
    assert label == "H0: 59 of 100 finite,\n1 of 1 essential"


@given(st.lists(st.floats(-100, 100, width=32), max_size=6))
def test_limits_are_never_equal(births: list[float]) -> None:
    """They enclose all finite values and can be the ends of an axis, whatever there is."""
    result = barcode([[birth, INF] for birth in births])
    low, high = diagram.limits(result)
    assert low < high
    assert all(low <= birth <= high for birth in births)


def test_another_format_is_refused() -> None:
    """By name."""
    with pytest.raises(InputError, match=re.escape("format='pdf'; give one of png, svg")):
        diagram.save(diagram.draw(SMALL), io.BytesIO(), "pdf")
