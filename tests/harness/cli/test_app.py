"""`harness run`: one run, sweeps in this process and in others, their exit status, and what Hydra may write."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import projects
from harness.cli.app import WAIT_IN_A_SWEEP_S, collect
from harness.cli.verbs import VERBS

ROOT = Path(__file__).resolve().parents[3]
Run = Callable[..., subprocess.CompletedProcess[str]]

SBATCH = f'''#!{sys.executable}
"""Stands in for sbatch: runs the tasks of a job array side by side, each as if it had a node of its own."""
import os, re, shlex, subprocess, sys

text = open(sys.argv[1]).read()
array = re.search(r"--array=0-(\\d+)", text)
tasks = range(int(array.group(1)) + 1) if array else [None]
command = shlex.split(text.strip().splitlines()[-1])
command = command[command.index({sys.executable!r}):]
with open(os.environ["SENT"], "w") as sent:
    sent.write(text)
for task in tasks:
    own = {{"SLURM_JOB_ID": "77", "SLURM_NTASKS": "1", "SLURM_JOB_NUM_NODES": "1", "SLURM_NODEID": "0",
           "SLURM_PROCID": "0", "SLURM_LOCALID": "0", "SUBMITIT_EXECUTOR": "slurm"}}
    if task is not None:
        own.update(SLURM_ARRAY_JOB_ID="77", SLURM_ARRAY_TASK_ID=str(task))
    subprocess.Popen(command, env={{**os.environ, **own}}, start_new_session=True, stdin=subprocess.DEVNULL,
                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print("Submitted batch job 77")
'''


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A project with conf=alpha (comes to 0) and conf=beta (comes to 11)."""
    return projects.project(tmp_path / "p")


@pytest.fixture
def run(tmp_path: Path, home: Path) -> Run:
    """`harness run ...` in a process whose session, and that of every job it starts, is a stand-in."""
    path = os.pathsep.join([str(projects.stand_in(tmp_path / "stand-in")), str(ROOT)])

    def run(*words: str, cwd: Path = home, **env: str) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-m", "harness", "run", *words]
        changed = {**os.environ, "PYTHONPATH": path, **env}
        return subprocess.run(argv, cwd=cwd, env=changed, capture_output=True, text=True, check=False, timeout=120)

    return run


def sweep_of(home: Path) -> Path:
    """The folder of the only sweep of a project."""
    (folder,) = (home / "reports" / "runs" / ".sweeps").iterdir()
    return folder


@pytest.mark.parametrize(("words", "status", "phase"), [([], 0, "Alpha"), (["conf=beta"], 11, "Beta")])
def test_the_exit_status_is_that_of_the_run(run: Run, home: Path, words: list[str], status: int, phase: str) -> None:
    """Hydra throws away what its main function returns; the exit status still says how the run ended."""
    done = run(*words)
    assert (done.returncode, done.stdout, done.stderr) == (status, f"performs {phase}  0.0\n", "")


def test_hydra_writes_nothing(run: Run, home: Path) -> None:
    """No outputs/, no multirun/, no .hydra/, no log file, and the working directory stays where it is."""
    before = sorted(home.rglob("*"))
    inside = home / "conf"
    assert run("conf=alpha", cwd=inside).returncode == 0
    assert sorted(home.rglob("*")) == before


def test_help_is_what_hydra_would_print(run: Run) -> None:
    """The help that is made without Hydra, to be quick, lists the same choices in the same words."""
    assert run("--help").stdout.split() == run("--help", "conf=beta").stdout.split()


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["--help", "conf=beta"]])
def test_help_lists_the_choices(run: Run, words: list[str]) -> None:
    """The help shows the configurations that there are."""
    done = run(*words)
    assert done.returncode == 0
    assert "conf: alpha, beta" in done.stdout
    assert "resume=RUN" in done.stdout


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (["conf=phase9"], 1, "no conf option is named 'phase9'. Did you mean 'alpha'? Known: alpha, beta"),
        (["-m", "conf=alpha,gamma"], 1, "no conf option is named 'gamma'"),
        (["cases.torus.processes=abc"], 1, "value 'abc' of type 'str'"),
        (["beta"], 2, "Did you mean conf=beta?"),
        (["resume=nothing"], 1, "no run is named 'nothing'"),
        (["-m", "resume=nothing"], 1, "no run is named 'nothing'"),
        (["--nonsense"], 2, "unrecognized arguments: --nonsense"),
        (["-m", "conf=alpha,beta", "--cfg", "job"], 2, "Only one of --run, --multirun, --cfg"),
        (["conf=alpha,beta"], 2, "add -m for one run of each"),
    ],
)
def test_bad_input_is_one_message(run: Run, words: list[str], status: int, says: str) -> None:
    """A clear message on stderr, the right status, no traceback."""
    done = run(*words)
    assert done.returncode == status
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_a_bug_keeps_its_traceback(run: Run) -> None:
    """An error that is none of ours is shown whole, and says that it is a bug."""
    done = run("title=bug")
    assert done.returncode == 1
    assert "ValueError: boom" in done.stderr
    assert "Traceback" in done.stderr
    assert "this is a bug" in done.stderr


def test_a_stop_is_130(run: Run) -> None:
    """Ctrl-C ends a run, and a whole sweep, with status 130."""
    assert run("title=stopped").returncode == 130
    done = run("-m", "title=stopped,other")
    assert (done.returncode, done.stdout.count("performs")) == (130, 1)


