"""Run one process tree within limits: no busy wait, a clean kill, no orphans, and the tail of its output.

Linux: the parent makes itself the reaper of orphans (PR_SET_CHILD_SUBREAPER), so that a grandchild that
left its process group still comes back to it; a child dies with its parent (PR_SET_PDEATHSIG). Memory is
watched over the whole tree, since RLIMIT_AS does not go with CUDA and holds for one process only.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from harness.machine import cgroup

TAIL = 16_384
PIPE = 2**20
LEAST_FREE = 256 * 2**20
FASTEST_GROWTH = 4 * 2**30
"""Bytes a second: no tree was seen to grow faster, so a look can wait as long as the headroom lasts at this rate."""
LOOK_S = (0.02, 0.25)
"""Shortest and longest time between two looks at the memory of the tree, seconds."""
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_libc = ctypes.CDLL(None, use_errno=True)
_page = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a process tree ended.

    Attributes:
        how: ``exit``; ``timeout`` or ``memory`` (killed at its limit); ``machine`` (killed since the machine, or the
            control group that the harness lives in, had no more memory to give).
        code: exit status, negative for a signal. ``wall``: seconds from start to end.
        log: the last 16 KiB of stdout and stderr together. ``flooded``: bytes of output left out before it.
        peak: largest sampled memory of the tree, bytes (0 if it ended before the first look).
        members: largest number of processes that the tree was seen to have.
        ended: when it ended or was stopped, seconds of the monotonic clock.
        leftover: processes that outlived the main one and were killed.
    """

    how: str
    code: int
    wall: float
    log: str
    flooded: int = 0
    peak: int = 0
    members: int = 1
    ended: float = 0.0
    leftover: int = 0


def supervise(argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], wall_s: float, memory_bytes: float) -> Outcome:
    """Run ``argv`` to its end or to a limit, and leave nothing of it behind.

    Raises:
        OSError: the program cannot be started. KeyboardInterrupt passes through, after the kill.
    """
    _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    others = set(_children(os.getpid()))
    parent = os.getpid()
    reader, writer = os.pipe()
    start = time.monotonic()
    try:
        child = subprocess.Popen(
            list(argv),
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=writer,
            stderr=writer,
            start_new_session=True,
            preexec_fn=lambda: die_with(parent),  # noqa: PLW1509 - two system calls and no lock: safe beside threads
        )
    except BaseException:
        os.close(reader)
        raise
    finally:
        os.close(writer)
    tail = _Tail(reader)
    how, peak, members, pause = "exit", 0, 1, LOOK_S[0]
    watch = os.pidfd_open(child.pid)
    try:
        events = select.poll()
        events.register(watch, select.POLLIN)
        while True:
            ended = bool(events.poll(pause * 1000))
            wall = time.monotonic() - start
            talkative = tail.read()
            if ended:
                break
            used, size = tree_memory(child.pid, others)
            peak, members = max(peak, used), max(members, size)
            if wall > wall_s:
                how = "timeout"
                break
            own, common = memory_bytes - used, _available() - LEAST_FREE
            if min(own, common) < 0:
                how = "memory" if own < 0 else "machine"
                break
            pause = max(LOOK_S[0], min(LOOK_S[1], own / FASTEST_GROWTH, common / FASTEST_GROWTH, wall_s - wall))
            if talkative:
                pause = LOOK_S[0]
        if how != "exit":
            os.killpg(child.pid, signal.SIGKILL)
        stopped = time.monotonic()
        _, status = os.waitpid(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        leftover = _kill_rest(others)
        tail.read()
        return Outcome(
            how=how,
            code=child.returncode,
            wall=wall,
            log=tail.text(),
            flooded=tail.dropped,
            peak=peak,
            members=members,
            ended=stopped,
            leftover=leftover,
        )
    finally:
        if child.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            _kill_rest(others)
        os.close(watch)
        os.close(reader)


def die_with(parent: int) -> None:
    """Called in a child: it is killed when its parent, whose process id is given, dies."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def tree_memory(pid: int, others: set[int]) -> tuple[int, int]:
    """Resident bytes of a process and all its descendants, shared pages counted once, and how many they are.

    ``others`` are children of this process that do not belong to the tree.
    """
    own, shared = 0, 0
    members = _tree(pid, others)
    for member in members:
        try:
            fields = Path(f"/proc/{member}/statm").read_bytes().split()
        except OSError:
            continue
        own += int(fields[1]) - int(fields[2])
        shared = max(shared, int(fields[2]))
    return (own + shared) * _page, len(members)


def _tree(pid: int, others: set[int]) -> list[int]:
    """The process, its descendants, and orphans that came back to this process."""
    waiting = [pid, *(child for child in _children(os.getpid()) if child not in others and child != pid)]
    found = []
    while waiting:
        member = waiting.pop()
        found.append(member)
        waiting += _children(member)
    return found


def _children(pid: int) -> list[int]:
    try:
        tasks = os.listdir(f"/proc/{pid}/task")
        return [int(c) for task in tasks for c in Path(f"/proc/{pid}/task/{task}/children").read_text().split()]
    except FileNotFoundError:
        return _children_by_scan(pid) if os.path.exists(f"/proc/{pid}") else []
    except (OSError, ValueError):
        return []


def _children_by_scan(pid: int) -> list[int]:
    """For kernels without /proc/PID/task/TID/children: read every process's parent."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                text = Path(f"/proc/{name}/stat").read_text()
            except OSError:
                continue
            if int(text.rpartition(")")[2].split()[1]) == pid:
                found.append(int(name))
    return found


def _kill_rest(others: set[int]) -> int:
    """Kill what came back to this process as orphans, until none is left; returns how many there were."""
    killed = set()
    for _ in range(200):
        rest = [child for child in _children(os.getpid()) if child not in others]
        if not rest:
            break
        for orphan in rest:
            for member in [*_descendants(orphan), orphan]:
                if not _ended(member):
                    killed.add(member)
                with suppress(ProcessLookupError):
                    os.kill(member, signal.SIGKILL)
            with suppress(ChildProcessError):
                os.waitpid(orphan, 0)
    return len(killed)


def _descendants(pid: int) -> list[int]:
    found: list[int] = []
    for child in _children(pid):
        found += [child, *_descendants(child)]
    return found


def _ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


def _available() -> int:
    """Bytes that the machine, or the tightest control group around this process, still has to give."""
    free = cgroup.free(Path("/"))
    with open("/proc/meminfo", "rb") as file:
        for line in file:
            if line.startswith(b"MemAvailable"):
                return min(free, int(line.split()[1]) * 1024)
    return free


class _Tail:
    """Keeps the end of what comes through a pipe, so that a flood costs no memory and no disk.

    The pipe is read when the tree is looked at, not for every line: a player that prints must not keep the parent
    busy. It holds 1 MiB meanwhile, so that the player does not wait for its reader.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor, self._data, self.dropped = descriptor, b"", 0
        os.set_blocking(descriptor, False)
        with suppress(OSError):
            fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, PIPE)

    def read(self) -> bool:
        """Take what is there, 16 MiB at most; True if it was so much that the next look should come soon."""
        taken = 0
        while taken < 16 * PIPE:
            try:
                chunk = os.read(self._descriptor, 65_536)
            except BlockingIOError:
                break
            if not chunk:
                break
            taken += len(chunk)
            self._data += chunk
            if len(self._data) > TAIL:
                self.dropped += len(self._data) - TAIL
                self._data = self._data[-TAIL:]
        return taken > PIPE // 4

    def text(self) -> str:
        return self._data.decode("utf-8", errors="replace")
