"""Bars and their picture as files: written under temporary names, and renamed when all of them are whole."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from tcs.persistence.errors import InputError

if TYPE_CHECKING:
    from tcs.persistence.barcode import Barcode

FORMATS, PLOTS = ("npz", "csv"), ("png", "svg")
ROWS_AT_ONCE = 100_000


class Outputs:
    """The files to be written: reserved before the work begins, kept or discarded together."""

    def __init__(self) -> None:
        self.places: dict[str, Path] = {}
        self.kept = 0
        self._files: dict[str, tuple[Path, BinaryIO]] = {}

    def reserve(self, points: Path, output: str, names: Sequence[str]) -> None:
        """Make an empty temporary file for each name of a format, in the folder or with the prefix ``output``.

        Raises:
            InputError: it cannot be made, or would be a folder or the input itself.
        """
        in_folder = not output or output.endswith(os.sep) or Path(output).is_dir()
        prefix = Path(output, points.stem) if in_folder else Path(output)
        for name in names:
            place = prefix.with_name(f"{prefix.name}.{'diagram' if name in PLOTS else 'bars'}.{name}")
            if place.is_dir() or (place.exists() and points.exists() and place.samefile(points)):
                raise InputError(f"--output: {place} is a folder or the input itself; give another prefix")
            temporary = place.with_name(f".{place.name}.{secrets.token_hex(4)}.tmp")
            try:
                descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666)
            except OSError as error:
                raise InputError(f"--output: {place.parent}: {error.strerror}; give a folder to write in") from None
            self.places[name] = place
            self._files[name] = temporary, os.fdopen(descriptor, "wb")

    def write(self, barcode: Barcode, progress: Callable[[str, int, int], None]) -> None:
        """Fill the temporary files."""
        import numpy as np

        figure = None
        for done, (name, (_, file)) in enumerate(self._files.items()):
            progress("write", done, len(self._files))
            if name == "npz":
                bars: dict[str, Any] = {f"bars_{d}": rows for d, rows in enumerate(barcode.bars)}
                np.savez(file, threshold=barcode.threshold, n_points=barcode.n_points, **bars)
            elif name == "csv":
                write_csv(file, barcode)
            else:
                from tcs.persistence import diagram

                figure = figure or diagram.draw(barcode)
                diagram.save(figure, file, name)
            file.flush()
            os.fsync(file.fileno())
            file.close()
        progress("write", len(self._files), len(self._files))

    def keep(self) -> None:
        """Give every file its name."""
        for name, (temporary, _) in self._files.items():
            os.replace(temporary, self.places[name])
            self.kept += 1

    def discard(self) -> None:
        """Remove what was not kept."""
        for temporary, file in self._files.values():
            with suppress(OSError):
                temporary.unlink()
            with suppress(OSError):
                file.close()


def write_csv(file: BinaryIO, barcode: Barcode) -> None:
    """``dimension,birth,death``, as many digits as tell one float32 from another; inf for an essential class."""
    file.write(b"dimension,birth,death\n")
    for d, rows in enumerate(barcode.bars):
        for begin in range(0, len(rows), ROWS_AT_ONCE):
            text = rows[begin : begin + ROWS_AT_ONCE].astype("U24").tolist()
            file.write("".join(f"{d},{birth},{death}\n" for birth, death in text).encode())