def test_a_sweep_ends_with_the_worst(run: Run, home: Path) -> None:
    """Every run is performed, a crash among them ends none of the others, and the worst status is the exit status."""
    done = run("-m", "conf=alpha,beta")
    assert done.returncode == 11
    assert f"performs Alpha  {WAIT_IN_A_SWEEP_S}" in done.stdout
    found = [(one["job"], one["overrides"], one["status"]) for one in collect(sweep_of(home))]
    assert found == [(0, ["conf=alpha"], 0), (1, ["conf=beta"], 11)]
    done = run("title=bug,fine", "-m", "conf=alpha,beta")
    assert done.returncode == 1
    assert [line.split()[-3:] for line in done.stdout.splitlines() if "title=fine" in line] == [
        ["0", "title=fine", "conf=alpha"],
        ["11", "title=fine", "conf=beta"],
    ]


def test_completion(home: Path) -> None:
    """Bash completes verbs, choices and keys; the verb is taken out before Hydra sees the line."""
    ask = "import sys; from harness.cli.verbs import main; sys.exit(main(['-sc', 'query=bash']))"

    def suggested(line: str) -> list[str]:
        env = {**os.environ, "PYTHONPATH": str(ROOT), "COMP_LINE": line}
        done = subprocess.run(
            [sys.executable, "-c", ask], cwd=home, env=env, capture_output=True, text=True, check=True
        )
        return done.stdout.split()

    assert suggested("harness re") == sorted(VERBS)
    assert suggested("harness run conf=") == ["conf=alpha", "conf=beta"]
    assert suggested("harness run -m conf=alpha cases.torus.pro") == ["cases.torus.processes="]
    assert suggested("harness report ") == ["latest"]


def test_completion_is_installed_for_the_command(run: Run) -> None:
    """What bash is told to complete is `harness`, with or without the installed script."""
    done = run("--shell-completion", "install=bash")
    assert done.returncode == 0
    assert done.stdout.rstrip().endswith("-F hydra_bash_completion harness")


def test_completion_in_a_real_shell(home: Path, tmp_path: Path, run: Run) -> None:
    """The function that bash gets answers `harness run conf=` with the choices."""
    program = tmp_path / "bin" / "harness"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m harness "$@"\n')
    program.chmod(0o755)
    script = (
        'eval "$(harness run --shell-completion install=bash)"; '
        'COMP_LINE="harness run conf="; COMP_POINT=${#COMP_LINE}; '
        'COMP_WORDS=(harness run conf=); COMP_CWORD=2; hydra_bash_completion; echo "${COMPREPLY[@]}"'
    )
    env = {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", script], cwd=home, env=env, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["conf=alpha", "conf=beta"]


class TestOtherProcesses:
    """Sweeps whose runs are performed elsewhere, by submitit."""

    @pytest.fixture(autouse=True)
    def _submitit(self) -> None:
        pytest.importorskip("hydra_plugins.hydra_submitit_launcher", reason="needs the extra 'slurm'")

    def test_local_jobs(self, run: Run, home: Path) -> None:
        """submitit's local executor performs each run in a process of its own; the worst status comes back."""
        done = run("-m", "hydra/launcher=submitit_local", "conf=alpha,beta", "title=fine,bug")
        assert done.returncode == 1
        assert sorted(one["status"] for one in collect(sweep_of(home))) == [0, 1, 1, 11]
        logs = "".join(path.read_text() for path in (sweep_of(home) / ".submitit").rglob("*.out"))
        assert f"performs Alpha fine {WAIT_IN_A_SWEEP_S}" in logs

    def test_a_job_that_is_killed(self, run: Run, home: Path) -> None:
        """A job that dies without a word is a crash of the sweep; what the others found is said."""
        done = run("-m", "hydra/launcher=submitit_local", "title=fine,killed")
        assert done.returncode == 1
        assert "the sweep did not end as it should" in done.stderr
        assert "1 of its runs left a status" in done.stderr
        assert "title=fine" in done.stdout
        assert "Traceback" not in done.stderr

    def test_slurm_jobs(self, run: Run, home: Path, tmp_path: Path) -> None:
        """With a stand-in for sbatch: one array of whole nodes, one task on each, the worst status comes back."""
        folder = home / "conf" / "hydra" / "launcher"
        folder.mkdir(parents=True)
        (folder / "machines.yaml").write_text((ROOT / "conf" / "hydra" / "launcher" / "machines.yaml").read_text())
        programs = tmp_path / "slurm"
        programs.mkdir()
        for name, text in (
            ("sbatch", SBATCH),
            ("srun", "#!/bin/sh\n"),
            ("sacct", "#!/bin/sh\necho 'JobID|State|NodeList'\n"),
        ):
            (programs / name).write_text(text)
            (programs / name).chmod(0o755 | stat.S_IXUSR)
        path = f"{programs}:{os.environ['PATH']}"
        done = run("-m", "hydra/launcher=machines", "hydra.launcher.partition=quiet", "conf=alpha,beta",
                   PATH=path, SENT=str(tmp_path / "sent"))  # fmt: skip
        assert done.returncode == 11, done.stderr
        assert [one["status"] for one in collect(sweep_of(home))] == [0, 11]
        sent = (tmp_path / "sent").read_text().splitlines()
        for line in ("array=0-1%2", "exclusive", "nodes=1", "ntasks-per-node=1", "partition=quiet", "time=240"):
            assert f"#SBATCH --{line}" in sent


def test_status_files_are_plain_json(run: Run, home: Path) -> None:
    """What a sweep leaves can be read by anything."""
    run("-m", "conf=beta", "title=a,b")
    files = sorted((sweep_of(home) / "jobs").glob("*"))
    assert [json.loads(path.read_text())["overrides"] for path in files] == [
        ["conf=beta", "title=a"],
        ["conf=beta", "title=b"],
    ]
