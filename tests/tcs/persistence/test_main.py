"""The command line: right files, one-line errors, and nothing half-written when it is stopped."""

from __future__ import annotations

import csv
import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tcs.persistence
import tcs.persistence.__main__ as cli
from tcs.persistence.barcode import Barcode, canonical
from tcs.persistence.errors import InputError, MemoryForecastError
from tcs.persistence.files import outputs
from tcs.persistence.files.points import read_points

INF = np.inf
SQUARE = np.array([[0.0, 0], [1, 0], [1, 1], [0, 1]])
ROOT = np.float32(np.sqrt(2))
ALL = ["points.bars.csv", "points.bars.npz", "points.diagram.png", "points.diagram.svg"]
RIGHT = Barcode(bars=canonical([[[0, 1]] * 3 + [[0, INF]], [[1, np.sqrt(2)]]]), threshold=2.0, n_points=4)
Asked = dict[str, Any]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test has a folder of its own with the corners of a square in it."""
    monkeypatch.chdir(tmp_path)
    np.save("points.npy", SQUARE)
    return tmp_path


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """What reached the engine, which is replaced by one that knows the square only."""
    found: Asked = {}

    def rips(points: Any, *, progress: Any, **options: Any) -> Barcode:
        found.update(options, points=points)
        progress("sort", 1, 2)
        return RIGHT

    replace(monkeypatch, rips)
    return found


def replace(monkeypatch: pytest.MonkeyPatch, rips: Callable[..., Barcode]) -> None:
    monkeypatch.setattr(tcs.persistence, "rips", rips)


def names(folder: Path) -> list[str]:
    """All files, hidden ones included, but for the input."""
    return sorted(path.name for path in folder.iterdir() if path.name != "points.npy")


def test_a_square_from_file_to_files(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The real engine: bars as numbers that need no pickle, as text, and as pictures; the counts on the screen."""
    pytest.importorskip("numba", reason="the engine's kernels are compiled by numba")
    assert cli.main(["points.npy", "--threshold", "2"]) == 0
    assert names(folder) == ALL
    with np.load("points.bars.npz", allow_pickle=False) as found:
        assert found["bars_0"].tolist() == [[0, 1]] * 3 + [[0, INF]]
        assert found["bars_1"].tolist() == [[1, ROOT]]
        assert {found[name].dtype for name in ("bars_0", "bars_1")} == {np.dtype(np.float32)}
        assert (found["threshold"], found["n_points"]) == (2, 4)
    with open("points.bars.csv", newline="") as file:
        assert list(csv.reader(file)) == [
            ["dimension", "birth", "death"], *[["0", "0.0", "1.0"]] * 3, ["0", "0.0", "inf"], ["1", "1.0", "1.4142135"]
        ]  # fmt: skip
    assert Path("points.diagram.png").read_bytes().startswith(b"\x89PNG")
    assert b"</svg>" in Path("points.diagram.svg").read_bytes()
    said = capsys.readouterr()
    assert said.out.splitlines() == [repr(RIGHT), *(f"points.{name}" for name in ("bars.npz", "bars.csv")),
                                     *(f"points.{name}" for name in ("diagram.png", "diagram.svg"))]  # fmt: skip
    assert said.err == ""


def test_it_runs_as_a_module(folder: Path) -> None:
    """In a process of its own, as it is documented; quiet means silent."""
    pytest.importorskip("numba", reason="the engine's kernels are compiled by numba")
    command = [sys.executable, "-m", "tcs.persistence", "points.npy", "--threshold", "2", "--quiet", "--plot", "none"]
    environment = {**os.environ, "PYTHONPATH": str(Path(cli.__file__).parents[2])}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert names(folder) == ALL[:2]


