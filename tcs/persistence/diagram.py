"""Pictures of a barcode for publication: its persistence diagram and its longest bars.

The colours are those of Okabe and Ito (2008), which colour-blind readers tell apart; the marks differ in shape as well.
Many dots are drawn as a bitmap inside the vector picture, else a million bars would make 150 MB of SVG.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from tcs.persistence.barcode import Barcode
from tcs.persistence.errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
MARKS = ("o", "^", "s", "D", "v", "P")
GREY = "#777777"
FORMATS = ("png", "svg")
# Above this many dots in one picture a dimension is drawn as a bitmap.
RASTER_ABOVE = 2_000
# Above this many bars of one dimension, one dot is drawn for each cell of a grid finer than a dot.
THIN_ABOVE = 50_000
CELLS = 1_000
LONGEST = 60


def draw(barcode: Barcode, *, title: str = "") -> Figure:
    """The diagram and the longest bars side by side, 7.2 x 3.6 inches, not attached to any window.

    Args:
        title: written above; math signs in it are taken as they are.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 3.6), layout="constrained", dpi=300)
    left, right = figure.subplots(1, 2)
    draw_diagram(left, barcode)
    draw_bars(right, barcode)
    if title:
        figure.suptitle(title.replace("$", r"\$"), fontsize=9)
    return figure


def save(figure: Figure, target: Path | BinaryIO, format: str) -> None:
    """Write a figure as ``png`` or ``svg``; the same barcode gives the same bytes with the same matplotlib.

    Raises:
        InputError: another format.
        OSError: ``target`` cannot be written.
    """
    import matplotlib

    if format not in FORMATS:
        raise InputError(f"format={format!r}; give one of {', '.join(FORMATS)}")
    metadata: dict[str, Any] = {"Date": None} if format == "svg" else {}
    with matplotlib.rc_context({"svg.hashsalt": "tcs"}):
        figure.savefig(target, format=format, metadata=metadata)


def draw_diagram(axes: Axes, barcode: Barcode) -> None:
    """Death over birth in ``axes``; essential classes lie on a line of their own at the top.

    A dimension of more than 50,000 bars is thinned: one dot for all bars in one cell of a grid of 1,000 x 1,000 cells,
    the darker the more bars it stands for. A cell is smaller than a dot, so no place that has a bar is left without,
    and the legend says how many dots stand for how many bars.
    """
    low, high = limits(barcode)
    span = high - low
    infinity = high + 0.1 * span
    bottom, top = low - 0.05 * span, high + 0.16 * span
    axes.fill_between([bottom, top], [bottom, top], bottom, color="#F0F0F0", linewidth=0, zorder=0)
    axes.plot([bottom, top], [bottom, top], color=GREY, linewidth=0.6, zorder=1)
    if any(len(barcode.essential(d)) for d in range(len(barcode.bars))):
        axes.axhline(infinity, color=GREY, linewidth=0.6, linestyle=(0, (5, 3)), zorder=1)
        axes.annotate("∞", (1.01, infinity), xycoords=("axes fraction", "data"), va="center", fontsize=10)
    for d in range(len(barcode.bars)):
        _scatter(axes, barcode, d, infinity)
    axes.set(xlim=(bottom, top), ylim=(bottom, top), xlabel="birth", ylabel="death", aspect="equal")
    if barcode.bars:
        axes.legend(loc="lower right", fontsize=6.5, frameon=False, handletextpad=0.1, borderaxespad=0.2)
    _ticks(axes, low, high)
    # a number above the line of infinity would say something else than the line does
    axes.set_yticks(axes.get_xticks())
    _frame(axes, "left", "bottom")


def _scatter(axes: Axes, barcode: Barcode, d: int, infinity: float) -> None:
    finite, essential = barcode.finite(d), barcode.essential(d)
    rows = np.concatenate([finite, essential]).astype(np.float64)
    rows[np.isinf(rows[:, 1]), 1] = infinity
    colour, mark = COLOURS[d % len(COLOURS)], MARKS[d % len(MARKS)]
    label = f"H{d}: {len(finite):,} finite, {len(essential):,} essential"
    style: dict[str, Any] = {"marker": mark, "linewidths": 0, "zorder": 2 + d}
    if len(rows) > THIN_ABOVE:
        dots, counts = thinned(rows, limits(barcode)[0], infinity)
        # the dots that stand for most lie on top: what is seen is a count, not how often dots overlap
        order = np.argsort(counts, kind="stable")
        rows, counts = rows[dots[order]], counts[order]
        label += f"\n({len(rows):,} dots, light: 1 bar, dark: {counts[-1]:,})"
        style["c"] = _shades(colour, np.log(counts) / np.log(max(counts[-1], 2)))
    else:
        style |= {"c": colour, "alpha": 0.75 if len(rows) <= RASTER_ABOVE else 0.5}
    many = len(rows) > RASTER_ABOVE
    # a few essential classes stay visible beside many finite ones
    small = many & ((rows[:, 1] < infinity) | (len(essential) > RASTER_ABOVE))
    axes.scatter(rows[:, 0], rows[:, 1], s=np.where(small, 2.5, 12.0), rasterized=many, **style)
    axes.scatter([], [], s=12, c=colour, marker=mark, linewidths=0, label=label)


