"""A sound run verifies; whatever is changed in its folder afterwards is found, and named."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest
import yaml

import fabricate
from harness import store
from harness.config import GateConfig
from harness.judging import verify
from harness.judging.verify import Finding
from harness.record import canonical_json, digest, record_digest

GATES = {
    "fast": GateConfig(title="fast", case="torus", player="tcs", below=0.5, processes=3),
    "faster": GateConfig(
        title="faster", case="torus", player="tcs", kind="ratio", over="best_peer", above=5.0, processes=3
    ),
    "agreed": GateConfig(title="agreed", case="torus", kind="agreement"),
    "a100": GateConfig(title="on a GPU", case="torus", player="tcs", below=0.5, requires={"gpu": "A100 80GB"}),
}
SECONDS = {"tcs": 0.1, "gudhi": 1.0, "ripser.py": 2.0}
Lines = list[dict[str, Any]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A finished run of three players on two instances, 18 records, that verifies."""
    fabricate.finished(tmp_path / "run", seconds=SECONDS, params={"n": [1000, 2000]}, gates=GATES)
    return tmp_path / "run"


def findings(folder: Path, **options: Any) -> list[Finding]:
    """What verify finds in the folder as it is on disk now."""
    return verify.verify(store.load(folder), **options)


def errors(folder: Path, **options: Any) -> str:
    """All errors as one text."""
    return "\n".join(f"{one.where}: {one.what}" for one in findings(folder, **options) if one.severity == "error")


def edit(folder: Path, name: str, change: Callable[[Any], Any]) -> None:
    """Change a JSON file."""
    values = json.loads((folder / name).read_text())
    changed = change(values)
    (folder / name).write_text(json.dumps(values if changed is None else changed))


def edit_records(folder: Path, change: Callable[[Lines], Any], *, forge: bool = False) -> None:
    """Change the records; ``forge``: with new hashes, as a forger would."""
    lines = [json.loads(line) for line in (folder / store.RECORDS).read_text().splitlines()]
    change(lines)
    if forge:
        previous = lines[0]["previous"]
        for values in lines:
            values["previous"] = previous
            values["digest"] = previous = record_digest(values)
    (folder / store.RECORDS).write_text("".join(canonical_json(values) + "\n" for values in lines))


def test_a_sound_run_verifies(folder: Path) -> None:
    """Nothing to say."""
    assert findings(folder) == []
    assert not verify.failed([])
    assert findings(folder, gates=GATES, expected_head=store.load(folder).records[-1].digest) == []


def test_a_player_that_did_not_finish_is_excused(tmp_path: Path) -> None:
    """Its remaining processes were not run, as planned."""
    run = fabricate.finished(tmp_path / "run", seconds=SECONDS, status={"gudhi": "timeout"}, gates=GATES)
    assert len(run.records) == 7
    assert findings(tmp_path / "run") == []


@pytest.mark.parametrize(
    ("field", "value"), [("samples", [0.01]), ("status", "timeout"), ("player_version", "9"), ("log", "x")]
)
def test_an_edited_record(folder: Path, field: str, value: Any) -> None:
    """Any field: the record's line is named."""
    edit_records(folder, lambda lines: lines[4].update({field: value}))
    assert "records.jsonl:5" in errors(folder)
    assert "was edited" in errors(folder)


def test_an_edited_record_with_its_hash_made_anew(folder: Path) -> None:
    """The next record still has the old hash."""

    def change(lines: Lines) -> None:
        lines[4]["log"] = "edited"
        lines[4]["digest"] = record_digest(lines[4])

    edit_records(folder, change)
    assert "records.jsonl:6" in errors(folder)
    assert "does not follow the record before it" in errors(folder)


@pytest.mark.parametrize("index", [0, 7, -1])
def test_a_removed_record(folder: Path, index: int) -> None:
    """From the beginning, the middle or the end: the chain breaks, and the trial is missing."""
    edit_records(folder, lambda lines: lines.pop(index))
    assert "no record of planned trial" in errors(folder)
    assert "removed" in errors(folder)


def test_swapped_records(folder: Path) -> None:
    """Order is part of the chain."""
    edit_records(folder, lambda lines: lines.insert(0, lines.pop(1)))
    assert "does not follow" in errors(folder)


def test_a_duplicated_record(folder: Path) -> None:
    """Even with the whole chain forged, one trial cannot be two processes."""
    edit_records(folder, lambda lines: lines.append(dict(lines[-1])), forge=True)
    assert "is a second record of this trial" in errors(folder)


