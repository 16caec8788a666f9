"""``resume=RUN`` and ``repeat=RUN``: which configuration a run goes on with, or is repeated from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.cli.runs import FOLDER, find
from harness.config import OF_THE_SESSION, RunConfig, to_dict
from harness.errors import ConfigurationError, UnknownName


def resolve(config: RunConfig, overrides: Sequence[str], project: Path) -> RunConfig:
    """The configuration to perform, after ``resume`` and ``repeat`` have been looked up.

    Args:
        config: as composed. overrides: what was written on the command line, without Hydra's own keys.

    Returns:
        ``config`` itself, or the saved one with this session's own keys; ``resume`` and ``repeat`` are then
        absolute paths.

    Raises:
        UnknownName: no such run. ConfigurationError: both keys at once, other keys beside ``repeat``, or a
            configuration that differs from the saved one; the message lists the keys.
    """
    if config.resume and config.repeat:
        raise ConfigurationError("resume= goes on with a run and repeat= starts one anew; give one of them")
    if not config.resume and not config.repeat:
        return config
    word = str(config.resume or config.repeat)
    path = _looked_up(word, config, project)
    from harness.store import load_config

    saved = load_config(path)
    others = [text for text in overrides if _key(text) not in OF_THE_SESSION]
    if config.repeat and others:
        raise ConfigurationError(
            f"repeat={word} takes the configuration that the run saved, and nothing beside it but "
            f"{', '.join(OF_THE_SESSION[2:])}; drop {' '.join(others)}, or drop repeat="
        )
    if config.resume and others:
        differing = differences(saved, config)
        if differing:
            raise ConfigurationError(
                f"the run {path.name} was started with another configuration, so its records cannot be "
                f"added to:\n  "
                + "\n  ".join(differing)
                + f"\nWrite only 'harness run resume={word}' to go on with the saved configuration, or start a new run"
            )
    return replace(
        saved,
        resume=str(path) if config.resume else None,
        repeat=str(path) if config.repeat else None,
        progress=config.progress,
        runs=config.runs,
        lock_wait_s=config.lock_wait_s,
    )


def _looked_up(word: str, config: RunConfig, project: Path) -> Path:
    """Runs are looked for where the new ones go (``runs``), then in the usual folder."""
    try:
        return find(word, project, config.runs)
    except UnknownName:
        if config.runs == FOLDER:
            raise
        return find(word, project)


def differences(saved: RunConfig, asked: RunConfig) -> list[str]:
    """One line a key in which two configurations differ, leaving out :data:`OF_THE_SESSION`.

    >>> differences(RunConfig(seed=1), RunConfig(seed=2, progress="none"))
    ['seed: saved 1, asked 2']
    """
    before, after = _flat(to_dict(saved)), _flat(to_dict(asked))
    lines = []
    for key in sorted(before.keys() | after.keys()):
        if key.split(".")[0] not in OF_THE_SESSION and before.get(key, _ABSENT) != after.get(key, _ABSENT):
            lines.append(f"{key}: saved {before.get(key, _ABSENT)!r}, asked {after.get(key, _ABSENT)!r}")
    return lines


class _Absent:
    def __repr__(self) -> str:
        return "nothing"


_ABSENT = _Absent()


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            flat.update(_flat(value, f"{prefix}{name}."))
        else:
            flat[prefix + name] = value
    return flat


def _key(override: str) -> str:
    return override.lstrip("+~").split("=", 1)[0].split("@")[0]
