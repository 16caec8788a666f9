"""The command line: verbs, near misses, one clear message for an error, the right exit status, a light start."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

import projects
from harness import __version__
from harness.cli.verbs import VERBS, main
from harness.config import RunConfig

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["help"]])
def test_help_names_every_verb(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """The help lists all verbs and the exit statuses, and succeeds."""
    assert main(words) == 0
    printed = capsys.readouterr().out
    assert all(f"  {verb} " in printed for verb in VERBS)
    statuses = ("10 FAIL", "11 BLOCKED", "12 OFF-CONDITION", "13 INCONCLUSIVE", "14", "130 stopped")
    assert all(status in printed for status in statuses)


def test_nothing_at_all_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a verb the help is shown, with status 2."""
    assert main([]) == 2
    assert "usage: harness VERB" in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """--version prints one line."""
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"harness {__version__}\n"


@pytest.mark.parametrize(
    ("verb", "meant"), [("reprot", "harness report"), ("lst", "harness list"), ("conf=smoke", "harness run conf=smoke")]
)
def test_an_unknown_verb_gets_near_misses(verb: str, meant: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong verb is status 2, with what was probably meant; overrides without a verb are understood too."""
    assert main([verb]) == 2
    said = capsys.readouterr()
    assert f"Did you mean '{meant}'?" in said.err
    assert said.out == ""


def test_an_error_is_one_message(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of ours is one line on stderr without a traceback; HARNESS_DEBUG=1 shows that too."""
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv("HARNESS_DEBUG", raising=False)
    assert main(["report", "no-such-run"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("harness: no run is named 'no-such-run'.")
    assert said.count("\n") == 1
    monkeypatch.setenv("HARNESS_DEBUG", "1")
    assert main(["report", "no-such-run"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_outside_a_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Away from any project a verb says what is missing; its own help still answers."""
    monkeypatch.chdir(tmp_path)
    assert main(["list"]) == 1
    assert "holds both conf/ and benchmarks/" in capsys.readouterr().err
    with pytest.raises(SystemExit) as stop:
        main(["report", "--help"])
    assert stop.value.code == 0
    assert "RUN" in capsys.readouterr().out
    assert main(["run", "--help"]) == 0
    said = capsys.readouterr().out
    assert "none here: neither" in said
    assert "harness run -m KEY=A,B" in said


def test_the_help_of_run_names_the_keys(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Every key of a run is in its help, and so is every exit status."""
    monkeypatch.chdir(ROOT)
    assert main(["run", "--help"]) == 0
    said = capsys.readouterr().out
    assert all(re.search(rf"\b{one.name}\b", said) for one in fields(RunConfig))
    assert "130 stopped" in said


@pytest.mark.parametrize("words", [["-sc", "install=bash"], ["run", "--shell-completion", "install=bash"]])
def test_completion_is_installed_anywhere(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The line for a shell's start-up file prints the script in any folder; a shell that has none is a usage error."""
    monkeypatch.chdir(tmp_path)
    assert main(words) == 0
    assert capsys.readouterr().out.rstrip().endswith("-F hydra_bash_completion harness")
    assert main([*words[:-1], "install=bsh"]) == 2
    assert "Did you mean 'bash'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("harness run resume=2026", ["resume=20261121-a", "resume=latest"]),
        ("harness run conf=alpha repeat=", ["repeat=20261121-a", "repeat=latest"]),
        ("harness verify ", ["20261121-a", "latest"]),
        ("harness fetch ri", ["rings"]),
        ("harness list ", ["cases", "players", "gates", "datasets", "runs"]),
        ("harness doctor ", []),
    ],
)
def test_names_are_completed(
    line: str, words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Runs after resume= and repeat=, data sets after fetch, kinds after list; outside a project nothing, quietly."""
    home = projects.project(tmp_path / "p")
    (home / "datasets").mkdir()
    (home / "datasets" / "rings.yaml").write_text("")
    (home / "reports/runs/20261121-a").mkdir(parents=True)
    (home / "reports/runs/20261121-a/run.json").write_text("{}")
    monkeypatch.setenv("COMP_LINE", line)
    monkeypatch.chdir(home)
    assert main(["-sc", "query=bash"]) == 0
    assert capsys.readouterr().out.split() == words
    monkeypatch.chdir(tmp_path)
    assert main(["-sc", "query=bash"]) == 0
    assert capsys.readouterr() == ("", "")


def test_ctrl_c_is_130(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A stop by Ctrl-C is no crash and no traceback."""

    def stopped(words: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("harness.cli.verbs.dispatch", stopped)
    assert main(["run"]) == 130
    assert capsys.readouterr().err == "harness: stopped\n"


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb != "run"])
def test_every_verb_has_help(verb: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """`harness help VERB` and `harness VERB --help` answer for every verb."""
    monkeypatch.chdir(ROOT)
    with pytest.raises(SystemExit) as stop:
        main(["help", verb])
    assert stop.value.code == 0
    assert f"usage: harness {verb}" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words", [["--help"], ["--version"], ["report", "--help"], ["list", "--help"], ["fetch", "--help"]]
)
def test_the_start_is_light(words: list[str]) -> None:
    """Help of any verb but run loads neither Hydra nor a numerical package (time itself is not tested)."""
    heavy = ["hydra", "omegaconf", "numpy", "scipy", "pandas", "matplotlib", "rich", "jinja2"]
    code = (
        "import json, sys\nfrom harness.cli.verbs import main\ntry:\n    main(sys.argv[1:])\nexcept SystemExit: pass\n"
        f"print(json.dumps([name for name in {heavy} if name in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code, *words], cwd=ROOT, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1]) == []


def test_a_closed_pipe_is_quiet(tmp_path: Path) -> None:
    """`harness --help | head -1` leaves no traceback."""
    home = projects.project(tmp_path / "p")
    code = f"{sys.executable} -m harness --help | head -1; echo status ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", code], cwd=home, capture_output=True, text=True, check=True,
                          env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"})  # fmt: skip
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
