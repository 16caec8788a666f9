"""The picture of a check on states: the errors against position, each under its own name, and those of the cache by
layer.

Colours are those of Okabe and Ito (2008), which colour-blind readers tell apart, and lines differ in their dashes, too;
the background is transparent and the text of a middle tone, for light and dark pages.
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
STYLES = {
    "cache": ("#1F86C7", "-", "cache error"),
    "quantisation": ("#D55E00", "--", "quantisation error"),
    "window": ("#009E73", "-.", "window error"),
}
LEAST = 1e-17
"""Smaller errors, and those of 0, are drawn here."""


def errors(answer: Mapping[str, Any], title: str) -> Figure:
    """Draw the canonical form of an answer to ``embedding.states``.

    Args:
        answer: ``<name>_by_position`` (n,), 1 - cosine of each token, for some of ``cache``, ``quantisation`` and
            ``window``; ``cache_by_layer`` (layers, 2), relative L2 of keys and values.
        title: written above; math signs in it are taken as they are.

    Returns:
        A figure of 9 x 3.6 inches, not attached to any window.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    figure.patch.set_alpha(0)
    left, right = figure.subplots(1, 2, width_ratios=[2, 1])
    figure.suptitle(title.replace("$", r"\$"), color=TEXT, fontsize=11)
    for name, (colour, dashes, label) in STYLES.items():
        if f"{name}_by_position" in answer:
            values = np.maximum(answer[f"{name}_by_position"], LEAST)
            left.plot(values, color=colour, linestyle=dashes, linewidth=1.2, label=label)
    left.set_xlabel("token")
    left.set_ylabel("1 - cosine")
    _layers(right, np.maximum(answer["cache_by_layer"], LEAST))
    for axes in (left, right):
        axes.set_yscale("log")
        axes.patch.set_alpha(0)
        axes.tick_params(colors=TEXT, labelsize=8, which="both")
        axes.xaxis.label.set_color(TEXT)
        axes.yaxis.label.set_color(TEXT)
        axes.legend(fontsize=8, frameon=False, labelcolor=TEXT)
        for name, spine in axes.spines.items():
            spine.set_color(TEXT)
            spine.set_linewidth(0.6)
            spine.set_visible(name in ("left", "bottom"))
    return figure


def _layers(axes: Axes, layers: NDArray[np.float64]) -> None:
    """Error of the cache at the end, by layer."""
    for part, (name, mark, colour) in enumerate((("keys", "o", "#1F86C7"), ("values", "^", "#CC79A7"))):
        axes.plot(layers[:, part], mark, color=colour, markersize=4.5, label=name)
    axes.set_xticks(range(0, len(layers), max(1, len(layers) // 8)))
    axes.set_xlabel("layer")
    axes.set_ylabel("cache at the end, relative L2")
