"""Tables on a terminal: drawn by rich where there is one, aligned plain text otherwise (pipes, CI, tests)."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Sequence

_STYLES = {"yes": "green", "no": "red", "warning": "yellow", "unmeasurable": "red"}


def show(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], *, empty: str = "none") -> None:
    """Print a table. A cell is text and nothing else: no mark-up in it is interpreted."""
    if sys.stdout.isatty() and os.environ.get("TERM") != "dumb":
        _rich(title, columns, rows, empty)
    else:
        print(plain(title, columns, rows, empty=empty))


def plain(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], *, empty: str = "none", width: int | None = None
) -> str:
    """The table as aligned text; the last column is wrapped to ``width`` (characters, None: not at all).

    >>> print(plain("fruit: 2", ["name", "colour"], [["apple", "red"], ["fig", "purple"]]))
    fruit: 2
      name   colour
      apple  red
      fig    purple
    """
    lines = [title]
    if not rows:
        return f"{title}\n  {empty}"
    if any(columns):
        rows = [columns, *rows]
    widths = [max(len(clean(row[i])) for row in rows) for i in range(len(columns) - 1)]
    indent = 2 + sum(widths) + 2 * len(widths)
    for row in rows:
        start = "  " + "".join(f"{clean(cell):<{size}}  " for cell, size in zip(row[:-1], widths, strict=True))
        last = clean(row[-1])
        parts = textwrap.wrap(last, max(width - indent, 20), break_long_words=False) if width else [last]
        lines.append((start + (parts[0] if parts else "")).rstrip())
        lines += [" " * indent + part for part in parts[1:]]
    return "\n".join(lines)


def clean(text: str) -> str:
    """One line without control characters: a name from a file may not move the cursor of a terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in str(text))


def _rich(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], empty: str) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(width=max(shutil.get_terminal_size().columns, 60))
    if not rows:
        console.print(Text(title, style="bold"), Text(f"  {empty}"), sep="\n")
        return
    table = Table(title=Text(title, style="bold"), title_justify="left", box=None, pad_edge=False, header_style="dim")
    for number, name in enumerate(columns):
        table.add_column(Text(name), no_wrap=number < len(columns) - 1, overflow="fold" if number else "ignore")
    for row in rows:
        table.add_row(*(Text(clean(cell), style=_STYLES.get(cell, "")) for cell in row))
    console.print(table)
    console.print()
