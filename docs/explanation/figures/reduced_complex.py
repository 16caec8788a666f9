"""Draw the figures of the page on the reduced complex: python docs/explanation/figures/reduced_complex.py."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np

mpl.use("Agg")
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
from matplotlib.patches import Circle

from tcs.persistence.cloud.euclidean import EuclideanLunes
from tcs.persistence.cloud.lengths import longest_square
from tcs.persistence.compute.team import Team
from tcs.persistence.reduced.forest import spanning_forest

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HERE = Path(__file__).parent
BLUE, ORANGE, GREEN, VERMILION, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#9a9a9a"


def three_lunes() -> None:
    """An edge with an empty lune, one in a piece, and one in two pieces."""
    cases = [
        ("empty: a relative neighbour", []),
        ("one piece: nothing changes", [(0.42, 0.28), (0.55, 0.1), (0.6, -0.3)]),
        ("two pieces: a loop is filled", [(0.45, 0.62), (0.55, -0.6), (0.4, -0.5)]),
    ]
    figure, axes = plt.subplots(1, 3, figsize=(9, 3.2), constrained_layout=True)
    for axis, (title, members) in zip(axes, cases, strict=True):
        for end in (0, 1):
            axis.add_patch(Circle((end, 0), 1, fill=False, edgecolor=GREY, linewidth=0.8, linestyle=":"))
        shade(axis)
        points = np.array(members).reshape(-1, 2)
        for i in range(len(points)):
            for j in range(i):
                if np.linalg.norm(points[i] - points[j]) < 1:
                    axis.plot(*zip(points[i], points[j], strict=True), color=GREEN, linewidth=1.5)
            for end in ((0, 0), (1, 0)):
                axis.plot(*zip(points[i], end, strict=True), color=GREY, linewidth=0.8)
        axis.plot([0, 1], [0, 0], color=VERMILION, linewidth=2.5)
        axis.plot([0, 1], [0, 0], "o", color="black", markersize=6)
        axis.annotate("u", (0, 0), (-0.12, -0.03))
        axis.annotate("v", (1, 0), (1.06, -0.03))
        if len(points):
            axis.plot(points[:, 0], points[:, 1], "o", color=BLUE, markersize=7)
        axis.set(xlim=(-0.25, 1.25), ylim=(-0.95, 0.95), aspect="equal", title=title)
        axis.title.set_fontsize(10)
        axis.axis("off")
    figure.savefig(HERE / "lunes.svg")
    plt.close(figure)


def shade(axis: Axes) -> None:
    """Fill the lune of the edge from (0, 0) to (1, 0)."""
    angle = np.linspace(-np.pi / 3, np.pi / 3, 60)
    x = np.concatenate([np.cos(angle), 1 - np.cos(angle)])
    y = np.concatenate([np.sin(angle), -np.sin(angle)])
    axis.fill(x, y, color=ORANGE, alpha=0.18, linewidth=0)


def what_is_left() -> None:
    """All edges of a small cloud, and those that the reduced matrix speaks of."""
    rng = np.random.default_rng(4)
    angle = rng.uniform(0, 2 * np.pi, 90)
    points = np.stack([np.cos(angle), np.sin(angle)], axis=1) * rng.uniform(0.65, 1.05, (90, 1))
    threshold = 0.55
    with Team(1) as team:
        lunes = EuclideanLunes(points, longest_square(threshold), team)
        edges, lengths, fillers, _ = lunes.classify(team)
        tree = spanning_forest(len(points), edges, lengths, team)
    cloud = lunes.cells.points
    near = np.linalg.norm(cloud[:, None] - cloud[None], axis=-1) <= threshold
    everything = np.argwhere(np.triu(near, 1))
    figure, axes = plt.subplots(1, 3, figsize=(9, 3.2), constrained_layout=True)
    drawn = [
        (f"{len(everything)} edges up to the threshold", [(everything, GREY, 0.3)]),
        (f"{len(edges)} relative neighbours, {tree.sum()} in the forest",
         [(edges[tree], BLUE, 1.2), (edges[~tree], VERMILION, 1.8)]),
        (f"{len(fillers)} fillers", [(edges, GREY, 0.5), (fillers[:, :2], GREEN, 1.5)]),
    ]  # fmt: skip
    for axis, (title, groups) in zip(axes, drawn, strict=True):
        for group, colour, width in groups:
            for a, b in group:
                axis.plot(*zip(cloud[a], cloud[b], strict=True), color=colour, linewidth=width)
        axis.plot(cloud[:, 0], cloud[:, 1], "o", color="black", markersize=2)
        axis.set(aspect="equal", title=title)
        axis.title.set_fontsize(10)
        axis.axis("off")
    figure.savefig(HERE / "reduction.svg")
    plt.close(figure)


if __name__ == "__main__":
    mpl.rcParams.update({"svg.hashsalt": "tcs", "svg.fonttype": "path"})
    three_lunes()
    what_is_left()
