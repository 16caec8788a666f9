"""A remembered sha256 is never a wrong one: any change of a file makes it be read again."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from harness.data import checksum
from harness.errors import DataError


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own; files count as settled at once, so that what is remembered can be tested."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(checksum, "_SETTLED_NS", -(10**18))
    return tmp_path / "cache/tcs-harness/sha256"


def test_known_value(cache: Path, tmp_path: Path) -> None:
    """The sha256 of 'abc' is the one of FIPS 180-2, read or remembered."""
    path = tmp_path / "abc"
    path.write_bytes(b"abc")
    wanted = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert checksum.file_sha256(path) == checksum.file_sha256(path) == wanted
    assert len(list(cache.iterdir())) == 1


def test_a_remembered_file_is_not_read_again(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second call reads no byte of the file."""
    path = tmp_path / "a"
    path.write_bytes(b"x" * 1000)
    first = checksum.file_sha256(path)
    monkeypatch.setattr(hashlib, "file_digest", None)
    assert checksum.file_sha256(path) == first


def test_a_change_behind_the_times_is_seen(cache: Path, tmp_path: Path) -> None:
    """Same size, same modification time put back by hand: the change time gives it away."""
    path = tmp_path / "a"
    path.write_bytes(b"right")
    before = path.stat()
    assert checksum.file_sha256(path) == sha256(b"right")
    path.write_bytes(b"wrong")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert checksum.file_sha256(path) == sha256(b"wrong")


def test_another_file_under_the_same_name_is_seen(cache: Path, tmp_path: Path) -> None:
    """A file that replaced another one has another inode."""
    path, other = tmp_path / "a", tmp_path / "b"
    path.write_bytes(b"right")
    checksum.file_sha256(path)
    other.write_bytes(b"wrong")
    os.replace(other, path)
    assert checksum.file_sha256(path) == sha256(b"wrong")


def test_a_fresh_file_is_not_remembered(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file changed a moment ago could change again within one tick of the clock."""
    monkeypatch.setattr(checksum, "_SETTLED_NS", 2_000_000_000)
    path = tmp_path / "a"
    path.write_bytes(b"new")
    assert checksum.file_sha256(path) == sha256(b"new")
    assert not cache.exists()


@pytest.mark.parametrize("note", ["", "{", "[]", '{"state": [1], "sha256": "f"}', '{"sha256": "f"}'])
def test_a_damaged_note_is_ignored(cache: Path, tmp_path: Path, note: str) -> None:
    """What cannot be read in the cache costs time, no more."""
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    checksum.file_sha256(path)
    kept = next(cache.iterdir())
    kept.write_text(note)
    assert checksum.file_sha256(path) == sha256(b"abc")
    assert json.loads(kept.read_text())["sha256"] == sha256(b"abc")


def test_a_cache_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file where the cache's folder should be does not stop anything."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr(checksum, "_SETTLED_NS", -(10**18))
    assert checksum.file_sha256(tmp_path / "file") == sha256(b"")


def test_missing_and_changing_files(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is not there, or that grows while it is read, is a DataError that names it."""
    with pytest.raises(DataError, match=r"gone cannot be read: No such file"):
        checksum.file_sha256(tmp_path / "gone")
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    real = hashlib.file_digest

    def grow(file: object, name: str) -> object:
        with open(path, "ab") as more:
            more.write(b"d")
        return real(file, name)  # type: ignore[arg-type]

    monkeypatch.setattr(hashlib, "file_digest", grow)
    with pytest.raises(DataError, match="changed while it was read"):
        checksum.file_sha256(path)


def test_cache_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the XDG specification says, a relative XDG_CACHE_HOME is ignored."""
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert checksum.cache_folder() == Path.home() / ".cache/tcs-harness"
