"""One lock a machine: taken, refused, waited for, and freed by the death of its holder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from harness.errors import Locked, StoreError
from harness.machine import lock


@pytest.fixture(autouse=True)
def _own_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_LOCK", str(tmp_path / "lock"))


def test_the_second_is_refused_and_told_who_holds_it() -> None:
    """The message names the holder and the next step; afterwards the lock is free."""
    with lock.machine_lock("run a"):
        assert "run a" in lock.holder()
        with pytest.raises(Locked, match=r"run a.*lock_wait_s"), lock.machine_lock("run b"):
            pytest.fail("the lock was given twice")
    assert lock.holder() == ""
    with lock.machine_lock("run b"):
        pass


def test_waiting_goes_on_when_it_is_freed() -> None:
    """A run that waits gets the lock once the other has ended."""
    freed = threading.Event()

    def hold() -> None:
        with lock.machine_lock("run a"):
            freed.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    while not lock.holder():
        time.sleep(0.01)
    threading.Timer(0.3, freed.set).start()
    with lock.machine_lock("run b", wait_s=10):
        assert "run b" in lock.holder()
    thread.join()


def test_a_killed_holder_frees_it(tmp_path: Path) -> None:
    """SIGKILL leaves no stale lock behind."""
    code = "import time\nfrom harness.machine.lock import machine_lock\nwith machine_lock('run a'): time.sleep(60)"
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    process = subprocess.Popen([sys.executable, "-c", code], env=env)
    while not lock.holder():
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    with lock.machine_lock("run b"):
        pass


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """In a folder that everybody can write, a planted link must not lead to another file."""
    (tmp_path / "target").write_text("precious")
    (tmp_path / "lock").symlink_to(tmp_path / "target")
    with pytest.raises(StoreError, match="HARNESS_LOCK"), lock.machine_lock("run a"):
        pytest.fail("the link was followed")
    assert (tmp_path / "target").read_text() == "precious"
