"""The project that a command works on: the nearest folder upwards that holds conf/ and benchmarks/."""

from __future__ import annotations

import re
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
    """``{"commit": full hash or "", "dirty": bool}`` of the project's repository.

    Untracked files count where they take part: any under ``benchmarks/``, ``conf/`` or ``datasets/``.
    """
    try:
        commit = _git(project, "rev-parse", "HEAD")
        changed = _git(project, "status", "--porcelain", "--untracked-files=no")
        stray = _git(project, "ls-files", "--others", "--exclude-standard", "--", "benchmarks", "conf", "datasets")
        return {"commit": commit, "dirty": bool(changed or stray)}
    except (OSError, subprocess.SubprocessError):
        return {"commit": "", "dirty": True}


def has_commit(project: Path, commit: str) -> bool:
    """Whether the project's repository holds this commit (its full hash)."""
    if not re.fullmatch(r"[0-9a-f]{40,64}", commit):
        return False
    try:
        _git(project, "cat-file", "-e", f"{commit}^{{commit}}")
    except (OSError, subprocess.SubprocessError):
        return False
    return True


def _git(project: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(project), *arguments], capture_output=True, text=True, check=True, timeout=10
    )
    return done.stdout.strip()
