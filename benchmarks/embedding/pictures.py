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
RANGE = (1e-17, 10.0)
"""Of 1 - cosine, the same in every picture, so that pictures can be laid side by side; what is below is drawn there."""
LAYERS = (1e-9, 10.0)


def errors(answer: Mapping[str, Any], title: str) -> Figure:
    """Draw the canonical form of an answer to ``embedding.states``.

    Args:
        answer: ``<name>_by_position`` (n,), 1 - cosine of each token of the last context, for some of ``cache``,
            ``quantisation`` and ``window``; ``<name>_by_layer`` (layers, 2), relative L2 of keys and values, likewise.
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
            values = np.asarray(answer[f"{name}_by_position"])
            label += "" if values.any() else ": 0 at every token"
            drawn = np.maximum(values, RANGE[0])
            left.plot(drawn, color=colour, linestyle=dashes, linewidth=1.2, label=label, clip_on=False)
        if f"{name}_by_layer" in answer:
            _layers(right, np.maximum(answer[f"{name}_by_layer"], LAYERS[0]), name)
    for axes, label, across, limits in ((left, "1 - cosine", "token", RANGE), (right, "relative L2", "layer", LAYERS)):
        axes.set_xlabel(across)
        axes.set_ylabel(label)
        axes.set_yscale("log")
        axes.set_ylim(*limits)
    for axes in (left, right):
        axes.patch.set_alpha(0)
        axes.tick_params(colors=TEXT, labelsize=8, which="both")
        axes.xaxis.label.set_color(TEXT)
        axes.yaxis.label.set_color(TEXT)
        axes.legend(fontsize=8, frameon=False, labelcolor=TEXT, loc="best")
        for name, spine in axes.spines.items():
            spine.set_color(TEXT)
            spine.set_linewidth(0.6)
            spine.set_visible(name in ("left", "bottom"))
    return figure


def _layers(axes: Axes, layers: NDArray[np.float64], name: str) -> None:
    """Errors of keys and values by layer: filled marks, open ones for quantisation."""
    colour = STYLES[name][0]
    for column, (part, mark) in enumerate((("keys", "o"), ("values", "^"))):
        shift = 0.2 * column - 0.1  # beside each other, for they are often the same
        axes.plot(
            np.arange(len(layers)) + shift, layers[:, column], mark, color=colour, markersize=4.5, clip_on=False,
            fillstyle="none" if name == "quantisation" else "full", label=f"{name}: {part}",
        )  # fmt: skip
    axes.set_xticks(range(0, len(layers), max(1, len(layers) // 8)))
