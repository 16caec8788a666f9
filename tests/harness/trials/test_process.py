"""One process tree within limits: how it ends is told apart, and nothing of it is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.trials.process import TAIL, Outcome, supervise

GIB = 2**30


def play(code: str, folder: Path, *, wall_s: float = 20.0, memory_bytes: float = GIB) -> Outcome:
    return supervise([sys.executable, "-c", code], cwd=folder, env=os.environ, wall_s=wall_s, memory_bytes=memory_bytes)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def test_a_plain_end_keeps_status_and_output(tmp_path: Path) -> None:
    """The exit status and both output streams come back."""
    found = play("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)", tmp_path)
    assert (found.how, found.code) == ("exit", 3)
    assert "out" in found.log
    assert "err" in found.log
    assert found.leftover == 0


def test_a_hang_is_a_timeout(tmp_path: Path) -> None:
    """A process that sleeps past its wall limit is killed and said to be a timeout."""
    found = play("import time; time.sleep(60)", tmp_path, wall_s=0.3)
    assert (found.how, found.code) == ("timeout", -signal.SIGKILL)
    assert 0.3 <= found.wall < 5


def test_a_signal_is_told_apart(tmp_path: Path) -> None:
    """A process that dies by a signal gives the negative of its number."""
    found = play("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", tmp_path)
    assert (found.how, found.code) == ("exit", -signal.SIGSEGV)


def test_memory_of_the_whole_tree_is_limited(tmp_path: Path) -> None:
    """Two children that each stay below the limit are killed when they pass it together."""
    code = (
        "import os, time\n"
        "for _ in range(2):\n"
        "    if os.fork() == 0:\n"
        "        data = bytearray(150 * 2**20); time.sleep(60)\n"
        "time.sleep(60)\n"
    )
    found = play(code, tmp_path, memory_bytes=200 * 2**20)
    assert found.how == "memory"
    assert found.peak > 200 * 2**20


def test_a_daemon_does_not_escape(tmp_path: Path) -> None:
    """A grandchild that forked twice and left the session is killed when the player ends."""
    code = (
        "import os, time\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    if os.fork() == 0:\n"
        "        open('pid', 'w').write(str(os.getpid())); time.sleep(60)\n"
        "    os._exit(0)\n"
        "while not os.path.exists('pid') or not open('pid').read(): time.sleep(0.01)\n"
    )
    found = play(code, tmp_path)
    assert found.how == "exit"
    assert found.leftover == 1
    assert not alive(int((tmp_path / "pid").read_text()))


def test_a_flood_of_output_is_bounded(tmp_path: Path) -> None:
    """Only the end of the output is kept, and how much was left out is said."""
    found = play("import sys\nfor _ in range(200): sys.stdout.write('x' * 100_000)\nprint('the end')", tmp_path)
    assert found.how == "exit"
    assert len(found.log) <= TAIL
    assert found.log.endswith("the end\n")
    assert found.flooded > 19_000_000


def test_an_interrupt_leaves_no_child(tmp_path: Path) -> None:
    """Ctrl-C in the parent passes through after the child was killed."""
    code = (
        "import os, sys, signal, threading\n"
        "from pathlib import Path\n"
        "from harness.trials.process import supervise\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "threading.Timer(1.0, lambda: os.kill(os.getpid(), signal.SIGINT)).start()\n"
        'child = \'import os, time; open("pid", "w").write(str(os.getpid())); time.sleep(60)\'\n'
        "try:\n"
        "    supervise([sys.executable, '-c', child], cwd=Path.cwd(), env=os.environ, wall_s=30, memory_bytes=2**30)\n"
        "except KeyboardInterrupt:\n"
        "    sys.exit(42)\n"
    )
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=env, timeout=30)
    assert done.returncode == 42
    assert not alive(int((tmp_path / "pid").read_text()))


def test_a_child_dies_with_its_parent(tmp_path: Path) -> None:
    """When the harness is killed with SIGKILL its child does not go on running."""
    code = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from harness.trials.process import supervise\n"
        'child = \'import os, time; open("pid", "w").write(str(os.getpid())); time.sleep(60)\'\n'
        "supervise([sys.executable, '-c', child], cwd=Path.cwd(), env=os.environ, wall_s=30, memory_bytes=2**30)\n"
    )
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, env=env)
    for _ in range(500):
        if (tmp_path / "pid").exists() and (tmp_path / "pid").read_text():
            break
        time.sleep(0.02)
    parent.kill()
    parent.wait()
    pid = int((tmp_path / "pid").read_text())
    for _ in range(250):
        if not alive(pid):
            break
        time.sleep(0.02)
    assert not alive(pid)


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    """A missing program raises, and leaks no descriptor."""
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(FileNotFoundError):
        supervise(["no-such-program"], cwd=tmp_path, env=os.environ, wall_s=1, memory_bytes=GIB)
    assert len(os.listdir("/proc/self/fd")) == before
