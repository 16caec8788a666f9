"""Hydra, kept in one place: the schema, the settings that keep it quiet, and its errors in our words.

Hydra is imported by the functions here and nowhere else at import time, so that every other verb starts
without it.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

from harness.cli.runs import FOLDER
from harness.config import RunConfig, typed
from harness.errors import ConfigurationError, HarnessError, UnknownName, UsageError

SETTINGS = {
    "hydra/output": "harness",
    "hydra/help": "harness",
    "hydra/hydra_logging": "none",
    "hydra/job_logging": "none",
    "hydra.job.name": "harness",
    "hydra.job.chdir": "false",
    "hydra.output_subdir": "null",
}
"""What is asked of Hydra on every call, unless the command line says otherwise."""

TAKE_A_VALUE = (
    "--cfg",
    "-c",
    "--package",
    "-p",
    "--config-path",
    "-cp",
    "--config-name",
    "-cn",
    "--config-dir",
    "-cd",
    "--experimental-rerun",
    "--info",
    "-i",
)

HELP = """\
harness run [KEY=VALUE ...]        one run: plan, measure, judge, report
harness run -m KEY=A,B ...         a sweep: one run for each combination

Choices (group=option):

$APP_CONFIG_GROUPS
Keys (key=value): $KEYS;
under them cases.KEY, players.NAME and gates.KEY, whose keys are in docs/reference/configuration.md

Examples:
  harness run conf=smoke
  harness run conf=phase2 cases.KEY.processes=8     any key of the configuration, by its path
  harness run -m conf=phase1,phase2                 the exit status is that of the worst run
  harness run -m hydra/launcher=machines conf=...   one machine a run (SLURM)
  harness run resume=RUN                            go on where a run stopped
  harness run repeat=RUN                            repeat a run from the configuration that it saved
  harness run --cfg job conf=phase2                 print the whole configuration, run nothing

RUN is a folder, a name under reports/runs, the beginning of one, 'latest', or a commit: its newest run.
--hydra-help: the options of Hydra itself. Tab completion: eval "$$(harness run --shell-completion install=bash)"
Exit status: 0 all passed, 1 crash or configuration, 2 usage, 10 FAIL, 11 BLOCKED, 12 OFF-CONDITION,
13 INCONCLUSIVE, 14 no verdict, 130 stopped by Ctrl-C.
"""


HELP = HELP.replace("$KEYS", ", ".join(one.name for one in fields(RunConfig)))


def help_text(project: Path | None) -> str:
    """What ``harness run --help`` prints, from the names of the files alone: Hydra would take half a second.

    Args:
        project: whose choices are listed; None outside any project, which is then said instead.
    """
    groups: dict[str, list[str]] = {}
    for path in sorted((project / "conf").glob("*/*.yaml")) if project else ():
        groups.setdefault(path.parent.name, []).append(path.stem)
    choices = "".join(f"{group}: {', '.join(names)}\n" for group, names in groups.items())
    if project is None:
        choices = f"none here: neither {Path.cwd()} nor a folder above it holds both conf/ and benchmarks/\n"
    return HELP.replace("$APP_CONFIG_GROUPS", choices).replace("$$", "$")


def register(project: Path) -> None:
    """Hand Hydra the schema of :class:`RunConfig` and the settings of a project.

    The working directory stays as it is, and Hydra writes nothing but a sweep's own folder under
    ``reports/runs/.sweeps``.
    """
    from hydra.core.config_store import ConfigStore

    sweep = project / FOLDER / ".sweeps" / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"
    output: dict[str, Any] = {
        "run": {"dir": "."},
        "sweep": {"dir": str(sweep), "subdir": "."},
        "callbacks": {"harness": {"_target_": "harness.cli.app.Sweep"}},
    }
    words = {"app_name": "harness", "header": "", "footer": "", "template": HELP}
    stored = ConfigStore.instance()
    stored.store(name="base_config", node=RunConfig)
    stored.store(group="hydra/output", name="harness", package="hydra", node=output)
    stored.store(group="hydra/help", name="harness", package="hydra.help", node=words)


def with_settings(arguments: Sequence[str]) -> list[str]:
    """Arguments with :data:`SETTINGS` among them, but for those that are given; overrides first, then options.

    Hydra's parser wants all overrides side by side, wherever people write them.

    >>> with_settings(["conf=a,b", "-m", "seed=1"])[-3:]
    ['conf=a,b', 'seed=1', '-m']
    """
    options: list[str] = []
    overrides: list[str] = []
    for text in arguments:
        is_value = bool(options) and options[-1] in TAKE_A_VALUE and "=" not in text
        (options if is_value or text.startswith("-") else overrides).append(text)
    given = {text.lstrip("+~").split("=", 1)[0] for text in overrides}
    return [*(f"{key}={value}" for key, value in SETTINGS.items() if key not in given), *overrides, *options]


@contextmanager
def hydra_sees(arguments: list[str]) -> Iterator[None]:
    """Hydra reads sys.argv, and raises errors (instead of printing them and exiting) only when told to."""
    before, flag = sys.argv, os.environ.get("HYDRA_FULL_ERROR")
    sys.argv = arguments
    os.environ["HYDRA_FULL_ERROR"] = "1"
    try:
        yield
    finally:
        sys.argv = before
        if flag is None:
            del os.environ["HYDRA_FULL_ERROR"]
        else:
            os.environ["HYDRA_FULL_ERROR"] = flag


def compose(project: Path, overrides: Sequence[str] = ()) -> RunConfig:
    """Compose a project's configuration without running anything.

    >>> from harness.project import find
    >>> compose(find(), ["conf=smoke"]).phase  # doctest: +SKIP
    'Smoke'

    Raises:
        HarnessError: as :func:`explain` puts it.
    """
    import hydra
    from omegaconf import open_dict

    try:
        register(project)
        with hydra.initialize_config_dir(str(project / "conf"), version_base="1.3", job_name="harness"):
            values = hydra.compose("config", overrides=with_settings(overrides))
        with open_dict(values):
            values.pop("hydra", None)
        return typed(values)
    except Exception as error:
        raise explain(error, project) or error from error


def explain(error: Exception, project: Path) -> HarnessError | None:
    """An error of Hydra, OmegaConf or YAML as one of ours; None for any other error."""
    from hydra.errors import HydraException, MissingConfigException, OverrideParseException
    from omegaconf.errors import OmegaConfBaseException
    from yaml import YAMLError

    if isinstance(error, HarnessError):
        return error
    if isinstance(error, OverrideParseException):
        return _not_an_override(error.override, project)
    if isinstance(error, MissingConfigException):
        return _missing(error, project)
    cause = error if isinstance(error, OmegaConfBaseException) else (error.__cause__ or error.__context__)
    if isinstance(cause, OmegaConfBaseException):
        return _wrong_key_or_type(error, cause)
    if isinstance(error, YAMLError):
        return ConfigurationError(f"a configuration file is not valid YAML: {error}")
    if isinstance(error, HydraException):
        return _several(error) or ConfigurationError(str(error))
    if isinstance(error, ValueError) and str(error).startswith(_EXCLUDING):
        return UsageError(
            f"{str(error).strip().rstrip('.')}. 'harness run --cfg job conf=NAME' prints one configuration"
        )
    return None


_EXCLUDING = ("Only one of --run", "The --resolve flag")
"""What Hydra's messages about options that exclude each other begin with; they are plain ValueErrors."""


