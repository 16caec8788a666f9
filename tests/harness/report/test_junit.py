"""junit.xml is XML whatever a player prints, and says what was not measured."""

from __future__ import annotations

from xml.etree import ElementTree

from harness import report
from harness.store import Run
from harness.verdict import Verdict

Full = tuple[Run, list[Verdict]]


def parsed(run: Run, verdicts: list[Verdict]) -> ElementTree.Element:
    report.write(run, verdicts)
    return ElementTree.parse(run.path / "junit.xml").getroot()


def test_verdicts_map_to_kinds(full: Full) -> None:
    """FAIL is a failure, BLOCKED and INCONCLUSIVE errors, OFF-CONDITION skipped, PASS none of them."""
    found = {}
    for case in parsed(*full).iter("testcase"):
        found[case.attrib["name"]] = [child.tag for child in case if child.tag != "system-out"]
    assert found == {
        "fast": [],
        "faster": ["failure"],
        "censored": [],
        "straddles": ["error"],
        "a100": ["skipped"],
        "none": ["error"],
    }


def test_counts_match(full: Full) -> None:
    """The totals of the suite are those of its cases."""
    suite = parsed(*full)[0]
    for name, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert int(suite.attrib[name]) == sum(1 for _ in suite.iter(tag)), name


def test_tolerated_is_said(full: Full) -> None:
    """A tolerated verdict keeps its kind and says that it is tolerated."""
    messages = [child.attrib["message"] for case in parsed(*full).iter("testcase") for child in case if child.attrib]
    assert [message for message in messages if message.startswith("tolerated by the configuration; BLOCKED")]
    assert [message for message in messages if message.startswith("FAIL")]


def test_hostile_text_is_text(full: Full) -> None:
    """Markup, CDATA ends and control characters neither break the document nor get lost without a trace."""
    root = parsed(*full)
    said = "".join(text for text in root.itertext())
    assert "]]></pre><script>alert(2)</script>\ufffd" in said
    assert not list(root.iter("script"))


def test_no_gates(empty: Run) -> None:
    """A run without gates is a suite without tests, and its properties carry the exit status."""
    suite = parsed(empty, [])[0]
    assert suite.attrib["tests"] == "0"
    properties = {one.attrib["name"]: one.attrib["value"] for one in suite.iter("property")}
    assert properties["exit_status"] == "14"
