"""Two runs side by side: what got slower, what answers otherwise, and what is not known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import fabricate
from harness import store
from harness.judging.compare import COLUMNS, Comparison, compare, markdown, table


@pytest.fixture
def make(tmp_path: Path) -> Any:
    """Make a finished run under a name; the time of tcs is the first argument."""

    def of(name: str, seconds: float = 0.1, **changes: Any) -> store.Run:
        settings: dict[str, Any] = {"processes": 8, **changes}
        return fabricate.finished(tmp_path / name, seconds={"tcs": seconds, **settings.pop("others", {})}, **settings)

    return of


def status(comparison: Comparison, tolerance: float = 0.1) -> int:
    """The exit status, which is that of the one row."""
    (row,) = comparison.rows
    assert row.status(tolerance) == comparison.exit_status(tolerance)
    return comparison.exit_status(tolerance)


def test_the_same_run_twice(make: Any) -> None:
    """Ratio 1, answers equal, nothing to remark."""
    found = compare(make("a"), make("b"))
    (row,) = found.rows
    assert row.time is not None
    assert row.time.low < 1 < row.time.high
    assert row.time.value == pytest.approx(1)
    assert (row.answer, row.memory, row.remark, found.warnings) == ("equal", 1.0, "", ())
    assert status(found) == 0


@pytest.mark.parametrize(
    ("factor", "tolerance", "expected"),
    [(2.0, 0.1, 10), (2.0, 2.0, 0), (0.5, 0.0, 0), (1.1, 0.1, 13), (1.0, 0.0, 13), (1.05, 0.1, 0), (1.2, 0.1, 10)],
)
def test_slower_and_faster(make: Any, factor: float, tolerance: float, expected: int) -> None:
    """Only what the whole interval says is established."""
    found = compare(make("a"), make("b", 0.1 * factor))
    (row,) = found.rows
    assert row.time is not None
    assert row.time.value == pytest.approx(factor)
    assert status(found, tolerance) == expected


def test_a_changed_answer(make: Any) -> None:
    """However fast."""
    found = compare(make("a"), make("b", 0.01, answer=2.0))
    assert found.rows[0].answer == "differ"
    assert status(found) == 10


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("ok", "timeout", 10),
        ("ok", "crash", 10),
        ("timeout", "ok", 0),
        ("ok", "unavailable", 13),
        ("unavailable", "ok", 0),
        ("timeout", "timeout", 0),
        ("timeout", "crash", 13),
    ],
)
def test_what_does_not_finish(make: Any, before: str, after: str, expected: int) -> None:
    """A player that no longer finishes got worse; one that now does, better."""
    found = compare(make("a", status={"tcs": before}), make("b", status={"tcs": after}))
    assert found.rows[0].answer == "not comparable"
    assert status(found) == expected


@pytest.mark.parametrize("processes", [1, 2])
def test_too_few_processes(make: Any, processes: int) -> None:
    """Nothing is established by two processes."""
    assert status(compare(make("a", processes=processes), make("b", 9.0, processes=processes))) == 13


def test_nothing_in_common(make: Any) -> None:
    """Other parameters, another version: no rows, each side named."""
    found = compare(make("a", params={"n": [1]}), make("b", params={"n": [2]}))
    assert (found.rows, found.exit_status()) == ((), 14)
    assert found.only_a == ('persistence.torus v1 {"n":1} by tcs',)
    assert found.only_b == ('persistence.torus v1 {"n":2} by tcs',)
    assert compare(make("c"), make("d", case_version=2)).exit_status() == 14


def test_one_regression_among_many_decides(make: Any) -> None:
    """The exit status is the worst row's, and the table begins with it."""
    found = compare(make("a", others={"gudhi": 1.0, "slow": 1.0}), make("b", others={"gudhi": 1.1, "slow": 3.0}))
    assert sorted(row.status(0.1) for row in found.rows) == [0, 10, 13]
    assert found.exit_status(0.1) == 10
    assert [cells[1] for cells in table(found)] == ["slow", "gudhi", "tcs"]
    assert all(len(cells) == len(COLUMNS) for cells in table(found))


def test_what_is_gone_is_not_known(make: Any) -> None:
    """A player or a size that was measured before and is not now, and a newer run that was stopped."""
    both = {"others": {"gudhi": 1.0}}
    assert compare(make("a", **both), make("b")).exit_status() == 13
    assert compare(make("c"), make("d", **both)).exit_status() == 0
    assert compare(make("e", **both), make("f", 0.3)).exit_status() == 10
    stopped = make("g")
    del stopped.manifest["finished"]
    assert compare(make("h"), stopped).exit_status() == 13


def test_another_seed_is_another_case(make: Any) -> None:
    """Two entries of one case that differ in their seed are not pooled."""
    a, b = make("a"), make("b")
    b.records[:] = [replace(one, seed=7) for one in b.records]
    found = compare(a, b)
    assert (found.rows, found.only_b) == ((), ('persistence.torus v1 {"n":1000} seed 7 by tcs',))


def test_another_machine_is_warned_of(make: Any) -> None:
    """Its ratios say nothing about the code; nor do those of an unfinished run."""
    other = make("b")
    other.manifest["environment"] = {**other.environment, "key": "other"}
    del other.manifest["finished"]
    found = compare(make("a"), other)
    assert len(found.warnings) == 2
    assert "Two machines" in found.warnings[0]
    assert "not finished" in found.warnings[1]


def test_markdown(make: Any) -> None:
    """A table; names that hold marks of Markdown or HTML stay text."""
    found = compare(make("a", others={"a|b<i>": 1.0}), make("b", others={"a|b<i>": 3.0}))
    text = markdown(found)
    assert "| case | player | time | 95 % interval |" in text
    assert r"a\|b&lt;i>" in text
    assert "REGRESSION" in text
    assert "Only in" not in text
    assert "Only in run-1: " in markdown(compare(make("c"), make("d", others={"gudhi": 1.0})))


@pytest.mark.parametrize(
    ("git", "said"),
    [
        ({"commit": "d" * 40, "dirty": True}, "is of a tree with uncommitted changes"),
        ({"commit": "", "dirty": True}, "is of a project that is not under version control"),
    ],
)
def test_code_that_no_commit_names_is_warned_of(make: Any, git: dict[str, Any], said: str) -> None:
    """Changes that were not committed, and a project without git, are told apart."""
    other = make("b")
    other.manifest["git"] = git
    (warning,) = compare(make("a"), other).warnings
    assert said in warning
