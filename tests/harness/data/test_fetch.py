"""Downloads, against a server on this machine that behaves badly in every way that the tests think of."""

from __future__ import annotations

import http.server
import io
import socket
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import machines
from harness.data import datasets
from harness.data.fetch import fetch, main
from harness.errors import DataError, UnknownName

CONTENT = bytes(range(256)) * 400


class Server(http.server.ThreadingHTTPServer):
    """Serves ``files``; ``mood`` says how it misbehaves; ``seen`` keeps path and Range of each request."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.mood = ""
        self.seen: list[tuple[str, str]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        wanted = self.headers.get("Range", "")
        self.server.seen.append((self.path, wanted))
        mood, content = self.server.mood, self.server.files.get(self.path)
        if mood.startswith("redirect "):
            self.send_response(302)
            self.send_header("Location", mood.split(" ", 1)[1])
            self.end_headers()
            return
        if content is None or mood.isdigit():
            self.send_error(int(mood or 404))
            return
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and mood != "no ranges" else 0
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        self.wfile.write(content[start : len(content) // 2 if mood == "cut" else None])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    """A server in a thread of this process, ended with the test."""
    running = Server()
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield running
    running.shutdown()
    thread.join()
    running.server_close()


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Server) -> Path:
    """A project with the sets ``s`` (two files) and ``packed`` (an archive), an empty cache and no data root."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    for name in (datasets.DATA_ROOT, "HARNESS_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    files = {"a.bin": CONTENT, "deep/b.txt": b"b"}
    server.files = {f"/s/{name}": content for name, content in files.items()}
    server.files["/packed.tar.gz"] = tarred({"packed-1/a.bin": CONTENT, "packed-1/deep/b.txt": b"b"})
    return machines.project(
        tmp_path / "project",
        datasets={
            "s": machines.manifest("s", files, url=f"{server.url}/s"),
            "packed": packed(server, files),
        },
    )


