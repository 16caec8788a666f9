"""What is shown while a run goes on, and how the time left is guessed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import fabricate
from harness.trials.plan import Trial
from harness.trials.progress import Estimate, Plain, Quiet, Rich, Silent, for_terminal, result_words

if TYPE_CHECKING:
    import pytest


def trial(player: str, n: int = 1, process: int = 0) -> Trial:
    asked = {"entry": "c", "case": "s.c", "case_version": 1, "task": "t", "params": {"n": n}, "seed": 0, "threads": 1}
    who = {"player": player, "engine": player, "role": "peer", "device": "cpu", "process": process}
    return Trial(trial=f"{player}{n}{process}", instance=f"c[n={n}]", **asked, **who)  # type: ignore[arg-type]


def test_time_left() -> None:
    """A known pair counts as it took; an unknown one as its instance's median, or that of all."""
    estimate = Estimate()
    assert estimate.left({trial("a").pair: 1}) == 0
    estimate.learn(trial("a"), 2.0)
    estimate.learn(trial("b"), 4.0)
    estimate.learn(trial("a", n=2), 30.0)
    assert estimate.left({trial("a").pair: 1, trial("b").pair: 2}) == 10.0
    assert estimate.left({trial("c").pair: 1}) == 3.0
    assert estimate.left({trial("c", n=3).pair: 1}) == 4.0
    assert estimate.left({}) == 0


def test_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """One line a trial: which, how long, how much memory; a left-out trial counts but is not shown."""
    shown = Plain(2)
    shown.begin(trial("a"), trial("b"), {trial("b").pair: 1})
    shown.done(trial("a"), fabricate.record())
    shown.done(trial("b"), None)
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["[1/2] c[n=1] a #0: 0.1 s, 100 MiB, next c[n=1] b"]


def test_a_line_an_instance_in_ci(capsys: pytest.CaptureFixture[str]) -> None:
    """How many were right, and what became of the others, when the instance is over."""
    shown = Quiet(3)
    shown.done(trial("a"), fabricate.record())
    shown.done(trial("b"), fabricate.record(status="error", reason="no memory", samples=[], check={}))
    assert capsys.readouterr().err == ""
    shown.done(trial("a", n=2), fabricate.record())
    shown.close()
    assert capsys.readouterr().err.splitlines() == ["[2/3] c[n=1]: 1 ok; b error: no memory", "[3/3] c[n=2]: 1 ok"]


def test_failures_are_shown_with_their_reason(capsys: pytest.CaptureFixture[str]) -> None:
    """A player's own words may hold markup; it is shown as it is."""
    bad = fabricate.record(status="error", reason="ValueError: [bold]index[/] overflow", samples=[], check={})
    assert result_words(bad) == "error: ValueError: [bold]index[/] overflow"
    shown = Rich(1)
    shown.begin(trial("[red]a"), None, {})
    shown.done(trial("[red]a"), bad)
    shown.close()
    said = capsys.readouterr().err
    assert "[bold]index[/] overflow" in said
    assert "[red]a" in said


def test_the_display_fits_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line an instance in CI, plain where there is no terminal, nothing if nothing is wanted."""
    assert isinstance(for_terminal("none", 1), Silent)
    monkeypatch.delenv("CI", raising=False)
    assert isinstance(for_terminal("auto", 1), Plain)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setenv("CI", "true")
    assert isinstance(for_terminal("auto", 1), Quiet)