def _shades(colour: str, depth: NDArray[np.float64]) -> NDArray[np.float64]:
    """Colours (m, 3) from a light tint of ``colour`` at depth 0 to a dark shade of it at 1."""
    from matplotlib.colors import to_rgb

    middle = np.array(to_rgb(colour))
    ends = np.array([0.5 + 0.5 * middle, middle, 0.4 * middle])
    return np.stack([np.interp(depth, (0.0, 0.5, 1.0), ends[:, channel]) for channel in range(3)], axis=1)


def draw_bars(axes: Axes, barcode: Barcode) -> None:
    """The longest bars of each dimension in ``axes``, in order of birth; an arrow where one never ends.

    At most 60 a dimension, of which at least half are finite if there are so many; a label says how many of how many.
    """
    low, high = limits(barcode)
    end = high + 0.08 * (high - low)
    row = 0
    for d in range(len(barcode.bars)):
        chosen, label = longest(barcode, d)
        heights = np.arange(row, row + len(chosen))
        essential = np.isinf(chosen[:, 1])
        colour = COLOURS[d % len(COLOURS)]
        axes.hlines(heights, chosen[:, 0], np.where(essential, end, chosen[:, 1]), color=colour, linewidth=0.9)
        arrows = heights[essential]
        axes.scatter(np.full(len(arrows), end), arrows, marker=">", s=6, color=colour, linewidths=0)
        if len(chosen):
            axes.annotate(
                label, (1.0, row + (len(chosen) - 1) / 2), xycoords=("axes fraction", "data"), rotation=90,
                fontsize=6.5, color=colour, va="center", ha="left",
            )  # fmt: skip
            row += len(chosen) + 5
    if not row:
        axes.annotate("no bars", (0.5, 0.5), xycoords="axes fraction", ha="center", fontsize=8, color=GREY)
    axes.set(xlim=(low - 0.03 * (high - low), high + 0.12 * (high - low)), ylim=(-3, max(row - 2, 8)), yticks=[])
    axes.set_xlabel("filtration value")
    _ticks(axes, low, high)
    _frame(axes, "bottom")


def longest(barcode: Barcode, d: int) -> tuple[NDArray[np.float64], str]:
    """The bars of dimension ``d`` that :func:`draw_bars` shows, (k, 2) by birth and death, and what it says of them."""
    finite, essential = barcode.finite(d).astype(np.float64), barcode.essential(d).astype(np.float64)
    finite = finite[np.argsort(finite[:, 0] - finite[:, 1], kind="stable")]
    endless = min(len(essential), max(LONGEST // 2, LONGEST - len(finite)))
    chosen = np.concatenate([finite[: LONGEST - endless], essential[:endless]])
    chosen = chosen[np.lexsort((chosen[:, 1], chosen[:, 0]))]
    ended = len(chosen) - endless
    label = f"H{d}"
    if len(chosen) < len(barcode.bars[d]):
        label += f": {ended} of {len(finite):,} finite,\n{endless} of {len(essential):,} essential"
    return chosen, label


def limits(barcode: Barcode) -> tuple[float, float]:
    """The smallest and the largest finite value of all bars; never equal, so that they can be the ends of an axis."""
    values = np.concatenate([np.zeros(0, np.float32), *(rows.ravel() for rows in barcode.bars)])
    values = values[np.isfinite(values)]
    if not values.size:
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    return (low, high) if high > low else (low, low + max(1.0, abs(low)))


def thinned(rows: NDArray[np.float64], low: float, high: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """One row for each occupied cell of a grid of ``CELLS`` x ``CELLS`` over [low, high] x [low, high].

    Returns:
        Which rows stand for their cells, and how many rows lie in the cell of each.
    """
    cells = ((rows - low) * (CELLS / (high - low))).astype(np.int64).clip(0, CELLS - 1)
    _, first, counts = np.unique(cells[:, 0] * CELLS + cells[:, 1], return_index=True, return_counts=True)
    return first, counts


def _ticks(axes: Axes, low: float, high: float) -> None:
    """At most seven numbers along the horizontal axis, none beyond the largest value."""
    from matplotlib.ticker import MaxNLocator

    places = MaxNLocator(nbins=6).tick_values(low, high)
    axes.set_xticks([place for place in places if low - 1e-9 * abs(low) <= place <= high])


def _frame(axes: Axes, *sides: str) -> None:
    axes.tick_params(labelsize=7, width=0.6, length=2.5)
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set_fontsize(8)
    for name, spine in axes.spines.items():
        spine.set_linewidth(0.6)
        spine.set_visible(name in sides)