def test_a_record_that_was_never_planned(folder: Path) -> None:
    """A trial that somebody added."""
    edit_records(folder, lambda lines: lines[2].update(trial="f" * 16), forge=True)
    assert "was never planned" in errors(folder)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("seed", 5),
        ("params", {"n": 9}),
        ("player", "gudhi"),
        ("process", 7),
        ("threads", 64),
        ("case_version", 2),
        ("limits", {"memory_bytes": 1}),
        ("role", "control"),
    ],
)
def test_a_record_that_is_not_what_was_planned(folder: Path, field: str, value: Any) -> None:
    """A forged chain does not help: the plan says otherwise."""
    edit_records(folder, lambda lines: lines[0].update({field: value}), forge=True)
    assert f"{field} is {value!r}, the plan says" in errors(folder)


@pytest.mark.parametrize(
    ("field", "value"), [("configuration", "e" * 64), ("environment", "other"), ("run", "run-2"), ("git", {})]
)
def test_a_record_of_another_run(folder: Path, field: str, value: Any) -> None:
    """Records belong to one run, machine, configuration and commit."""
    edit_records(folder, lambda lines: lines[0].update({field: value}), forge=True)
    assert f"{field} is {value!r}, run.json says" in errors(folder)


@pytest.mark.parametrize(
    ("change", "phrase"),
    [
        ({"samples": []}, "is ok without samples"),
        ({"check": {"ok": False}}, "is ok without samples or without an answer that passed"),
        ({"status": "wrong_answer"}, "is a wrong answer, but its check passed"),
        ({"samples": [-1.0]}, "has a sample that is no time"),
        ({"data": {"inputs": "f" * 64}}, "was given other inputs"),
    ],
)
def test_a_record_that_cannot_be(folder: Path, change: dict[str, Any], phrase: str) -> None:
    """What contradicts itself is found behind a forged chain, too."""
    edit_records(folder, lambda lines: lines[1].update(change), forge=True)
    assert phrase in errors(folder)


def test_a_clock_that_runs_backwards_is_noted(folder: Path) -> None:
    """Samples that add up to more than the process lived."""
    edit_records(folder, lambda lines: lines[1].update(wall=0.01), forge=True)
    assert any(one.severity == "note" and "more than its process lived" in one.what for one in findings(folder))


def test_nan_in_a_record(folder: Path) -> None:
    """Python's JSON would read it."""
    text = (folder / store.RECORDS).read_text().replace('"setup":0.1', '"setup":NaN', 1)
    (folder / store.RECORDS).write_text(text)
    assert "holds what no record may" in errors(folder)


def test_a_changed_gate(folder: Path) -> None:
    """A bound that was moved after the fact: hash, and the verdict that rests on it."""
    config = yaml.safe_load((folder / store.CONFIG).read_text())
    config["gates"]["fast"]["below"] = 0.01
    (folder / store.CONFIG).write_text(yaml.safe_dump(config))
    text = errors(folder)
    assert "config.yaml: was changed after the run" in text
    assert "verdict of gate 'fast' is 'PASS', the records give 'FAIL'" in text


def test_a_changed_gate_and_its_hash(folder: Path) -> None:
    """The hash in run.json made anew: every record still carries the old one."""
    config = yaml.safe_load((folder / store.CONFIG).read_text())
    config["gates"]["fast"]["below"] = 0.4
    (folder / store.CONFIG).write_text(yaml.safe_dump(config))
    edit(folder, store.MANIFEST, lambda values: values.update(configuration=digest(config)))
    assert "run.json says" in errors(folder)
    assert "does not follow run.json" in errors(folder)


def test_a_gate_that_is_another_one_now(folder: Path) -> None:
    """Held against the project's gates of today: a note where the run was asked so, since its hash is intact."""
    now = {**GATES, "fast": GateConfig(title="fast", case="torus", player="tcs", below=5.0, processes=3)}
    assert errors(folder, gates=now) == ""
    said = {one.severity: one.what for one in findings(folder, gates=now)}
    assert said["note"].startswith("gate 'fast' is another one in the project now: below 0.5 -> 5.0; the run has been")


