"""Where the time goes: the shares of the stages that players report, as stacked bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import wording
from harness.report.figures import INK, PALETTE, PITCH, WIDTH, label, legend
from harness.report.model import Entry, Row, Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STAGES = 7
PLAYERS = 12


def fullest(entry: Entry) -> Table | None:
    """The instance on which most players report stages, the last of those; None if none does."""
    staged = [sum(has_stages(row) for row in table.rows) for table in entry.tables]
    if not any(staged):
        return None
    return entry.tables[max(range(len(staged)), key=lambda index: (staged[index], index))]


def has_stages(row: Row) -> bool:
    """Whether a row can be drawn."""
    timed = bool(row.time and row.time.value)
    return timed and row.role != "control" and row.state in ("ok", "wrong") and sum(row.stages.values()) > 0


def stages(table: Table) -> tuple[Figure, str, str]:
    """Shares of the time that each player reports for its stages; what it does not report is left open.

    Returns:
        The figure, its caption and what it shows in words.
    """
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    rows = [row for row in table.rows if has_stages(row)][:PLAYERS]
    weight: dict[str, float] = {}
    for row in rows:
        for name, value in row.stages.items():
            weight[name] = weight.get(name, 0.0) + value / sum(row.stages.values())
    names = sorted(weight, key=lambda name: -weight[name])[:STAGES]
    colour = dict(zip(names, PALETTE, strict=False))
    legend_rows = (len(names) + 3) // 2
    height = 0.95 + 0.31 * len(rows) + PITCH * legend_rows
    figure = Figure(figsize=(WIDTH, height))
    axes = figure.add_axes((0.35, (0.5 + PITCH * legend_rows) / height, 0.5, 0.31 * len(rows) / height))
    for number, row in enumerate(rows):
        total = max(row.time.value if row.time and row.time.value else 0.0, sum(row.stages.values()))
        left = 0.0
        for name in names:
            share = row.stages.get(name, 0.0) / total
            axes.barh(number, share, left=left, color=colour[name], height=0.62, linewidth=0)
            left += share
        axes.barh(
            number,
            max(1.0 - left, 0.0),
            left=left,
            facecolor="none",
            edgecolor=INK,
            linewidth=0.6,
            alpha=0.45,
            height=0.58,
        )
        axes.text(1.02, number, row.time.text if row.time else "", va="center", fontsize=8.5)
    axes.set_yticks(range(len(rows)))
    for tick in axes.set_yticklabels([label(wording.shorten(row.player, 25)) for row in rows], fontsize=8):
        tick.set_parse_math(False)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlim(0, 1)
    axes.set_xticks([0, 0.5, 1], ["0", "50 %", "100 %"])
    axes.tick_params(length=0)
    axes.grid(False)
    axes.spines[["left", "bottom"]].set_visible(False)
    figure.text(
        0.03,
        1 - 0.13 / height,
        label(f"Where the time goes, {table.instance}"),
        fontsize=10,
        fontweight="bold",
        va="top",
        parse_math=False,
    )
    handles = [Patch(facecolor=colour[name], label=label(name)) for name in names]
    handles.append(Patch(facecolor="none", edgecolor=INK, linewidth=0.6, label="not reported as a stage"))
    legend(figure, handles, top=(0.14 + PITCH * legend_rows) / height, handle=(1.1, 0.9))
    caption = f"Shares of the time by the stages that each player reports, on {table.instance}; the whole at the right."
    return figure, caption, f"Stacked bars of stage shares for {wording.join([row.player for row in rows])}"
