"""``python -m tcs.persistence points.npy --threshold t``: bars and their picture, from a file to files.

The work is done in a thread of its own, so that Ctrl-C ends the process at once, whatever is being computed. Files
are written under temporary names beside their places and renamed when all of them are whole.
"""

from __future__ import annotations

import argparse
import os
import secrets
import sys
import threading
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from tcs.persistence.errors import InputError, PersistenceError

if TYPE_CHECKING:
    from tcs.persistence.barcode import Barcode

DONE, NOT_DONE, WRONG_INPUT, STOPPED = 0, 1, 2, 130
FORMATS, PLOTS = ("npz", "csv"), ("png", "svg")
ROWS_AT_ONCE = 100_000
EPILOG = "Exit status: 0 done, 1 not done (memory, disk), 2 wrong input or usage, 130 stopped."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status: 0 done, 1 not done, 2 wrong input or usage, 130 stopped."""
    asked = _parser().parse_args(arguments)
    outputs = Outputs()
    try:
        outputs.reserve(asked)
        with Bars(quiet=asked.quiet) as bars:
            barcode = in_thread(lambda: _work(asked, outputs, bars.tell))
        outputs.keep()
    except KeyboardInterrupt:
        return _say(f"stopped; {outputs.kept or 'no'} files were written", STOPPED)
    except InputError as error:
        return _say(f"error: {error}", WRONG_INPUT)
    except (MemoryError, PersistenceError, ImportError, OSError) as error:
        return _say(f"error: {str(error) or 'out of memory'}; {outputs.kept or 'no'} files were written", NOT_DONE)
    finally:
        outputs.discard()
    if not asked.quiet:
        print(barcode, *outputs.places.values(), sep="\n")
    return DONE


def _say(message: str, status: int) -> int:
    print("tcs.persistence:", " ".join(message.split()), file=sys.stderr)
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tcs.persistence", description="Persistent homology of a file of points.", epilog=EPILOG,
        allow_abbrev=False,
    )  # fmt: skip
    add = parser.add_argument
    add("points", type=Path, help=".npy, .csv or .txt, a point a row; .npz, a sparse distance matrix of scipy")
    add("--threshold", type=float, required=True, help="the longest edge, in the units of the points")
    add("--max-dimension", type=int, default=1, help="the highest dimension of homology (1)")
    add("--metric", choices=("euclidean", "precomputed"), help="precomputed: a square matrix of distances")
    add("--threads", type=int, help="how many threads compute (all cores)")
    add("--memory-limit", type=_bytes, metavar="GIB", help="do not begin if more would be needed")
    add("--output", default="", metavar="FOLDER_OR_PREFIX", help="where files go, how names begin (as the points)")
    for name, choices in (("--format", FORMATS), ("--plot", PLOTS)):
        shown = ",".join(choices)
        add(name, type=_list_of(choices), default=choices, metavar=shown, help=f"or none ({shown})")
    add("--quiet", action="store_true", help="print errors only")
    return parser


def _bytes(text: str) -> int:
    if not _is_number(text) or not 0 < float(text) < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no size; give GiB, e.g. 1.5")
    return int(float(text) * 2**30)


def _list_of(choices: tuple[str, ...]) -> Callable[[str], tuple[str, ...]]:
    def parse(text: str) -> tuple[str, ...]:
        asked = tuple(dict.fromkeys(name.strip() for name in text.split(","))) if text not in ("", "none") else ()
        if wrong := set(asked) - set(choices):
            raise argparse.ArgumentTypeError(f"no {' or '.join(sorted(wrong))}; give {','.join(choices)} or none")
        return asked

    return parse


def _work(asked: argparse.Namespace, outputs: Outputs, progress: Callable[[str, int, int], None]) -> Barcode:
    """Read, compute, and write everything under its temporary name."""
    from tcs.persistence import rips

    points = read_points(asked.points)
    metric = "precomputed" if asked.points.suffix.lower() == ".npz" else asked.metric or "euclidean"
    barcode: Barcode = rips(
        points, threshold=asked.threshold, max_dimension=asked.max_dimension, metric=metric, threads=asked.threads,
        memory_limit=asked.memory_limit, progress=progress,
    )  # fmt: skip
    outputs.write(barcode, progress)
    return barcode


def in_thread(work: Callable[[], Barcode]) -> Barcode:
    """The result of ``work()``, done in a thread; an interrupt is raised here at once and leaves the thread behind."""
    results: list[Barcode] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]


def read_points(path: Path) -> Any:
    """What a file holds: an array (n, d), or a sparse matrix of distances.

    Args:
        path: ``.npy`` (n, d), never unpickled; ``.npz`` of ``scipy.sparse.save_npz``, distances; ``.csv`` or ``.txt``,
            a point a line, numbers apart by comma, semicolon or white space, # before a comment; a first line without
            a number is a heading.

    Raises:
        InputError: the file is missing, of another kind or shape, or holds what is no finite number.
    """
    import numpy as np

    readers = {".npy": _read_npy, ".npz": _read_npz, ".csv": _read_text, ".txt": _read_text}
    if path.suffix.lower() not in readers:
        raise InputError(f"{path}: unknown suffix {path.suffix!r}; give one of {', '.join(readers)}")
    try:
        points = readers[path.suffix.lower()](path)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}; give a file that can be read") from None
    if path.suffix.lower() != ".npz":
        if points.ndim != 2 or points.dtype.kind not in "fiu":
            raise InputError(f"{path}: shape {points.shape} of {points.dtype}; give real numbers (n, d), a point a row")
        wrong = ~np.isfinite(points).all(axis=1)
        if wrong.any():
            raise InputError(f"{path}: row {int(wrong.argmax())} holds NaN or inf ({int(wrong.sum()):,} do)")
    return points


def _read_npy(path: Path) -> Any:
    import numpy as np

    try:
        with path.open("rb") as file:
            array = np.load(file, allow_pickle=False)
    except (ValueError, EOFError):
        array = None
    if not isinstance(array, np.ndarray):
        raise InputError(f"{path}: no whole .npy file of numbers; write it by numpy.save")
    return array


def _read_npz(path: Path) -> Any:
    from zipfile import BadZipFile

    from scipy import sparse

    try:
        return sparse.load_npz(path)
    except (ValueError, KeyError, EOFError, BadZipFile):
        raise InputError(f"{path}: no sparse matrix of distances; write it by scipy.sparse.save_npz") from None


def _read_text(path: Path) -> Any:
    import numpy as np

    try:
        with path.open(encoding="utf-8-sig") as file:
            number, first = next(((i, line) for i, line in enumerate(file) if line.split("#")[0].strip()), (0, ""))
        mark = next((mark for mark in ",;" if mark in first), None)
        heading = first and not any(map(_is_number, first.split("#")[0].split(mark)))
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "loadtxt: input contained no data")
            points = np.loadtxt(path, delimiter=mark, ndmin=2, encoding="utf-8-sig", skiprows=number + bool(heading))
    except ValueError as error:
        what = str(error).partition(";")[0]
        raise InputError(f"{path}: {what}; give a point a line, the same number of numbers in each") from None
    if not points.size:
        raise InputError(f"{path}: no numbers; give a point a line")
    return points


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


class Outputs:
    """The files to be written: reserved before the work begins, kept or discarded together."""

    def __init__(self) -> None:
        self.places: dict[str, Path] = {}
        self.kept = 0
        self._files: dict[str, tuple[Path, BinaryIO]] = {}

    def reserve(self, asked: argparse.Namespace) -> None:
        """Make an empty temporary file for each. Raises InputError where that cannot be."""
        stem, output = asked.points.stem, asked.output
        prefix = Path(output, stem) if not output or output.endswith(os.sep) or Path(output).is_dir() else Path(output)
        for name in (*asked.format, *asked.plot):
            place = prefix.with_name(f"{prefix.name}.{'diagram' if name in PLOTS else 'bars'}.{name}")
            if place.is_dir() or (place.exists() and asked.points.exists() and place.samefile(asked.points)):
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
                _write_csv(file, barcode)
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


def _write_csv(file: BinaryIO, barcode: Barcode) -> None:
    """``dimension,birth,death``, as many digits as tell one float32 from another; inf for an essential class."""
    file.write(b"dimension,birth,death\n")
    for d, rows in enumerate(barcode.bars):
        for begin in range(0, len(rows), ROWS_AT_ONCE):
            text = rows[begin : begin + ROWS_AT_ONCE].astype("U24").tolist()
            file.write("".join(f"{d},{birth},{death}\n" for birth, death in text).encode())


class Bars:
    """A progress bar for each stage, on a terminal; nothing elsewhere."""

    def __init__(self, *, quiet: bool) -> None:
        self._shown: Any = None
        self._tasks: dict[str, Any] = {}
        if not quiet and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import Progress

            self._shown = Progress(console=Console(stderr=True))

    def __enter__(self) -> Bars:
        if self._shown:
            self._shown.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._shown:
            self._shown.stop()

    def tell(self, stage: str, done: int, total: int) -> None:
        """``done`` of ``total`` parts of a stage are done."""
        if self._shown:
            if stage not in self._tasks:
                self._tasks[stage] = self._shown.add_task(stage)
            self._shown.update(self._tasks[stage], completed=done, total=total or None)


if __name__ == "__main__":
    status = main()
    if status == STOPPED:
        # threads that still compute would hold up an ordinary exit
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    sys.exit(status)
