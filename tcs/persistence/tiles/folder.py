"""A folder of arrays: written whole or not at all, so that a computation that was stopped goes on where it was."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tcs.persistence.errors import FolderError

if TYPE_CHECKING:
    from numpy.typing import NDArray

GB = 10**9
PLAN = "plan.json"
GO_ON = "what was finished is kept: make room, or mend what is wrong, and name the same folder again to go on"


class Folder:
    """Arrays by name in a folder, which is made if there is none.

    Raises:
        FolderError: it cannot be made, or written to, or what lies in it cannot be read; there and in all methods.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._telling("name a folder that can be made and written to"):
            path.mkdir(parents=True, exist_ok=True)

    def agree(self, plan: dict[str, Any]) -> None:
        """Note what is computed here, or see that it is what was noted.

        Raises:
            FolderError: the folder holds something else.
        """
        place = self.path / PLAN
        with self._telling():
            if not place.exists():
                if any(self.path.iterdir()):
                    raise FolderError(f"{self.path}: is not empty and holds no tiles; name an empty or a new folder")
                self._replace(place, lambda to: to.write_text(json.dumps(plan), encoding="utf-8"))
            noted = place.read_text(encoding="utf-8")
        if noted != json.dumps(plan):
            raise FolderError(
                f"{self.path}: holds the tiles of other points, another threshold or another size of tiles; "
                "name another folder, or remove this one"
            )

    def need(self, size: int) -> None:
        """See that there is so much room, in bytes."""
        with self._telling():
            free = shutil.disk_usage(self.path).free
        if free < size:
            raise FolderError(
                f"{self.path}: about {size / GB:.1f} GB will be needed and {free / GB:.1f} GB are free; "
                "name a folder on a larger disk"
            )

    def save(self, name: str, **arrays: NDArray[Any]) -> None:
        """Write arrays under a name."""
        with self._telling():
            self._replace(self.path / f"{name}.npz", lambda to: _write(to, arrays))

    def load(self, name: str, *keys: str) -> dict[str, NDArray[Any]]:
        """Some of the arrays of a name."""
        with self._telling(), open(self.path / f"{name}.npz", "rb") as file, np.load(file, allow_pickle=False) as found:
            return {key: found[key] for key in keys}

    def has(self, name: str) -> bool:
        """Whether arrays were written under a name."""
        return (self.path / f"{name}.npz").exists()

    def rows(self, name: str, dtype: Any, width: int) -> Rows:
        """A table on disk whose rows are written and read in ranges."""
        return Rows(self, name, np.dtype(dtype), width)

    def _replace(self, place: Path, write: Any) -> None:
        beside = place.with_name(f"{place.name}.part")
        write(beside)
        beside.replace(place)

    @contextmanager
    def _telling(self, instead: str = GO_ON) -> Iterator[None]:
        try:
            yield
        except FolderError:
            raise
        except (OSError, EOFError, ValueError, zipfile.BadZipFile) as error:
            said = getattr(error, "strerror", None) or str(error)
            raise FolderError(f"{self.path}: {said}; {instead}") from error


class Rows:
    """A table of numbers on disk, all rows of one width."""

    def __init__(self, folder: Folder, name: str, dtype: np.dtype[Any], width: int) -> None:
        self._folder, self._place = folder, folder.path / f"{name}.rows"
        self._dtype, self._width = dtype, width

    def write(self, first: int, rows: NDArray[Any]) -> None:
        """Write rows (m, width) from place ``first`` on."""
        with self._folder._telling(), open(self._place, "r+b" if self._place.exists() else "wb") as file:
            file.seek(first * self._width * self._dtype.itemsize)
            np.ascontiguousarray(rows, dtype=self._dtype).tofile(file)

    def read(self, first: int, last: int) -> NDArray[Any]:
        """The rows ``first`` to ``last`` as an array (last - first, width)."""
        size = (last - first) * self._width
        with self._folder._telling():
            found = np.fromfile(
                self._place, dtype=self._dtype, count=size, offset=first * self._width * self._dtype.itemsize
            )
            if len(found) != size:
                raise FolderError(f"{self._place}: is cut short; remove the folder and begin again")
        return found.reshape(-1, self._width)


def _write(place: Path, arrays: dict[str, NDArray[Any]]) -> None:
    with open(place, "wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
