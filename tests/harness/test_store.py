"""The run folder: what was written is read back, damage is named, nothing half-written counts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

import fabricate
from harness import files, store
from harness.config import CaseConfig, GateConfig
from harness.errors import Locked, SchemaError, StoreError
from harness.record import FIELDS, SCHEMA, Record, canonical_json, from_dict, record_digest, to_dict
from harness.report import write


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    """A file is replaced, not followed; a run folder whose folders lie elsewhere is refused."""
    run = fabricate.run(tmp_path / "run", [])
    precious = tmp_path / "precious"
    precious.write_text("kept")
    (run.path / "report.html").symlink_to(precious)
    files.write_text(run.path / "report.html", "new")
    assert (precious.read_text(), (run.path / "report.html").read_text()) == ("kept", "new")
    assert not list(run.path.glob(".*"))
    (tmp_path / "elsewhere").mkdir()
    (run.path / "plots").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError, match="plots is a link"):
        store.load(run.path)
    with pytest.raises(StoreError, match="plots is a link"):
        write(run, [])


def test_a_role_is_one_of_those_known() -> None:
    """A record from elsewhere may say anything."""
    with pytest.raises(SchemaError, match=r"role is one of candidate, peer, baseline, control, not '<b>'"):
        from_dict({**to_dict(fabricate.record()), "role": "<b>"})


def test_a_run_comes_back_as_it_was_written(tmp_path: Path) -> None:
    """Manifest, configuration, plan and records survive the way to disk and back."""
    gates = {"fast": GateConfig(title="fast", case="torus", player="ripser.py", below=1.0)}
    made = fabricate.run(
        tmp_path / "r",
        [fabricate.record(process=i) for i in range(3)],
        gates=gates,
        cases={"torus": CaseConfig(case="persistence.torus", params={"n": [1000], "k": [20]})},
    )
    read = store.load(tmp_path / "r")
    assert (read.manifest, read.config, read.plan) == (made.manifest, made.config, made.plan)
    assert [canonical_json(to_dict(r)) for r in read.records] == [canonical_json(to_dict(r)) for r in made.records]


def test_records_are_chained(tmp_path: Path) -> None:
    """Each record holds the digest of the one before it, the first that of run.json, and its own."""
    run = fabricate.run(tmp_path / "r", [fabricate.record(process=i) for i in range(3)])
    records = run.records
    assert [r.previous for r in records] == [store.beginning(run.manifest), records[0].digest, records[1].digest]
    assert all(r.digest == record_digest(to_dict(r)) for r in records)


def test_a_saved_configuration_is_never_filled_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interpolation in a run from elsewhere would carry this machine's environment into its reports: refused."""
    monkeypatch.setenv("SECRET_OF_MINE", "s3cret")
    run = fabricate.run(tmp_path / "r", [fabricate.record()])
    text = (run.path / store.CONFIG).read_text()
    (run.path / store.CONFIG).write_text(text.replace("title: ''", 'title: "${oc.env:SECRET_OF_MINE}"', 1))
    with pytest.raises(StoreError, match=r"title would be filled in from this machine") as error:
        store.load(run.path)
    assert "s3cret" not in str(error.value)
    (run.path / store.CONFIG).write_text(text.replace("case: persistence.torus", "case: persistence.${oc.env:USER}"))
    with pytest.raises(StoreError, match=r"cases\.torus\.case would be filled in"):
        store.load(run.path)


def test_a_torn_line_is_cut_before_the_run_goes_on(tmp_path: Path) -> None:
    """An unfinished last line is not a record; cutting it leaves the whole ones."""
    fabricate.run(tmp_path / "r", [fabricate.record(process=i) for i in range(2)])
    with open(tmp_path / "r" / store.RECORDS, "ab") as file:
        file.write(b'{"half": ')
    read = store.load(tmp_path / "r")
    assert (len(read.records), read.torn) == (2, 9)
    with store.held(read):
        read.append(fabricate.record(process=2))
    assert len(store.load(tmp_path / "r").records) == 3


