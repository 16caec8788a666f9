"""The verbs over run folders: what they write, what they say, and their exit status."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

import fabricate
from harness import store
from harness.cli.runs import FOLDER
from harness.cli.verbs import main
from harness.config import GateConfig

AGREE = GateConfig(title="Engines agree", row="H2", kind="agreement", case="torus", processes=3)
SLOW = GateConfig(title="Fast", row="H2", case="torus", player="ripser.py", below=0.01, processes=3)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project to stand in, with a gate of the name `agree`."""
    home = tmp_path / "made"
    (home / "conf" / "gates").mkdir(parents=True)
    (home / "benchmarks").mkdir()
    (home / "conf" / "gates" / "g.yaml").write_text(
        "# @package gates\nagree: {title: Engines agree, row: H2, kind: agreement, case: torus, processes: 3}\n"
    )
    monkeypatch.chdir(home)
    return home


def made(
    home: Path, name: str = "one", *, seconds: float = 0.1, gates: dict[str, GateConfig] | None = None
) -> store.Run:
    """A finished run of two engines that agree, four processes each."""
    return fabricate.finished(
        home / FOLDER / name,
        seconds=dict.fromkeys(("ripser.py", "Dory"), seconds),
        processes=4,
        gates={"agree": AGREE} if gates is None else gates,
    )


