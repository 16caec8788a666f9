"""The figures of a report: which there are, their names, and drawing them into a folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from harness.answers import slug
from harness.report.figures import Drawn, Look, looks, save, style
from harness.report.model import Entry, Report, Table
from harness.report.scaling import scaling
from harness.report.stages import fullest, stages
from harness.report.sweeps import sweeps

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    Draw = Callable[[Mapping[str, Look]], tuple[Figure, str, str]]

MOST = 60
"""Figures drawn in one report; a sweep over thousands of instances is read from its tables."""


def draw(report: Report, folder: Path) -> tuple[dict[str, list[Drawn]], list[Path], int]:
    """Draw every figure of a report into a folder.

    Returns:
        Anchor of an entry to its figures; the files written; how many figures were left out (see ``MOST``).
    """
    roles = {
        row.player: row.role
        for entry in report.entries
        for table in entry.tables
        for row in table.rows
        if row.role != "control"
    }
    look = looks(
        sorted(roles, key=lambda player: roles[player] != "candidate"),
        [name for name, role in roles.items() if role == "candidate"],
    )
    drawn: dict[str, list[Drawn]] = {}
    files: list[Path] = []
    left_out = 0
    for entry, name, make in _figures(report):
        if len(files) >= 2 * MOST:
            left_out += 1
            continue
        folder.mkdir(parents=True, exist_ok=True)
        with style():
            figure, caption, alternative = make(look)
            files += save(figure, folder / name)
        drawn.setdefault(entry.anchor, []).append(Drawn(name=name, caption=caption, alternative=alternative))
    return drawn, files, left_out


class Names:
    """File names that are taken only once, and never by the picture of an answer."""

    def __init__(self) -> None:
        self.taken: set[str] = set()

    def __call__(self, *parts: str) -> str:
        """A stem of these words."""
        stem = first = slug("-".join(part for part in parts if part))[:120]
        number = 1
        while stem in self.taken:
            number += 1
            stem = f"{first}-{number}"
        self.taken.add(stem)
        return stem


def _figures(report: Report) -> Iterator[tuple[Entry, str, Draw]]:
    """Entry, file stem and the function that draws it: curves first, which show more than stages do."""
    name = Names()
    for series in sweeps(report.entries):
        entry, words = series.entry, [series.entry.key, series.fixed]
        if not series.main:
            words.insert(1, f"over {series.axis}")
        yield entry, name("scaling", *words, "time"), partial(scaling, series, "time")
        if series.main and any(row.memory for table in series.tables for row in table.rows):
            yield entry, name("scaling", *words, "memory"), partial(scaling, series, "memory")
    for entry in report.entries:
        table = fullest(entry)
        if table is not None:
            yield entry, name("stages", entry.key), _stages_of(table)


def _stages_of(table: Table) -> Draw:
    def draw_stages(_: Mapping[str, Look]) -> tuple[Figure, str, str]:
        return stages(table)

    return draw_stages