def test_two_sessions_never_add_to_one_run(tmp_path: Path) -> None:
    """The second is refused; after the first is done it sees what that one wrote before it adds its own."""
    fabricate.run(tmp_path / "r", [fabricate.record()])
    early = store.load(tmp_path / "r")
    with store.held(store.load(tmp_path / "r")):
        with pytest.raises(Locked, match="another session adds"), store.held(early):
            pytest.fail("held twice")
        other = store.load(tmp_path / "r")
        other.append(fabricate.record(process=1))
    with store.held(early):
        early.append(fabricate.record(process=2))
    assert [record.process for record in store.load(tmp_path / "r").records] == [0, 1, 2]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("not json", "damaged"),
        ("[1]", "not a record"),
        ('{"run": "x"}', "no schema version"),
        (json.dumps({"schema": SCHEMA + 1}), "newer than"),
        (json.dumps({"schema": SCHEMA}), "missing"),
        (json.dumps({**to_dict(fabricate.record()), "colour": 1}), "colour"),
        (json.dumps({**to_dict(fabricate.record()), "status": "fine"}), "fine"),
        (json.dumps({**to_dict(fabricate.record()), "samples": ["fast"]}), "samples is .* which is no Sequence"),
        (json.dumps({**to_dict(fabricate.record()), "check": None}), "check is 'None', which is no Mapping"),
        (json.dumps({**to_dict(fabricate.record()), "process": "0"}), "process is '0', which is no int"),
    ],
)
def test_a_damaged_line_is_named(tmp_path: Path, line: str, words: str) -> None:
    """The message says which file, which line and what is wrong."""
    fabricate.run(tmp_path / "r", [fabricate.record()])
    with open(tmp_path / "r" / store.RECORDS, "a") as file:
        file.write(line + "\n")
    with pytest.raises(SchemaError, match=rf"records\.jsonl(:2)?.*{words}"):
        store.load(tmp_path / "r")


@pytest.mark.parametrize("name", [store.MANIFEST, store.PLAN])
def test_a_file_of_another_kind_is_named(tmp_path: Path, name: str) -> None:
    """JSON that is no manifest or no plan."""
    fabricate.run(tmp_path / "r", [fabricate.record()])
    (tmp_path / "r" / name).write_text("[1]")
    with pytest.raises(StoreError, match="were they written by a harness"):
        store.load(tmp_path / "r")


def test_a_record_of_schema_0_is_migrated() -> None:
    """The layout before the first release had no entry and no chain; it is still read."""
    old = to_dict(fabricate.record())
    for name in ("entry", "previous", "digest"):
        del old[name]
    old["schema"] = 0
    new = from_dict(old)
    assert (new.schema, new.entry, new.previous) == (SCHEMA, "persistence.torus", "")


def test_no_run_folder(tmp_path: Path) -> None:
    """A folder that is no run is said to be none."""
    with pytest.raises(StoreError, match=r"no run folder.*run\.json"):
        store.load(tmp_path)


def test_a_folder_is_never_overwritten(tmp_path: Path) -> None:
    """Making a run where one lies already is refused, with resume= as the next step."""
    fabricate.run(tmp_path / "r", [])
    with pytest.raises(StoreError, match="resume="):
        fabricate.run(tmp_path / "r", [])


def test_the_frame_has_one_row_a_record(tmp_path: Path) -> None:
    """Fields are columns, parameters too; the time is the median of the samples in seconds."""
    records = [
        fabricate.record(samples=[1.0, 3.0, 2.0]),
        fabricate.record(process=1, status="timeout", samples=[], check={}),
    ]
    frame = fabricate.run(tmp_path / "r", records).frame()
    assert set(FIELDS) <= set(frame.columns)
    assert frame["time"].tolist()[0] == 2.0
    assert frame["time"].isna().tolist() == [False, True]
    assert frame["param_n"].tolist() == [1000, 1000]


def test_the_export_holds_every_record(tmp_path: Path) -> None:
    """CSV and Parquet have as many rows as there are records."""
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow", reason="the 'parquet' extra is not installed")
    run = fabricate.run(tmp_path / "r", [fabricate.record(process=i) for i in range(3)])
    csv, parquet = store.export(run, tmp_path / "out")
    assert len(pandas.read_csv(csv)) == len(pandas.read_parquet(parquet)) == 3
    assert json.loads(pandas.read_parquet(parquet)["params"][0]) == {"k": 20, "n": 1000}


def test_whole_files_are_written_or_left(tmp_path: Path) -> None:
    """A file that cannot be written is named, and nothing is left of the attempt."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot write"):
        files.write_text(tmp_path / "file" / "below", "text")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=10,
    )
)
def test_canonical_json_is_one_text(value: object) -> None:
    """Reading and writing again gives the same text, so digests do not depend on who wrote."""
    text = canonical_json(value)
    assert canonical_json(json.loads(text)) == text


def test_every_field_of_a_record_is_explained() -> None:
    """Record's docstring names every field."""
    assert all(name in (Record.__doc__ or "") for name in FIELDS)
