"""``harness run``: Hydra composes, each job performs one run, and the worst status is the exit status."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.completion import install
from harness.cli.compose import explain, help_text, hydra_sees, register, with_settings
from harness.cli.saved import resolve
from harness.config import located, typed
from harness.errors import HarnessError, WorkerError
from harness.project import find
from harness.verdict import EXIT_STATUS, NO_VERDICT, worst_status

if TYPE_CHECKING:
    from omegaconf import DictConfig

JOBS = "jobs"
WAIT_IN_A_SWEEP_S = 7 * 24 * 3600.0
"""Jobs of a sweep that land on one machine wait for each other, since two must never time at once."""

_statuses: list[int] = []
_sweeps: list[Path] = []


def main(arguments: Sequence[str], project: Path | None) -> int:
    """The verb ``run``: Hydra over ``arguments`` (without the verb). Returns the exit status of the worst run.

    Args:
        project: None outside any project, where help and a shell's completion still answer.

    Raises:
        HarnessError: the configuration cannot be composed.
    """
    completing = bool({"-sc", "--shell-completion"} & set(arguments))
    if completing and (install(arguments) or project is None):
        return 0
    if list(arguments) in (["--help"], ["-h"]) or project is None:
        print(help_text(project))
        return 0
    import hydra

    register(project)
    _statuses.clear()
    _sweeps.clear()
    run = hydra.main(version_base="1.3", config_path=str(project / "conf"), config_name="config")(job)
    try:
        with hydra_sees([_program(arguments), *with_settings(arguments)]):
            run()
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except Exception as error:
        explained = explain(error, project)
        if explained is None and _sweeps:
            explained = _broken_sweep(error, _sweeps[-1])
        raise explained or error from error
    return _swept(_sweeps[-1]) if _sweeps else worst_status(_statuses)


def job(values: DictConfig) -> int:
    """One run. Its status is kept, never raised, so that one crash does not end the rest of a sweep."""
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode

    context = HydraConfig.get()
    status, problem = 1, ""
    try:
        project = find(Path(context.runtime.cwd))
        config = resolve(located(typed(values), Path(context.runtime.cwd)), list(context.overrides.task), project)
        if context.mode == RunMode.MULTIRUN and not config.lock_wait_s:
            config.lock_wait_s = WAIT_IN_A_SWEEP_S
        from harness import session

        status = session.perform(config, project)
    except HarnessError as error:
        status, problem = error.exit_status, str(error)
        complain(error)
    except Exception as error:  # noqa: BLE001  the edge of a job: what one run raises must not end the others
        problem = f"{type(error).__name__}: {error}"
        traceback.print_exc()
        print(
            f"harness: this is a bug of the harness or of a plug-in, not of the configuration: {problem}",
            file=sys.stderr,
        )
    if context.mode == RunMode.MULTIRUN:
        _report_job(Path(context.sweep.dir), int(context.job.num), list(context.overrides.task), status, problem)
    _statuses.append(status)
    return status


class Sweep:
    """Hydra's callback: remembers, in the parent, the folder in which the jobs leave their statuses."""

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        """Called once, before any job."""
        _sweeps.append(Path(str(config.hydra.sweep.dir)))

    def __getattr__(self, name: str) -> Any:
        """Hydra calls every event on every callback; the others mean nothing here."""
        if name.startswith("on_"):
            return lambda **_: None
        raise AttributeError(name)


def complain(error: HarnessError) -> None:
    """One clear message on stderr; with ``HARNESS_DEBUG=1`` the traceback too."""
    if os.environ.get("HARNESS_DEBUG") == "1":
        traceback.print_exception(error)
    print(f"harness: {error}", file=sys.stderr)


def collect(folder: Path) -> list[dict[str, Any]]:
    """What the jobs of a sweep left: number, overrides, status, problem; in the order of their numbers."""
    return sorted((json.loads(path.read_text()) for path in (folder / JOBS).glob("*.json")), key=lambda one: one["job"])


def _report_job(folder: Path, number: int, overrides: Sequence[str], status: int, problem: str) -> None:
    from harness.files import write_text

    (folder / JOBS).mkdir(parents=True, exist_ok=True)
    values = {"job": number, "overrides": list(overrides), "status": status, "problem": problem}
    write_text(folder / JOBS / f"{number}.json", json.dumps(values, indent=1))


def _swept(folder: Path) -> int:
    jobs = collect(folder)
    words = {status: name for name, status in EXIT_STATUS.items()} | {NO_VERDICT: "no verdict", 0: "all passed"}
    print(f"sweep of {len(jobs)} runs:")
    for one in jobs:
        word, problem = words.get(one["status"], "did not run"), one["problem"].split("\n")[0]
        print(f"  {word:14} {one['status']:>2}  {' '.join(one['overrides'])}  {problem}".rstrip())
    return worst_status(one["status"] for one in jobs) if jobs else 1


def _broken_sweep(error: Exception, folder: Path) -> HarnessError:
    """A launcher lost a job (killed, out of memory, node gone): say so, and what the others found."""
    done = len(collect(folder))
    if done:
        _swept(folder)
    first = str(error).split("\n")[0]
    return WorkerError(
        f"the sweep did not end as it should: {type(error).__name__}: {first}. {done} of its runs left a status in "
        f"{folder / JOBS}; jobs on other machines may still be going on. Logs of the jobs: "
        f"{folder / '.submitit'}"
    )


def _program(arguments: Sequence[str]) -> str:
    """What usage messages call the program; a shell's completion is installed for the command itself."""
    return "harness" if {"-sc", "--shell-completion"} & set(arguments) else "harness run"
