"""How figures look and how they are saved: one style, a palette for all eyes, SVG that follows light and dark."""

from __future__ import annotations

import re
import warnings
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import wording
from harness.files import write_bytes, write_text

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure

INK = "#010203"
"""Drawn instead of black. In an SVG it becomes ``currentColor``, which a dark page turns light."""
# M. Okabe, K. Ito, Color Universal Design (2008), without yellow, which is too faint on white; INK stands for black.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", INK)
MARKERS = ("o", "s", "D", "^", "v", "P", "X")
DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (5, 1.2, 1.2, 1.2)))
WIDTH = 4.7
"""Inches. Narrow, so that a figure that is fitted to a phone keeps legible text."""
PITCH = 0.175
"""Inches from one line of a legend to the next."""
_FAMILY = "ui-sans-serif, system-ui, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif"
_SCHEME = (
    f"<style>svg{{color:#1d2125}}text{{font-family:{_FAMILY} !important}}"
    "@media(prefers-color-scheme:dark){svg{color:#d9dcdf}}</style>"
)
_STYLE: Any = {
    "font.family": ["DejaVu Sans"],
    "font.size": 9.0,
    "axes.titlesize": 10.0,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 10.0,
    "axes.labelsize": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "xtick.major.width": 0.8,
    "ytick.major.width": 0.8,
    "axes.grid": True,
    "grid.color": INK,
    "grid.alpha": 0.13,
    "grid.linewidth": 0.7,
    "axes.axisbelow": True,
    "lines.linewidth": 1.6,
    "lines.markersize": 5.5,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "svg.fonttype": "none",
    "svg.hashsalt": "harness",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Colour, marker and dash of one player, the same in every figure of a report."""

    colour: str
    marker: str
    dash: Any
    width: float = 1.5

    @property
    def line(self) -> dict[str, Any]:
        """What matplotlib takes for the line of this player."""
        return {
            "color": self.colour,
            "linestyle": self.dash,
            "linewidth": self.width,
            "marker": self.marker,
            "markeredgewidth": 0,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A saved figure: ``name`` is its stem under plots/; ``alternative`` says in words what it shows."""

    name: str
    caption: str
    alternative: str


def looks(players: Sequence[str], heavy: Collection[str] = ()) -> dict[str, Look]:
    """A look for every player; no two share all three of colour, marker and dash. ``heavy`` ones get a thicker line."""
    size = len(PALETTE)
    return {
        player: Look(
            colour=PALETTE[number % size],
            marker=MARKERS[(number + number // size) % size],
            dash=DASHES[(number // size) % len(DASHES)],
            width=2.4 if player in heavy else 1.5,
        )
        for number, player in enumerate(players)
    }


@contextmanager
def style() -> Iterator[None]:
    """Draw in the reports' style; a glyph that the font lacks is left to the reader's browser."""
    import matplotlib

    with matplotlib.rc_context(_STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        yield


def save(figure: Figure, stem: Path) -> list[Path]:
    """Write a figure as ``<stem>.svg`` (transparent, follows light and dark) and ``<stem>.png`` (on white).

    The same figure gives the same bytes: no date, no random ids.
    """
    from io import BytesIO, StringIO

    from matplotlib.backends.backend_agg import FigureCanvasAgg

    svg, png = stem.with_name(f"{stem.name}.svg"), stem.with_name(f"{stem.name}.png")
    text, pixels = StringIO(), BytesIO()
    with style():
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
        write_text(svg, themed(text.getvalue()))
        FigureCanvasAgg(figure)
        figure.savefig(pixels, format="png", dpi=170, facecolor="white", metadata={"Software": None})
        write_bytes(png, pixels.getvalue())
    return [svg, png]


def themed(svg: str) -> str:
    """An SVG whose ink follows the reader's colour scheme, with no document type to look up."""
    svg = re.sub(r"<!DOCTYPE.*?>", "", svg, flags=re.DOTALL)
    svg = svg.replace(INK, "currentColor")
    return re.sub(r"(<svg\b[^>]*>)", lambda found: found[1] + _SCHEME, svg, count=1)


def label(text: str) -> str:
    """A foreign name as a label: no line breaks, and no leading underscore, which would hide it in a legend."""
    shown = wording.shorten(text, 44)
    return f"\u200b{shown}" if shown.startswith("_") else shown


def legend(figure: Figure, handles: Sequence[Artist], *, top: float, handle: tuple[float, float]) -> None:
    """Two columns of names at the foot of a figure. Names are not formulae: a dollar sign in one is a dollar sign.

    Args:
        top: upper edge, in parts of the figure's height. ``handle``: length and height of a handle, in font sizes.
    """
    drawn = figure.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=(0.03, top),
        ncols=2,
        handlelength=handle[0],
        handleheight=handle[1],
        columnspacing=1.4,
        labelspacing=0.35,
        borderaxespad=0.0,
    )
    for text in drawn.get_texts():
        text.set_parse_math(False)
