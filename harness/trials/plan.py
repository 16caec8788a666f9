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

from harness.config import CaseConfig, RunConfig
from harness.discover import Registry
from harness.errors import ConfigurationError
from harness.record import canonical_json


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
        UnknownName: a case or player that does not exist. ConfigurationError: a player of another task.
    """
    order = random.Random(config.seed)
    trials: list[Trial] = []
    for key, entry in config.cases.items():
        info = registry.case(entry.case)
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
