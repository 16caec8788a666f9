"""Whether a player can run on this machine and, if not, what to install or plug in.

Nothing of the player is imported: installed versions are read from the metadata of the distributions, in
this environment or, by one subprocess, in the interpreter that the player names.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from harness.case import PlayerInfo, place

_ASK_TIMEOUT_S = 30.0
_ASK = """
import json, sys
try:
    from importlib.metadata import PackageNotFoundError, version
except ImportError:
    sys.exit("it is older than Python 3.8")
found = {}
for name in sys.argv[1:]:
    try:
        found[name] = version(name)
    except PackageNotFoundError:
        pass
print(json.dumps(found))
"""


def why_not(player: PlayerInfo, facts: Mapping[str, Any], project: Path | None = None) -> str:
    """Why a player cannot run here, in one sentence that ends with what to do; empty if it can.

    Args:
        facts: about this machine (:func:`harness.machine.environment.facts`; only ``gpus`` and ``gpu_error`` are used).
        project: relative commands and interpreters start from it (the working directory if None).
    """
    for reason in (_device(player, facts), _command(player, project), _packages(player, project)):
        if reason:
            return reason
    return ""


def matches(version: str, specifier: str) -> bool:
    """Whether an installed version satisfies a specifier such as ``>=0.6.12,<1``; an empty one takes any.

    Raises:
        ValueError: the specifier cannot be read.

    >>> matches("0.6.12", ">=0.6.12,<1"), matches("1.0", ">=0.6.12,<1"), matches("2.0", "")
    (True, False, True)
    """
    from packaging.specifiers import InvalidSpecifier, SpecifierSet
    from packaging.version import InvalidVersion

    if not specifier.strip():
        return True
    try:
        return SpecifierSet(specifier).contains(version, prereleases=True)
    except InvalidSpecifier:
        raise ValueError(f"{specifier!r} is no version specifier; write for example '>=1.2,<2'") from None
    except InvalidVersion:
        return False


def _device(player: PlayerInfo, facts: Mapping[str, Any]) -> str:
    if player.device != "cuda" or facts.get("gpus"):
        return ""
    if facts.get("gpu_error"):
        return f"needs a CUDA GPU, but {facts['gpu_error']}"
    return (
        "needs a CUDA GPU and nvidia-smi lists none here; plug one in with its driver, or run on a machine that has one"
    )


def _command(player: PlayerInfo, project: Path | None) -> str:
    if player.command:
        program = _place(player.command[0], project)
        if executable(program, project) is None:
            return f"its program {program} is not there or may not be executed; {_build_hint(player)}"
        for part in player.command[1:]:
            if part.startswith("{project}/") and not Path(_place(part, project)).exists():
                return f"its file {_place(part, project)} is not there; {_build_hint(player)}"
    if player.interpreter and executable(player.interpreter, project) is None:
        return f"its interpreter {player.interpreter} is not there or may not be executed; {_build_hint(player)}"
    return ""


def _packages(player: PlayerInfo, project: Path | None) -> str:
    if not player.packages:
        return ""
    where = ""
    if player.interpreter:
        interpreter = executable(player.interpreter, project)
        found, error = _ask(interpreter or player.interpreter, tuple(sorted(player.packages)))
        if error:
            return f"its interpreter {player.interpreter} cannot tell its packages: {error}; {_build_hint(player)}"
        where = f" in {player.interpreter}"
    else:
        from harness.machine.environment import package_versions

        found = package_versions(player.packages)
    for name, specifier in player.packages.items():
        if name not in found:
            return f"{name}{specifier} is not installed{where}; {_install_hint(player)}"
        try:
            fits = matches(found[name], specifier)
        except ValueError as error:
            return f"its registration is wrong: {name}: {error}"
        if not fits:
            return f"{name} {found[name]} is installed{where}, but it needs {specifier}; {_install_hint(player)}"
    return ""


@lru_cache(maxsize=64)
def _ask(interpreter: str, names: tuple[str, ...]) -> tuple[dict[str, str], str]:
    """Versions of distributions in another interpreter, and what went wrong (empty if nothing)."""
    env = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")}
    try:
        done = subprocess.run(
            [interpreter, "-I", "-c", _ASK, *names],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_ASK_TIMEOUT_S,
            env=env,
        )
    except subprocess.TimeoutExpired:
        return {}, f"it did not answer within {_ASK_TIMEOUT_S:g} s"
    except OSError as error:
        return {}, f"it cannot be started ({error.strerror})"
    try:
        if done.returncode == 0:
            return {str(name): str(version) for name, version in json.loads(done.stdout).items()}, ""
    except (ValueError, AttributeError):
        pass
    said = " ".join((done.stderr or done.stdout).split())[-200:] or "nothing"
    return {}, f"it ended with status {done.returncode} and said {said!r}"


def executable(program: str, project: Path | None) -> str | None:
    """Full path of a program: looked up on PATH if it is a bare name, from the project if it is relative."""
    if os.sep not in program:
        return shutil.which(program)
    path = (project or Path.cwd()) / program
    return str(path) if path.is_file() and os.access(path, os.X_OK) else None


def _place(part: str, project: Path | None) -> str:
    return place(part, str(project or Path.cwd()))


def _install_hint(player: PlayerInfo) -> str:
    wanted = " ".join(f"'{name}{specifier}'" for name, specifier in player.packages.items())
    python = f"{player.interpreter} -m pip" if player.interpreter else "pip"
    return f"install it with: {player.install or f'{python} install {wanted}'}"


def _build_hint(player: PlayerInfo) -> str:
    return f"make it with: {player.install}" if player.install else "make it, or correct its path in the configuration"