def test_a_gate_that_was_changed_in_the_folder(folder: Path) -> None:
    """With a hash that is not intact, a gate that differs from the project's is an error, like the hash."""
    config = yaml.safe_load((folder / store.CONFIG).read_text())
    config["gates"]["fast"]["below"] = 5.0
    (folder / store.CONFIG).write_text(yaml.safe_dump(config))
    text = errors(folder, gates=GATES)
    assert "config.yaml: was changed after the run" in text
    assert "gate 'fast' is another one in the project now: below 5.0 -> 0.5" in text


@pytest.mark.parametrize(
    "change",
    [
        lambda values: values["environment"].update(gpus=[{"name": "NVIDIA A100", "memory_bytes": 80 * 2**30}]),
        lambda values: values["environment"].update(cuda="12.2"),
        lambda values: values.update(created="2020-01-01T00:00:00+00:00"),
    ],
)
def test_edited_facts(folder: Path, change: Callable[[Any], Any]) -> None:
    """The machine of run.json is what conditions are judged on: the first record is chained to it."""
    edit(folder, store.MANIFEST, change)
    assert "does not follow run.json" in errors(folder)


def test_a_machine_that_does_not_fit_its_key(folder: Path) -> None:
    """Facts and key are one statement."""
    edit(folder, store.MANIFEST, lambda values: values["environment"]["cpu"].update(cores=64))
    assert "give the key" in errors(folder)


def test_a_plan_that_asks_less(folder: Path) -> None:
    """A trial taken out of plan and records alike: the configuration asks for it."""

    def both(lines: Lines) -> None:
        gone = lines.pop(4)["trial"]
        edit(folder, store.PLAN, lambda plan: [trial for trial in plan if trial["trial"] != gone])

    edit_records(folder, both, forge=True)
    assert "is not planned, though the configuration asks it" in errors(folder)


def test_a_manifest_without_its_keys(folder: Path) -> None:
    """Nothing else can be said then."""
    edit(folder, store.MANIFEST, lambda values: {"run": values["run"]})
    assert "schema, created, harness, environment, git, configuration missing" in errors(folder)


@pytest.mark.parametrize(("field", "value"), [("seed", 3), ("threads", 8), ("params", {"n": 5})])
def test_an_edited_plan(folder: Path, field: str, value: Any) -> None:
    """A trial's id is the hash of what it asks."""
    edit(folder, store.PLAN, lambda plan: plan[0].update({field: value}))
    assert "its id is not the hash of what it asks" in errors(folder)


def test_a_plan_with_more(folder: Path) -> None:
    """A trial planned twice."""
    edit(folder, store.PLAN, lambda plan: plan.append(plan[0]))
    assert "planned and not asked for, or twice" in errors(folder)


def test_a_plan_without_fields(folder: Path) -> None:
    """A trial that says nothing."""
    edit(folder, store.PLAN, lambda plan: [{**plan[0], "seed": 0}, {"trial": "x"}])
    assert "trial 2 has no entry" in errors(folder)


def test_a_missing_answer(folder: Path) -> None:
    """An answer that records refer to."""
    (path,) = (folder / "answers").glob("*.npz")
    path.unlink()
    assert "is missing" in errors(folder)


def test_an_edited_answer(folder: Path) -> None:
    """The name is the hash of the content."""
    (path,) = (folder / "answers").glob("*.npz")
    numpy.savez(path, h1=numpy.array([[0.0, 2.0]]))
    assert "does not have the content that its name is the hash of" in errors(folder)


def test_an_answer_with_a_pickle(folder: Path) -> None:
    """It is refused, never loaded."""
    (path,) = (folder / "answers").glob("*.npz")
    numpy.savez(path, h1=numpy.array([{}], dtype=object))
    assert "cannot be read" in errors(folder)


@pytest.mark.parametrize("content", [b"", b"no archive"])
def test_a_damaged_answer(folder: Path, content: bytes) -> None:
    """Truncated or something else."""
    (path,) = (folder / "answers").glob("*.npz")
    path.write_bytes(content)
    assert "cannot be read" in errors(folder)


