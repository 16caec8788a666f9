"""What a manifest may declare, and what is refused by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

import machines
from harness.data import datasets
from harness.data.manifest import inside
from harness.errors import DataError

FILES = {"a.bin": b"a"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"provenance": "true"}, "provenance is one of real, derived, synthetic"),
        ({"name": "other"}, "its name is 'other', but the file is called s.yaml"),
        ({"colour": "red"}, "unknown key\\(s\\) colour"),
        ({"files": [{"path": "a", "sha256": "abc", "bytes": 1}]}, "sha256 is 64 hex digits"),
        ({"files": [{"path": "a", "sha256": "0" * 64, "bytes": "1"}]}, "bytes is a whole number"),
        ({"files": [{"path": "../a", "sha256": "0" * 64, "bytes": 1}]}, "leads out of"),
        ({"files": [{"path": "/etc/passwd", "sha256": "0" * 64, "bytes": 1}]}, "leads out of"),
        ({"folder": "../.."}, "leads out of"),
        ({"files": [{"path": "a", "bytes": 1}]}, "it has no 'sha256'"),
        ({"files": None}, "is no manifest"),
    ],
)
def test_manifests_that_are_none(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    """A manifest that declares something impossible is refused by name."""
    text = json.dumps({**json.loads(machines.manifest("s", FILES)), **change})
    with pytest.raises(DataError, match=said):
        datasets.manifests(machines.project(tmp_path, datasets={"s": text}))


@pytest.mark.parametrize("text", ["", "- a\n", "name: [", "!!python/object/apply:os.getcwd []\n"])
def test_files_that_are_no_manifest(tmp_path: Path, text: str) -> None:
    """Text that is no mapping, no YAML, or YAML that would build objects."""
    with pytest.raises(DataError, match="is no manifest"):
        datasets.manifests(machines.project(tmp_path, datasets={"s": text}))


@given(st.text(max_size=30))
def test_a_path_stays_inside(path: str) -> None:
    """Whatever a manifest calls a file, it lies in the data set's folder or is refused."""
    try:
        found = inside(path)
    except ValueError:
        return
    folder = Path("/base/folder")
    assert (folder / found).is_relative_to(folder)
    assert ".." not in Path(found).parts
