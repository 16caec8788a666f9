"""A record: what one process found, in one line of JSON that is never changed afterwards."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from harness.case import ROLES
from harness.errors import SchemaError

SCHEMA = 1
STATUSES = ("ok", "timeout", "memory", "crash", "error", "unavailable", "wrong_answer")
DID_NOT_FINISH = ("timeout", "memory", "crash", "error", "unavailable")


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One process's result. Times are seconds, memory is bytes.

    Attributes:
        schema: version of this layout.
        run, trial: id of the run; content-addressed id of the trial.
        entry: the key under ``cases`` in the configuration. ``case`` is the registered name.
        instance: entry and parameters in one readable label, for example ``torus[k=20,n=10000]``.
        case_version, params, task, seed: what was asked.
        player, player_version, engine, role, device, threads: who answered.
        process: number of this repeat, from 0. The process is the unit of replication.
        data: name, sha256 and provenance of the input: ``{"inputs": sha256, "provenance": ..., "sets": {...}}``.
        status: one of :data:`STATUSES`; ``reason`` is a sentence where it is not ``ok``.
        limits: ``{"wall_s": ..., "memory_bytes": ...}``.
        warmup, samples: seconds of each timed call, in order; ``number`` calls were timed together.
        unfinished: seconds that the call had lasted that was going on when the process was stopped at its limit; 0 if
            there was none, or if it is not known.
        cold: the one sample is also the first call (it took longer than the whole sampling budget).
        clock: ``wall`` (perf_counter), ``cuda`` (events, synchronised), ``process`` (start to exit) or
            ``player`` (reported by an external command).
        cpu: CPU seconds of each sample (user + system, all threads), same length as samples, may be empty.
        stages: name to the seconds of each sample.
        metrics: name to ``{"value", "unit", "direction", "ceiling"?}``.
        check: ``{"oracle", "ok", "detail", "distance", "tolerance", "exact", "answer"}``; ``answer`` is the
            sha256 of the canonical answer, which lies in ``answers/<sha256>.npz``. Empty if there was none.
        repeatable: every sample gave the same bytes (None where there was one sample or no answer).
        memory: ``{"host_peak": bytes, "host_source": "VmHWM" | "sampled" | "reported", "device_peak": bytes | None}``.
        interference: ``{"load": 1-minute load before, "steal": share, "throttled": count, "foreign_gpu": [...]}``.
        environment: stable machine key. ``configuration``: sha256 of the resolved configuration.
        git: ``{"commit": ..., "dirty": bool}`` of the project.
        started: UTC, ISO 8601. ``wall``: seconds of the whole process. ``setup``: seconds before the first call.
        log: tail of the process's output.
        previous, digest: sha256 chain over the records of a run, filled in by the store.
    """

    schema: int = SCHEMA
    run: str
    trial: str
    entry: str
    case: str
    instance: str
    case_version: int
    params: Mapping[str, Any]
    task: str
    seed: int
    player: str
    player_version: str = ""
    engine: str = ""
    role: str = "peer"
    device: str = "cpu"
    threads: int = 1
    process: int = 0
    data: Mapping[str, Any] = field(default_factory=dict)
    status: str
    reason: str = ""
    limits: Mapping[str, float] = field(default_factory=dict)
    warmup: Sequence[float] = ()
    samples: Sequence[float] = ()
    number: int = 1
    unfinished: float = 0.0
    cold: bool = False
    clock: str = "wall"
    cpu: Sequence[float] = ()
    stages: Mapping[str, Sequence[float]] = field(default_factory=dict)
    metrics: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    check: Mapping[str, Any] = field(default_factory=dict)
    repeatable: bool | None = None
    memory: Mapping[str, Any] = field(default_factory=dict)
    interference: Mapping[str, Any] = field(default_factory=dict)
    environment: str = ""
    configuration: str = ""
    git: Mapping[str, Any] = field(default_factory=dict)
    started: str = ""
    wall: float = 0.0
    setup: float = 0.0
    log: str = ""
    previous: str = ""
    digest: str = ""

    def __post_init__(self) -> None:
        if self.status not in STATUSES:
            raise SchemaError(f"a record's status is one of {', '.join(STATUSES)}, not {self.status!r}")


FIELDS = tuple(f.name for f in fields(Record))
_TYPES = {f.name: str(f.type) for f in fields(Record)}


def canonical_json(value: Any) -> str:
    """The one JSON text of a value: sorted keys, no spaces; refuses NaN and infinity."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(value: Any) -> str:
    """sha256 (hex) of the canonical JSON of a value."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def to_dict(record: Record) -> dict[str, Any]:
    """A record as plain JSON values."""
    return asdict(record)


def record_digest(values: Mapping[str, Any]) -> str:
    """sha256 of a record's content, its ``previous`` link included and its ``digest`` left out."""
    return digest({name: value for name, value in values.items() if name != "digest"})


def from_dict(values: Mapping[str, Any], *, where: str = "a record") -> Record:
    """Read a record of this or an earlier schema.

    Raises:
        SchemaError: for a newer schema, missing or unknown fields; ``where`` names the file and line.
    """
    values = migrate(values, where=where)
    unknown = set(values) - set(FIELDS)
    if unknown:
        raise SchemaError(f"{where}: unknown field(s) {', '.join(sorted(unknown))}; was it written by a newer version?")
    for name, value in values.items():
        if not _fits(value, _TYPES[name]):
            raise SchemaError(f"{where}: {name} is {str(value)[:60]!r}, which is no {_TYPES[name]}")
    if values.get("role", ROLES[0]) not in ROLES:
        raise SchemaError(f"{where}: role is one of {', '.join(ROLES)}, not {values['role']!r}")
    try:
        return Record(**values)
    except (TypeError, SchemaError) as error:
        raise SchemaError(f"{where}: {error}") from None


def _fits(value: Any, kind: str) -> bool:
    """Whether a JSON value is of the type that a field is declared with: a record may come from anywhere."""
    if kind.startswith("Mapping"):
        return isinstance(value, Mapping)
    if kind.startswith("Sequence"):
        return isinstance(value, list | tuple) and all(isinstance(one, int | float) for one in value)
    if kind.startswith("bool"):
        return isinstance(value, bool) or (value is None and "None" in kind)
    return isinstance(value, {"int": int, "float": int | float, "str": str}[kind])


def migrate(values: Mapping[str, Any], *, where: str) -> Mapping[str, Any]:
    """Bring a record of an earlier schema to the present one, step by step (see ``MIGRATIONS``)."""
    schema = values.get("schema")
    if not isinstance(schema, int) or schema < 0:
        raise SchemaError(f"{where}: no schema version; this is not a record")
    if schema > SCHEMA:
        raise SchemaError(f"{where}: schema {schema} is newer than {SCHEMA}, the newest this version reads; update it")
    migrated = dict(values)
    while migrated["schema"] < SCHEMA:
        MIGRATIONS[migrated["schema"]](migrated)
        migrated["schema"] += 1
    return migrated


def _from_0(values: dict[str, Any]) -> None:
    """Schema 0 (before the first release) kept the entry and case under one name and had no chain."""
    values.setdefault("entry", values.get("case", ""))
    values.setdefault("previous", "")
    values.setdefault("digest", "")


MIGRATIONS = {0: _from_0}
