"""Numbers and foreign text read the same everywhere."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, strategies as st

from fabricate import record
from harness import wording


@given(st.floats(min_value=1e-9, max_value=1e6))
def test_seconds_keep_three_digits(value: float) -> None:
    """What is printed is within half a unit of the third digit of what was measured."""
    number, unit = wording.seconds(value).split(" ")
    scale = {"s": 1.0, "ms": 1e-3, "µs": 1e-6, "ns": 1e-9}[unit]
    assert float(number.replace(",", "")) * scale == pytest.approx(value, rel=0.0051)


@given(st.floats(-1e300, 1e300))
def test_every_number_can_be_printed(value: float) -> None:
    """And read back, near enough, from a sentence as from a table."""
    for text in (wording.number(value), wording.digits(value)):
        assert float(text.replace(",", "")) == pytest.approx(value, rel=0.006, abs=1e-320)


def test_units() -> None:
    """What follows a number; a share has none."""
    assert (wording.with_unit("3", "ms"), wording.with_unit("3", ""), wording.with_unit("3", "1")) == ("3 ms", "3", "3")


@given(st.text(alphabet=st.characters(codec=None)))
def test_clean_text_can_be_written(text: str) -> None:
    """Any text becomes one that is UTF-8 and allowed in XML, and stays so."""
    shown = wording.clean(text)
    shown.encode()
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]", shown)
    assert wording.clean(shown) == shown


@pytest.mark.parametrize(
    ("status", "reason", "words"),
    [
        ("ok", "", "finished"),
        ("timeout", "killed after 60 s", "timed out at 60 s"),
        ("memory", "killed at 4.01 GiB (limit 4 GiB)", "killed at 4.01 GiB (limit 4 GiB)"),
        ("memory", "out of memory: 3 GiB asked", "out of memory: 3 GiB asked"),
        ("crash", "killed by signal 11", "crashed: signal 11 (segmentation fault)"),
        ("crash", "killed by signal 99", "crashed: killed by signal 99"),
        ("error", "exited with status 3", "failed: exited with status 3"),
        ("unavailable", "needs a GPU", "not available: needs a GPU"),
        ("unavailable", "not available here", "not available here"),
        ("wrong_answer", "3 bars, not 4", "wrong answer: 3 bars, not 4"),
    ],
)
def test_outcomes_are_plain(status: str, reason: str, words: str) -> None:
    """Every status becomes words that need no glossary."""
    assert wording.outcome(record(status=status, reason=reason)) == words


def test_extremes() -> None:
    """Zero, infinity and what is no number have words too."""
    assert wording.seconds(0) == "0 s"
    assert wording.size(0) == "0 B"
    assert wording.digits(float("inf")) == "∞"
    assert wording.digits(float("nan")) == "not a number"
    assert wording.join([]) == ""
