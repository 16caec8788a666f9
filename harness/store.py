"""The run folder: append-only records, crash-safe, read back as a pandas frame in one call.

::

    RUN/run.json        who, when, on what machine; the hash of the configuration
    RUN/config.yaml     the resolved configuration
    RUN/plan.json       the trials that were planned
    RUN/records.jsonl   one record a line, each with the sha256 of the one before it, the first with run.json's
    RUN/answers/        canonical answers, ``<sha256>.npz``
    RUN/verdicts.json, report.html, table.md, junit.xml, plots/    written when the run ends
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.config import RunConfig, to_dict, typed, unresolved
from harness.errors import Locked, SchemaError, StoreError, Taken
from harness.files import append_line, refuse_link, write_text
from harness.record import Record, canonical_json, digest, from_dict, record_digest, to_dict as record_values

if TYPE_CHECKING:
    import pandas

RECORDS, MANIFEST, CONFIG, PLAN = "records.jsonl", "run.json", "config.yaml", "plan.json"
FOLDERS = ("answers", "plots")
"""Folders of a run that are written into."""
WHEN_DONE = ("finished", "interrupted", "head")
"""Keys of run.json that are written when the run ends, or is stopped."""


@dataclass(slots=True, kw_only=True)
class Run:
    """A run folder read into memory.

    Attributes:
        path: the folder. ``manifest``: run.json. ``config``: the typed configuration.
        plan: the planned trials, as plain values (:class:`harness.trials.plan.Trial`).
        records: in the order in which they were written.
        torn: bytes of a last line that a crash left unfinished (ignored; cut off when the run goes on).
    """

    path: Path
    manifest: dict[str, Any]
    config: RunConfig
    plan: list[dict[str, Any]]
    records: list[Record]
    torn: int = 0

    @property
    def name(self) -> str:
        """Id of the run."""
        return str(self.manifest["run"])

    @property
    def environment(self) -> dict[str, Any]:
        """Facts about the machine, as they were when the run began (:mod:`harness.machine.environment`)."""
        return dict(self.manifest["environment"])

    def frame(self) -> pandas.DataFrame:
        """One row a record; see :func:`frame`."""
        return frame(self.records)

    def append(self, record: Record) -> Record:
        """Chain a record to the last one and write it: one line, flushed to disk, or nothing.

        Raises:
            StoreError: the disk is full or read-only; what was written before is intact.
        """
        previous = self.records[-1].digest if self.records else beginning(self.manifest)
        record = replace(record, previous=previous)
        record = replace(record, digest=record_digest(record_values(record)))
        append_line(self.path / RECORDS, canonical_json(record_values(record)))
        self.records.append(record)
        return record


def beginning(manifest: Mapping[str, Any]) -> str:
    """What the first record is chained to: the sha256 of run.json as it was when the run began.

    So the facts about the machine, which conditions are judged on, cannot be edited unseen either.
    """
    return digest({name: value for name, value in manifest.items() if name not in WHEN_DONE})


def create(path: Path, *, manifest: Mapping[str, Any], config: RunConfig, plan: Iterable[Mapping[str, Any]]) -> Run:
    """Make a new run folder.

    Raises:
        StoreError: the folder exists, or cannot be written.
    """
    try:
        (path / "answers").mkdir(parents=True)
    except FileExistsError:
        raise Taken(f"{path} exists already; resume it with resume={path}, or choose another runs= folder") from None
    except OSError as error:
        raise StoreError(
            f"cannot make the run folder {path}: {error.strerror}; choose another with runs=FOLDER"
        ) from error
    values = to_dict(config)
    run = Run(
        path=path,
        manifest={**manifest, "configuration": digest(values)},
        config=config,
        plan=[dict(trial) for trial in plan],
        records=[],
    )
    write_text(path / CONFIG, _yaml(values))
    write_text(path / PLAN, json.dumps(run.plan, indent=1))
    write_text(path / RECORDS, "")
    write_text(path / MANIFEST, json.dumps(run.manifest, indent=1))
    return run


def load(path: Path | str) -> Run:
    """Read a run folder. Nothing in it is executed or unpickled.

    Raises:
        StoreError: it is no run folder. SchemaError: a record that this version cannot read.
    """
    path = Path(path)
    if not (path / MANIFEST).is_file():
        raise StoreError(
            f"{path} is no run folder: it has no {MANIFEST}. A run prints its folder when it starts; "
            "'harness list runs' shows those of this project"
        )
    try:
        manifest = json.loads((path / MANIFEST).read_text())
        plan = json.loads((path / PLAN).read_text())
    except (OSError, ValueError) as error:
        raise StoreError(f"{path}: run.json or plan.json cannot be read: {error}") from None
    if not isinstance(manifest, dict) or not isinstance(plan, list) or not all(isinstance(one, dict) for one in plan):
        raise StoreError(
            f"{path}: run.json is no object, or plan.json no list of objects; were they written by a harness?"
        )
    for name in FOLDERS:
        refuse_link(path / name)
    records, torn = read_records(path / RECORDS)
    return Run(path=path, manifest=manifest, config=load_config(path), plan=plan, records=records, torn=torn)


def load_config(path: Path) -> RunConfig:
    """The configuration that a run folder saved.

    A run is saved with plain values. An interpolation in its file was written there by somebody, and filling it
    in would bring what this machine knows, such as its environment, into the reports of a run from elsewhere.

    Raises:
        StoreError: it cannot be read, or a value of it is to be filled in.
    """
    import yaml

    try:
        values = yaml.safe_load((path / CONFIG).read_text())
        unsafe = unresolved(values)
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise StoreError(f"{path / CONFIG} cannot be read: {error}") from None
    if unsafe:
        raise StoreError(
            f"{path / CONFIG} was changed after the run: {', '.join(unsafe)} would be filled in from this machine "
            "('${'), and no harness saves such a value"
        )
    return typed(values)


def read_records(path: Path) -> tuple[list[Record], int]:
    """All whole records of a file, and how many bytes an unfinished last line has."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}") from None
    whole, _, rest = data.rpartition(b"\n")
    records = []
    for number, line in enumerate(whole.split(b"\n") if whole else [], start=1):
        where = f"{path}:{number}"
        try:
            values = json.loads(line)
        except ValueError:
            raise SchemaError(f"{where} is not JSON; the file was damaged after it was written") from None
        if not isinstance(values, dict):
            raise SchemaError(f"{where} is not a record")
        records.append(from_dict(values, where=where))
    return records, len(rest)


