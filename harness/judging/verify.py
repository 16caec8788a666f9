"""Recompute every verdict from the raw records, on any machine, and say what in a run folder does not fit.

What it finds: a record that was edited, removed, added or moved (each carries the hash of the one before it), a
planned trial without a record, a changed configuration, plan, answer or verdict. What it cannot find: a forger
who writes the whole folder anew, hashes and all, or who measured something else than the records say. Against
the first, publish the digest of the last record (``head``) where the forger cannot change it, and pass it as
``expected_head``; against the second, repeat the run. docs/explanation/verdicts.md says more.
"""

from __future__ import annotations

import json
import math
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import __version__, answers
from harness.config import GateConfig
from harness.errors import HarnessError
from harness.judging import audit
from harness.record import SCHEMA, digest, record_digest
from harness.store import CONFIG, MANIFEST, PLAN, RECORDS, Run, beginning
from harness.verdict import Verdict, exit_status

VERDICTS = "verdicts.json"
MANIFEST_KEYS = ("schema", "run", "created", "harness", "environment", "git", "configuration")
LARGEST_ANSWER = 4 * 2**30
"""Bytes that an answer may unpack to: a run folder from elsewhere must not fill the memory."""
_CLOSE = 1e-9
_WORDS = ("reason", "next_step", "title", "found")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that does not fit (``error``), or that a reader should know (``note``); ``where`` names the file."""

    severity: str
    where: str
    what: str


def verify(run: Run, *, gates: Mapping[str, GateConfig] | None = None, expected_head: str = "") -> list[Finding]:
    """Everything in a run folder that does not fit together; nothing in it is executed or unpickled.

    Args:
        gates: the gates as the project has them now. That a saved gate differs from its namesake is a note where
            the saved configuration is the one that the run was begun with (the run was asked so, or the project
            has changed since), and an error where it is not.
        expected_head: the published digest of the run's last record, if there is one.
    """
    shape = list(_shape(run))
    if shape:
        return shape
    found = [
        *_manifest(run),
        *_chain(run, expected_head),
        *(Finding(severity=severity, where=where, what=what) for severity, where, what in audit.audit(run)),
        *_answers(run),
        *_gates(run, gates or {}),
        *_verdicts(run),
    ]
    return sorted(found, key=lambda finding: finding.severity != "error")


def failed(findings: list[Finding]) -> bool:
    """Whether the run does not verify."""
    return any(finding.severity == "error" for finding in findings)


def _shape(run: Run) -> Iterator[Finding]:
    """What cannot be looked at any further."""
    missing = [key for key in MANIFEST_KEYS if key not in run.manifest]
    if missing:
        yield _error(MANIFEST, f"{', '.join(missing)} missing")
    elif not isinstance(run.manifest["environment"], dict):
        yield _error(MANIFEST, "the environment is no table of facts")
    for number, trial in enumerate(run.plan, start=1):
        lacking = [name for name in audit.PLAN_FIELDS if name not in trial]
        if lacking:
            yield _error(PLAN, f"trial {number} has no {', '.join(lacking)}")
            return


def _manifest(run: Run) -> Iterator[Finding]:
    import yaml

    if run.manifest.get("schema") != SCHEMA:
        yield _note(MANIFEST, f"schema {run.manifest.get('schema')}, read as {SCHEMA}")
    yield from _machine(run)
    try:
        saved = digest(yaml.safe_load((run.path / CONFIG).read_text()))
    except (OSError, ValueError, TypeError, yaml.YAMLError) as error:
        yield _error(CONFIG, f"cannot be read again: {error}")
        return
    if saved != run.manifest.get("configuration"):
        yield _error(
            CONFIG,
            f"was changed after the run: its hash is {saved[:12]}…, run.json says "
            f"{str(run.manifest.get('configuration'))[:12]}…",
        )
    if "finished" not in run.manifest:
        why = run.manifest.get("interrupted")
        yield _note(
            MANIFEST,
            "the run is not finished" + (f": {why}" if why else "") + "; a last record taken away cannot be seen",
        )


def _machine(run: Run) -> Iterator[Finding]:
    """The key is made of the facts, so that facts of another machine under this one's key are seen."""
    from harness.machine.environment import machine_key

    try:
        key = machine_key(run.environment)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        yield _error(MANIFEST, f"its facts about the machine make no key: {error!r}")
        return
    if key != run.environment.get("key"):
        make = _error if run.manifest.get("harness") == __version__ else _note
        yield make(
            MANIFEST, f"its facts about the machine give the key {key!r}, it says {run.environment.get('key')!r}"
        )


def _chain(run: Run, expected_head: str) -> Iterator[Finding]:
    previous = beginning(run.manifest)
    with open(run.path / RECORDS, "rb") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.endswith(b"\n"):
                yield _note(f"{RECORDS}:{number}", f"{len(line)} bytes of a record that a crash cut off are ignored")
                break
            values = json.loads(line)
            where = f"{RECORDS}:{number} (trial {values.get('trial')})"
            try:
                content = record_digest(values)
            except ValueError as error:
                yield _error(where, f"holds what no record may: {error}")
                content = ""
            if content and content != values.get("digest"):
                yield _error(where, "was edited: its content does not have the hash that it carries")
            if values.get("previous", "") != previous:
                what = "does not follow the record before it: one was removed, added or moved here"
                yield _error(
                    where,
                    what if number > 1 else "does not follow run.json: that was edited, or a first record removed",
                )
            previous = values.get("digest", "")
    if not run.records:
        previous = ""
    head = run.manifest.get("head")
    if "finished" in run.manifest and head is None:
        yield _error(MANIFEST, "the run is finished, but the digest of its last record (head) is missing")
    if head is not None and head != previous:
        yield _error(
            RECORDS,
            f"the last record is {previous[:12] or 'none'}…, run.json says {head[:12] or 'none'}…: records were "
            "removed from or added to the end",
        )
    if expected_head and expected_head != previous:
        yield _error(
            RECORDS,
            f"the last record is {previous[:12] or 'none'}…, the published one is {expected_head[:12]}…: this is "
            "another run than the published one",
        )


