"""Only the declared files leave an archive, only into their folder, and only with the declared bytes."""

from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from harness.data.manifest import DataFile
from harness.data.unpack import unpack
from harness.errors import DataError


def declared(files: dict[str, bytes]) -> list[DataFile]:
    return [
        DataFile(path=path, sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))
        for path, content in files.items()
    ]


def tar(path: Path, files: dict[str, bytes], *extra: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w:gz") as packed:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            packed.addfile(info, io.BytesIO(content))
        for info in extra:
            packed.addfile(info)
    return path


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return path


@pytest.mark.parametrize("pack", [tar, zipped])
def test_declared_files_come_out(tmp_path: Path, pack: type) -> None:
    """By their path or the end of it; the rest stays inside."""
    archive = pack(tmp_path / "x", {"set-1.0/a.txt": b"A", "set-1.0/deep/b.txt": b"B" * 1000, "set-1.0/evil.py": b"no"})
    unpack(archive, declared({"a.txt": b"A", "deep/b.txt": b"B" * 1000}), tmp_path / "out")
    assert sorted(str(p.relative_to(tmp_path / "out")) for p in (tmp_path / "out").rglob("*") if p.is_file()) == [
        "a.txt",
        "deep/b.txt",
    ]
    assert (tmp_path / "out/deep/b.txt").read_bytes() == b"B" * 1000


@pytest.mark.parametrize("pack", [tar, zipped])
@pytest.mark.parametrize("name", ["../evil", "/tmp/evil", "a/../../evil", "..\\evil"])
def test_a_path_that_leads_out_refuses_the_archive(tmp_path: Path, pack: type, name: str) -> None:
    """Even beside files that are declared and sound."""
    archive = pack(tmp_path / "x", {"a.txt": b"A", name: b"evil"})
    with pytest.raises(DataError, match="leads out of the folder; nothing was unpacked"):
        unpack(archive, declared({"a.txt": b"A"}), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_and_devices_refuse_the_archive(tmp_path: Path, kind: bytes) -> None:
    """A link could lead a later file out of the folder."""
    link = tarfile.TarInfo("a.txt")
    link.type, link.linkname = kind, "/etc/passwd"
    with pytest.raises(DataError, match="a link or a device"):
        unpack(tar(tmp_path / "x", {}, link), declared({"a.txt": b"A"}), tmp_path / "out")


def test_a_link_in_a_zip(tmp_path: Path) -> None:
    """Zip keeps links as a file mode."""
    with zipfile.ZipFile(tmp_path / "x", "w") as packed:
        info = zipfile.ZipInfo("a.txt")
        info.external_attr = 0o120777 << 16
        packed.writestr(info, "/etc/passwd")
    with pytest.raises(DataError, match="a link or a device"):
        unpack(tmp_path / "x", declared({"a.txt": b"A"}), tmp_path / "out")


@pytest.mark.parametrize("content", [b"a", b"", b"A" * 10_000_000])
def test_other_bytes_never_get_the_name(tmp_path: Path, content: bytes) -> None:
    """Altered, empty, or a bomb: no more than the declared size is ever written."""
    archive = zipped(tmp_path / "x", {"a.txt": content})
    with pytest.raises(DataError, match="not what the manifest declares"):
        unpack(archive, declared({"a.txt": b"A"}), tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


def test_missing_and_ambiguous_members(tmp_path: Path) -> None:
    """A declared file that is not in the archive, or twice."""
    archive = tar(tmp_path / "x", {"one/a.txt": b"A", "two/a.txt": b"A"})
    with pytest.raises(DataError, match=r"holds no b\.txt"):
        unpack(archive, declared({"b.txt": b"B"}), tmp_path / "out")
    with pytest.raises(DataError, match=r"holds more than one a\.txt"):
        unpack(archive, declared({"a.txt": b"A"}), tmp_path / "out")


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 broken"])
def test_what_is_no_archive(tmp_path: Path, content: bytes) -> None:
    """Anything else cannot be unpacked, and says so."""
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(DataError, match="cannot be unpacked"):
        unpack(tmp_path / "x", declared({"a.txt": b"A"}), tmp_path / "out")


def test_a_truncated_archive(tmp_path: Path) -> None:
    """The first half of an archive is an error, not half a data set."""
    whole = tar(tmp_path / "x", {"a.txt": bytes(range(256)) * 4000})
    (tmp_path / "half").write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with pytest.raises(DataError):
        unpack(tmp_path / "half", declared({"a.txt": bytes(range(256)) * 4000}), tmp_path / "out")