@contextmanager
def held(run: Run) -> Iterator[None]:
    """Hold a run for writing: no second session adds to it meanwhile, and a line that a crash left torn is cut off.

    Raises:
        Locked: another session, perhaps on another machine of a shared file system, adds to this run.
    """
    path = run.path / RECORDS
    descriptor = os.open(path, os.O_RDWR)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Locked(f"another session adds to {run.path} now; wait for it") from None
        run.records, torn = read_records(path)
        if torn:
            os.ftruncate(descriptor, os.fstat(descriptor).st_size - torn)
        run.torn = 0
        yield
    finally:
        os.close(descriptor)


def frame(records: Iterable[Record]) -> pandas.DataFrame:
    """Records as a pandas frame: one row a record, the fields as columns, and four derived ones.

    ``time`` is the median of the samples (seconds), ``n_samples`` their number, ``peak`` the host's peak
    memory (bytes), ``answer`` the digest of the canonical answer. Parameters become ``param_<name>``.
    """
    from statistics import median

    import pandas

    rows = []
    for record in records:
        row = record_values(record)
        row["time"] = median(record.samples) if record.samples else None
        row["n_samples"] = len(record.samples)
        row["peak"] = record.memory.get("host_peak")
        row["answer"] = record.check.get("answer")
        row.update({f"param_{name}": value for name, value in record.params.items()})
        rows.append(row)
    return pandas.DataFrame(rows)


def export(run: Run, folder: Path) -> list[Path]:
    """Write the records as ``records.parquet`` and ``records.csv``; nested fields become JSON text.

    Raises:
        StoreError: pyarrow is not installed (``pip install 'tcs-harness[parquet]'``).
    """
    table = run.frame()
    for column in table.columns:
        if table[column].map(lambda value: isinstance(value, dict | list | tuple)).any():
            table[column] = table[column].map(lambda value: json.dumps(value, sort_keys=True))
    folder.mkdir(parents=True, exist_ok=True)
    written = [folder / "records.csv", folder / "records.parquet"]
    table.to_csv(written[0], index=False)
    try:
        table.to_parquet(written[1], index=False)
    except ImportError as error:
        raise StoreError(f"records.parquet needs pyarrow: pip install 'tcs-harness[parquet]' ({error})") from None
    return written


def _yaml(values: Mapping[str, Any]) -> str:
    import yaml

    return str(yaml.safe_dump(dict(values), sort_keys=False, allow_unicode=True))
