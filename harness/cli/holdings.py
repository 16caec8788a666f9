"""What a project holds (cases, players, gates, data sets, runs), and what of it this machine can run.

Where it cannot, the row says what to install or plug in. Nothing of a suite is imported.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from harness.cli.declared import Declared, declared
from harness.config import GateConfig
from harness.data import datasets
from harness.discover import Registry, registry
from harness.errors import DataError, HarnessError
from harness.machine.availability import why_not

KINDS = ("cases", "players", "gates", "datasets", "runs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One thing: ``why`` is empty if this machine can run it; ``about`` is what else a listing shows."""

    name: str
    why: str
    about: Mapping[str, Any] = field(default_factory=dict)


class Holdings:
    """What a project holds, seen from one machine. Each listing is made when it is first asked for."""

    def __init__(self, project: Path, facts: Mapping[str, Any]) -> None:
        self.project, self.facts = project, facts

    @cached_property
    def declared(self) -> Declared:
        """The gates, entries and players in conf/."""
        return declared(self.project)

    @cached_property
    def registry(self) -> Registry:
        """The cases and players in benchmarks/, with the changes that conf/ makes."""
        return registry(self.project, self.declared.players)

    @cached_property
    def datasets(self) -> list[Row]:
        """Data sets; their sizes are checked, their hashes only when they are used."""
        rows = []
        for one in datasets.manifests(self.project).values():
            why, place = "", ""
            try:
                place = str(datasets.find(one, self.project))
            except DataError as error:
                why = str(error).removeprefix(f"data set {one.name}: ")
            rows.append(
                Row(
                    name=one.name,
                    why=why,
                    about={
                        "title": one.title,
                        "provenance": one.provenance,
                        "licence": one.licence,
                        "bytes": one.bytes,
                        "folder": place,
                    },
                )
            )
        return rows

    @cached_property
    def players(self) -> list[Row]:
        """Registered players, and those that conf/ adds."""
        rows = []
        for name, player in sorted(self.registry.players.items(), key=lambda item: (item[1].task, item[0])):
            about = {
                "task": player.task,
                "role": player.role,
                "engine": player.engine,
                "device": player.device,
                "note": player.note or player.summary,
            }
            rows.append(Row(name=name, why=why_not(player, self.facts, self.project), about=about))
        return rows

    @cached_property
    def cases(self) -> list[Row]:
        """Registered cases: runnable if their data is here and a player that is no control can answer."""
        rows = []
        for name, case in sorted(self.registry.cases.items()):
            able = [player for player in self.registry.answering(case.task) if self._able(player)]
            why = self._lacking(case.datasets) or (
                ""
                if able
                else f"no player that can run here answers {case.task}; 'harness list players' says what each needs"
            )
            rows.append(
                Row(
                    name=name,
                    why=why,
                    about={
                        "task": case.task,
                        "version": case.version,
                        "players": able,
                        "datasets": list(case.datasets),
                        "summary": case.summary,
                    },
                )
            )
        return rows

    @cached_property
    def gates(self) -> list[Row]:
        """Gates in conf/, by file and key."""
        rows = []
        for (source, key), gate in self.declared.gates.items():
            about = {
                "file": source,
                "row": gate.row,
                "kind": gate.kind,
                "title": gate.title,
                "requires": dict(gate.requires),
                "blocked": bool(gate.blocked),
            }
            rows.append(Row(name=key, why=self._gate(source, gate), about=about))
        return rows

    @cached_property
    def runs(self) -> list[Row]:
        """Run folders under reports/runs, oldest first."""
        from harness.cli import runs

        return [_run(self.project / runs.FOLDER / name) for name in runs.names(self.project)]

    def _able(self, name: str) -> bool:
        row = next((row for row in self.players if row.name == name), None)
        return row is not None and not row.why and self.registry.players[name].role != "control"

    def _lacking(self, names: Sequence[str]) -> str:
        state = {row.name: row.why for row in self.datasets}
        for name in names:
            if state.get(name, "unknown"):
                return f"needs the data set {name}: {state.get(name) or 'no manifest has that name'}"
        return ""

    def _gate(self, source: str, gate: GateConfig) -> str:
        unmet = self._unmet(gate)
        if gate.blocked:
            return "; and ".join([gate.blocked, *unmet])
        if gate.case:
            case = self.declared.case_of(source, gate.case)
            row = next((row for row in self.cases if row.name == case), None)
            if row is None:
                return f"its case {gate.case!r} stands for {case or 'nothing'}, which is not registered"
            if row.why:
                return f"its case {row.name}: {row.why}"
        for name in (gate.player, gate.over):
            player = next((row for row in self.players if row.name == name), None)
            if player and player.why:
                return f"its player {name}: {player.why}"
        return f"OFF-CONDITION here: {'; '.join(unmet)}; run it on such a machine" if unmet else ""

    def _unmet(self, gate: GateConfig) -> list[str]:
        """Conditions of a gate that this machine does not meet; those on trials are left to the run."""
        from harness.conditions import match

        try:
            return match({str(k): str(v) for k, v in gate.requires.items()}, self.facts, ())[2]
        except HarnessError as error:
            return [f"its conditions cannot be read: {error}"]


def _run(folder: Path) -> Row:
    from harness.store import RECORDS

    def read(name: str) -> Any:
        try:
            return json.loads((folder / name).read_text())
        except (OSError, ValueError):
            return None

    manifest, verdicts = read("run.json"), read("verdicts.json")
    manifest = manifest if isinstance(manifest, dict) else {}
    try:
        with open(folder / RECORDS, "rb") as file:
            count = sum(1 for _ in file)
    except OSError:
        count = 0
    state = (
        "finished" if manifest.get("finished") else f"not finished: resume it with 'harness run resume={folder.name}'"
    )
    listed = verdicts.get("verdicts", verdicts.get("gates")) if isinstance(verdicts, dict) else verdicts
    names = [str(one.get("verdict")) for one in listed or [] if isinstance(one, dict)]
    about = {
        "phase": manifest.get("phase", ""),
        "created": manifest.get("created", ""),
        "records": count,
        "state": state,
        "verdicts": {name: names.count(name) for name in dict.fromkeys(names)},
    }
    return Row(name=folder.name, why="" if manifest else "its run.json cannot be read", about=about)
