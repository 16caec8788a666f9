"""Files are written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.files import replacing


def torn(path: Path) -> None:
    """Begin to write a file anew, on a disk that fills up meanwhile."""
    with replacing(path) as file:
        file.write(b"new, but torn")
        raise OSError(28, "full")


def test_the_old_file_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    """After an error, and while the new one is being written; nothing is left beside it."""
    path = tmp_path / "table"
    path.write_text("old")
    with pytest.raises(OSError, match="full"):
        torn(path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
    with replacing(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]