def test_every_float32_survives_the_text(asked: Asked) -> None:
    """CSV holds enough digits, over more rows than are written at once."""
    rng = np.random.default_rng(0)
    births = rng.uniform(0, 1, outputs.ROWS_AT_ONCE + 5).astype(np.float32)
    rows = canonical([np.column_stack([births, births * np.float32(1e6) + 1])])
    target = io.BytesIO()
    outputs.write_csv(target, Barcode(bars=rows, threshold=1.0, n_points=1))
    read = np.loadtxt(io.BytesIO(target.getvalue()), delimiter=",", skiprows=1)
    assert read[:, 1:].astype(np.float32).tobytes() == rows[0].tobytes()
    assert not read[:, 0].any()


def test_options_reach_the_engine(asked: Asked) -> None:
    """Under the names of the library; the limit of memory in bytes."""
    assert cli.main(["points.npy", "--threshold", "0.5"]) == 0
    assert asked.pop("points").tolist() == SQUARE.tolist()
    assert asked == {
        "threshold": 0.5, "max_dimension": 1, "metric": "euclidean", "threads": None, "memory_limit": None
    }  # fmt: skip
    more = ["--max-dimension", "2", "--threads", "3", "--memory-limit", "1.5", "--metric", "precomputed", "--quiet"]
    assert cli.main(["points.npy", "--threshold", "0.5", *more]) == 0
    asked.pop("points")
    assert asked == {
        "threshold": 0.5, "max_dimension": 2, "metric": "precomputed", "threads": 3, "memory_limit": 3 * 2**29
    }  # fmt: skip


@pytest.mark.parametrize(
    ("options", "written"),
    [
        (["--format", "npz", "--plot", "none"], ["points.bars.npz"]),
        (["--format", "none", "--plot", "svg"], ["points.diagram.svg"]),
        (["--format", "csv", "--plot", "png", "--output", "in"], ["in/points.bars.csv", "in/points.diagram.png"]),
        (["--format", "csv", "--plot", "", "--output", "in/"], ["in/points.bars.csv"]),
        (["--format", "csv", "--plot", "", "--output", "in/my.first"], ["in/my.first.bars.csv"]),
        (["--format", "csv", "--plot", "", "--output", "first"], ["first.bars.csv"]),
    ],
)  # fmt: skip
def test_files_that_are_asked_for(asked: Asked, folder: Path, options: list[str], written: list[str]) -> None:
    """Those and no others, in a folder that exists or under a prefix."""
    (folder / "in").mkdir()
    assert cli.main(["points.npy", "--threshold", "2", *options]) == 0
    found = [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]
    assert sorted(found) == sorted([*written, "points.npy"])


def test_an_earlier_result_is_replaced_whole(asked: Asked, folder: Path) -> None:
    """And a link in its place is replaced, not followed."""
    (folder / "elsewhere").write_text("precious")
    Path("points.bars.csv").symlink_to("elsewhere")
    Path("points.bars.npz").write_text("old")
    assert cli.main(["points.npy", "--threshold", "2", "--plot", "none"]) == 0
    assert (folder / "elsewhere").read_text() == "precious"
    assert not Path("points.bars.csv").is_symlink()
    assert np.load("points.bars.npz", allow_pickle=False)["n_points"] == 4


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "0,0\n1,0\n1,1\n0,1\n"),
        ("b.csv", "\ufeffx,y\n0,0\n1,0\n1,1\n0,1\n"),
        ("c.csv", "# corners\n\nx;y\n0;0\n1;0 # right\n\n1;1\n0;1"),
        ("d.txt", "0 0\n1\t0\n1 1e0\n  0 1\n"),
        ("e.TXT", "x y\n0 0\n1 0\n1 1\n0 1\n"),
    ],
)
def test_points_from_text(name: str, text: str) -> None:
    """Commas, semicolons or white space, comments, empty lines, a heading, a byte-order mark."""
    Path(name).write_text(text, encoding="utf-8")
    assert read_points(Path(name)).tolist() == SQUARE.tolist()


def test_a_single_point_from_text() -> None:
    """One line is one point, not a column."""
    Path("one.txt").write_text("1 2 3")
    assert read_points(Path("one.txt")).tolist() == [[1, 2, 3]]