def test_report(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The reports are written anew, listed, and the status is that of the verdicts."""
    made(home)
    assert main(["report", "latest"]) == 0
    printed = capsys.readouterr().out
    for name in ("report.html", "table.md", "verdicts.json", "junit.xml"):
        assert (home / FOLDER / "one" / name).is_file()
        assert name in printed
    made(home, "two", gates={"fast": SLOW})
    assert main(["report", "two"]) == 10


def test_report_opens_only_when_asked(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No browser by itself; with --open yes the report's address."""
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    made(home)
    main(["report", "one"])
    assert opened == []
    main(["report", "one", "--open", "yes"])
    assert opened == [(home / FOLDER / "one" / "report.html").as_uri()]


def test_export(home: Path, tmp_path: Path) -> None:
    """The records as CSV and Parquet, one row each."""
    pytest.importorskip("pyarrow")
    import pandas

    made(home)
    assert main(["report", "one", "--export", str(tmp_path / "out")]) == 0
    assert len(pandas.read_csv(tmp_path / "out" / "records.csv")) == 8
    assert len(pandas.read_parquet(tmp_path / "out" / "records.parquet")) == 8


def test_verify_tells_a_tampered_run(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An edited record, a wrong head and a gate that the project has otherwise are all status 10."""
    run = made(home)
    main(["report", "one"])
    capsys.readouterr()
    main(["verify", "one"])
    assert run.records[-1].digest in capsys.readouterr().out
    assert main(["verify", "one", "--head", "0" * 64]) == 10
    path = run.path / "records.jsonl"
    path.write_text(path.read_text().replace("0.1,", "0.01,", 1))
    assert main(["verify", "one"]) == 10
    assert "records.jsonl" in capsys.readouterr().out


def test_verify_holds_gates_against_the_project(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A saved gate that the project has otherwise is named, and is no error: the run was asked so from the start."""
    run = made(home, gates={"agree": GateConfig(**{**vars(AGREE), "processes": 4})})
    manifest = {**run.manifest, "project_name": home.name}
    (run.path / "run.json").write_text(json.dumps(manifest))
    main(["verify", "one"])
    said = capsys.readouterr().out
    assert "note  config.yaml: gate 'agree' is another one in the project now: processes 4 -> 3" in said
    assert "1 gates, 1 of them held against their namesakes in this project" in said
    main(["verify", "one", "--gates", "no"])
    assert "another one in the project" not in capsys.readouterr().out


def test_whose_gates_a_run_is_held_against(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run is of a project by its place, its project's name or a commit that the repository holds, else it is not."""
    run = made(home, gates={"agree": GateConfig(**{**vars(AGREE), "processes": 4})})
    elsewhere = tmp_path / "elsewhere"
    run.path.rename(elsewhere)

    def held() -> bool:
        main(["verify", str(elsewhere)])
        return "held against their namesakes" in capsys.readouterr().out

    values = json.loads((elsewhere / "run.json").read_text())
    assert not held()
    (elsewhere / "run.json").write_text(json.dumps({**values, "project_name": home.name}))
    assert held()
    git = ["git", "-C", str(home), "-c", "user.name=a", "-c", "user.email=a@b.c"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "one"], check=True)
    commit = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    (elsewhere / "run.json").write_text(json.dumps({**values, "git": {"commit": commit, "dirty": False}}))
    assert held()


def test_a_folder_is_enough_outside_any_project(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """report, verify, compare and publish take a run by its path anywhere; a name there is refused in one message."""
    path = str(fabricate.finished(home / FOLDER / "one", seconds={"ripser.py": 0.1, "Dory": 0.2}).path)
    away = tmp_path / "away"
    away.mkdir()
    monkeypatch.chdir(away)
    assert main(["verify", path]) == 0
    assert main(["report", path]) == 14
    assert main(["compare", path, path]) == 0
    assert main(["publish", path, "--to", str(away / "tables")]) == 0
    assert "judged by themselves" in capsys.readouterr().out
    with pytest.raises(SystemExit) as stop:
        main(["publish", path])
    assert stop.value.code == 2
    assert main(["asv", path]) == 1
    assert "is not in the repository" in capsys.readouterr().err
    assert main(["verify", "latest"]) == 1
    assert "'latest' is no folder with a run.json" in capsys.readouterr().err


def test_compare(home: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Twice as slow is a regression, half as slow none; the tolerance decides what counts."""
    made(home, "before")
    made(home, "after", seconds=0.2)
    assert main(["compare", "before", "after"]) == 10
    assert "REGRESSION" in capsys.readouterr().out
    assert main(["compare", "after", "before"]) == 0
    assert main(["compare", "before", "after", "--tolerance", "1.5", "--markdown", str(tmp_path / "c.md")]) == 0
    assert "ripser.py" in (tmp_path / "c.md").read_text()
    with pytest.raises(SystemExit) as stop:
        main(["compare", "before", "after", "--tolerance", "-1"])
    assert stop.value.code == 2


def test_publish(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The tables go under reports/, or where they are asked to go."""
    made(home)
    assert main(["publish", "one"]) == 0
    assert main(["publish", "one", "--to", str(tmp_path / "tables")]) == 0
    written = capsys.readouterr().out.split()
    assert [Path(path).parent for path in written] == [home / "reports", tmp_path / "tables"]


def test_publish_refuses_what_does_not_verify_or_end(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither a run that was changed nor one that was stopped goes under reports/."""
    run = made(home)
    manifest = run.path / "run.json"
    values = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({key: value for key, value in values.items() if key not in ("finished", "head")}))
    assert main(["publish", "one"]) == 1
    assert "is not finished, so it is not published; go on with: harness run resume=" in capsys.readouterr().err
    manifest.write_text(json.dumps(values))
    records = run.path / "records.jsonl"
    records.write_text(records.read_text().replace("0.1,", "0.01,", 1))
    assert main(["publish", "one"]) == 1
    assert "does not verify, so it is not published: records.jsonl" in capsys.readouterr().err
    assert not list((home / "reports").glob("*.md"))


def test_publish_says_how_old_words_become_new(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A reason is worded otherwise since the run: the reports are to be written again, and then it is published."""
    run = made(home)
    assert main(["report", "one"]) == 0
    verdicts = run.path / "verdicts.json"
    verdicts.write_text(verdicts.read_text().replace("agree on", "were of one mind on"))
    assert main(["publish", "one"]) == 1
    said = capsys.readouterr().err
    assert "verdicts.json: reason of gate 'agree' is " in said
    assert "all else fits, so write the verdicts and their reasons anew: harness report one" in said
    assert main(["report", "one"]) == 0
    assert main(["publish", "one"]) == 0
    records = run.path / "records.jsonl"
    records.write_text(records.read_text().replace("0.1,", "0.01,", 1))
    verdicts.write_text(verdicts.read_text().replace("agree on", "were of one mind on"))
    assert main(["publish", "one"]) == 1
    assert "; see: harness verify one" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["report", "verify", "publish", "asv"])
def test_a_wrong_run(home: Path, verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Near misses for every verb."""
    made(home)
    assert main([verb, "onne"]) == 1
    assert "Did you mean 'one'?" in capsys.readouterr().err
