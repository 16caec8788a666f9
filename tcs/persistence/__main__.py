"""``python -m tcs.persistence points.npy --threshold t``: bars and their picture, from a file to files.

The work is done in a thread of its own, so that Ctrl-C ends the process at once, whatever is being computed.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tcs.persistence.errors import InputError, PersistenceError
from tcs.persistence.files.outputs import FORMATS, PLOTS, Outputs
from tcs.persistence.files.points import is_number, read_points

if TYPE_CHECKING:
    from tcs.persistence.barcode import Barcode

DONE, NOT_DONE, WRONG_INPUT, STOPPED = 0, 1, 2, 130
EPILOG = "Exit status: 0 done, 1 not done (memory, disk), 2 wrong input or usage, 130 stopped."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status: 0 done, 1 not done, 2 wrong input or usage, 130 stopped."""
    asked = _parser().parse_args(arguments)
    outputs = Outputs()
    try:
        outputs.reserve(asked.points, asked.output, (*asked.format, *asked.plot))
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
    add("--folder", type=Path, help="compute in tiles kept here, to go on with if stopped: for more points than memory")
    add("--memory-limit", type=_bytes, metavar="GIB", help="do not begin if more would be needed")
    add("--output", default="", metavar="FOLDER_OR_PREFIX", help="where files go, how names begin (as the points)")
    for name, choices in (("--format", FORMATS), ("--plot", PLOTS)):
        shown = ",".join(choices)
        add(name, type=_list_of(choices), default=choices, metavar=shown, help=f"or none ({shown})")
    add("--quiet", action="store_true", help="print errors only")
    return parser


def _bytes(text: str) -> int:
    if not is_number(text) or not 0 < float(text) < float("inf"):
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
    from tcs.persistence import rips, rips_in_tiles

    given = {
        "threshold": asked.threshold, "max_dimension": asked.max_dimension, "threads": asked.threads,
        "memory_limit": asked.memory_limit, "progress": progress,
    }  # fmt: skip
    if asked.folder:
        if asked.metric == "precomputed" or asked.points.suffix.lower() == ".npz":
            raise InputError("--folder: tiles are cut from points; for distances leave it out")
        barcode = rips_in_tiles(read_points(asked.points, mapped=True), folder=asked.folder, **given)
    else:
        points = read_points(asked.points)
        metric = "precomputed" if asked.points.suffix.lower() == ".npz" else asked.metric or "euclidean"
        barcode = rips(points, metric=metric, **given)
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


class Bars:
    """A progress bar for each stage, on a terminal; nothing elsewhere."""

    def __init__(self, *, quiet: bool) -> None:
        self._shown: Any = None
        self._tasks: dict[str, Any] = {}
        self._endless: dict[str, int] = {}
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
        """``done`` of ``total`` parts of a stage are done; 0 stands for a total that is not known."""
        if self._shown:
            if stage not in self._tasks:
                self._tasks[stage] = self._shown.add_task(stage)
            self._shown.update(self._tasks[stage], completed=done, total=total or None)
            if total == 0:
                self._endless[stage] = done
            else:
                # what is going on beside shows that it has ended
                for other, reached in self._endless.items():
                    self._shown.update(self._tasks[other], total=reached)
                self._endless.clear()


if __name__ == "__main__":
    status = main()
    if status == STOPPED:
        # threads that still compute would hold up an ordinary exit
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    sys.exit(status)
