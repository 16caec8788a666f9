"""Take the declared files out of a tar or zip archive, and nothing else.

Every file is written under the path that the manifest gives, never under a name from the archive, and checked
against its size and sha256 before it gets its name. An archive that holds a path leading out of it, a link
or a device is refused as a whole: no honest data set has one.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

from harness.data.manifest import DataFile
from harness.errors import DataError

_CHUNK = 1 << 18


def unpack(archive: Path, files: Iterable[DataFile], folder: Path) -> None:
    """Take ``files`` out of an archive into ``folder``; a member is found by its path or by the end of it.

    Raises:
        DataError: no archive, an unsafe member, or a declared file that is missing or not what was declared.
    """
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as packed:
                _unpack(_zip_members(packed, archive), files, folder, archive)
        else:
            with tarfile.open(archive) as tar:
                _unpack(_tar_members(tar, archive), files, folder, archive)
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise DataError(f"{archive} cannot be unpacked: {error}; delete it and fetch it again") from None


Members = dict[str, Callable[[], IO[bytes]]]


def _zip_members(packed: zipfile.ZipFile, archive: Path) -> Members:
    members: Members = {}
    for info in packed.infolist():
        kind = stat.S_IFMT(info.external_attr >> 16)
        _require_safe(info.filename, archive, plain=kind in (0, stat.S_IFREG, stat.S_IFDIR))
        if not info.is_dir():
            members[str(PurePosixPath(info.filename))] = partial(packed.open, info)
    return members


def _tar_members(tar: tarfile.TarFile, archive: Path) -> Members:
    members: Members = {}
    for info in tar.getmembers():
        _require_safe(info.name, archive, plain=info.isreg() or info.isdir())
        if info.isreg():
            members[str(PurePosixPath(info.name))] = partial(_open, tar, info)
    return members


def _open(tar: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    member = tar.extractfile(info)
    assert member is not None, "a regular file has content"
    return member


def _require_safe(name: str, archive: Path, *, plain: bool) -> None:
    if name.startswith("/") or "\\" in name or ".." in PurePosixPath(name).parts:
        raise DataError(
            f"{archive} holds {name!r}, which leads out of the folder; nothing was unpacked. Do not trust its source"
        )
    if not plain:
        raise DataError(f"{archive} holds {name!r}, a link or a device; nothing was unpacked. Do not trust its source")


def _unpack(members: Members, files: Iterable[DataFile], folder: Path, archive: Path) -> None:
    chosen = [(file, _member(file, members, archive)) for file in files]
    for file, open_member in chosen:
        target = folder / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f"{target.name}.part")
        found, size = hashlib.sha256(), 0
        with open_member() as source, open(part, "wb") as out:
            while size <= file.bytes and (chunk := source.read(min(_CHUNK, file.bytes + 1 - size))):
                out.write(chunk)
                found.update(chunk)
                size += len(chunk)
        if size != file.bytes or found.hexdigest() != file.sha256:
            part.unlink()
            raise DataError(
                f"{archive}: its member for {file.path} is not what the manifest declares ({file.bytes:,} bytes, "
                f"sha256 {file.sha256[:16]}...); tell the maintainers of the manifest"
            )
        os.replace(part, target)


def _member(file: DataFile, members: Members, archive: Path) -> Callable[[], IO[bytes]]:
    if file.path in members:
        return members[file.path]
    ends = [name for name in members if name.endswith(f"/{file.path}")]
    if len(ends) != 1:
        raise DataError(
            f"{archive} holds {'no' if not ends else 'more than one'} {file.path}; tell the maintainers of the manifest"
        )
    return members[ends[0]]
