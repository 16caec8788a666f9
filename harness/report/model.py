"""What every report shows, as plain typed values: the one model that all writers read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """A number ready to print: ``text`` with its unit, ``interval`` in words; the floats are for drawing.

    ``relation`` is ``=``, or ``>`` and ``≥`` where a process did not finish.
    """

    text: str
    interval: str = ""
    value: float | None = None
    low: float | None = None
    high: float | None = None
    relation: str = "="


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One player on one instance.

    Attributes:
        anchor: of its records in the records table (empty: it has none).
        state: ``ok``, ``wrong`` (an answer, but not a right one), ``dnf`` (did not finish), ``unavailable``
            or ``absent`` (planned, no record); ``outcome`` says it in words where it is not ``ok``.
        time, ratio, memory: None where there is no such number. ``ratio`` is time / time of the best peer.
        processes: ``8 of 8``; ``processes_note`` why they are fewer.
        answer: what is known about it; ``answer_kind`` is confirmed, unconfirmed, disputed, wrong,
            approximate, checked, caught, missed or none.
        stages: name to seconds (median over processes of each process's median).
        metrics: of a candidate, name to the median over processes, in words.
        notes: what else a reader must know, one phrase each.
    """

    player: str
    role: str
    detail: str
    anchor: str
    state: str
    outcome: str = ""
    best: bool = False
    time: Quantity | None = None
    ratio: Quantity | None = None
    memory: Quantity | None = None
    device_memory: Quantity | None = None
    processes: str = ""
    processes_note: str = ""
    answer: str = ""
    answer_kind: str = "none"
    stages: Mapping[str, float] = field(default_factory=dict)
    metrics: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One instance of a case with every player side by side; ``picture`` is the stem of plots/answer-*.

    ``threads`` is what every player had, 0 where they differ. ``speedups``: those of the fastest candidate, in words.
    """

    instance: str
    anchor: str
    params: Mapping[str, object]
    rows: tuple[Row, ...]
    answers: str
    data: str
    best_peer: str
    speedups: str
    limit: float | None
    picture: str
    pictured: str = ""
    threads: int = 0
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """All instances of one entry under ``cases``."""

    key: str
    anchor: str
    case: str
    version: int
    task: str
    tables: tuple[Table, ...]
    limits: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Records that a gate rests on, gathered by player and instance."""

    text: str
    anchor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """One verdict, ready to print."""

    key: str
    anchor: str
    title: str
    row: str
    kind: str
    verdict: str
    tolerated: bool
    measured: str
    interval: str
    bound: str
    basis: str
    conditions: tuple[tuple[str, str, str], ...]
    reason: str
    next_step: str
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """The first screen: ``word`` is the worst verdict that counts, ``tone`` picks its colour and shape."""

    word: str
    tone: str
    qualifier: str
    sentence: str
    exit_status: int
    counts: tuple[tuple[str, int], ...]
    causes: tuple[Gate, ...]
    more_causes: int
    tolerates: str
    answers: str
    progress: str
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Disturbance:
    """One process that something else on the machine may have disturbed."""

    anchor: str
    label: str
    load: str
    steal: str
    throttled: str
    foreign: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Interference:
    """What else happened on the machine: in brief and in a sentence, the measures, the worst processes."""

    brief: str
    sentence: str
    measures: tuple[tuple[str, str, str], ...]
    worst: tuple[Disturbance, ...]
    more: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRow:
    """One record in the compact table; ``line`` is its line in records.jsonl."""

    anchor: str
    line: int
    process: int
    trial: str
    outcome: str
    status: str
    time: str
    samples: str
    cpu: str
    memory: str
    answer: str
    wall: str
    log: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordGroup:
    """One player's records on one instance; ``lines`` are theirs in records.jsonl, ``rows`` empty in a huge run."""

    anchor: str
    instance: str
    player: str
    lines: str
    rows: tuple[RecordRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DataRow:
    """Where the input of one instance came from; the hashes are sha256."""

    instance: str
    provenance: str
    inputs: str
    sets: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What it takes to trace and to repeat a run."""

    run: str
    created: str
    finished: str
    commit: str
    dirty: bool
    harness: str
    configuration_hash: str
    head: str
    records: int
    command: str
    data: tuple[DataRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A whole report."""

    phase: str
    title: str
    headline: Headline
    gates: tuple[Gate, ...]
    entries: tuple[Entry, ...]
    interference: Interference
    machine: str
    machine_key: str
    facts: tuple[tuple[str, str], ...]
    configuration: str
    provenance: Provenance
    groups: tuple[RecordGroup, ...]
