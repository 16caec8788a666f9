"""Tables in Markdown keep their shape, and foreign text stays text."""

from __future__ import annotations

import re
from pathlib import Path

from hypothesis import given, strategies as st

import fabricate
from harness import report
from harness.config import GateConfig
from harness.report.markdown import code, escape
from harness.store import Run
from harness.verdict import Verdict


@given(st.text())
def test_escaped_text_cannot_leave_its_cell(text: str) -> None:
    """No raw bar, line break, tag or backtick survives."""
    shown = escape(text)
    assert not re.search(r"(?<!\\)(\\\\)*[|`*_\[\]]", shown)
    assert not re.search(r"[<>\n\r]", shown)


@given(st.text())
def test_code_is_closed(text: str) -> None:
    """The fence is longer than any run of backticks inside."""
    shown = code(text)
    if shown:
        fence = re.match(r"`+", shown)
        assert fence is not None
        inside = shown[len(fence[0]) : -len(fence[0])]
        assert fence[0] not in re.findall(r"`+", inside)
        assert not re.search(r"(?<!\\)\|", inside)


def test_addresses_are_not_links() -> None:
    """An address in a log does not become a link."""
    assert "http:" not in escape("see http://evil.example/ and www.evil.example")
    assert "www." not in escape("www.evil.example")


def test_tables_are_rectangular(full: tuple[Run, list[Verdict]]) -> None:
    """Every row of a table has as many cells as its head."""
    run, verdicts = full
    report.write(run, verdicts)
    lines = (run.path / "table.md").read_text().splitlines()
    width = 0
    rows = 0
    for before, line in zip(["", *lines], lines, strict=False):
        if line.startswith("|"):
            cells = len(re.findall(r"(?<!\\)\|", line))
            width = width if before.startswith("|") else cells
            rows += 1
            assert cells == width, line
    assert rows > 30


def test_names_of_gates_and_roles_stay_text(tmp_path: Path) -> None:
    """A gate may have any name, and a plan from elsewhere any role."""
    gates = {"<b>|*x*": GateConfig(blocked="nobody yet", below=1.0, tolerate=["BLOCKED"])}
    run = fabricate.run(tmp_path / "run", [], gates=gates)
    run.plan.append({"trial": "t", "entry": "torus", "instance": "torus[]", "player": "p", "role": "<i>"})
    report.write(run, [])
    text = (run.path / "table.md").read_text()
    assert "BLOCKED of &lt;b&gt;\\|\\*x\\*" in text
    assert "p (&lt;i&gt;)" in text


def test_answers_the_same_questions(full: tuple[Run, list[Verdict]]) -> None:
    """Phase, verdict, tolerance, machine, players and outcomes are all there."""
    run, verdicts = full
    report.write(run, verdicts)
    text = (run.path / "table.md").read_text()
    for words in (
        "# Test: FAIL",
        "tolerates BLOCKED",
        "Test CPU",
        "(best peer)",
        "stopped at the 60 s limit",
        "(candidate)",
    ):
        assert words in text
    assert "<script>" not in text
