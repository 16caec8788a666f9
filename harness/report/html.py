"""report.html: one file that loads nothing, runs nothing, and shows foreign text only as text.

Jinja escapes every value. Pictures are embedded through ``<img>``, where an SVG can run no script, and the
page's content security policy forbids scripts and every request.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.report import claims
from harness.report.figures import Drawn
from harness.report.model import Report, Table

HERE = Path(__file__).parent
LARGEST_PICTURE = 300_000
ALL_PICTURES = 8_000_000
"""Bytes: of one embedded picture, and of all of them; what does not fit is named instead."""
OPEN_TABLES = 40
"""With more instances than this, the entries start folded."""
ALL_TABLES = 1500
"""Tables shown; a sweep over more instances is read from table.md."""
_TYPES = {".svg": "image/svg+xml", ".png": "image/png"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """An embedded picture. ``themed`` ones follow light and dark; others need a white card."""

    source: str
    themed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """Where a time lies on its table's logarithmic scale, per cent from the left."""

    at: float
    left: float
    width: float
    censored: bool


class Album:
    """Pictures of a run's plots folder as data addresses, within a budget of bytes."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.left = folder, ALL_PICTURES

    def __call__(self, stem: str) -> Picture | None:
        """The SVG of that stem, or the PNG where the SVG is large; None if there is none that fits.

        A link is not followed: a run folder from elsewhere must not pull in other files.
        """
        for suffix in (".svg", ".png"):
            path = self.folder / f"{stem}{suffix}"
            if path.is_symlink() or not path.is_file() or path.stat().st_size > min(LARGEST_PICTURE, self.left):
                continue
            data = path.read_bytes()
            self.left -= len(data)
            source = f"data:{_TYPES[suffix]};base64,{base64.b64encode(data).decode()}"
            return Picture(source=source, themed=suffix == ".svg" and b"prefers-color-scheme" in data)
        return None

    def exists(self, stem: str) -> bool:
        """Whether there is such a picture, embedded or not."""
        return any((self.folder / f"{stem}{suffix}").is_file() for suffix in _TYPES)


def render(report: Report, *, drawn: Mapping[str, Sequence[Drawn]], left_out: int, plots: Path) -> str:
    """The whole page.

    Args:
        drawn: anchor of an entry to its figures. left_out: how many figures were not drawn.
        plots: the folder that figures and pictures of answers lie in.
    """
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    tables = sum(len(entry.tables) for entry in report.entries)
    shown, left = [], ALL_TABLES
    for entry in report.entries:
        shown.append(min(len(entry.tables), left))
        left -= shown[-1]
    template = environment.get_template("template.html.j2")
    return template.render(
        report=report,
        drawn=drawn,
        left_out=left_out,
        album=Album(plots),
        strips=strips,
        css=(HERE / "style.css").read_text(),
        folded=tables > OPEN_TABLES,
        shown=shown,
        meanings=claims.MEANINGS,
        order=claims.ORDER,
    )


def strips(table: Table) -> list[Strip | None]:
    """A small interval plot of every row's time, on the one logarithmic scale of the table."""
    times = [row.time for row in table.rows]
    ends = [end for time in times if time for end in (time.low or time.value, time.high or time.value) if end]
    if not ends:
        return [None] * len(times)
    first, last = math.log(min(ends)), math.log(max(ends))
    if last - first < 0.5:
        first, last = first - 0.25, last + 0.25
    scale = 92 / (last - first)

    def place(value: float) -> float:
        return round(4 + (math.log(value) - first) * scale, 2)

    made: list[Strip | None] = []
    for time in times:
        if time is None or not time.value:
            made.append(None)
            continue
        left = place(time.low or time.value)
        made.append(
            Strip(
                at=place(time.value),
                left=left,
                width=round(place(time.high or time.value) - left, 2),
                censored=time.relation != "=",
            )
        )
    return made
