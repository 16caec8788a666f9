"""The picture of an answer: its persistence diagram and its barcode, side by side.

Backgrounds are transparent and text is of a middle tone, so that one picture reads on a light and on a dark page. The
colours are those of Okabe and Ito (2008), the blue a little lighter: colour-blind readers tell them apart, and the
marks differ in shape as well.
Many bars are drawn as one bitmap inside the vector picture, else an answer of 300,000 bars would make 50 MB of SVG.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

TEXT = "#808890"
COLOURS = ("#1F86C7", "#D55E00", "#009E73", "#CC79A7")
MARKS = ("o", "^", "s", "D")
RASTER_ABOVE = 2_000
LONGEST = 80


def diagram(answer: Mapping[str, Any], title: str) -> Figure:
    """Draw a canonical answer.

    Args:
        answer: ``bars_0``, ``bars_1``, ... of shape (m, 2), death ``inf`` for an essential class.
        title: written above; math signs in it are taken as they are.

    Returns:
        A figure of 9 x 4.2 inches, not attached to any window.
    """
    from matplotlib.figure import Figure

    bars = {int(name.removeprefix("bars_")): np.asarray(rows, dtype=float).reshape(-1, 2)
            for name, rows in answer.items() if name.startswith("bars_")}  # fmt: skip
    figure = Figure(figsize=(9, 4.2), layout="constrained")
    figure.patch.set_alpha(0)
    left, right = figure.subplots(1, 2)
    figure.suptitle(title.replace("$", r"\$"), color=TEXT, fontsize=11)
    low, high = _range(bars)
    _scatter(left, bars, low, high)
    _barcode(right, bars, low, high)
    for axes in (left, right):
        axes.patch.set_alpha(0)
        axes.tick_params(colors=TEXT, labelsize=8)
        axes.xaxis.label.set_color(TEXT)
        axes.yaxis.label.set_color(TEXT)
        for name, spine in axes.spines.items():
            spine.set_color(TEXT)
            spine.set_linewidth(0.6)
            spine.set_visible(name in ("left", "bottom"))
    return figure


def _range(bars: Mapping[int, NDArray[np.float64]]) -> tuple[float, float]:
    values = np.concatenate([rows.ravel() for rows in bars.values()]) if bars else np.empty(0)
    values = values[np.isfinite(values)]
    if not values.size:
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    return (low, high) if high > low else (low, low + 1.0)


def _scatter(axes: Axes, bars: Mapping[int, NDArray[np.float64]], low: float, high: float) -> None:
    """Death over birth; essential classes lie on a line of their own above everything else."""
    span = high - low
    infinity = high + 0.09 * span
    axes.plot([low, high], [low, high], color=TEXT, linewidth=0.7, zorder=1)
    if any(np.isinf(rows).any() for rows in bars.values()):
        axes.axhline(infinity, color=TEXT, linewidth=0.7, linestyle=(0, (4, 3)), zorder=1)
        axes.annotate("∞", (1.01, infinity), xycoords=("axes fraction", "data"), color=TEXT, va="center", fontsize=11)
    for d, rows in sorted(bars.items()):
        essential = np.isinf(rows[:, 1])
        many = len(rows) > RASTER_ABOVE
        label = f"H{d}: {int((~essential).sum()):,} finite, {int(essential.sum()):,} essential"
        style: dict[str, Any] = {"marker": MARKS[d % 4], "c": COLOURS[d % 4], "linewidths": 0, "rasterized": many}
        finite = rows[~essential]
        axes.scatter(finite[:, 0], finite[:, 1], s=5 if many else 16, alpha=0.35 if many else 0.75, **style)
        at_end = np.full(int(essential.sum()), infinity)
        axes.scatter(rows[essential, 0], at_end, s=16, alpha=0.75, label=label, **style)
    axes.set_xlim(low - 0.03 * span, high + 0.05 * span)
    axes.set_ylim(low - 0.03 * span, high + 0.14 * span)
    axes.set_xlabel("birth")
    axes.set_ylabel("death")
    if bars:
        legend = axes.legend(loc="lower right", fontsize=8, frameon=False, labelcolor=TEXT, handletextpad=0.2)
        for handle in legend.legend_handles:
            if handle is not None:
                handle.set_alpha(1)


def _barcode(axes: Axes, bars: Mapping[int, NDArray[np.float64]], low: float, high: float) -> None:
    """The longest bars of each dimension, from the bottom, in order of birth; an arrow where one never ends."""
    end = high + 0.07 * (high - low)
    row = 0
    for d, rows in sorted(bars.items()):
        if not len(rows):
            continue
        chosen = rows[np.argsort(rows[:, 0] - rows[:, 1], kind="stable")[:LONGEST]]
        chosen = chosen[np.lexsort((chosen[:, 1], chosen[:, 0]))]
        heights = np.arange(row, row + len(chosen))
        essential = np.isinf(chosen[:, 1])
        axes.hlines(heights, chosen[:, 0], np.where(essential, end, chosen[:, 1]), color=COLOURS[d % 4], linewidth=1.1)
        axes.scatter(
            np.full(int(essential.sum()), end), heights[essential], marker=">", s=9, color=COLOURS[d % 4], linewidths=0
        )
        shown = f"H{d}" if len(chosen) == len(rows) else f"H{d}: {len(chosen)} of {len(rows):,}"
        axes.annotate(
            shown, (1.0, row + len(chosen) / 2), xycoords=("axes fraction", "data"), rotation=90, fontsize=8,
            color=COLOURS[d % 4], va="center", ha="left",
        )  # fmt: skip
        row += len(chosen) + 6
    axes.set_xlim(low - 0.03 * (high - low), high + 0.12 * (high - low))
    axes.set_ylim(-4, max(row, 10))
    axes.set_yticks([])
    axes.set_xlabel("filtration value")
