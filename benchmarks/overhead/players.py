"""Who is measured: the harness itself, and the same loop inside and outside of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.overhead.outside import LOOPS
from harness import player

Answer = Mapping[str, Any]
ROOT = Path(__file__).parents[2]


@player(name="harness verb", task="overhead.command", role="candidate", engine="harness")
def verb(inputs: Mapping[str, Any], stage: Any) -> Callable[[], Answer]:
    """``python -m harness VERB`` in a process of its own."""
    argv = [sys.executable, "-m", "harness", *inputs["verb"].split()]

    def solve() -> Answer:
        done = subprocess.run(argv, cwd=ROOT, capture_output=True, check=False)
        return {"status": done.returncode, "characters": len(done.stdout)}

    return solve


SUITE = '''
import os
import time
from pathlib import Path

from harness import Check, Problem, case, player

STARTED = Path(__file__).parents[1] / "started"

@case(version=1, task="nothing", check="benchmarks.nothing:check")
def nothing(seed):
    """Nothing."""
    return Problem(inputs={"value": 1})

@player(name="nothing", task="nothing")
def play(inputs, stage):
    """Does nothing, and leaves behind when the first process of it started, by the clock that counts from boot."""
    if not STARTED.exists():
        ticks = Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]
        STARTED.write_text(repr(int(ticks) / os.sysconf("SC_CLK_TCK")))
    return lambda: {"value": 1}

@player(name="waits", task="nothing")
def wait(inputs, stage):
    """Works for two seconds, so that the parent's own use of the processor can be told."""
    def solve():
        end = time.perf_counter() + 2.0
        while time.perf_counter() < end:
            pass
        return {"value": 1}
    return solve

def check(inputs, known, answer):
    return Check(ok=int(answer["value"]) == 1, oracle="one", exact=False)
'''
SCRIPT = """
import json, resource, time
from pathlib import Path
from harness import store
from harness.cli import verbs
from harness.trials.runner import Runner

def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime

marks, play = {"nothing": [], "waits": []}, Runner.play
def timed(self, trial):
    used, start = cpu(), time.perf_counter()
    record = play(self, trial)
    marks[trial.player].append((start, record.wall, cpu() - used))
    return record
Runner.play = timed
verbs.main(["run"])
nothing = marks["nothing"][1:]
costs = sorted(after[0] - before[0] - before[1] for before, after in zip(nothing, nothing[1:]))
_, wall, used = marks["waits"][-1]
run = store.load(max((Path.cwd() / "reports" / "runs").iterdir()))
print(json.dumps({"trial_cost": costs[len(costs) // 2], "parent_share": used / wall,
                  "records": sum(record.player == "nothing" for record in run.records)}))
"""


@player(name="harness run", task="overhead.trials", role="candidate", engine="harness")
def small_run(inputs: Mapping[str, Any], stage: Any) -> Callable[[], Answer]:
    """``harness run`` until its first player's process, then trials that do nothing, in a project of its own."""
    home, env = _project(CONFIG.replace("COUNT", str(inputs["count"])) + WAITING)

    def solve() -> Answer:
        first_trial = _first_trial(home, env)
        argv = [sys.executable, "-P", "-c", SCRIPT]
        done = subprocess.run(argv, cwd=home, env=env, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"the small run failed: {done.stderr[-500:]}")
        return {**json.loads(done.stdout.splitlines()[-1]), "first_trial": first_trial}

    return solve


def _first_trial(home: Path, env: Mapping[str, str]) -> float:
    """Seconds from the start of ``harness run`` to that of its first player's process; the kernel's ticks are 10 ms."""
    started = home / "started"
    started.unlink(missing_ok=True)
    begun = time.clock_gettime(time.CLOCK_BOOTTIME)
    argv = [sys.executable, "-P", "-m", "harness", "run", "cases.nothing.processes=1", "~cases.waiting"]
    done = subprocess.run(argv, cwd=home, env=env, capture_output=True, text=True, check=False)
    if not started.exists():
        raise RuntimeError(f"no player was started: {done.stderr[-500:]}")
    return float(started.read_text()) - begun


CONFIG = """
defaults:
  - base_config
  - _self_
phase: Repeat
progress: none
cases:
  nothing:
    case: nothing.nothing
    players: [nothing]
    processes: COUNT
"""
WAITING = """
  waiting:
    case: nothing.nothing
    players: [waits]
    processes: 2
    sampling: {budget_s: 0.001, max_samples: 1}
"""


@player(name="harness repeat", task="overhead.repeated", role="candidate", engine="harness")
def repeat(inputs: Mapping[str, Any], stage: Any) -> Callable[[], Answer]:
    """``harness run`` and then ``harness run repeat=latest``, in a project of its own."""
    from harness import store

    home, env = _project(CONFIG.replace("COUNT", str(inputs["count"])))

    def solve() -> Answer:
        for words in ([], ["repeat=latest"]):
            subprocess.run([sys.executable, "-P", "-m", "harness", "run", *words], cwd=home, env=env, check=False)
        first, second = (store.load(path) for path in sorted((home / "reports" / "runs").iterdir())[-2:])
        pairs = [
            (one.trial == two.trial) + (one.data == two.data) + (one.check == two.check)
            for one, two in zip(first.records, second.records, strict=True)
        ]
        return {"differences": 3 * len(pairs) - sum(pairs), "compared": len(pairs)}

    return solve


def _project(config: str) -> tuple[Path, dict[str, str]]:
    """A throw-away project with the suite that does nothing, and an environment with a lock of its own."""
    home = Path(tempfile.mkdtemp(prefix="overhead-"))
    (home / "conf").mkdir()
    (home / "conf" / "config.yaml").write_text(config)
    (home / "benchmarks").mkdir()
    (home / "benchmarks" / "nothing.py").write_text(SUITE)
    return home, {**os.environ, "HARNESS_LOCK": str(home / "lock"), "PYTHONPATH": str(ROOT)}


@player(name="report and verify", task="overhead.records", role="candidate", engine="harness")
def report_and_verify(inputs: Mapping[str, Any], stage: Any) -> Callable[[], Answer]:
    """Read, judge, report and verify one run folder, in this process."""
    from benchmarks.overhead.made_up import run_folder
    from harness import report, store
    from harness.judging import gates, verify

    folder = run_folder(Path(tempfile.mkdtemp(prefix="overhead-")) / "run", inputs["count"])

    def solve() -> Answer:
        with stage("read"):
            run = store.load(folder)
        with stage("judge"):
            verdicts = gates.judge(run)
        with stage("report"):
            report.write(run, verdicts)
        with stage("verify"):
            findings = verify.verify(run)
        errors = [finding for finding in findings if finding.severity == "error"]
        return {"errors": len(errors), "html_bytes": (folder / "report.html").stat().st_size}

    return solve


@player(name="loop inside", task="overhead.loop", role="candidate", engine="inside")
def inside(inputs: Mapping[str, Any], stage: Any) -> Callable[[], Answer]:
    """The loop, timed by the harness."""
    work, steps = LOOPS[inputs["work"]], inputs["steps"]
    return lambda: {"total": work(steps)}


@player(name="twin a", task="overhead.twins", engine="a")
def twin_a(inputs: Mapping[str, Any], stage: Any) -> Callable[[], Answer]:
    """One of two players that are the same."""
    return inside(inputs, stage)


@player(name="twin b", task="overhead.twins", engine="b")
def twin_b(inputs: Mapping[str, Any], stage: Any) -> Callable[[], Answer]:
    """The other one."""
    return inside(inputs, stage)
