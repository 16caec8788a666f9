"""Figures show every player that has a number, are SVG with text as text, and follow light and dark."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from fabricate import record, run as made
from harness import report
from harness.report.figures import INK, label, looks, themed
from harness.report.plots import draw
from harness.report.scaling import scaling
from harness.report.summary import summarise
from harness.report.sweeps import sweeps
from harness.store import Run
from harness.verdict import Verdict

if TYPE_CHECKING:
    import pytest

    from harness.record import Record

Full = tuple[Run, list[Verdict]]
SVG = "{http://www.w3.org/2000/svg}"


def words(path: Path) -> str:
    return " ".join("".join(one.itertext()) for one in ElementTree.parse(path).iter(f"{SVG}text"))


def test_sweep_is_drawn(full: Full) -> None:
    """Time and memory against n with k fixed, as SVG and PNG; players as text, in the reader's ink."""
    run, verdicts = full
    files = {path.name: path for path in report.write(run, verdicts)}
    path = files["scaling-torus-k-20-time.svg"]
    shown = words(path)
    for player in ("ours", "ripser.py", "gudhi", "did not finish"):
        assert player in shown
    assert "planted" not in shown
    assert "wrong" not in shown
    text = path.read_text()
    assert "currentColor" in text
    assert INK not in text
    assert "prefers-color-scheme" in text
    assert "DOCTYPE" not in text
    assert {"scaling-torus-k-20-memory.svg", "scaling-torus-k-20-time.png", "stages-torus.svg"} <= set(files)


def test_names_are_not_formulae(full: Full) -> None:
    """Dollar signs, underscores and markup in a player's name are drawn as they are."""
    run, verdicts = full
    files = {path.name: path for path in report.write(run, verdicts)}
    shown = words(files["stages-evil.svg"])
    assert "$x^2$" in shown
    assert "_underscore" in shown
    assert not list(ElementTree.parse(files["stages-evil.svg"]).iter(f"{SVG}script"))


def test_each_player_has_one_look() -> None:
    """However many players there are, no two share colour, marker and dash."""
    names = [f"player {number}" for number in range(28)]
    found = looks(names, ["player 0"])
    assert len({(look.colour, look.marker, str(look.dash)) for look in found.values()}) == len(names)
    assert found["player 0"].width > found["player 1"].width


def test_no_more_figures_than_allowed(full: Full, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left out is counted."""
    run, verdicts = full
    monkeypatch.setattr("harness.report.plots.MOST", 1)
    drawn, files, left_out = draw(summarise(run, verdicts), tmp_path / "plots")
    assert len(files) == 2
    assert sum(len(figures) for figures in drawn.values()) == 1
    assert left_out > 0


def test_axis_is_the_number_that_varies(tmp_path: Path) -> None:
    """Without an n the number with most values is swept; a parameter that is no number is held fixed."""
    records = [
        record(params={"rows": rows, "k": k, "set": name})
        for rows in (10, 20, 30)
        for k in (1, 2)
        for name in ("a", "b")
    ]
    report_ = summarise(made(tmp_path / "run", records), [])
    found = sweeps(report_.entries)
    assert {series.axis for series in found} == {"rows"}
    assert {series.fixed for series in found} == {f"k = {k}, set = {name}" for k in (1, 2) for name in ("a", "b")}


def sweep(entry: str, sizes: tuple[int, ...], *, k: int = 20, **changes: Any) -> list[Record]:
    """One process a size, with time proportional to n^2."""
    return [
        record(entry=entry, params={"n": n, "k": k}, samples=[n * n * 1e-6], **{"threads": 2, **changes}) for n in sizes
    ]


def test_a_curve_joins_the_entries_of_a_case(tmp_path: Path) -> None:
    """Sizes that stand in several entries make one line; another seed, and another number of threads, do not."""
    records = [
        *sweep("small", (10, 100)), *sweep("large", (100, 1000, 10_000)), *sweep("other", (10, 20), seed=1),
        *sweep("alone", (10_000,), threads=1),
    ]  # fmt: skip
    found = sweeps(summarise(made(tmp_path / "run", records), []).entries)
    main = {series.fixed: series for series in found if series.main}
    assert set(main) == {"k = 20, threads = 2, seed = 0", "k = 20, threads = 2, seed = 1"}
    joined = main["k = 20, threads = 2, seed = 0"]
    assert joined.entry.key == "large"
    assert [table.params["n"] for table in joined.tables] == [10, 100, 100, 1000, 10_000]
    (threads,) = [series for series in found if not series.main]
    assert (threads.axis, threads.fixed) == ("threads", "k = 20, n = 10000, seed = 0")
    assert [table.threads for table in threads.tables] == [1, 2]


def test_a_further_number_is_drawn_where_most_was_measured(tmp_path: Path) -> None:
    """Three degrees at the size that has most of them make a curve; players with one point are not on it."""
    records = [one for k in (20, 60, 200) for one in sweep(f"k{k}", (10, 100, 1000) if k < 200 else (10, 100), k=k)]
    records += sweep("more", (100,), k=60, player="second") + sweep("more", (100,), k=20, player="second")
    records += sweep("once", (100,), player="third")
    report_ = summarise(made(tmp_path / "run", records), [])
    (series,) = [series for series in sweeps(report_.entries) if not series.main]
    assert (series.axis, series.fixed) == ("k", "n = 100")
    _, caption, shown = scaling(series, "time", looks(["ripser.py", "second", "third"]))
    assert "ripser.py and second" in shown
    assert "third" not in shown
    assert "Powers of k" in caption


def test_powers_are_fitted_to_the_largest_sizes(tmp_path: Path) -> None:
    """n^2 is told as 2, whatever the smallest size cost; two points have no power."""
    records = sweep("torus", (100, 1000, 10_000)) + sweep("torus", (1000, 10_000), player="short")
    records += [record(params={"n": 10, "k": 20}, samples=[5.0], threads=2)]
    report_ = summarise(made(tmp_path / "run", records), [])
    (series,) = sweeps(report_.entries)
    _, caption, _ = scaling(series, "time", looks(["ripser.py", "short"]))
    assert caption.endswith("Powers of n, fitted to the last 3 points: ripser.py 2.00.")


def test_themed_replaces_ink_and_document_type() -> None:
    """An SVG looks nothing up and takes its ink from the page."""
    text = themed(f'<?xml version="1.0"?><!DOCTYPE svg PUBLIC "x"\n "y"><svg a="b"><path style="fill: {INK}"/></svg>')
    assert text.count("currentColor") == 1
    assert "DOCTYPE" not in text
    assert text.index("<style>") > text.index('<svg a="b">')


def test_label_is_shown_in_a_legend() -> None:
    """A leading underscore would hide a name."""
    assert not label("_hidden").startswith("_")
    assert label("a\nb") == "a b"


def test_a_narrow_scale_has_ticks(tmp_path: Path) -> None:
    """Memory that hardly grows still gets more than one labelled tick."""
    records = [record(params={"n": n}, memory={"host_peak": peak << 20}) for n, peak in ((10, 30), (1000, 40))]
    run = made(tmp_path / "run", records)
    files = {path.name: path for path in report.write(run, [])}
    assert words(files["scaling-torus-memory.svg"]).count("MiB") >= 3
