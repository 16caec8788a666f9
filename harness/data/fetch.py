"""``harness fetch DATASET``: download a data set into the cache; nothing is used before its sha256 was checked.

A file grows as ``<name>.part`` and gets its name only when size and sha256 are those of the manifest. An
interrupted download goes on where it stopped; since the sha256 is pinned, a part of another version is
found out at the end and thrown away.
"""

from __future__ import annotations

import argparse
import fcntl
import http.client
import os
import shutil
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from harness.data import datasets, hub
from harness.data.checksum import cache_folder, file_sha256
from harness.data.manifest import DataFile, Manifest
from harness.data.unpack import unpack
from harness.errors import DataError

OFFLINE = "HARNESS_OFFLINE"
_CHUNK = 1 << 18
_LOCAL = ("127.0.0.1", "localhost", "::1")
Progress = Callable[[str, int, int], None]


def main(argv: Sequence[str], project: Path) -> int:
    """The verb ``fetch``. Returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="harness fetch", description="Download data sets into the cache and check them."
    )
    parser.add_argument("names", nargs="+", metavar="DATASET", help="'harness list datasets' shows them")
    wanted = [datasets.manifest(name, project) for name in parser.parse_args(argv).names]
    for one in wanted:
        print(f"{one.name}: {one.title}\n  from {one.address} {one.revision}".rstrip())
        print(f"  licence: {one.licence}\n  cite: {one.citation}", flush=True)
        folder = fetch(one.name, project, progress=_show)
        digest = hub.noted(one, folder).sha256
        print(f"  {len(one.files)} file(s) in {folder}, checked; sha256 of the set {digest[:16]}")
    return 0


def fetch(name: str, project: Path | None = None, *, progress: Progress | None = None, timeout_s: float = 30.0) -> Path:
    """Bring a data set to this machine, unless it is here, and return its folder.

    Args:
        progress: called with a file's name, the bytes that are here and the bytes that it will have.
        timeout_s: how long a server may stay silent.

    Raises:
        UnknownName: no manifest has that name.
        DataError: it may not be fetched, the network failed, or what came is not what was declared.
    """
    wanted = datasets.manifest(name, project)
    try:
        return datasets.locate(name, project)
    except DataError as error:
        _must_be_fetchable(wanted, error)
    folder = cache_folder() / "data" / wanted.folder
    if wanted.hub:
        with _locked(folder):
            hub.fetch(wanted, folder)
        return datasets.locate(name, project)
    downloads = [wanted.archive] if wanted.archive else list(wanted.files)
    try:
        with _locked(folder):
            for file in downloads:
                target = folder / (f".{wanted.name}.archive" if wanted.archive else file.path)
                target.parent.mkdir(parents=True, exist_ok=True)
                if not (
                    target.is_file() and target.stat().st_size == file.bytes and file_sha256(target) == file.sha256
                ):
                    _get(wanted, file, target, progress or (lambda *_: None), timeout_s)
            if wanted.archive:
                unpack(target, wanted.files, folder)
                target.unlink()
    except OSError as error:
        raise DataError(
            f"data set {name}: cannot write {error.filename or folder}: {error.strerror}. Make room, or point "
            "XDG_CACHE_HOME at a folder that can be written; what came so far is kept"
        ) from error
    return datasets.locate(name, project)


def _must_be_fetchable(wanted: Manifest, why: DataError) -> None:
    sources = [wanted.archive] if wanted.archive else list(wanted.files)
    if wanted.package or not (wanted.hub or all(file.url for file in sources)):
        raise DataError(
            f"data set {wanted.name} cannot be fetched. {datasets.how_to_get(wanted)} (Found: {why})"
        ) from None
    if os.environ.get(OFFLINE, "") not in ("", "0"):
        raise DataError(
            f"data set {wanted.name} is not here, and {OFFLINE} is set, so {sources[0].url or wanted.hub} was not "
            f"asked. Unset it, or set {datasets.DATA_ROOT} to the folder that holds {wanted.folder}/"
        ) from None
    for file in () if wanted.hub else sources:
        _require_safe(file.url, wanted.name)


def _get(wanted: Manifest, file: DataFile, target: Path, progress: Progress, timeout_s: float) -> None:
    """Download one file; a part that turns out wrong after going on is fetched once more from its start."""
    part = target.with_name(f"{target.name}.part")
    resumed = part.is_file() and part.stat().st_size > 0
    _download(wanted, file, part, progress, timeout_s)
    found = file_sha256(part)
    if found != file.sha256 and resumed:
        part.unlink()
        _download(wanted, file, part, progress, timeout_s)
        found = file_sha256(part)
    if found != file.sha256:
        part.unlink()
        raise DataError(
            f"data set {wanted.name}: {file.url} gave {file.bytes:,} bytes with sha256 {found[:16]}... instead of "
            f"{file.sha256[:16]}...; they were thrown away. Either the source has changed, or somebody in "
            "between changes what it sends: tell the maintainers of the manifest"
        )
    os.replace(part, target)


def _download(wanted: Manifest, file: DataFile, part: Path, progress: Progress, timeout_s: float) -> None:
    have = part.stat().st_size if part.exists() else 0
    if have > file.bytes:
        part.unlink()
        have = 0
    if have == file.bytes and have > 0:
        return
    request = urllib.request.Request(  # noqa: S310 - _require_safe has looked at the address
        file.url, headers={"User-Agent": "tcs-harness", "Accept-Encoding": "identity"}
    )
    if have:
        request.add_header("Range", f"bytes={have}-")
    try:
        with _opener().open(request, timeout=timeout_s) as answer:
            if have and not str(answer.headers.get("Content-Range", "")).startswith(f"bytes {have}-"):
                have = 0
            have = _copy(answer, part, have, file, progress)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416:
            part.unlink(missing_ok=True)
        raise DataError(
            f"data set {wanted.name}: {file.url} answered {error.code} {error.reason}. "
            f"{'Run it again' if error.code in (416, 429) or error.code >= 500 else _elsewhere(wanted)}"
        ) from None
    except (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError) as error:
        reason = getattr(error, "reason", None) or error
        raise DataError(
            f"data set {wanted.name}: {file.url} cannot be reached ({reason}). What came is kept: run it again "
            f"when the network is back. {_elsewhere(wanted)}"
        ) from None
    if have > file.bytes:
        part.unlink()
        raise DataError(
            f"data set {wanted.name}: {file.url} sends more than the declared {file.bytes:,} bytes; it was thrown "
            "away. The source has changed: tell the maintainers of the manifest"
        )
    if have < file.bytes:
        raise DataError(
            f"data set {wanted.name}: {file.url} ended after {have:,} of {file.bytes:,} bytes. What came is kept: "
            f"'harness fetch {wanted.name}' goes on from there"
        )


def _copy(answer: IO[bytes], part: Path, have: int, file: DataFile, progress: Progress) -> int:
    """Append what comes to the part, never more than one byte beyond the declared size; returns its size."""
    with open(part, "r+b" if have else "wb") as out:
        out.seek(have)
        out.truncate()
        while have <= file.bytes:
            chunk = answer.read(min(_CHUNK, file.bytes + 1 - have))
            if not chunk:
                break
            out.write(chunk)
            have += len(chunk)
            progress(file.path, have, file.bytes)
    return have


def _require_safe(url: str, name: str) -> None:
    place = urllib.parse.urlsplit(url)
    if place.scheme != "https" and not (place.scheme == "http" and place.hostname in _LOCAL):
        raise DataError(
            f"data set {name}: {url} is no https address, and no other kind is fetched; correct the manifest"
        )


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect may not leave https, or a pinned address could be led to a file or to plain http."""

    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Any:
        _require_safe(newurl, "the redirect of " + req.full_url)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener() -> urllib.request.OpenerDirector:
    """Speaks http and https only; the default opener also opens files and ftp."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler,
        urllib.request.HTTPHandler,
        urllib.request.HTTPSHandler,
        urllib.request.HTTPDefaultErrorHandler,
        urllib.request.HTTPErrorProcessor,
        _SafeRedirects,
        urllib.request.UnknownHandler,
    ):
        opener.add_handler(handler())
    return opener


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One download into a folder at a time: two would write the same part."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / ".fetch.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DataError(f"another 'harness fetch' writes into {folder}; wait until it is done") from None
        yield


def _elsewhere(wanted: Manifest) -> str:
    return f"Set {datasets.DATA_ROOT} to a folder that holds {wanted.folder}/, copied from a machine that has it"


def _show(name: str, have: int, size: int) -> None:
    if not sys.stderr.isatty():
        return
    width = shutil.get_terminal_size().columns - 1
    done = "\n" if have >= size else "\r"
    print(
        f"  {name} {have / 1e6:.1f} of {size / 1e6:.1f} MB"[:width].ljust(width), end=done, file=sys.stderr, flush=True
    )
