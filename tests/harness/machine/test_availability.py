"""A player that cannot run here says why, and ends with what to do; one that can says nothing."""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from harness.case import PlayerInfo
from harness.machine.availability import matches, why_not
from machines import tool

NO_GPU: dict[str, Any] = {"gpus": [], "gpu_error": ""}


def player(**changes: Any) -> PlayerInfo:
    return PlayerInfo(**{"name": "p", "task": "t", **changes})


def test_a_plain_player_can_run() -> None:
    """Nothing asked for, nothing lacking."""
    assert why_not(player(), NO_GPU) == ""
    assert why_not(player(packages={"pytest": ">=8", "hypothesis": ""}), NO_GPU) == ""


def test_a_missing_package_names_the_command() -> None:
    """The message names the package, the versions that work, and the install command."""
    text = why_not(player(packages={"no-such-thing": ">=1.1"}), NO_GPU)
    assert text == "no-such-thing>=1.1 is not installed; install it with: pip install 'no-such-thing>=1.1'"
    assert why_not(player(packages={"no-such-thing": ""}, install="conda install x"), NO_GPU).endswith(
        "install it with: conda install x"
    )


def test_a_wrong_version_names_both() -> None:
    """The installed version and the one that is needed are both told."""
    text = why_not(player(packages={"pytest": "<1"}), NO_GPU)
    assert text.startswith(f"pytest {version('pytest')} is installed, but it needs <1;")


def test_a_specifier_that_is_none() -> None:
    """A registration that cannot be read is told, not raised."""
    assert "'latest' is no version specifier" in why_not(player(packages={"pytest": "latest"}), NO_GPU)


def test_cuda() -> None:
    """A GPU player needs a GPU, and a driver that answers."""
    cuda = player(device="cuda")
    assert "nvidia-smi lists none here; plug one in" in why_not(cuda, NO_GPU)
    assert "did not answer" in why_not(cuda, {"gpus": [], "gpu_error": "nvidia-smi did not answer within 10 s"})
    assert why_not(cuda, {"gpus": [{"name": "A10"}]}) == ""


def test_commands(tmp_path: Path) -> None:
    """A command is found on PATH or from the project, and must be executable; its files must be there."""
    assert why_not(player(command=("sh", "{job}")), NO_GPU, tmp_path) == ""
    assert "program no-such-program is not there" in why_not(player(command=("no-such-program",)), NO_GPU, tmp_path)
    missing = player(command=("{project}/bin/solve", "{job}"), install="make -C bin")
    assert (
        why_not(missing, NO_GPU, tmp_path)
        == f"its program {tmp_path}/bin/solve is not there or may not be executed; make it with: make -C bin"
    )
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/solve").write_text("")
    assert "may not be executed" in why_not(missing, NO_GPU, tmp_path)
    tool(tmp_path / "bin", "solve", "")
    assert why_not(missing, NO_GPU, tmp_path) == why_not(player(command=("bin/solve",)), NO_GPU, tmp_path) == ""
    script = player(command=("sh", "{project}/solve.sh", "{job}"))
    assert f"its file {tmp_path}/solve.sh is not there" in why_not(script, NO_GPU, tmp_path)


def test_another_interpreter(tmp_path: Path) -> None:
    """Packages are looked for in the interpreter that the player names, by one question to it."""
    other = tool(tmp_path, "python", f'echo asked >> {tmp_path}/asked\nexec {sys.executable} "$@"')
    asks = player(interpreter=str(other), packages={"pytest": ">=8"})
    assert why_not(asks, NO_GPU) == why_not(asks, NO_GPU) == ""
    assert (tmp_path / "asked").read_text().count("asked") == 1
    text = why_not(player(interpreter=str(other), packages={"no-such-thing": "==2"}), NO_GPU)
    assert (
        text
        == f"no-such-thing==2 is not installed in {other}; install it with: {other} -m pip install 'no-such-thing==2'"
    )


def test_an_interpreter_that_is_none(tmp_path: Path) -> None:
    """One that is missing, or that is no Python, is told."""
    assert "its interpreter env/bin/python is not there" in why_not(
        player(interpreter="env/bin/python"), NO_GPU, tmp_path
    )
    liar = tool(tmp_path, "liar", "echo hello; exit 3")
    text = why_not(player(interpreter=str(liar), packages={"pytest": ""}), NO_GPU, tmp_path)
    assert "ended with status 3 and said 'hello'" in text


@given(st.tuples(*[st.integers(0, 30)] * 3), st.tuples(*[st.integers(0, 30)] * 3))
def test_versions_are_ordered_as_numbers(installed: tuple[int, ...], needed: tuple[int, ...]) -> None:
    """>= compares part by part as numbers, never as text: 0.10 is newer than 0.9."""
    texts = [".".join(map(str, parts)) for parts in (installed, needed)]
    assert matches(texts[0], f">={texts[1]}") == (installed >= needed)


@pytest.mark.parametrize(
    ("installed", "specifier", "ok"), [("2.0rc1", ">=1", True), ("weird", ">=1", False), ("1.4.2", "~=1.4.0", True)]
)
def test_odd_versions(installed: str, specifier: str, ok: bool) -> None:
    """A release candidate counts; a version that cannot be read satisfies nothing."""
    assert matches(installed, specifier) is ok