def test_a_sparse_matrix_means_distances(asked: Asked) -> None:
    """Read by scipy and handed on as it is, precomputed."""
    sparse = pytest.importorskip("scipy.sparse")
    matrix = sparse.coo_matrix(np.triu(np.ones((3, 3)), 1))
    sparse.save_npz("lengths.npz", matrix)
    assert cli.main(["lengths.npz", "--threshold", "2", "--plot", "none"]) == 0
    assert sparse.issparse(asked["points"])
    assert asked["points"].toarray().tolist() == matrix.toarray().tolist()
    assert asked["metric"] == "precomputed"


def prepare(folder: Path) -> None:
    """Bad input of many kinds."""
    np.save("vector.npy", np.zeros(3))
    np.save("complex.npy", np.zeros((2, 2), dtype=complex))
    np.save("object.npy", np.array([[{}]]), allow_pickle=True)
    np.save("nan.npy", np.array([[0, 0], [0, np.nan], [INF, 0]]))
    Path("cut.npy").write_bytes(Path("points.npy").read_bytes()[:-8])
    Path("junk.npy").write_bytes(b"junk")
    Path("empty.npy").write_bytes(b"")
    np.savez("other.npz", points=SQUARE)
    Path("other.npy").write_bytes(Path("other.npz").read_bytes())
    Path("junk.npz").write_bytes(b"junk")
    Path("empty.csv").write_text("")
    Path("heading.csv").write_text("x,y\n")
    Path("ragged.csv").write_text("1,2\n3\n")
    Path("word.csv").write_text("1,2\n3,four\n")
    Path("first.csv").write_text("one,2\n3,4\n")
    Path("nan.csv").write_text("1,2\nnan,4\n")
    Path("latin.txt").write_bytes(b"1 2\n3 \xe9\n")
    (folder / "folder.npy").mkdir()
    (folder / "taken.bars.csv").mkdir()
    np.savetxt("own.bars.csv", SQUARE, delimiter=",")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["absent.npy"], "absent.npy: No such file or directory"),
        (["folder.npy"], "folder.npy: Is a directory"),
        (["points.parquet"], "points.parquet: unknown suffix '.parquet'; give one of .npy, .npz, .csv, .txt"),
        (["vector.npy"], "vector.npy: shape (3,) of float64; give real numbers (n, d)"),
        (["complex.npy"], "complex.npy: shape (2, 2) of complex128"),
        (["object.npy"], "object.npy: no whole .npy file of numbers"),
        (["nan.npy"], "nan.npy: row 1 holds NaN or inf (2 do)"),
        (["cut.npy"], "cut.npy: no whole .npy file of numbers"),
        (["junk.npy"], "junk.npy: no whole .npy file of numbers"),
        (["empty.npy"], "empty.npy: no whole .npy file of numbers"),
        (["other.npy"], "other.npy: no whole .npy file of numbers"),
        (["other.npz"], "other.npz: no sparse matrix of distances; write it by scipy.sparse.save_npz"),
        (["junk.npz"], "junk.npz: no sparse matrix of distances"),
        (["empty.csv"], "empty.csv: no numbers; give a point a line"),
        (["heading.csv"], "heading.csv: no numbers"),
        (["ragged.csv"], "ragged.csv: the number of columns changed from 2 to 1"),
        (["word.csv"], "word.csv: could not convert string 'four'"),
        (["first.csv"], "first.csv: could not convert string 'one'"),
        (["nan.csv"], "nan.csv: row 1 holds NaN"),
        (["latin.txt"], "latin.txt: 'utf-8' codec can't decode byte 0xe9"),
        (["points.npy", "--output", "absent/"], "--output: absent: No such file or directory"),
        (["points.npy", "--output", "points.npy/x"], "--output: points.npy: Not a directory"),
        (["points.npy", "--output", "taken"], "--output: taken.bars.csv is a folder or the input itself"),
        (["own.bars.csv", "--output", "own"], "--output: own.bars.csv is a folder or the input itself"),
    ],
)
def test_bad_input_is_one_line(
    asked: Asked, folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    """Exit status 2, the thing and what was found in one line, the engine not called, no file left."""
    prepare(folder)
    before = names(folder)
    assert cli.main([*arguments, "--threshold", "2"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"tcs.persistence: error: {message}")
    assert said.err.count("\n") == 1
    assert names(folder) == before
    assert not asked


def test_a_folder_that_cannot_be_written_is_refused_before_the_work(
    asked: Asked, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit status 2, and the computation has not begun; root, who may write anywhere, is shown the same."""
    opened = os.open

    def refuse(path: Any, flags: int, *more: Any) -> int:
        if flags & os.O_CREAT:
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, flags, *more)

    monkeypatch.setattr(os, "open", refuse)
    assert cli.main(["points.npy", "--threshold", "2"]) == 2
    assert "error: --output: .: Permission denied; give a folder to write in" in capsys.readouterr().err
    assert not asked
    assert names(folder) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder(asked: Asked, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same with a real one."""
    (folder / "locked").mkdir(mode=0o500)
    assert cli.main(["points.npy", "--threshold", "2", "--output", "locked"]) == 2
    assert "error: --output: locked: Permission denied" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (InputError("threshold=-1: give a number from 0"), 2, "error: threshold=-1: give a number from 0"),
        (MemoryForecastError("7 GiB forecast,\n2 GiB allowed"), 1, "error: 7 GiB forecast, 2 GiB allowed; no files"),
        (MemoryError(), 1, "error: out of memory; no files were written"),
        (OSError(28, "No space left on device"), 1, "No space left on device; no files were written"),
    ],
)  # fmt: skip
def test_what_the_engine_refuses(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    error: BaseException, status: int, message: str,
) -> None:  # fmt: skip
    """Its own sentence, in one line; 2 for input, 1 where the machine does not suffice; no file left."""

    def rips(points: Any, **options: Any) -> Barcode:
        raise error

    replace(monkeypatch, rips)
    assert cli.main(["points.npy", "--threshold", "2"]) == status
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert names(folder) == []


def test_a_full_disk_leaves_nothing(
    asked: Asked, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The last of four files fails: the three before it are not kept either."""
    from tcs.persistence import diagram

    def save(figure: Any, target: Any, format: str) -> None:
        target.write(b"half")
        if format == "svg":
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(diagram, "save", save)
    assert cli.main(["points.npy", "--threshold", "2"]) == 1
    assert "No space left on device; no files were written" in capsys.readouterr().err
    assert names(folder) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "points, --threshold"),
        (["points.npy"], "--threshold"),
        (["points.npy", "--threshold", "wide"], "invalid float value: 'wide'"),
        (["points.npy", "--threshold", "1", "--format", "npz,xls"], "no xls; give npz,csv or none"),
        (["points.npy", "--threshold", "1", "--plot", "pdf"], "no pdf; give png,svg or none"),
        (["points.npy", "--threshold", "1", "--metric", "cosine"], "invalid choice"),
        (["points.npy", "--threshold", "1", "--memory-limit", "nan"], "'nan' is no size; give GiB"),
        (["points.npy", "--threshold", "1", "--memory-limit", "0"], "'0' is no size"),
        (["points.npy", "--threshold", "1", "--memory-limit", "all"], "'all' is no size"),
    ],
)
def test_wrong_usage(capsys: pytest.CaptureFixture[str], arguments: list[str], message: str) -> None:
    """Exit status 2 with the option's name."""
    with pytest.raises(SystemExit) as stop:
        cli.main(arguments)
    assert stop.value.code == 2
    assert message in capsys.readouterr().err


ENGINE = """
import hashlib, runpy, signal, sys, time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
import numpy as np
import tcs.persistence
from tcs.persistence.barcode import Barcode
from tcs.persistence import diagram

# what is begun in the background of a shell ignores interrupts
signal.signal(signal.SIGINT, signal.default_int_handler)
where = sys.argv.pop()

def rips(points, **options):
    if where == "computing":
        Path("ready").touch()
        ThreadPoolExecutor(1).submit(hashlib.pbkdf2_hmac, "sha256", b"", b"", 2**31 - 1).result()
    return Barcode(bars=(np.zeros((1, 2), np.float32),), threshold=1.0, n_points=1)

def save(figure, target, format):
    target.write(b"half of a picture")
    target.flush()
    Path("ready").touch()
    time.sleep(600)

diagram.save = save
tcs.persistence.rips = rips
runpy.run_module("tcs.persistence", run_name="__main__")
"""


@pytest.mark.parametrize("where", ["computing", "writing"])
def test_an_interrupt_ends_it_at_once(folder: Path, where: str) -> None:
    """Exit status 130 while threads of a pool are busy in code that looks at no signal; no file is left behind."""
    environment = {**os.environ, "PYTHONPATH": str(Path(cli.__file__).parents[2])}
    command = [sys.executable, "-c", ENGINE, "points.npy", "--threshold", "2", where]
    child = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
    try:
        deadline = time.monotonic() + 120
        while not Path("ready").exists() and child.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        assert len(names(folder)) == 5, "four files under way, and the sign that the engine is at work"
        child.send_signal(signal.SIGINT)
        _, said = child.communicate(timeout=60)
    finally:
        child.kill()
        child.communicate()
    assert child.returncode == 130
    assert said == "tcs.persistence: stopped; no files were written\n"
    assert names(folder) == ["ready"]


def test_an_interrupt_is_raised_where_the_work_is_waited_for() -> None:
    """Whatever ends the thread ends the wait with the same error."""
    for error in (KeyboardInterrupt(), InputError("x"), SystemExit(3)):

        def work(error: BaseException = error) -> Barcode:
            raise error

        with pytest.raises(type(error)):
            cli.in_thread(work)
    assert cli.in_thread(lambda: RIGHT) is RIGHT


def test_progress_is_shown_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """One bar a stage, and none when quiet; a total of zero is a bar without an end."""
    pytest.importorskip("rich")

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm")
    shown = {}
    for kind, quiet in ((Terminal, False), (Terminal, True), (io.StringIO, False)):
        screen = kind()
        monkeypatch.setattr(sys, "stderr", screen)
        with cli.Bars(quiet=quiet) as bars:
            bars.tell("compile", 0, 0)
            bars.tell("lune", 1, 4)
            bars.tell("lune", 4, 4)
        shown[kind.__name__, quiet] = screen.getvalue()
    assert shown["Terminal", True] == shown["StringIO", False] == ""
    last = shown["Terminal", False].splitlines()
    assert sum("lune" in line for line in last[-2:]) == 1
    assert "100%" in shown["Terminal", False]
    assert "compile" in shown["Terminal", False]


def test_a_folder_of_tiles(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same bars; the tiles stay, to be gone on with; distances cannot be tiled."""
    pytest.importorskip("numba")
    assert cli.main(["points.npy", "--threshold", "2", "--plot", "none", "--output", "whole"]) == 0
    assert cli.main(["points.npy", "--threshold", "2", "--plot", "none", "--output", "tiled", "--folder", "tiles"]) == 0
    assert Path("tiled.bars.csv").read_bytes() == Path("whole.bars.csv").read_bytes()
    assert Path("tiles/plan.json").exists()
    capsys.readouterr()
    assert cli.main(["points.npy", "--threshold", "0.5", "--plot", "none", "--folder", "tiles"]) == 1
    assert "tiles: holds the tiles of other points, another threshold" in capsys.readouterr().err
    assert cli.main(["points.npy", "--threshold", "3", "--metric", "precomputed", "--folder", "tiles"]) == 2
    assert "--folder: tiles are cut from points" in capsys.readouterr().err