def _several(error: Exception) -> HarnessError | None:
    """Several values where one run is asked for."""
    found = re.search(r"(?:Ambiguous value for argument|Sweep parameters) '(.+?)'(?:\n| requires)", str(error))
    if found is None:
        return None
    key, _, values = found[1].partition("=")
    return UsageError(
        f"{found[1]!r} gives several values: add -m for one run of each (harness run -m {found[1]}), or write "
        f"'{key}=[{values}]' where one list is meant"
    )


def _not_an_override(text: str, project: Path) -> HarnessError:
    options = sorted(path.stem for path in (project / "conf/conf").glob("*.yaml"))
    hint = f" Did you mean conf={text}?" if text in options else ""
    return UsageError(f"{text!r} is not of the form key=value.{hint} 'harness run --help' lists the choices")


def _missing(error: Any, project: Path) -> HarnessError:
    missing = str(error.missing_cfg_file or "")
    if missing == "config":
        return ConfigurationError(
            f"{project / 'conf'} has no config.yaml; it needs one that begins with "
            "'defaults: [base_config, _self_, conf: NAME]'"
        )
    group, _, name = missing.rpartition("/")
    hint = ""
    if group == "hydra/launcher":
        hint = "The submitit launchers come with: pip install 'tcs-harness[slurm]'."
    if not group:
        return ConfigurationError(str(error))
    return UnknownName(f"{group} option", name, [str(option) for option in error.options or ()], hint=hint)


def _wrong_key_or_type(error: Exception, cause: Any) -> HarnessError:
    from omegaconf.errors import ConfigAttributeError, ConfigKeyError

    origin = re.match(r"In '([^']+)'", str(error))
    where = f"in conf/{origin.group(1)}.yaml: " if origin and origin.group(1) != "config" else ""
    full_key = str(cause.full_key or "")
    if isinstance(cause, ConfigKeyError | ConfigAttributeError):
        parent, _, key = full_key.rpartition(".")
        known = [str(name) for name in cause.parent_node] if cause.parent_node is not None else []
        kind = f"key under {parent}" if parent else "key"
        return ConfigurationError(f"{where}{UnknownName(kind, key, known)}")
    reason = str(cause.msg or cause).split("\n")[0]
    if "is not a subclass of" in reason:
        reason += (
            ". The command line changes entries that there are; a new one is written in a file under conf/, and chosen "
            "with its group: +players=NAME, or cases=NAME where conf=NAME chooses cases already"
        )
    return ConfigurationError(f"{where}{full_key}: {reason[:1].lower()}{reason[1:]}")
