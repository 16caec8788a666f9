"""Which run folders a project has, and which one a word on the command line means."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

from harness.errors import ConfigurationError, UnknownName

FOLDER = "reports/runs"
LATEST = "latest"


def names(project: Path, folder: str = FOLDER) -> list[str]:
    """Names of a project's run folders, oldest first."""
    found = [path.parent for path in (project / folder).glob("*/run.json")]
    return [path.name for path in sorted(found, key=lambda path: (str(manifest(path).get("created", "")), path.name))]


def find(word: str, project: Path | None, folder: str = FOLDER, *, phase: str = "") -> Path:
    """The run folder that ``word`` means.

    Args:
        word: a path, a name, the beginning of one name, ``latest``, or a commit: then its newest run.
        project: whose runs the names are of; None outside any project, where only a path means a run.
        phase: which phase's run of a commit is wanted; empty for any.

    Raises:
        UnknownName: no run answers to it, or several names begin so. ConfigurationError: it is no run folder,
            and there is no project whose runs could have that name.
    """
    path = Path(word).expanduser()
    if (path / "run.json").is_file():
        return path.resolve()
    if project is None:
        raise ConfigurationError(
            f"{word!r} is no folder with a run.json, and names of runs mean something in a project only: neither "
            f"{Path.cwd()} nor a folder above it holds both conf/ and benchmarks/"
        )
    known = names(project, folder)
    if word == LATEST and known:
        return project / folder / known[-1]
    if word in known:
        return project / folder / word
    matches = [name for name in known if word and name.startswith(word)]
    if len(matches) == 1:
        return project / folder / matches[0]
    if not matches and (run := _of_commit(word, project, folder, known, phase)):
        return run
    hint = f"A run is a folder with a run.json, a name under {folder}, its beginning, {LATEST!r}, or a measured commit."
    if path.is_dir():
        hint = f"The folder {word} exists but holds no run.json. {hint}"
    if len(matches) > 1:
        hint = f"Several names begin with {word!r}; write more of one."
    raise UnknownName("run", word, matches or known[-10:], hint=hint)


def manifest(path: Path) -> dict[str, Any]:
    """run.json of a run folder; empty where it is missing or damaged."""
    try:
        values = json.loads((path / "run.json").read_text())
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


def _of_commit(word: str, project: Path, folder: str, known: list[str], phase: str) -> Path | None:
    """The newest run of a commit, which is named as git names it or by its first digits."""
    argv = ["git", "-C", str(project), "rev-parse", "--verify", "--quiet", "--end-of-options", f"{word}^{{commit}}"]
    try:
        commit = subprocess.run(argv, capture_output=True, text=True, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        commit = ""
    if not commit and not re.fullmatch(r"[0-9a-f]{7,40}", word):
        return None
    for name in reversed(known):
        values = manifest(project / folder / name)
        git = values.get("git")
        measured = str(git.get("commit", "")) if isinstance(git, dict) else ""
        if measured and measured.startswith(commit or word) and (not phase or values.get("phase") == phase):
            return project / folder / name
    return None
