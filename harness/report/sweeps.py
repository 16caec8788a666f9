"""Which tables make a curve: instances of one case that differ in one number only, whatever entries they stand in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness import wording
from harness.report.model import Entry, Table

Member = tuple[Entry, Table]
OF_THE_RUN = ("threads", "seed")
"""What instances may differ in besides their parameters; named only where they do."""
LEAST = 3
"""Values that a further parameter takes before it has a curve; two tell no shape."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Tables that differ in one number only, smallest first; ``fixed`` names the others.

    ``entry`` holds most of the tables. ``main`` is whether the axis is the first one of its case.
    """

    entry: Entry
    axis: str
    fixed: str
    tables: Sequence[Table]
    main: bool

    @property
    def case(self) -> str:
        """The name of the case within its suite."""
        return self.entry.case.rpartition(".")[2]


def sweeps(entries: Sequence[Entry]) -> list[Series]:
    """The curves of a report.

    Each case has them over ``n``, or else over the number that takes most values; all others are held fixed. Over
    any other number that takes three values, and over threads, it has the one along which most was measured.
    """
    cases: dict[tuple[str, int], list[Member]] = {}
    for entry in entries:
        measured = [table for table in entry.tables if any(row.time or row.memory for row in table.rows)]
        cases.setdefault((entry.case, entry.version), []).extend((entry, table) for table in measured)
    return [series for members in cases.values() for series in _of_case(members)]


def position(table: Table, axis: str) -> float:
    """Where a table stands on an axis; 0 where it has no such number."""
    value = _coordinates(table).get(axis)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0


def _of_case(members: Sequence[Member]) -> Iterator[Series]:
    names = dict.fromkeys(name for _, table in members for name in _coordinates(table) if name != "seed")
    # an axis is logarithmic
    values = {name: {position(table, name) for _, table in members} - {0.0} for name in names}
    varied = [name for name in names if len(values[name]) > 1]
    own = [name for name in varied if name not in OF_THE_RUN]
    main = "n" if "n" in own else max(own, key=lambda name: len(values[name]), default="")
    if main:
        yield from _along(main, members, main=True)
    for axis in varied:
        if axis == "threads" or (axis != main and len(values[axis]) >= LEAST):
            found = list(_along(axis, members, main=False))
            yield from sorted(found, key=_measured)[-1:]


def _along(axis: str, members: Sequence[Member], *, main: bool) -> Iterator[Series]:
    told = [name for name in OF_THE_RUN if len({_coordinates(table)[name] for _, table in members}) > 1]
    groups: dict[str, list[Member]] = {}
    for entry, table in members:
        if position(table, axis) > 0:
            named = [*sorted(table.params), *told]
            fixed = ", ".join(
                f"{name} = {wording.shorten(_coordinates(table)[name], 30)}" for name in named if name != axis
            )
            groups.setdefault(fixed, []).append((entry, table))
    for fixed, found in groups.items():
        tables = sorted((table for _, table in found), key=lambda table: position(table, axis))
        timed = any(row.time for table in tables for row in table.rows)
        if timed and position(tables[0], axis) < position(tables[-1], axis):
            most = max((entry for entry, _ in found), key=lambda entry: sum(one is entry for one, _ in found))
            yield Series(entry=most, axis=axis, fixed=fixed, tables=tables, main=main)


def _measured(series: Series) -> int:
    """Players and sizes of a curve that have a time, among players that have more than one."""
    at: dict[str, set[float]] = {}
    for table in series.tables:
        for row in table.rows:
            if row.time:
                at.setdefault(row.player, set()).add(position(table, series.axis))
    return sum(len(sizes) for sizes in at.values() if len(sizes) > 1)


def _coordinates(table: Table) -> Mapping[str, object]:
    return {**table.params, "threads": table.threads, "seed": table.seed}
