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

from harness import player

Answer = Mapping[str, Any]
ROOT = Path(__file__).parents[2]


def add_up(steps: int) -> int:
    """The loop that everything here times: about 10 ms at 200,000 steps."""
    total = 0
    for step in range(steps):
        total += step
    return total


@player(name="harness verb", task="overhead.command", role="candidate", engine="harness")
def verb(inputs: Mapping[str, Any], stage: Any) -> Callable[[], Answer]:
    """``python -m harness VERB`` in a process of its own."""
    argv = [sys.executable, "-m", "harness", *inputs["verb"].split()]

    def solve() -> Answer:
        done = subprocess.run(argv, cwd=ROOT, capture_output=True, check=False)
        return {"status": done.returncode, "characters": len(done.stdout)}

    return solve


SUITE = '''
from harness import Check, Problem, case, player

@case(version=1, task="nothing", check="benchmarks.nothing:check")
def nothing(seed):
    """Nothing."""
    return Problem(inputs={"value": 1})

@player(name="nothing", task="nothing")
def play(inputs, stage):
    """Does nothing, and waits when asked to."""
    return lambda: {"value": 1}

@player(name="waits", task="nothing")
def wait(inputs, stage):
    """Works for two seconds, so that the parent's own use of the processor can be told."""
    def solve():
        import time
        end = time.perf_counter() + 2.0
        while time.perf_counter() < end:
            pass
        return {"value": 1}
    return solve

def check(inputs, known, answer):
    return Check(ok=int(answer["value"]) == 1, oracle="one", exact=False)
'''
SCRIPT = """
import json, resource, sys, time
from pathlib import Path
from harness import store
from harness.machine import environment
from harness import session
from harness.config import CaseConfig, RunConfig, Sampling
from harness.discover import registry
from harness.trials.plan import plan
from harness.trials.runner import Runner

def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime

project, count = Path.cwd(), int(sys.argv[1])
sampling = Sampling(budget_s=1e-9, max_samples=1)

def prepared(player, processes):
    entry = CaseConfig(case="nothing.nothing", players=[player], processes=processes, sampling=sampling)
    config = RunConfig(phase=player, progress="none", cases={"nothing": entry})
    facts = environment.facts(project)
    trials = plan(config, registry(project), threads=1)
    run = session._created(config, project, trials, facts)
    return trials, Runner(run=run, registry=registry(project), project=project, facts=facts)

trials, runner = prepared("nothing", count)
starts = []
play = Runner.play
def timed(self, trial):
    starts.append((time.time(), time.perf_counter()))
    return play(self, trial)
Runner.play = timed
session.measure(runner.run, trials, runner)
ends = time.perf_counter()
walls = [record.wall for record in runner.run.records]
gaps = [b[1] - a[1] for a, b in zip(starts[1:], starts[2:])]
costs = sorted(gap - wall for gap, wall in zip(gaps, walls[1:]))
waiting, patient = prepared("waits", 1)
patient._prepare(waiting[0])
before, start = cpu(), time.perf_counter()
record = patient.play(waiting[0])
share = (cpu() - before) / record.wall
print(json.dumps({"started": starts[0][0], "trial_cost": costs[len(costs) // 2], "parent_share": share,
                  "records": len(runner.run.records)}))
"""


@player(name="harness run", task="overhead.trials", role="candidate", engine="harness")
def small_run(inputs: Mapping[str, Any], stage: Any) -> Callable[[], Answer]:
    """A run of trials that do nothing, in a project of its own."""
    home, env = _project()

    def solve() -> Answer:
        begun = time.time()
        argv = [sys.executable, "-P", "-c", SCRIPT, str(inputs["count"])]
        done = subprocess.run(argv, cwd=home, env=env, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"the small run failed: {done.stderr[-500:]}")
        found = json.loads(done.stdout)
        return {**found, "first_trial": found.pop("started") - begun}

    return solve


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


@player(name="harness repeat", task="overhead.repeated", role="candidate", engine="harness")
def repeat(inputs: Mapping[str, Any], stage: Any) -> Callable[[], Answer]:
    """``harness run`` and then ``harness run repeat=latest``, in a project of its own."""
    from harness import store

    home, env = _project()
    (home / "conf" / "config.yaml").write_text(CONFIG.replace("COUNT", str(inputs["count"])))

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


def _project() -> tuple[Path, dict[str, str]]:
    """A throw-away project with the suite that does nothing, and an environment with a lock of its own."""
    home = Path(tempfile.mkdtemp(prefix="overhead-"))
    (home / "conf").mkdir()
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
    steps = inputs["steps"]
    return lambda: {"total": add_up(steps)}


@player(name="twin a", task="overhead.twins", engine="a")
def twin_a(inputs: Mapping[str, Any], stage: Any) -> Callable[[], Answer]:
    """One of two players that are the same."""
    return inside(inputs, stage)


@player(name="twin b", task="overhead.twins", engine="b")
def twin_b(inputs: Mapping[str, Any], stage: Any) -> Callable[[], Answer]:
    """The other one."""
    return inside(inputs, stage)
