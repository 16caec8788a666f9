"""Data sets of the Hugging Face hub, against a server on this machine that speaks as much of it as is needed."""

from __future__ import annotations

import hashlib
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import machines
from harness.data import datasets
from harness.data.fetch import fetch
from harness.data.hub import NOTE
from harness.errors import DataError
from harness.record import digest

pytest.importorskip("huggingface_hub", reason="the extra 'hub' is not installed")

COMMIT = "0123456789abcdef0123456789abcdef01234567"
FILES = {"config.json": b"{}", "onnx/model.onnx": bytes(range(256)) * 40}


class Hub(http.server.ThreadingHTTPServer):
    """Serves files of one repository at one commit; ``declared`` replaces etags, ``seen`` keeps requests."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = dict(FILES)
        self.declared: dict[str, str] = {}
        self.seen: list[str] = []


class Handler(http.server.BaseHTTPRequestHandler):
    server: Hub

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        name = self.path.removeprefix(f"/some/models/resolve/{COMMIT}/")
        content = self.server.files.get(name)
        self.server.seen.append(f"{self.command} {name}")
        if content is None:
            self.send_response(404)
            self.send_header("X-Error-Code", "EntryNotFound")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("ETag", f'"{self.server.declared.get(name, hashlib.sha256(content).hexdigest())}"')
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if body:
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub in a thread of this process."""
    running = Hub()
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{running.server_address[1]}")
    monkeypatch.setenv("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    yield running
    running.shutdown()
    thread.join()
    running.server_close()


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with the set ``m`` of the hub, which declares no sha256; an empty cache and no data root."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in (datasets.DATA_ROOT, "HARNESS_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    return machines.project(tmp_path / "project", datasets={"m": declared()})


def declared(**changes: object) -> str:
    """The manifest of the set ``m``."""
    values = json.loads(machines.manifest("m", {}))
    values |= {"hub": "some/models", "source": {"address": "https://example.org", "revision": COMMIT}}
    return json.dumps({**values, "files": [{"path": path} for path in FILES], **changes})


def test_what_came_is_noted_and_held_against_the_note(hub: Hub, here: Path) -> None:
    """The sha256 that the manifest leaves open is found by fetching; a file that changes afterwards is refused."""
    folder = fetch("m", here)
    assert {path: (folder / path).read_bytes() for path in FILES} == FILES
    assert datasets.locate("m", here) == folder
    right = digest(sorted((path, hashlib.sha256(content).hexdigest()) for path, content in FILES.items()))
    assert datasets.sha256_of("m", here) == right
    seen = len(hub.seen)
    assert fetch("m", here) == folder
    assert len(hub.seen) == seen
    (folder / "onnx/model.onnx").write_bytes(FILES["onnx/model.onnx"][::-1])
    with pytest.raises(DataError, match="right size, but its sha256"):
        datasets.locate("m", here)


def test_a_copy_without_its_note_is_not_taken(
    hub: Hub, here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files of which nothing tells the content might be anything; with the note beside them a copy serves."""
    folder = fetch("m", here)
    copy = tmp_path / "root" / "m"
    (copy / "onnx").mkdir(parents=True)
    for path, content in FILES.items():
        (copy / path).write_bytes(content)
    monkeypatch.setenv(datasets.DATA_ROOT, str(tmp_path / "root"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "other"))
    with pytest.raises(DataError, match=r"nothing tells what .*\.hub\.json is not in its folder"):
        datasets.locate("m", here)
    (copy / NOTE).write_bytes((folder / NOTE).read_bytes())
    assert datasets.locate("m", here) == copy
    (copy / NOTE).write_text(json.dumps({"revision": "0" * 40, "files": {}}))
    with pytest.raises(DataError, match="of another revision"):
        datasets.locate("m", here)


def test_bytes_that_are_not_those_of_the_hub(hub: Hub, here: Path) -> None:
    """The hub declares the sha256 of a large file; other bytes, which huggingface_hub would keep, are thrown away."""
    hub.declared["onnx/model.onnx"] = "f" * 64
    with pytest.raises(DataError, match=r"onnx/model\.onnx came with sha256 .* that the hub declares"):
        fetch("m", here)
    assert not list((Path(datasets.places(datasets.manifest("m", here), here)[-1])).rglob("model.onnx"))


def test_bytes_that_are_not_those_of_the_manifest(hub: Hub, here: Path) -> None:
    """Where the manifest knows a sha256, its word counts."""
    files = [{"path": "config.json", "sha256": "0" * 64, "bytes": 2}]
    (here / "datasets" / "m.yaml").write_text(declared(files=files))
    with pytest.raises(DataError, match="that the manifest declares"):
        fetch("m", here)


def test_what_cannot_be_had_is_named(hub: Hub, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that the hub has not, a hub that is not there, no wish for a network: the set, the file, the next step."""
    del hub.files["onnx/model.onnx"]
    with pytest.raises(DataError, match=r"m: onnx/model\.onnx of some/models cannot be fetched \(.*NotFound"):
        fetch("m", here)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(DataError, match=r"config\.json of some/models cannot be fetched .*Run it again when"):
        fetch("m", here)
    monkeypatch.setenv("HARNESS_OFFLINE", "1")
    with pytest.raises(DataError, match="HARNESS_OFFLINE is set, so some/models was not asked"):
        fetch("m", here)


@pytest.mark.parametrize("revision", ["main", "", COMMIT[:12]])
def test_a_branch_is_no_pin(here: Path, revision: str) -> None:
    """A data set of the hub names a whole commit; a branch would be another thing tomorrow."""
    source = {"address": "https://example.org", "revision": revision}
    (here / "datasets" / "m.yaml").write_text(declared(source=source))
    with pytest.raises(DataError, match="names its commit, 40 hex digits"):
        datasets.manifest("m", here)
