"""Data sets of the Hugging Face hub: downloaded by huggingface_hub at a pinned commit, and what came written down.

A commit pins the content, but the sha256 of a file may not be known to whoever wrote the manifest. Then it is held
against the one that the hub itself declares, and noted beside the files; every later check is against that note.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness import files
from harness.data.checksum import file_sha256
from harness.errors import DataError

if TYPE_CHECKING:
    from harness.data.manifest import DataFile, Manifest

NOTE = ".hub.json"
"""What was found in a folder of a hub's data set: path to sha256 and bytes, and the commit."""
INSTALL = "pip install 'tcs-harness[hub]'"


def noted(wanted: Manifest, folder: Path) -> Manifest:
    """A manifest with the sizes and sha256 that it leaves open, as they were noted in a folder."""
    try:
        note = json.loads((folder / NOTE).read_text(encoding="utf-8"))
        if note["revision"] != wanted.revision:
            return wanted
        found = {path: (str(one["sha256"]), int(one["bytes"])) for path, one in note["files"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return wanted
    return replace(wanted, files=tuple(_filled(file, found) for file in wanted.files))


def fetch(wanted: Manifest, folder: Path) -> None:
    """Download what of a data set is not in a folder, check it, and note what came.

    Raises:
        DataError: huggingface_hub is not installed, the hub cannot be reached or has no such file, or what came is
            neither what the manifest nor what the hub declares.
    """
    try:
        import huggingface_hub as hub
    except ModuleNotFoundError:
        raise DataError(f"data set {wanted.name}: it is fetched by huggingface_hub; {INSTALL}") from None
    found = {}
    for file in wanted.files:
        try:
            declared = hub.get_hf_file_metadata(
                hub.hf_hub_url(wanted.hub, file.path, revision=wanted.revision, endpoint=_endpoint())
            )
            path = hub.hf_hub_download(
                wanted.hub, file.path, revision=wanted.revision, local_dir=folder, endpoint=_endpoint()
            )
        except (OSError, hub.errors.HTTPError, hub.errors.XetDownloadError) as error:  # type: ignore[attr-defined]
            reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise DataError(
                f"data set {wanted.name}: {file.path} of {wanted.hub} cannot be fetched ({type(error).__name__}: "
                f"{reason}). Run it again when the hub can be reached, or point a data root at a copy of the folder"
            ) from error
        sha256, size = file_sha256(Path(path)), Path(path).stat().st_size
        _require(wanted, file, Path(path), sha256, declared.etag or "", size, declared.size)
        found[file.path] = {"sha256": sha256, "bytes": size}
    files.write_text(folder / NOTE, json.dumps({"revision": wanted.revision, "files": found}, indent=1))


def _require(
    wanted: Manifest, file: DataFile, path: Path, sha256: str, etag: str, size: int, declared: int | None
) -> None:
    """The manifest's word counts first, then the hub's: for large files its etag is their sha256."""
    rights = [(file.sha256, "the manifest"), (etag if re.fullmatch("[0-9a-f]{64}", etag) else "", "the hub")]
    for right, whose in rights:
        if right and right != sha256:
            path.unlink()
            raise DataError(
                f"data set {wanted.name}: {file.path} came with sha256 {sha256[:16]}... instead of the {right[:16]}... "
                f"that {whose} declares; it was thrown away. Run it again; if it stays so, tell the maintainers of the "
                f"manifest"
            )
    if declared is not None and declared != size:
        path.unlink()
        raise DataError(
            f"data set {wanted.name}: {file.path} came with {size:,} bytes instead of {declared:,}; it was thrown "
            f"away. Run it again"
        )


def _filled(file: DataFile, found: Mapping[str, tuple[str, int]]) -> DataFile:
    sha256, size = found.get(file.path, ("", -1))
    return replace(file, sha256=file.sha256 or sha256, bytes=size if file.bytes < 0 else file.bytes)


def _endpoint() -> str | None:
    return os.environ.get("HF_ENDPOINT") or None
