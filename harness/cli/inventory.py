"""``harness list``: cases, players, gates, data sets and runs, and for each whether this machine can run it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path

from harness.cli.holdings import KINDS, Holdings, Row
from harness.errors import UnknownName, UsageError


def main(argv: Sequence[str], project: Path) -> int:
    """The verb ``list``. Returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="harness list", description="What there is, and whether this machine can run it."
    )
    parser.add_argument(
        "what",
        nargs="*",
        metavar="WHAT",
        help=f"{', '.join(KINDS)}; any other word filters by name (default: everything)",
    )
    parser.add_argument("--json", action="store_true", help="machine-readable output")
    words = parser.parse_args(argv)
    kinds = [kind for kind in KINDS if kind in words.what or kind.removesuffix("s") in words.what] or list(KINDS)
    filters = [word for word in words.what if word not in KINDS and f"{word}s" not in KINDS]
    from harness.machine.environment import facts

    found = Holdings(project, facts())
    listing: dict[str, list[Row]] = {kind: getattr(found, kind) for kind in kinds}
    chosen = {kind: [row for row in rows if _matches(row, filters)] for kind, rows in listing.items()}
    if filters and not any(chosen.values()):
        known = [*KINDS, *(row.name for rows in listing.values() for row in rows)]
        raise UsageError(str(UnknownName("entry", " ".join(filters), known)))
    if words.json:
        values = {
            kind: [{"name": row.name, "available": not row.why, "why": row.why, **row.about} for row in rows]
            for kind, rows in chosen.items()
        }
        print(json.dumps({"machine": found.facts["key"], **values}, indent=1, ensure_ascii=False))
        return 0
    from harness.cli.table import show

    for kind, rows in chosen.items():
        if rows or not filters:
            columns, describe = _COLUMNS[kind]
            able = sum(not row.why for row in rows)
            counted = f"{able} of {len(rows)} can be {_CAN[kind]} here" if kind in _CAN else str(len(rows))
            cells = [["no" if row.why else "yes", *describe(row)] for row in rows]
            show(f"{kind}: {counted}", ["", *columns], cells, empty=_EMPTY[kind])
    return 0


def _matches(row: Row, filters: Sequence[str]) -> bool:
    text = " ".join([row.name, *(str(row.about.get(key, "")) for key in ("task", "engine", "file", "row"))]).lower()
    return all(word.lower() in text for word in filters)


_CAN = {"cases": "run", "players": "run", "gates": "judged", "datasets": "read"}
_EMPTY = {
    "cases": "none: mark a function under benchmarks/ with @case",
    "players": "none: mark a function under benchmarks/ with @player, or add a command under players in conf/",
    "gates": "none: add one to conf/gates/",
    "datasets": "none: add a manifest to datasets/",
    "runs": "none yet: 'harness run conf=smoke' makes one",
}
_COLUMNS: dict[str, tuple[list[str], Callable[[Row], list[str]]]] = {
    "cases": (
        ["case", "task", "players", "about, or what is lacking"],
        lambda row: [row.name, row.about["task"], str(len(row.about["players"])), row.why or row.about["summary"]],
    ),
    "players": (
        ["player", "task", "role", "about, or what is lacking"],
        lambda row: [row.name, row.about["task"], row.about["role"], row.why or row.about["note"]],
    ),
    "gates": (
        ["gate", "in", "row", "claim, or why it cannot be judged"],
        lambda row: [row.name, row.about["file"], row.about["row"], row.why or row.about["title"]],
    ),
    "datasets": (
        ["data set", "provenance", "MB", "about, or how to get it"],
        lambda row: [
            row.name,
            row.about["provenance"],
            "?" if row.about["bytes"] is None else f"{row.about['bytes'] / 1e6:.1f}",
            row.why or row.about["title"],
        ],
    ),
    "runs": (
        ["run", "phase", "records", "state"],
        lambda row: [
            row.name,
            row.about["phase"],
            str(row.about["records"]),
            ", ".join([row.about["state"], *(f"{n} {name}" for name, n in row.about["verdicts"].items())]),
        ],
    ),
}