def tarred(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


def packed(server: Server, files: dict[str, bytes]) -> str:
    import hashlib

    content = server.files["/packed.tar.gz"]
    archive = {
        "url": f"{server.url}/packed.tar.gz",
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
    }
    return machines.manifest("packed", files, archive=archive)


def part(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "cache/tcs-harness/data/s/a.bin.part"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return path


def test_a_download(here: Path, server: Server) -> None:
    """All files come, nothing else stays, and a second call asks nobody."""
    seen: list[tuple[str, int, int]] = []
    folder = fetch("s", here, progress=lambda *now: seen.append(now))
    assert (folder / "a.bin").read_bytes() == CONTENT
    assert (folder / "deep/b.txt").read_bytes() == b"b"
    assert not list(folder.rglob("*.part"))
    assert seen[-1] == ("deep/b.txt", 1, 1)
    assert ("a.bin", len(CONTENT), len(CONTENT)) in seen
    asked = len(server.seen)
    assert fetch("s", here) == folder == datasets.locate("s", here)
    assert len(server.seen) == asked


def test_it_goes_on_where_it_stopped(here: Path, server: Server, tmp_path: Path) -> None:
    """A cut connection keeps what came; the next call asks for the rest only."""
    server.mood = "cut"
    with pytest.raises(DataError, match=r"ended after 51,200 of 102,400 bytes\. What came is kept"):
        fetch("s", here)
    server.mood = ""
    assert (fetch("s", here) / "a.bin").read_bytes() == CONTENT
    assert ("/s/a.bin", "bytes=51200-") in server.seen


def test_a_server_without_ranges(here: Path, server: Server, tmp_path: Path) -> None:
    """One that sends everything again is taken from the start."""
    part(tmp_path, CONTENT[:1000])
    server.mood = "no ranges"
    assert (fetch("s", here) / "a.bin").read_bytes() == CONTENT


def test_a_part_of_another_version(here: Path, server: Server, tmp_path: Path) -> None:
    """A wrong beginning is found out by its sha256 and fetched anew, once."""
    part(tmp_path, b"x" * 1000)
    assert (fetch("s", here) / "a.bin").read_bytes() == CONTENT
    assert [wanted for path, wanted in server.seen if path == "/s/a.bin"] == ["bytes=1000-", ""]


@pytest.mark.parametrize("content", [b"x" * len(CONTENT), CONTENT + b"more"])
def test_a_whole_or_overlong_part(here: Path, tmp_path: Path, content: bytes) -> None:
    """A part as long as the file, or longer, is no reason to trust it."""
    part(tmp_path, content)
    assert (fetch("s", here) / "a.bin").read_bytes() == CONTENT


def test_wrong_content_is_thrown_away(here: Path, server: Server, tmp_path: Path) -> None:
    """Bytes with another sha256 never get the file's name."""
    server.files["/s/a.bin"] = b"y" * len(CONTENT)
    with pytest.raises(DataError, match=r"instead of .*; they were thrown away\. Either the source has changed"):
        fetch("s", here)
    assert not list((tmp_path / "cache").rglob("a.bin*"))


def test_more_than_declared(here: Path, server: Server, tmp_path: Path) -> None:
    """A server that does not stop is stopped one byte beyond the declared size."""
    server.files["/s/a.bin"] = CONTENT * 50
    with pytest.raises(DataError, match="sends more than the declared 102,400 bytes"):
        fetch("s", here)
    assert not list((tmp_path / "cache").rglob("a.bin*"))


@pytest.mark.parametrize(
    ("status", "step"), [("404", "Set TCS_DATA_ROOT"), ("403", "Set TCS_DATA_ROOT"), ("503", "Run it again")]
)
def test_a_server_that_refuses(here: Path, server: Server, status: str, step: str) -> None:
    """The address, the status and the next step are in the message."""
    server.mood = status
    with pytest.raises(DataError, match=rf"/s/a\.bin answered {status} .*{step}"):
        fetch("s", here)


def test_a_range_that_cannot_be_had(here: Path, server: Server, tmp_path: Path) -> None:
    """A part that the server finds too long is dropped, so that the next call starts anew."""
    left = part(tmp_path, CONTENT[:10])
    server.mood = "416"
    with pytest.raises(DataError, match="Run it again"):
        fetch("s", here)
    assert not left.exists()


def test_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused connection names the address and both ways on."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.delenv(datasets.DATA_ROOT, raising=False)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        project = machines.project(tmp_path / "p", datasets={"s": machines.manifest("s", {"a": b"a"}, url=url)})
        with pytest.raises(DataError, match=rf"{url}/a cannot be reached .*run it again.*Set TCS_DATA_ROOT"):
            fetch("s", project)


def test_a_silent_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that accepts and says nothing is given up after the time limit."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.delenv(datasets.DATA_ROOT, raising=False)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"http://127.0.0.1:{mute.getsockname()[1]}"
        project = machines.project(tmp_path / "p", datasets={"s": machines.manifest("s", {"a": b"a"}, url=url)})
        with pytest.raises(DataError, match=r"cannot be reached .*timed out"):
            fetch("s", project, timeout_s=0.2)


def test_offline(here: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """HARNESS_OFFLINE asks nobody and says what to do."""
    monkeypatch.setenv("HARNESS_OFFLINE", "1")
    with pytest.raises(
        DataError, match=r"HARNESS_OFFLINE is set, so .*/s/a\.bin was not asked\. Unset it, or set TCS_DATA_ROOT"
    ):
        fetch("s", here)
    assert not server.seen


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/x", "http://example.org/x"])
def test_a_redirect_out_of_https(here: Path, server: Server, target: str) -> None:
    """A redirect to a file, to ftp or to plain http is refused."""
    server.mood = f"redirect {target}"
    with pytest.raises(DataError, match=r"is no https address|is not allowed"):
        fetch("s", here)


@pytest.mark.parametrize("url", ["http://example.org", "file:///etc", "ftp://example.org"])
def test_addresses_that_are_not_https(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A manifest may not ask for one either."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    project = machines.project(tmp_path / "p", datasets={"s": machines.manifest("s", {"a": b"a"}, url=url)})
    with pytest.raises(DataError, match="is no https address"):
        fetch("s", project)


def test_an_archive(here: Path, tmp_path: Path) -> None:
    """An archive is checked, its declared files are taken out, and it is not kept."""
    folder = fetch("packed", here)
    assert (folder / "deep/b.txt").read_bytes() == b"b"
    assert sorted(path.name for path in folder.rglob("*") if path.is_file()) == [".fetch.lock", "a.bin", "b.txt"]


def test_a_set_without_addresses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the terms forbid fetching, the message says how to get it by hand."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv(datasets.DATA_ROOT, raising=False)
    project = machines.project(
        tmp_path / "p", datasets={"s": machines.manifest("s", {"a": b"a"}, manual="Ask the authors")}
    )
    with pytest.raises(DataError, match=r"cannot be fetched\. Ask the authors\. Then set TCS_DATA_ROOT"):
        fetch("s", project)


def test_a_cache_that_cannot_be_written(here: Path, tmp_path: Path) -> None:
    """A file where the cache should be, as on a read-only or full disk, is told with the next step."""
    (tmp_path / "cache").write_text("")
    with pytest.raises(DataError, match=r"cannot write .*Make room, or point XDG_CACHE_HOME"):
        fetch("s", here)


def test_two_at_once(here: Path, tmp_path: Path) -> None:
    """The second of two downloads into one folder stops, since both would write the same part."""
    import fcntl

    folder = tmp_path / "cache/tcs-harness/data/s"
    folder.mkdir(parents=True)
    with open(folder / ".fetch.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(DataError, match="another 'harness fetch' writes into"):
            fetch("s", here)


def test_the_verb(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It says where the data is from, under what licence, whom to cite, and where it lies now."""
    assert main(["s"], here) == 0
    out = capsys.readouterr().out
    assert all(
        text in out for text in ("from https://example.org 1", "licence: CC0", "cite: Nobody (2026)", "2 file(s) in ")
    )
    with pytest.raises(UnknownName, match="no data set is named 'z'"):
        main(["z"], here)
    with pytest.raises(SystemExit) as usage:
        main([], here)
    assert usage.value.code == 2