def _answers(run: Run) -> Iterator[Finding]:
    folder = run.path / "answers"
    referenced = {str(record.check["answer"]): record.trial for record in run.records if record.check.get("answer")}
    for name, trial in referenced.items():
        where = f"answers/{name[:12]}….npz (trial {trial})"
        if not re.fullmatch(r"[0-9a-f]{64}", name):
            yield _error(where, "is no name of an answer")
            continue
        path = folder / f"{name}.npz"
        if not path.is_file():
            yield _error(where, "is missing")
        elif problem := _answer_problem(path, name):
            yield _error(where, problem)
    for path in sorted(folder.glob("*.npz")):
        if path.stem not in referenced:
            yield _note(f"answers/{path.name}", "belongs to no record")


def _answer_problem(path: Path, name: str) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if size > LARGEST_ANSWER:
            return f"unpacks to {size / 2**30:.1f} GiB, too much to be checked"
        return (
            ""
            if answers.answer_digest(answers.load(path)) == name
            else "does not have the content that its name is the hash of"
        )
    except (HarnessError, OSError, zipfile.BadZipFile) as error:
        return f"cannot be read: {error}"


def _gates(run: Run, now: Mapping[str, GateConfig]) -> Iterator[Finding]:
    from dataclasses import asdict

    intact = _saved_configuration(run) == run.manifest.get("configuration")
    asked = "; the run has been asked so from its beginning" if intact else ""
    make = _note if intact else _error
    for name, saved in run.config.gates.items():
        if name not in now:
            continue
        before, after = asdict(saved), asdict(now[name])
        changed = [f"{key} {before[key]!r} -> {after[key]!r}" for key in before if before[key] != after[key]]
        if changed:
            yield make(CONFIG, f"gate {name!r} is another one in the project now: {', '.join(changed)}{asked}")


def _saved_configuration(run: Run) -> str:
    """The hash of the configuration as it is in the folder now; empty where it cannot be read."""
    import yaml

    try:
        return digest(yaml.safe_load((run.path / CONFIG).read_text()))
    except (OSError, ValueError, TypeError, yaml.YAMLError):
        return ""


def _verdicts(run: Run) -> Iterator[Finding]:
    from harness.judging.gates import judge

    try:
        expected = judge(run)
    except HarnessError as error:
        yield _error(CONFIG, f"its gates cannot be judged: {error}")
        return
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        yield _error(RECORDS, f"a record holds what no harness writes, so that nothing can be judged: {error!r}")
        return
    path = run.path / VERDICTS
    if not path.is_file():
        missing = _error if "finished" in run.manifest else _note
        yield missing(VERDICTS, "is missing; 'harness report' writes it again from the records")
        return
    try:
        document = json.loads(path.read_text())
        stored = {one["gate"]: one for one in document["verdicts"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        yield _error(VERDICTS, f"cannot be read: {error!r}")
        return
    if document.get("exit_status") != exit_status(expected):
        yield _error(
            VERDICTS, f"exit_status is {document.get('exit_status')}, the records give {exit_status(expected)}"
        )
    for gate in sorted(set(stored) - {one.gate for one in expected}):
        yield _error(VERDICTS, f"gate {gate!r} is not in the configuration")
    for one in expected:
        if one.gate not in stored:
            yield _error(VERDICTS, f"gate {one.gate!r} has no verdict; the records give {one.verdict}")
        else:
            yield from _compared(one, stored[one.gate], same_version=run.manifest.get("harness") == __version__)


def _compared(expected: Verdict, stored: Mapping[str, Any], *, same_version: bool) -> Iterator[Finding]:
    for name, value in expected.to_dict().items():
        if _same(value, stored.get(name)):
            continue
        shown = f"{stored.get(name)!r}, the records give {value!r}"
        if name == "evidence":
            shown = f"{len(stored.get(name) or ())} trials, the records give {len(value)}"
        wording = name in _WORDS and not same_version
        make = _note if wording else _error
        yield make(
            VERDICTS,
            f"{name} of gate {expected.gate!r} is {shown}" + (" (another version of the harness)" if wording else ""),
        )


def _same(expected: Any, stored: Any) -> bool:
    """Equal as JSON; floats up to rounding, which differs between builds of the mathematics library."""
    if isinstance(expected, float) and isinstance(stored, int | float) and math.isfinite(expected):
        return math.isclose(expected, stored, rel_tol=_CLOSE, abs_tol=1e-300)
    if isinstance(expected, float) and not math.isfinite(expected):
        return stored is None
    if isinstance(expected, Mapping):
        return (
            isinstance(stored, Mapping)
            and expected.keys() == stored.keys()
            and all(_same(expected[k], stored[k]) for k in expected)
        )
    return bool(expected == stored)


def _error(where: str, what: str) -> Finding:
    return Finding(severity="error", where=where, what=what)


def _note(where: str, what: str) -> Finding:
    return Finding(severity="note", where=where, what=what)
