"""What the files under conf/ declare, read as plain YAML: gates, cases and players by key.

A listing has no time to compose a configuration (Hydra alone takes half a second), so overrides and
defaults lists are left out: this says what a project holds, not what one run asks for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from harness.config import GateConfig, PlayerConfig
from harness.errors import ConfigurationError

GROUPS = ("gates", "cases", "players")


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """Attributes:
    gates: file name (without ending) and key to the gate. ``entries``: key under ``cases`` to a registered
    case's name, by file and key. ``players``: additions and changes, by key.
    """

    gates: Mapping[tuple[str, str], GateConfig] = field(default_factory=dict)
    entries: Mapping[tuple[str, str], str] = field(default_factory=dict)
    players: Mapping[str, PlayerConfig] = field(default_factory=dict)

    def case_of(self, source: str, key: str) -> str:
        """Registered case behind an entry: the one of the same file name first; empty if there is none."""
        if (source, key) in self.entries:
            return self.entries[source, key]
        return next((case for (_, name), case in self.entries.items() if name == key and case), "")


def declared(project: Path) -> Declared:
    """Read ``conf/{gates,cases,players}/*.yaml`` and ``conf/conf/*.yaml`` of a project.

    Raises:
        ConfigurationError: a file that is no YAML.
    """
    gates: dict[tuple[str, str], GateConfig] = {}
    entries: dict[tuple[str, str], str] = {}
    players: dict[str, PlayerConfig] = {}
    for path, group, values in _sections(project):
        for key, entry in values.items():
            if not isinstance(entry, dict):
                continue
            if group == "gates":
                gates[path.stem, str(key)] = _known(GateConfig, entry)
            elif group == "cases" and entry.get("case"):
                entries[path.stem, str(key)] = str(entry["case"])
            elif group == "players":
                players[str(key)] = _known(PlayerConfig, entry)
    return Declared(gates=gates, entries=entries, players=players)


def _sections(project: Path) -> Iterator[tuple[Path, str, dict[str, Any]]]:
    for group in (*GROUPS, "conf"):
        for path in sorted((project / "conf" / group).glob("*.yaml")):
            values, package = _load(path)
            for name in GROUPS:
                inside = values.get(name)
                if (group == "conf" or package == "_global_") and isinstance(inside, dict):
                    yield path, name, inside
                elif group == name and package != "_global_":
                    yield path, name, values


def _load(path: Path) -> tuple[dict[str, Any], str]:
    """A file's values, and the package that its header names (empty without one)."""
    import yaml

    text = path.read_text(encoding="utf-8")
    try:
        values = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - safe_load, in C
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{path} is no valid YAML: {error}") from None
    header = re.search(r"^#\s*@package\s+(\S+)", text, re.MULTILINE)
    return (values if isinstance(values, dict) else {}), header.group(1) if header else ""


def _known(kind: Any, values: Mapping[str, Any]) -> Any:
    """The fields that exist, from one entry; a wrong key is reported when a run is composed, not in a listing."""
    names = {f.name for f in fields(kind)}
    return kind(**{name: value for name, value in values.items() if name in names and value is not None})
