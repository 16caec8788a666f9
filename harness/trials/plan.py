"""From a configuration to seeded trials: case x parameters x player x process, interleaved.

The order is a seeded shuffle: within an instance of a case each round runs every player once, in random
order, so that a drift of the machine meets all players alike.
"""

from __future__ import annotations

import hashlib
import itertools
import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from harness.case import CaseInfo
from harness.config import CaseConfig, GateConfig, RunConfig
from harness.discover import OF_THE_REFEREE, Registry
from harness.errors import ConfigurationError, UnknownName
from harness.record import canonical_json

BEST_PEER = "best_peer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One process that is to run. ``trial`` is its content-addressed id (:func:`trial_id`)."""

    trial: str
    entry: str
    case: str
    case_version: int
    task: str
    instance: str
    params: Mapping[str, Any]
    seed: int
    player: str
    engine: str
    role: str
    device: str
    process: int
    threads: int
    limits: Mapping[str, float] = field(default_factory=dict)
    sampling: Mapping[str, float] = field(default_factory=dict)

    @property
    def pair(self) -> tuple[str, str]:
        """Instance and player: whoever did not finish an instance once is not asked it again."""
        return self.instance, self.player

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)


def trial_id(values: Mapping[str, Any]) -> str:
    """Id of a trial: 16 hex digits of blake2b over everything that was asked, but not when or where."""
    asked = {name: value for name, value in values.items() if name != "trial"}
    return hashlib.blake2b(canonical_json(asked).encode(), digest_size=8).hexdigest()


def instance_name(entry: str, params: Mapping[str, Any]) -> str:
    """One readable label.

    >>> instance_name("torus", {"n": 10000, "k": 20})
    'torus[k=20,n=10000]'
    """
    inside = ",".join(f"{name}={params[name]}" for name in sorted(params))
    return f"{entry}[{inside}]" if inside else entry


def plan(config: RunConfig, registry: Registry, *, threads: int) -> list[Trial]:
    """All trials of a configuration, in the order in which they run.

    Args:
        threads: given to players whose entry leaves ``threads`` at 0.

    Raises:
        UnknownName: a case, player or parameter that does not exist, in a case or in a gate.
        ConfigurationError: a player of another task, a parameter that is lacking.
    """
    check_gates(config, registry)
    order = random.Random(config.seed)
    trials: list[Trial] = []
    for key, entry in config.cases.items():
        info = registry.case(entry.case)
        _check_params(key, entry, info)
        players = entry.players or registry.answering(info.task)
        for name in (*players, *entry.fewer):
            if registry.player(name).task != info.task:
                raise ConfigurationError(
                    f"cases.{key}: player {name!r} answers {registry.player(name).task!r}, but "
                    f"{entry.case!r} asks {info.task!r}. Players that answer it: "
                    f"{', '.join(registry.answering(info.task)) or 'none'}"
                )
        for values in itertools.product(*entry.params.values()):
            params = dict(zip(entry.params, values, strict=True))
            for process in range(max([entry.processes, *entry.fewer.values()])):
                round_ = [name for name in players if process < entry.fewer.get(name, entry.processes)]
                order.shuffle(round_)
                trials += [_trial(key, entry, registry, name, params, process, config.seed, threads) for name in round_]
    return trials


def check_gates(config: RunConfig, registry: Registry) -> None:
    """Refuse gates that no run of this configuration could judge, before anything is measured.

    A gate that is ``blocked`` may name what is not there yet.

    Raises:
        UnknownName: a player that is not registered, or a parameter in ``where`` that no case of the gate varies.
    """
    for key, gate in config.gates.items():
        if gate.blocked:
            continue
        for field_, name in (("player", gate.player), ("over", gate.over)):
            if name and name not in registry.players and (field_, name) != ("over", BEST_PEER):
                raise UnknownName("player", name, registry.players, hint=f"gates.{key}.{field_} names it.")
        _check_where(key, gate, config)


def _check_where(key: str, gate: GateConfig, config: RunConfig) -> None:
    entries = [config.cases[gate.case]] if gate.case in config.cases else list(config.cases.values())
    varied = {name for entry in entries for name in entry.params}
    for name in gate.where:
        if name not in varied:
            raise UnknownName("parameter", name, varied, hint=f"gates.{key}.where asks for it.")


def _check_params(key: str, entry: CaseConfig, info: CaseInfo) -> None:
    if info.parameters is None:
        return
    for name in entry.params:
        if name not in info.parameters:
            own = f" {name!r} comes from the run, not from params." if name in OF_THE_REFEREE else ""
            raise UnknownName(
                f"parameter of {info.name}", name, info.parameters, hint=f"cases.{key}.params sets it.{own}"
            )
    lacking = [name for name in info.required if name not in entry.params]
    if lacking:
        raise ConfigurationError(
            f"cases.{key}.params: {info.name} needs {', '.join(lacking)} as well; give each a list of values"
        )


def _trial(
    key: str,
    entry: CaseConfig,
    registry: Registry,
    name: str,
    params: Mapping[str, Any],
    process: int,
    seed: int,
    threads: int,
) -> Trial:
    info, player = registry.case(entry.case), registry.player(name)
    values: dict[str, Any] = {
        "entry": key,
        "case": info.name,
        "case_version": info.version,
        "task": info.task,
        "instance": instance_name(key, params),
        "params": dict(params),
        "seed": seed + entry.seed,
        "player": name,
        "engine": player.engine,
        "role": player.role,
        "device": player.device,
        "process": process,
        "threads": entry.threads or threads,
        "limits": {"wall_s": entry.limits.wall_s, "memory_bytes": int(entry.limits.memory_gib * 2**30)},
        "sampling": asdict(entry.sampling),
    }
    return Trial(trial=trial_id(values), **values)
