"""What a manifest of a data set declares, ``datasets/NAME.yaml`` of a project (docs/howto/data.md)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path, PurePosixPath
from typing import Any

from harness.case import PROVENANCES
from harness.errors import DataError
from harness.record import digest


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFile:
    """One file: ``path`` in the set's folder, ``sha256`` in hex, ``bytes``, and ``url`` (empty if it has none).

    Of a file of the hub, sha256 may be empty and bytes -1: then they are as they were noted when it was fetched.
    """

    path: str
    sha256: str
    bytes: int
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A data set as its manifest declares it.

    Attributes:
        name, title: what it is called. ``provenance``: one of :data:`PROVENANCES`. ``licence``, ``citation``.
        address, revision: where it comes from. ``folder``: its folder under a data root.
        files: what it consists of. ``archive``: an archive that holds them all, if it is published as one.
        package: an installed distribution that brings the files, instead of a folder.
        hub: a repository of the Hugging Face hub that they are fetched from, at the commit ``revision``.
        note: what else a user should know. ``manual``: how to get it by hand where it may not be fetched.
    """

    name: str
    title: str
    provenance: str
    licence: str
    citation: str
    address: str = ""
    revision: str = ""
    folder: str = ""
    files: tuple[DataFile, ...]
    archive: DataFile | None = None
    package: str = ""
    hub: str = ""
    note: str = ""
    manual: str = ""

    @property
    def bytes(self) -> int | None:
        """Size of all files together; None where that of one is not known before it is fetched."""
        sizes = [file.bytes for file in self.files]
        return sum(sizes) if min(sizes, default=0) >= 0 else None

    @property
    def sha256(self) -> str:
        """One digest of the whole set: sha256 over the canonical JSON of its sorted (path, sha256) pairs."""
        return digest(sorted((file.path, file.sha256) for file in self.files))


def read_manifest(path: Path) -> Manifest:
    """Read one manifest.

    Raises:
        DataError: it cannot be read, a field is missing, unknown or malformed, or a path leads out of its folder.
    """
    import yaml

    try:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        return _manifest(yaml.load(path.read_text(encoding="utf-8"), Loader=loader), path)  # noqa: S506 - safe_load, in C
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValueError, TypeError, KeyError) as error:
        text = f"it has no {error}" if isinstance(error, KeyError) else str(error)
        raise DataError(f"{path} is no manifest of a data set: {text}; see docs/howto/data.md") from None


def _manifest(values: Any, path: Path) -> Manifest:
    if not isinstance(values, dict):
        raise ValueError("it does not hold a mapping")
    values = dict(values)
    source = values.pop("source", None) or {}
    known = {f.name for f in fields(Manifest)} - {"address", "revision"}
    if unknown := (set(values) - known) | (set(source) - {"address", "revision"}):
        raise ValueError(f"unknown key(s) {', '.join(sorted(map(str, unknown)))}")
    if values["name"] != path.stem:
        raise ValueError(f"its name is {values['name']!r}, but the file is called {path.name}")
    if values["provenance"] not in PROVENANCES:
        raise ValueError(f"provenance is one of {', '.join(PROVENANCES)}, not {values['provenance']!r}")
    archive = values.get("archive")
    texts = {name: str(value) for name, value in {**values, **source}.items() if value is not None}
    parsed: dict[str, Any] = {
        **texts,
        "folder": inside(texts.get("folder") or texts["name"]),
        "files": tuple(_file(file, of_the_hub="hub" in texts) for file in values["files"]),
        "archive": _file({"path": "archive", **archive}) if archive else None,
    }
    if "hub" in texts and not re.fullmatch(r"[0-9a-f]{40}", texts.get("revision", "")):
        raise ValueError("a data set of the hub names its commit, 40 hex digits, as source.revision")
    return Manifest(**parsed)


def _file(values: Mapping[str, Any], *, of_the_hub: bool = False) -> DataFile:
    if of_the_hub:
        values = {"sha256": None, "bytes": None, **values}
    sha256, size, url = str(values["sha256"]), values["bytes"], values.get("url") or ""
    if of_the_hub and values["sha256"] is None and size is None:
        return DataFile(path=inside(str(values["path"])), sha256="", bytes=-1)
    if not re.fullmatch(r"[0-9a-f]{64}", sha256):
        raise ValueError(f"{values['path']}: sha256 is 64 hex digits, not {sha256!r}")
    if not isinstance(size, int) or size < 0:
        raise ValueError(f"{values['path']}: bytes is a whole number, not {size!r}")
    if unknown := set(values) - {"path", "sha256", "bytes", "url"}:
        raise ValueError(f"{values['path']}: unknown key(s) {', '.join(sorted(unknown))}")
    return DataFile(path=inside(str(values["path"])), sha256=sha256, bytes=size, url=str(url))


def inside(path: str) -> str:
    """A relative path that stays in its folder; anything else could overwrite a user's files."""
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or "\\" in path or "\0" in path:
        raise ValueError(f"{path!r} leads out of the data set's folder")
    return str(PurePosixPath(*parts))
