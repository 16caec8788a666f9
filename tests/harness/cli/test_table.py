"""Tables are text: aligned, wrapped, and with nothing in them that a terminal would obey."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.cli import table

if TYPE_CHECKING:
    import pytest


def test_wrapped() -> None:
    """The last column is wrapped under itself."""
    text = table.plain("t", ["a", "b"], [["one", "word " * 6]], width=30)
    first, header, *rows = text.splitlines()
    assert (first, header) == ("t", "  a    b")
    assert all(len(line) <= 30 for line in rows)
    assert rows[1].startswith("       word")


def test_headers() -> None:
    """Columns are named above the rows and as wide as their names; a table of no names has no such line."""
    assert table.plain("t", ["", "player", "task"], [["yes", "p", "t"]]).splitlines()[1:] == [
        "       player  task",
        "  yes  p       t",
    ]
    assert table.plain("t", ["", ""], [["a", "b"]]) == "t\n  a  b"


def test_empty() -> None:
    """A table without rows says so."""
    assert table.plain("t", ["a"], [], empty="nothing yet") == "t\n  nothing yet"


def test_no_escape_reaches_the_terminal() -> None:
    """A name from a file cannot move the cursor or forge a line."""
    assert table.clean("a\x1b[2Jb\nc\rd") == "a [2Jb c d"


def test_rich_takes_no_mark_up(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """On a terminal the same words appear, square brackets and all."""
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    table.show("title", ["", "name"], [["yes", "torus[k=20] [bold]x[/bold]"]])
    table.show("none", ["", "name"], [], empty="nothing")
    out = capsys.readouterr().out
    assert "torus[k=20] [bold]x[/bold]" in out
    assert "title" in out
    assert "nothing" in out
