"""How time and memory grow with the size of the problem, both axes logarithmic, one line a player."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from harness import wording
from harness.report.figures import INK, PITCH, WIDTH, Look, label, legend
from harness.report.model import Quantity
from harness.report.sweeps import Series, position

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

Points = Sequence[tuple[float, float, Quantity]]
"""Size, seconds or bytes, and the quantity with its interval."""
LAST = 3
"""Points that a power is fitted to: at small sizes fixed costs make a line flat."""
NARROW = 8.0
"""An axis whose ends are less than this factor apart is ticked evenly instead of by powers."""
SHORT = 200.0
"""One whose ends are less than this factor apart has ticks between powers of ten, too."""


def scaling(series: Series, measure: str, look: Mapping[str, Look]) -> tuple[Figure, str, str]:
    """Draw ``time`` or ``memory`` of one sweep.

    Returns:
        The figure, its caption and what it shows in words.
    """
    from matplotlib.figure import Figure

    lines = _lines(series, measure)
    sizes = [position(table, series.axis) for table in series.tables]
    rows = (len(lines) + 2) // 2
    height = 3.16 + PITCH * rows
    figure = Figure(figsize=(WIDTH, height))
    axes = figure.add_axes((0.15, (0.6 + PITCH * rows) / height, 0.82, 2.2 / height))
    handles = [_handle(look[player], label(player)) for player in lines]
    for player, points in lines.items():
        _line(axes, [point for point in points if point[2].relation == "="], look[player])
    censored = _stopped(axes, lines, look, sizes)
    axes.set_xscale("log")
    axes.set_yscale("log")
    _ticks(axes, sizes, measure)
    axes.set_xlabel(label(series.axis), parse_math=False)
    noun = "Time" if measure == "time" else "Peak memory"
    axes.set_title(label(f"{noun}, {series.case}") + (f"   ({series.fixed})" if series.fixed else ""), parse_math=False)
    if censored:
        handles.append(_open("did not finish: at least"))
    if handles:
        legend(figure, handles, top=(0.13 + PITCH * rows) / height, handle=(2.2, 0.7))
    what = (
        "time from problem to answer with its 95 % interval"
        if measure == "time"
        else "largest peak memory of a process"
    )
    held = f" at {series.fixed}" if series.fixed else ""
    caption = f"{what[0].upper()}{what[1:]}, against {series.axis}{held}; both axes logarithmic."
    powers = [f"{player} {power:.2f}" for player, points in lines.items() if (power := _power(points)) is not None]
    if powers and measure == "time":
        caption += f" Powers of {series.axis}, fitted to the last {LAST} points: {', '.join(powers)}."
    if censored:
        caption += " An open marker stands where a player was stopped: its true value is above."
    return figure, caption, f"{noun} against {series.axis} for {wording.join(list(lines)) or 'no player'}, log-log"


def _lines(series: Series, measure: str) -> dict[str, Points]:
    """Points a player, slowest at the largest size first, as a reader meets them from the top.

    A player that several entries ask the same has its point from the first of them. Beside the main axis of a case
    one point alone tells nothing.
    """
    lines: dict[str, dict[float, tuple[float, float, Quantity]]] = {}
    for table in series.tables:
        at = position(table, series.axis)
        for row in table.rows:
            found = row.time if measure == "time" else row.memory
            if found is not None and found.value and row.role != "control" and row.state in ("ok", "dnf"):
                lines.setdefault(row.player, {}).setdefault(at, (at, found.value, found))
    drawn = {player: list(points.values()) for player, points in lines.items() if series.main or len(points) > 1}
    return dict(sorted(drawn.items(), key=lambda line: (-line[1][-1][0], -line[1][-1][1])))


def _power(points: Points) -> float | None:
    """The slope of the last points that were finished, by least squares of logarithms; None where they are fewer."""
    last = [(math.log(at), math.log(value)) for at, value, found in points if found.relation == "="][-LAST:]
    if len(last) < LAST:
        return None
    x, y = (sum(values) / LAST for values in zip(*last, strict=True))
    slope: float = sum((a - x) * (b - y) for a, b in last) / sum((a - x) ** 2 for a, _ in last)
    return slope


def _line(axes: Axes, points: Points, look: Look) -> None:
    """Draw what one player finished, with intervals."""
    sizes, values = [size for size, _, _ in points], [value for _, value, _ in points]
    axes.plot(sizes, values, **look.line)
    bars = [(size, value, q.low, q.high) for size, value, q in points if q.low is not None and q.high is not None]
    if bars:
        below = [max(value - low, 0.0) for _, value, low, _ in bars]
        above = [max(high - value, 0.0) for _, value, _, high in bars]
        axes.errorbar(
            [bar[0] for bar in bars],
            [bar[1] for bar in bars],
            yerr=[below, above],
            fmt="none",
            ecolor=look.colour,
            elinewidth=1.1,
            capsize=2.5,
            capthick=1.1,
        )


def _stopped(axes: Axes, lines: Mapping[str, Points], look: Mapping[str, Look], sizes: Sequence[float]) -> bool:
    """Draw open markers where players were stopped, side by side where several share a size; whether there are any."""
    at: dict[float, list[tuple[str, float]]] = {}
    for player, points in lines.items():
        for size, value, found in points:
            if found.relation != "=":
                at.setdefault(size, []).append((player, value))
    ordered = sorted(set(sizes))
    gap = min(after / before for before, after in itertools.pairwise(ordered))
    led: set[str] = set()
    for size, stopped in sorted(at.items()):
        step = min(gap ** (0.75 / max(len(stopped), 4)), (ordered[-1] / ordered[0]) ** 0.032)
        for number, (player, value) in enumerate(stopped):
            own, place = look[player], size * step ** (number - (len(stopped) - 1) / 2)
            finished = [(x, y) for x, y, found in lines[player] if found.relation == "="]
            if finished and player not in led:
                (x, y), dots = finished[-1], (0, (1, 2))
                axes.plot([x, place], [y, value], color=own.colour, linestyle=dots, linewidth=1.0)
            led.add(player)
            axes.plot(
                [place],
                [value],
                color=own.colour,
                marker=own.marker,
                markerfacecolor="none",
                markeredgewidth=1.3,
                markersize=5.5,
                linestyle="none",
            )
        top = max(value for _, value in stopped)
        axes.annotate(
            "≥", (size, top), xytext=(0, 6), textcoords="offset points", ha="center", va="bottom", fontsize=10
        )
    return bool(at)


def _handle(look: Look, text: str) -> Line2D:
    from matplotlib.lines import Line2D

    return Line2D([], [], label=text, **look.line)


def _open(text: str) -> Line2D:
    from matplotlib.lines import Line2D

    return Line2D(
        [],
        [],
        color=INK,
        linestyle=(0, (1, 2)),
        linewidth=1.1,
        marker="o",
        markerfacecolor="none",
        markeredgewidth=1.2,
        label=text,
    )


def _ticks(axes: Axes, sizes: Sequence[float], measure: str) -> None:
    """Sizes as ticks where they are few; times and bytes with units instead of powers of ten."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

    if len(sizes) <= 8:
        axes.xaxis.set_major_locator(FixedLocator(sorted(set(sizes))))
        axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _count(value)))
    unit = "s" if measure == "time" else "B"
    axes.margins(x=0.06, y=0.12)
    low, high = axes.get_ylim()
    if high / low < NARROW:
        # On so short a scale powers would leave a tick or none.
        divisor = wording.unit_of(low, unit)
        places = MaxNLocator(nbins=5, steps=[1, 2, 2.5, 5, 10]).tick_values(low / divisor, high / divisor)
        axes.yaxis.set_major_locator(
            FixedLocator([place * divisor for place in places if low <= place * divisor <= high])
        )
        axes.yaxis.set_minor_locator(NullLocator())
    elif measure == "memory":
        axes.yaxis.set_major_locator(LogLocator(base=2, numticks=9))
        axes.yaxis.set_minor_locator(NullLocator())
    elif high / low < SHORT:
        axes.yaxis.set_major_locator(LogLocator(base=10, subs=(1, 2, 5)))
        axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _short(wording.amount(value, unit))))


def _short(text: str) -> str:
    """``1.00 ms`` as ``1 ms``."""
    number, _, unit = text.partition(" ")
    if "." in number:
        number = number.rstrip("0").rstrip(".")
    return f"{number} {unit}".strip()


def _count(value: float) -> str:
    """A size for an axis: ``3e4`` as ``30k``."""
    for divisor, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= divisor:
            return f"{value / divisor:g}{letter}"
    return f"{value:g}"
