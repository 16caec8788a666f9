"""Tables in Markdown, with every foreign character that could mean something there made harmless."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from harness import wording
from harness.report.model import Gate, Quantity, Report, Row, Table

_SPECIAL = re.compile(r"([\\`*_\[\]|~])")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def escape(text: object) -> str:
    r"""Text that Markdown shows as it is, on one line, also inside a table.

    >>> escape("a|b <script> `x`")
    'a\\|b &lt;script&gt; \\`x\\`'
    """
    line = " ".join(wording.clean(text).split()).translate(_ENTITIES)
    line = _SPECIAL.sub(r"\\\1", line)
    # A bare address would become a link, and a leading mark a heading, a list or a quotation.
    line = re.sub(r"(?i)\b(https?|ftp|mailto|www)([:.])", r"\1&#8203;\2", line)
    return re.sub(r"^([#+-])", r"\\\1", line)


def code(text: object) -> str:
    """Text as inline code, whatever backticks it holds."""
    line = " ".join(wording.clean(text).split()).replace("|", "\\|")
    longest = max((len(run) for run in re.findall(r"`+", line)), default=0)
    fence = "`" * (longest + 1)
    space = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{space}{line}{space}{fence}" if line else ""


def render(report: Report) -> str:
    """The whole of table.md."""
    return "\n".join([*heading(report), *gates(report), *cases(report)]) + "\n"


def heading(report: Report) -> Iterator[str]:
    """Title, verdict and the reasons for it."""
    head = report.headline
    qualifier = f" ({head.qualifier})" if head.qualifier else ""
    yield f"# {escape(report.phase)}: {head.word}{qualifier}"
    yield ""
    if report.title:
        yield from (escape(report.title), "")
    yield from (f"{escape(head.tolerates)} Exit status {head.exit_status}.", "")
    yield from (f"**{head.sentence}** {escape(head.answers)} {head.progress}", "")
    for gate in head.causes:
        yield f"- {escape(gate.title)}: {escape(gate.reason)}"
    if head.causes:
        yield ""
    for warning in head.warnings:
        yield from (f"Note: {escape(warning)}", "")
    yield from (f"Machine: {escape(report.machine)}. {escape(report.interference.sentence)}", "")


def gates(report: Report) -> Iterator[str]:
    """The table of gates."""
    yield from ("## Gates", "")
    if not report.gates:
        yield from ("No gate was judged.", "")
        return
    yield from table(
        ["Verdict", "Claim", "Measured", "Bound", "Conditions", "Reason", "Next step"],
        "llrrlll",
        [_gate(gate) for gate in report.gates],
    )
    yield ""


def cases(report: Report) -> Iterator[str]:
    """A table an instance."""
    for entry in report.entries:
        yield from (f"## {escape(entry.key)}", "")
        version = f", version {entry.version}" if entry.version else ""
        limits = f" Limits: {entry.limits}." if entry.limits else ""
        yield from (f"{escape(entry.case)}{version}.{limits}", "")
        for one in entry.tables:
            yield from _instance(one)


def table(names: Sequence[str], sides: str, rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """A table of cells that are Markdown already; ``sides`` holds ``l`` or ``r`` a column."""
    yield f"| {' | '.join(names)} |"
    yield "|" + "|".join("---:" if place == "r" else ":---" for place in sides) + "|"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _gate(gate: Gate) -> list[str]:
    verdict = f"**{gate.verdict}**" + (" (tolerated)" if gate.tolerated else "")
    claim = escape(f"{gate.row}: {gate.title}" if gate.row else gate.title)
    measured = escape(f"{gate.measured} ({gate.interval})" if gate.interval else gate.measured or "–")
    conditions = (
        "; ".join(escape(f"{name} {asked} (here: {found})") for name, asked, found in gate.conditions) or "none"
    )
    return [
        verdict,
        claim,
        measured,
        escape(gate.bound or "–"),
        conditions,
        escape(gate.reason),
        escape(gate.next_step or "–"),
    ]


def _instance(found: Table) -> Iterator[str]:
    data = f" Input: {escape(found.data)}." if found.data else ""
    yield from (f"### {escape(found.instance)}", "", f"{escape(found.answers)}{data}", "")
    yield from table(
        ["Player", "Time", "95 % interval", "Ratio to the best peer", "Peak memory", "Processes", "Answer"],
        "lrrrrll",
        [_row(row) for row in found.rows],
    )
    yield ""
    if found.speedups:
        yield from (escape(found.speedups), "")
    for row in found.rows:
        if row.metrics:
            told = "; ".join(f"{name} {value}" for name, value in row.metrics.items())
            yield from (f"Of {escape(row.player)}: {escape(told)}.", "")


def _row(row: Row) -> list[str]:
    name = (
        escape(row.player)
        + (" (best peer)" if row.best else "")
        + (f" ({escape(row.role)})" if row.role not in ("peer", "") else "")
    )
    interval = row.time.interval if row.time else ""
    time = [_text(row.time), escape(interval or row.outcome or "–")] if row.time else [escape(row.outcome or "–"), "–"]
    ratio = (
        f"{row.ratio.text} ({row.ratio.interval})"
        if row.ratio and row.ratio.interval and not row.best
        else row.ratio.text
        if row.ratio
        else "–"
    )
    processes = f"{row.processes} ({row.processes_note})" if row.processes_note else row.processes
    notes = "; ".join(text for text in (row.answer, *row.notes) if text)
    return [name, *time, escape(ratio), _text(row.memory), escape(processes), escape(notes or "–")]


def _text(found: Quantity | None) -> str:
    return escape(found.text) if found else "–"
