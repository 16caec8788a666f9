"""The typed configuration: what a run may be asked, and nothing else.

Hydra composes it from ``conf/``; :func:`typed` turns the result into these dataclasses, so that no code of
the harness ever sees a DictConfig. Dicts of cases, players and gates merge and are overridden by key.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from harness.conditions import require_known
from harness.errors import ConfigurationError, meant

KINDS = ("absolute", "ratio", "accuracy", "agreement", "control", "calibration")
OF_THE_SESSION = ("resume", "repeat", "progress", "runs", "lock_wait_s")
"""Keys that say how a run is carried out, not what is measured: they are not saved with a run."""
OF_THE_USER = ("recording", "model")
"""Keys that name what a user brings; a case whose function has an argument of that name is handed it."""
PROGRESS = ("auto", "rich", "plain", "none")
VERDICTS = ("PASS", "FAIL", "BLOCKED", "OFF-CONDITION", "INCONCLUSIVE")


@dataclass
class Limits:
    """Limits on the whole process tree of one trial: ``wall_s`` in seconds, ``memory_gib`` in GiB."""

    wall_s: float = 60.0
    memory_gib: float = 4.0


@dataclass
class Sampling:
    """How often one process calls ``solve``: until ``budget_s`` is used up, within these bounds."""

    budget_s: float = 1.0
    min_samples: int = 1
    max_samples: int = 30
    max_warmup: int = 5


@dataclass
class CaseConfig:
    """One entry under ``cases``.

    ``case`` is a registered case; ``params`` a grid (each value a list); ``players`` names of players, all
    that answer the task if empty; ``processes`` repeats of each, ``fewer`` a number of its own for a slow player
    (or a greater one: it simply stands in place of ``processes``); ``seed`` is added to the run's seed.
    """

    case: str = ""
    params: dict[str, list[Any]] = field(default_factory=dict)
    players: list[str] = field(default_factory=list)
    processes: int = 3
    fewer: dict[str, int] = field(default_factory=dict)
    seed: int = 0
    threads: int = 0
    limits: Limits = field(default_factory=Limits)
    sampling: Sampling = field(default_factory=Sampling)


@dataclass
class PlayerConfig:
    """An entry under ``players``: a new external player, or a change to a registered one.

    An external player needs ``task`` and ``command`` (an argument list; ``{job}`` stands for the job folder,
    ``{project}`` for the project's folder, ``{python}`` for the harness's own interpreter); see
    docs/reference/protocol.md.
    """

    task: str = ""
    command: list[str] = field(default_factory=list)
    interpreter: str = ""
    engine: str = ""
    role: str = ""
    device: str = ""
    env: dict[str, str] = field(default_factory=dict)
    note: str = ""


@dataclass
class GateConfig:
    """One entry under ``gates``: data only.

    Attributes:
        title: the claim, as one sentence. ``row``: the requirement that it belongs to.
        kind: one of :data:`KINDS`.
        case: key under ``cases``, or empty for every case (agreement and control only). ``where``: parameters that
            its instances must have; a list means any of them.
        player: whose number is judged. ``over``: whose number a ratio is taken over, a player's name or
            ``best_peer``; the ratio is over / player, so that 20 means twenty times faster.
        metric: ``time``, ``memory`` or a metric's name. ``statistic``: ``median``, ``p95`` or ``p99`` of the
            samples of a process.
        below, above: the bound; exactly one, in ``unit``.
        requires: condition name to what it must be (see :mod:`harness.conditions`).
        needs: gates that must pass first.
        confidence, processes: of the two-sided interval; least number of processes.
        blocked: why nothing can answer it yet; such a gate is BLOCKED with this sentence.
        tolerate: verdicts of this gate, other than FAIL, that leave the exit status 0.
    """

    title: str = ""
    row: str = ""
    kind: str = "absolute"
    case: str = ""
    where: dict[str, Any] = field(default_factory=dict)
    player: str = ""
    over: str = ""
    metric: str = "time"
    statistic: str = "median"
    below: float | None = None
    above: float | None = None
    unit: str = "s"
    requires: dict[str, str] = field(default_factory=dict)
    needs: list[str] = field(default_factory=list)
    confidence: float = 0.95
    processes: int = 8
    blocked: str = ""
    tolerate: list[str] = field(default_factory=list)


@dataclass
class RunConfig:
    """A whole run.

    Attributes:
        phase: what the report is called, for example ``Phase 2``. ``title``: its one-line description.
        seed: all seeds derive from it. ``runs``: folder that run folders are made in.
        resume, repeat: a run folder to go on with; one whose saved configuration is repeated.
        recording, model: paths of a user's recording and of a user's model, for cases that read one.
        tolerate: verdicts other than FAIL that leave the exit status 0; printed on top of the report.
        progress: ``auto``, ``rich``, ``plain`` or ``none``.
        lock_wait_s: seconds to wait for the machine's lock (0: another run's lock is an error at once).
    """

    phase: str = ""
    title: str = ""
    seed: int = 0
    runs: str = "reports/runs"
    resume: str | None = None
    repeat: str | None = None
    recording: str | None = None
    model: str | None = None
    tolerate: list[str] = field(default_factory=list)
    progress: str = "auto"
    lock_wait_s: float = 0.0
    cases: dict[str, CaseConfig] = field(default_factory=dict)
    players: dict[str, PlayerConfig] = field(default_factory=dict)
    gates: dict[str, GateConfig] = field(default_factory=dict)


def problems(config: RunConfig) -> list[str]:
    """What makes no sense in a configuration, one sentence each (empty if it is sound)."""
    found = []
    found += _not_tolerable("tolerate", config.tolerate)
    if config.progress not in PROGRESS:
        found.append(
            f"progress {config.progress!r} is not one of {', '.join(PROGRESS)}.{meant(config.progress, PROGRESS)}"
        )
    if math.isnan(config.lock_wait_s) or config.lock_wait_s < 0:
        found.append("lock_wait_s must be 0 or more seconds")
    for key, entry in config.cases.items():
        found += [f"cases.{key}{text}" for text in _case_problems(entry)]
    for key, gate in config.gates.items():
        found += [f"gates.{key}: {text}" for text in _gate_problems(gate, config)]
    found += [
        f"{key}: holds '${{', which is left for OmegaConf to fill in; a run is saved with the value itself"
        for key in unresolved(to_dict(config))
    ]
    return found


def _case_problems(entry: CaseConfig) -> Iterator[str]:
    if entry.processes < 1 or any(count < 1 for count in entry.fewer.values()):
        yield ": processes must be at least 1"
    if entry.threads < 0:
        yield ": threads must be 0 (those of the machine) or more"
    yield from _limit_problems(entry)
    if twice := _twice(entry.players):
        yield f".players: {twice} is named twice; 'processes' repeats a player"
    for name in entry.fewer if entry.players else ():
        if name not in entry.players:
            yield f".fewer: {name!r} is not among its players.{meant(name, entry.players)}"
    for name, values in entry.params.items():
        if not values:
            yield f".params.{name}: an empty list asks for nothing; drop it or give a value"
        if twice := _twice(values):
            yield f".params.{name}: {twice} is there twice; 'processes' repeats an instance"


def _limit_problems(entry: CaseConfig) -> Iterator[str]:
    for name in ("wall_s", "memory_gib"):
        limit = getattr(entry.limits, name)
        if not (math.isfinite(limit) and limit > 0):
            yield f".limits: {name} must be a number above 0, found {limit:g}"
    if entry.sampling.min_samples < 1 or entry.sampling.max_samples < entry.sampling.min_samples:
        yield ".sampling: needs 1 <= min_samples <= max_samples"
    if not (math.isfinite(entry.sampling.budget_s) and entry.sampling.budget_s >= 0):
        yield ".sampling: budget_s must be 0 or more seconds"
    if entry.sampling.max_warmup < 0:
        yield ".sampling: max_warmup must be 0 or more"


def _twice(values: Sequence[Any]) -> str:
    """The first value that occurs before, in quotes; 1 and 1.0 make two instances, as do 1 and true."""
    shown = [repr(value) for value in values]
    return next((one for number, one in enumerate(shown) if one in shown[:number]), "")


def _gate_problems(gate: GateConfig, config: RunConfig) -> list[str]:
    found = []
    found += _not_tolerable("tolerate", gate.tolerate)
    if gate.kind not in KINDS:
        found.append(f"kind {gate.kind!r} is not one of {', '.join(KINDS)}")
    bounds = (gate.below is not None) + (gate.above is not None)
    if gate.kind in ("absolute", "ratio", "accuracy", "calibration") and bounds != 1:
        found.append("needs exactly one of below and above")
    if gate.kind == "ratio" and not gate.over:
        found.append("a ratio needs 'over': a player's name, or best_peer")
    if gate.statistic not in ("median", "p95", "p99"):
        found.append(f"statistic {gate.statistic!r} is not one of median, p95, p99")
    if not 0.5 < gate.confidence < 1:
        found.append("confidence must lie between 0.5 and 1")
    if gate.processes < 3:
        found.append("fewer than 3 processes are never a verdict")
    if not gate.blocked and gate.case and gate.case not in config.cases:
        known = ", ".join(sorted(config.cases)) or "none"
        found.append(f"case {gate.case!r} is not under cases: {known}.{meant(gate.case, config.cases)}")
    if not gate.blocked and not gate.case and gate.kind not in ("agreement", "control"):
        found.append("needs a case, or a sentence under 'blocked' that says why there is none")
    for other in gate.needs:
        if other not in config.gates:
            found.append(f"needs {other!r}, which is not under gates.{meant(other, config.gates)}")
    try:
        require_known(gate.requires)
    except ConfigurationError as error:
        found.append(str(error))
    return found


def _not_tolerable(where: str, verdicts: list[str]) -> list[str]:
    return [
        f"{where}: {verdict!r} cannot be tolerated; choose from BLOCKED, OFF-CONDITION, INCONCLUSIVE"
        for verdict in verdicts
        if verdict not in VERDICTS or verdict in ("PASS", "FAIL")
    ]


def require_sound(config: RunConfig) -> None:
    """Raise ConfigurationError that lists all problems at once."""
    found = problems(config)
    if found:
        raise ConfigurationError("the configuration does not make sense:\n  " + "\n  ".join(found))


def typed(values: Any) -> RunConfig:
    """A composed Hydra configuration, or a saved one, as a :class:`RunConfig`.

    Raises:
        ConfigurationError: for an unknown key or a value of the wrong type; the message names the key.
    """
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    try:
        merged = OmegaConf.merge(OmegaConf.structured(RunConfig), values)
        config = OmegaConf.to_object(merged)
    except OmegaConfBaseException as error:
        raise ConfigurationError(f"the configuration has a wrong key or type: {error}") from None
    assert isinstance(config, RunConfig)
    require_sound(config)
    return config


def located(config: RunConfig, folder: Path) -> RunConfig:
    """The configuration with whole paths of what a user brings; they are looked for from a folder on.

    Raises:
        ConfigurationError: there is nothing at a path.
    """
    found: dict[str, Any] = {}
    for name in OF_THE_USER:
        if (given := getattr(config, name)) is not None:
            path = (folder / Path(given).expanduser()).resolve()
            if not path.exists():
                raise ConfigurationError(f"{name}={given}: there is nothing at {path}; give the path of your {name}")
            found[name] = str(path)
    return replace(config, **found)


def unresolved(values: Any, where: str = "") -> list[str]:
    """Paths of the keys whose value holds an interpolation, which OmegaConf would fill in from elsewhere.

    >>> unresolved({"title": "${oc.env:HOME}", "cases": {"torus": {"players": ["a", "${b}"]}}})
    ['title', 'cases.torus.players.1']
    """
    if isinstance(values, str):
        return [where] if "${" in values else []
    if isinstance(values, dict):
        pairs = [*values.items(), *((key, str(key)) for key in values if "${" in str(key))]
    elif isinstance(values, list | tuple):
        pairs = list(enumerate(values))
    else:
        return []
    return [key for name, value in pairs for key in unresolved(value, f"{where}.{name}" if where else str(name))]


def to_dict(config: RunConfig) -> dict[str, Any]:
    """A configuration as plain values, in the form in which it is saved and hashed."""
    from dataclasses import asdict

    return asdict(config)
