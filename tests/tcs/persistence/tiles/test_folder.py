"""Folders of arrays: whole or not there at all, held to one computation, with errors that say how to go on."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

from tcs.persistence.errors import FolderError
from tcs.persistence.tiles.folder import Folder

PLAN = {"shape": [3, 2], "longest": (0.5).hex()}


def test_arrays_come_back(tmp_path: Path) -> None:
    """With their types, and those that are asked for."""
    folder = Folder(tmp_path / "new" / "folder")
    arrays: dict[str, Any] = {"a": np.arange(3, dtype=np.int32), "b": np.empty((0, 2)), "c": np.array([np.inf, 0.1])}
    assert not folder.has("some")
    folder.save("some", **arrays)
    assert folder.has("some")
    found = folder.load("some", "a", "b")
    assert list(found) == ["a", "b"]
    for key, array in found.items():
        assert (array.dtype, array.shape) == (arrays[key].dtype, arrays[key].shape)
        assert np.array_equal(array, arrays[key])


@pytest.mark.parametrize("stop", [KeyboardInterrupt, OSError(errno.ENOSPC, "No space left on device")])
def test_what_was_stopped_is_not_there(tmp_path: Path, stop: Any) -> None:
    """Neither the name, nor what it held before lost; a full disk is named."""
    folder = Folder(tmp_path)
    folder.save("old", a=np.arange(3))
    with patch.object(np, "savez", side_effect=stop):
        for name in ("old", "new"):
            with pytest.raises(KeyboardInterrupt if stop is KeyboardInterrupt else FolderError) as caught:
                folder.save(name, a=np.arange(9))
    assert not folder.has("new")
    assert folder.load("old", "a")["a"].tolist() == [0, 1, 2]
    if stop is not KeyboardInterrupt:
        assert str(caught.value).startswith(f"{tmp_path}: No space left on device; what was finished is kept")


def test_a_folder_belongs_to_one_computation(tmp_path: Path) -> None:
    """The same again is agreed to; another is refused, as is a folder of other things."""
    folder = Folder(tmp_path / "tiles")
    folder.agree(PLAN)
    folder.agree(PLAN)
    Folder(tmp_path / "tiles").agree(PLAN)
    with pytest.raises(FolderError, match=r"tiles: holds the tiles of other points, .* name another folder"):
        folder.agree(PLAN | {"longest": (0.6).hex()})
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "letter.txt").touch()
    with pytest.raises(FolderError, match="home: is not empty and holds no tiles"):
        Folder(tmp_path / "home").agree(PLAN)


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    """Named, with the reason."""
    (tmp_path / "file").touch()
    with pytest.raises(FolderError, match="file: File exists; name a folder that can be made and written to"):
        Folder(tmp_path / "file")


def test_room_is_asked_for_beforehand(tmp_path: Path) -> None:
    """More than any disk has."""
    Folder(tmp_path).need(1)
    with pytest.raises(FolderError, match=r"about 1000000000\.0 GB will be needed and [\d.]+ GB are free"):
        Folder(tmp_path).need(10**18)


def test_arrays_that_cannot_be_read(tmp_path: Path) -> None:
    """Cut short, as by a disk that failed: an error of ours, not of a zip file."""
    folder = Folder(tmp_path)
    folder.save("some", a=np.arange(100))
    place = tmp_path / "some.npz"
    place.write_bytes(place.read_bytes()[:100])
    with pytest.raises(FolderError, match=str(tmp_path)):
        folder.load("some", "a")


def test_rows_are_written_and_read_in_any_order(tmp_path: Path) -> None:
    """Ranges of a table, of the type of the table."""
    rows = Folder(tmp_path).rows("table", np.int32, 2)
    right = np.arange(20).reshape(10, 2)
    for a, b in ((6, 10), (0, 3), (3, 6)):
        rows.write(a, right[a:b])
    again = Folder(tmp_path).rows("table", np.int32, 2)
    for a, b in ((0, 10), (2, 7), (5, 5)):
        found = again.read(a, b)
        assert found.dtype == np.int32
        assert np.array_equal(found, right[a:b])
    with pytest.raises(FolderError, match="is cut short; remove the folder and begin again"):
        again.read(5, 11)
