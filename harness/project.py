"""The project that a command works on: the nearest folder upwards that holds conf/ and benchmarks/."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from harness.errors import ConfigurationError


def find(start: Path | None = None) -> Path:
    """The project's folder, looked for from ``start`` (the working directory) upwards.

    Raises:
        ConfigurationError: there is none.
    """
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / "conf").is_dir() and (folder / "benchmarks").is_dir():
            return folder
    raise ConfigurationError(
        f"no benchmark project here: neither {here} nor a folder above it holds both conf/ and benchmarks/. "
        "Change into one, or copy the example project (examples/sorting in the sources) and start from it"
    )


def git_state(project: Path) -> dict[str, Any]:
    """``{"commit": full hash or "", "dirty": bool}`` of the project's repository."""
    try:
        commit = _git(project, "rev-parse", "HEAD")
        return {"commit": commit, "dirty": bool(_git(project, "status", "--porcelain", "--untracked-files=no"))}
    except (OSError, subprocess.SubprocessError):
        return {"commit": "", "dirty": True}


def _git(project: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(project), *arguments], capture_output=True, text=True, check=True, timeout=10
    )
    return done.stdout.strip()