def test_an_answer_that_would_fill_the_memory(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The archive says how large it gets before it is unpacked."""
    monkeypatch.setattr(verify, "LARGEST_ANSWER", 10)
    assert "too much to be checked" in errors(folder)


def test_an_answer_with_a_path_for_a_name(folder: Path) -> None:
    """A digest is hexadecimal and never a path."""
    edit_records(folder, lambda lines: lines[0]["check"].update(answer="../../secret"), forge=True)
    assert "is no name of an answer" in errors(folder)


def test_an_answer_of_nobody_is_noted(folder: Path) -> None:
    """It does no harm."""
    with zipfile.ZipFile(folder / "answers" / "other.npz", "w"):
        pass
    assert [one.severity for one in findings(folder)] == ["note"]


@pytest.mark.parametrize(
    ("change", "phrase"),
    [
        (
            lambda values: values["verdicts"][3].update(verdict="PASS"),
            "verdict of gate 'a100' is 'PASS', the records give 'OFF-CONDITION'",
        ),
        (lambda values: values["verdicts"][0].update(value=0.05), "value of gate 'fast'"),
        (lambda values: values["verdicts"][0].update(reason="Trust me."), "reason of gate 'fast'"),
        (lambda values: values["verdicts"][0].update(bound={"below": 9.0}), "bound of gate 'fast'"),
        (lambda values: values["verdicts"][3].update(tolerated=True), "tolerated of gate 'a100'"),
        (
            lambda values: values["verdicts"][0].update(evidence=[]),
            "evidence of gate 'fast' is 0 trials, the records give 6",
        ),
        (lambda values: values["verdicts"].pop(), "gate 'a100' has no verdict"),
        (lambda values: values["verdicts"][0].update(gate="slow"), "gate 'slow' is not in the configuration"),
        (lambda values: values.update(exit_status=0), "exit_status is 0, the records give 12"),
        (lambda values: values.pop("verdicts"), "cannot be read"),
    ],
)
def test_an_edited_verdict(folder: Path, change: Callable[[Any], Any], phrase: str) -> None:
    """Every field of every verdict is recomputed."""
    edit(folder, "verdicts.json", lambda values: change(values) and None)
    assert phrase in errors(folder)


def test_missing_verdicts(folder: Path) -> None:
    """A finished run has some."""
    (folder / "verdicts.json").unlink()
    assert "is missing; 'harness report' writes it again" in errors(folder)


def test_rounding_of_another_machine_is_no_forgery(folder: Path) -> None:
    """The last bits of an interval depend on the mathematics library."""
    edit(
        folder,
        "verdicts.json",
        lambda values: values["verdicts"][0].update(low=values["verdicts"][0]["low"] * (1 + 1e-14)),
    )
    assert findings(folder) == []


def test_an_unfinished_run_is_noted(folder: Path) -> None:
    """What is not there yet is no error; what is there still has to fit."""

    def stop(values: dict[str, Any]) -> None:
        del values["finished"], values["head"]
        values["interrupted"] = "stopped by a signal"

    edit(folder, store.MANIFEST, stop)
    (folder / "verdicts.json").unlink()
    edit_records(folder, lambda lines: lines.pop())
    found = findings(folder)
    assert {one.severity for one in found} == {"note"}
    assert any("stopped by a signal" in one.what for one in found)
    assert any("1 planned trials were not run yet" in one.what for one in found)


def test_a_torn_last_record_is_noted(folder: Path) -> None:
    """A crash while a record was written."""
    with open(folder / store.RECORDS, "ab") as file:
        file.write(b'{"schema":1,')
    assert [one.severity for one in findings(folder)] == ["note"]


def test_a_wholly_forged_run_is_found_only_by_its_published_head(folder: Path) -> None:
    """The limit of a hash chain, and what helps."""
    head = store.load(folder).records[-1].digest

    def faster(lines: Lines) -> None:
        for values in lines:
            values["samples"] = [sample * 0.999 for sample in values["samples"]]

    edit_records(folder, faster, forge=True)
    run = store.load(folder)
    edit(folder, store.MANIFEST, lambda values: values.update(head=run.records[-1].digest))
    from harness.judging.gates import judge
    from harness.report import judgement

    run = store.load(folder)
    (folder / "verdicts.json").write_text(judgement.render(run, judge(run)))
    assert findings(folder) == []
    assert "another run than the published one" in errors(folder, expected_head=head)


def test_many_alike_are_counted(folder: Path) -> None:
    """Eighteen findings of one kind are five and a number."""
    edit_records(folder, lambda lines: [values.update(environment="other") for values in lines], forge=True)
    assert errors(folder).count("environment is 'other'") == 5
    assert "and 13 more like these" in errors(folder)


def test_a_record_that_no_harness_wrote(folder: Path) -> None:
    """Verifying a folder from elsewhere ends with a finding, whatever is in it."""
    edit_records(
        folder, lambda lines: lines[0].update(limits={"wall_s": "soon"}, metrics={"x": 1}, status="timeout"), forge=True
    )
    assert verify.failed(findings(folder))
