"""The page shows foreign text only as text, loads nothing, and every link in it leads somewhere."""

from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest

import fabricate
from fabricate import record
from harness import report
from harness.config import VERDICTS
from harness.report.html import LARGEST_PICTURE, Album
from harness.store import Run
from harness.verdict import Verdict

Full = tuple[Run, list[Verdict]]
ADDRESSES = ("src", "href", "action", "data", "poster", "srcset", "background", "formaction")


class Page(HTMLParser):
    """Tags, identifiers, addresses and text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.ids: Counter[str] = Counter()
        self.addresses: list[str] = []
        self.handlers: list[str] = []
        self.words = ""
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        for name, value in attrs:
            if name == "id":
                self.ids[value or ""] += 1
            if name in ADDRESSES:
                self.addresses.append(value or "")
            if name.startswith("on"):
                self.handlers.append(name)

    def handle_data(self, data: str) -> None:
        self.words += data


@pytest.fixture
def page(full: Full) -> Page:
    run, verdicts = full
    (run.path / "plots").mkdir()
    (run.path / "plots" / "answer-torus-k-20-n-1000-70f1e3a0.svg").write_text("<svg><script>alert(3)</script></svg>")
    report.write(run, verdicts)
    return Page((run.path / "report.html").read_text())


def test_foreign_text_is_shown_as_text(page: Page) -> None:
    """Names, reasons and logs that look like markup are words on the page, and nothing runs."""
    assert page.tags["script"] == 0
    assert page.handlers == []
    assert "<script>alert(1)</script>|`x`" in page.words
    assert "]]></pre><script>alert(2)</script>" in page.words


def test_nothing_unprintable_survives(full: Full) -> None:
    """Control characters, lone surrogates and marks that reorder text are replaced."""
    run, verdicts = full
    report.write(run, verdicts)
    text = (run.path / "report.html").read_text()
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e]", text)
    assert "[31m" not in text


def test_every_link_leads_somewhere(page: Page) -> None:
    """Every ``#anchor`` is the identifier of exactly one element; no identifier stands twice."""
    anchors = [address[1:] for address in page.addresses if address.startswith("#")]
    assert len(anchors) > 50
    assert [anchor for anchor in anchors if page.ids[anchor] != 1] == []
    assert [name for name, times in page.ids.items() if times > 1] == []


def test_nothing_is_loaded(page: Page, full: Full) -> None:
    """All addresses are anchors or embedded pictures; the policy forbids the rest; the style imports nothing."""
    assert {address.split(":")[0] for address in page.addresses if not address.startswith("#")} == {"data"}
    text = (full[0].path / "report.html").read_text()
    assert "default-src 'none'" in text
    assert "http:" not in text
    assert "https:" not in text
    style = text[text.index("<style>") : text.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style


def test_every_record_and_gate_can_be_reached(page: Page, full: Full) -> None:
    """Each record has a row of its own and each gate too."""
    run, verdicts = full
    assert all(page.ids[f"r{line}"] == 1 for line in range(1, len(run.records) + 1))
    assert all(page.ids[f"gate-{number}"] == 1 for number in range(1, len(verdicts) + 1))


def test_verdicts_are_words(page: Page) -> None:
    """Every verdict stands as a word, and as a shape: nothing hangs on a colour."""
    for word in VERDICTS:
        assert word in page.words
    assert page.tags["svg"] >= len(VERDICTS)


def test_statuses_are_plain_words(page: Page) -> None:
    """A reader sees what became of each player without knowing the names of statuses."""
    for words in (
        "timed out at 60 s",
        "killed at 4.01 GiB (limit 4 GiB)",
        "crashed: signal 11 (segmentation fault)",
        "failed: ValueError: no such thing",
        "not available: needs a GPU",
        "wrong: 159 essential bars, not 160",
        "caught, as it must be",
        "confirmed by",
        "wrong: differs from",
        "within tolerance: 0.00300 ≤ 0.0100",
        "> 59.2 s",
        "stopped at the 60 s limit",
        "≥ ",
    ):
        assert words in page.words, words


def test_first_screen_answers(page: Page) -> None:
    """Which phase, what is tolerated, which verdict, why, on what machine: before the table of gates."""
    top = page.words[: page.words.index("Conditions")]
    for words in (
        "Test",
        "tolerates BLOCKED and OFF-CONDITION",
        "FAIL",
        "10 is below 50.",
        "Test CPU",
        "exit status 10",
    ):
        assert words in top


def test_empty_run(empty: Run) -> None:
    """A run without records or gates is a page that says so."""
    report.write(empty, [])
    page = Page((empty.path / "report.html").read_text())
    assert "NO VERDICT" in page.words
    assert "exit status 14" in page.words
    anchors = [address[1:] for address in page.addresses if address.startswith("#")]
    assert all(page.ids[anchor] == 1 for anchor in anchors)


def test_many_records(tmp_path: Path) -> None:
    """A page over ten thousand records stays one that a browser opens, and its links still hold."""
    run = fabricate.run(tmp_path / "run", [])
    run.records = [
        record(player=f"player {number % 10}", params={"n": number % 500 + 1}, process=number // 5000, log="x" * 2000)
        for number in range(10_000)
    ]
    files = report.write(run, [])
    text = files[-1].read_text()
    assert len(text) < 15_000_000
    page = Page(text)
    assert sum(name.startswith("r") and name[1:].isdigit() for name in page.ids) == 10_000
    assert all(page.ids[address[1:]] == 1 for address in page.addresses if address.startswith("#"))


def test_huge_run_folds_its_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Above the limit a record is named by its line only, and what pointed to it points to its group."""
    monkeypatch.setattr("harness.report.summary.RECORDS", 2)
    noise = {"load": 1.0, "steal": 0.5, "throttled": 0, "foreign_gpu": []}
    run = fabricate.run(tmp_path / "run", [record(process=process, interference=noise) for process in range(3)])
    report.write(run, [])
    page = Page((run.path / "report.html").read_text())
    assert "lines 1, 2, 3 of records.jsonl" in page.words
    assert all(page.ids[address[1:]] == 1 for address in page.addresses if address.startswith("#"))


def test_many_instances_are_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables above the limit are said to be in table.md, where they are."""
    monkeypatch.setattr("harness.report.html.ALL_TABLES", 2)
    run = fabricate.run(tmp_path / "run", [record(params={"n": n}) for n in (10, 20, 30)])
    report.write(run, [])
    page = Page((run.path / "report.html").read_text())
    assert "1 more instances are in table.md" in page.words
    assert "n=30" in (run.path / "table.md").read_text()


def test_album_takes_no_links_and_no_large_pictures(tmp_path: Path) -> None:
    """A linked file is not read, a large SVG gives way to its PNG, and unthemed pictures are known as such."""
    (tmp_path / "secret.svg").write_text("<svg/>")
    folder = tmp_path / "plots"
    folder.mkdir()
    (folder / "linked.svg").symlink_to(tmp_path / "secret.svg")
    (folder / "large.svg").write_text("x" * (LARGEST_PICTURE + 1))
    album = Album(folder)
    assert album("linked") is None
    assert album("large") is None
    assert album.exists("large")
    (folder / "large.png").write_bytes(b"png")
    small = album("large")
    assert small is not None
    assert small.source.startswith("data:image/png")
    assert not small.themed


def test_same_run_gives_the_same_page(full: Full) -> None:
    """A report says nothing about when it was written, so that it can be compared."""
    run, verdicts = full
    before = {path.name: path.read_bytes() for path in report.write(run, verdicts)}
    after = {path.name: path.read_bytes() for path in report.write(run, verdicts)}
    assert before == after
