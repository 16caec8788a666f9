"""Which cases and players a project has, read from the source text without importing it.

Every ``benchmarks/**/*.py`` is parsed for functions that carry ``@case(...)`` or ``@player(...)``. So a
listing costs milliseconds, a suite whose packages are missing is still listed, and a plan runs no code.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from harness.case import DEVICES, ROLES, CaseInfo, PlayerInfo
from harness.config import OF_THE_USER, PlayerConfig
from harness.errors import ConfigurationError, UnknownName

OF_THE_REFEREE = ("seed", *OF_THE_USER)
"""Arguments of a case that come from the run, not from ``params``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """Everything that can be asked and everyone who can answer, by name."""

    cases: Mapping[str, CaseInfo] = field(default_factory=dict)
    players: Mapping[str, PlayerInfo] = field(default_factory=dict)

    def case(self, name: str) -> CaseInfo:
        """A case by name. Raises UnknownName with near misses."""
        try:
            return self.cases[name]
        except KeyError:
            raise UnknownName("case", name, self.cases) from None

    def player(self, name: str) -> PlayerInfo:
        """A player by name. Raises UnknownName with near misses."""
        try:
            return self.players[name]
        except KeyError:
            raise UnknownName("player", name, self.players) from None

    def answering(self, task: str) -> list[str]:
        """Names of the players that answer a task, in alphabetical order."""
        return sorted(name for name, player in self.players.items() if player.task == task)


def registry(project: Path, players: Mapping[str, PlayerConfig] | None = None) -> Registry:
    """Read a project's cases and players; ``players`` are the configuration's additions and changes.

    Raises:
        ConfigurationError: a file that is no Python, an argument that is no literal, a name used twice, an
            external player without task or command.
    """
    cases: dict[str, CaseInfo] = {}
    found: dict[str, PlayerInfo] = {}
    for path in sorted((project / "benchmarks").rglob("*.py")):
        for kind, function, arguments in _marked(path, project):
            where = f"{path.relative_to(project)}:{function.lineno}"
            module = ".".join(path.relative_to(project).with_suffix("").parts)
            target = f"{module}:{function.name}"
            summary = (ast.get_docstring(function) or "").split("\n", 1)[0]
            if kind == "case":
                suite = path.relative_to(project / "benchmarks").parts[0].removesuffix(".py")
                name = f"{suite}.{function.name}"
                _new(name, cases, where)
                found_here = dict(name=name, target=target, summary=summary, **_parameters(function))
                cases[name] = _info(CaseInfo, where, **found_here, **arguments)
            else:
                name = arguments.get("name", "")
                _new(name, found, where)
                found[name] = _info(PlayerInfo, where, target=target, summary=summary, **arguments)
    for name, changes in (players or {}).items():
        found[name] = _changed(found.get(name), name, changes)
    for name, info in found.items():
        if info.role not in ROLES or info.device not in DEVICES:
            raise ConfigurationError(
                f"player {name!r}: role is one of {', '.join(ROLES)} and device one of "
                f"{', '.join(DEVICES)}; found {info.role!r} and {info.device!r}"
            )
        if not info.engine:
            found[name] = replace(info, engine=name)
    return Registry(cases=cases, players=found)


def _marked(path: Path, project: Path) -> Iterator[tuple[str, ast.FunctionDef, dict[str, Any]]]:
    text = path.read_text(encoding="utf-8")
    if "@case(" not in text and "@player(" not in text:
        return
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise ConfigurationError(
            f"{path.relative_to(project)}:{error.lineno} is not valid Python: {error.msg}"
        ) from None
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef):
            continue
        for mark in node.decorator_list:
            if isinstance(mark, ast.Call) and isinstance(mark.func, ast.Name) and mark.func.id in ("case", "player"):
                yield mark.func.id, node, _literals(mark, f"{path.relative_to(project)}:{mark.lineno}")


def _parameters(function: ast.FunctionDef) -> dict[str, tuple[str, ...] | None]:
    """What the function of a case takes, and what of it has no default."""
    of = function.args
    plain = [*of.posonlyargs, *of.args]
    names = [one.arg for one in (*plain, *of.kwonlyargs) if one.arg not in OF_THE_REFEREE]
    with_default = {one.arg for one in plain[len(plain) - len(of.defaults) :]}
    with_default |= {one.arg for one, value in zip(of.kwonlyargs, of.kw_defaults, strict=True) if value is not None}
    return {
        "parameters": None if of.kwarg else tuple(names),
        "required": tuple(name for name in names if name not in with_default),
    }


def _literals(mark: ast.Call, where: str) -> dict[str, Any]:
    arguments = {}
    if mark.args:
        raise ConfigurationError(f"{where}: a registration takes keyword arguments only")
    for keyword in mark.keywords:
        if keyword.arg is None:
            raise ConfigurationError(f"{where}: a registration takes no **arguments; write them out")
        try:
            arguments[keyword.arg] = ast.literal_eval(keyword.value)
        except ValueError:
            raise ConfigurationError(
                f"{where}: {keyword.arg} must be a literal, since registrations are read "
                "without running the file; write its value out"
            ) from None
    return arguments


def _info(kind: Any, where: str, **values: Any) -> Any:
    known = {f.name for f in fields(kind)}
    for name in values:
        if name not in known:
            raise ConfigurationError(f"{where}: {UnknownName('argument', name, known)}")
    try:
        return kind(**values)
    except TypeError as error:
        raise ConfigurationError(f"{where}: {error}") from None


def _new(name: str, taken: Mapping[str, Any], where: str) -> None:
    if not name:
        raise ConfigurationError(f"{where}: a player needs a name")
    if name in taken:
        raise ConfigurationError(f"{where}: the name {name!r} is taken by {taken[name].target}; choose another")


def _changed(info: PlayerInfo | None, name: str, changes: PlayerConfig) -> PlayerInfo:
    values = {
        f: getattr(changes, f)
        for f in ("task", "interpreter", "engine", "role", "device", "note")
        if getattr(changes, f)
    }
    if changes.command:
        values["command"] = tuple(changes.command)
    if info is None:
        if not changes.task or not changes.command:
            raise ConfigurationError(
                f"players.{name} is no registered player, so it needs both task and command "
                "(an argument list); see the reference of the file protocol"
            )
        info = PlayerInfo(name=name, task=changes.task)
    return replace(info, **values, env={**info.env, **changes.env})
