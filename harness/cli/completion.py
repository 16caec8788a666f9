"""Tab completion: verbs, runs, data sets and kinds by us, the keys and choices of a configuration by Hydra."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

from harness.cli.compose import hydra_sees
from harness.cli.runs import LATEST, names
from harness.errors import HarnessError, UnknownName, UsageError
from harness.project import find

OF_A_RUN = ("resume=", "repeat=")


def complete(
    words: Sequence[str], *, verbs: Iterable[str], of_runs: Collection[str], run: Callable[[Sequence[str]], int]
) -> int:
    """Answer what a shell's completion function asks: ``harness -sc query=bash`` with COMP_LINE set.

    Nothing is ever printed but words to choose from: what cannot be completed, completes to nothing.

    Args:
        verbs: all there are; ``of_runs`` those that take runs.
        run: the verb ``run``, in which Hydra completes the keys and choices of a configuration.
    """
    if install(words):
        return 0
    line = os.environ.get("COMP_LINE", "")
    typed = line.split()
    if len(typed) < 2 or (len(typed) == 2 and not line.endswith(" ")):
        print(" ".join(sorted(verbs)))
        return 0
    verb, last = typed[1], "" if line.endswith(" ") else typed[-1]
    try:
        project = find()
    except HarnessError:
        return 0
    if verb == "run" and not last.startswith(OF_A_RUN):
        os.environ["COMP_LINE"] = without_verb(line)
        return run(words)
    print(" ".join(_choices(verb, last, project, of_runs)))
    return 0


def install(words: Iterable[str]) -> bool:
    """Print the script that ``install=SHELL`` (or ``uninstall=SHELL``) asks for; False if nothing asks for one.

    The script is Hydra's, for the command ``harness``; no project is needed.

    Raises:
        UsageError: a shell for which there is none.
    """
    asked = [word.split("=", 1) for word in words if word.startswith(("install=", "uninstall="))]
    if not asked:
        return False
    from hydra.core.plugins import Plugins
    from hydra.plugins.completion_plugin import CompletionPlugin

    ((command, shell), *_) = asked
    plugins: list[Any] = list(Plugins.instance().discover(CompletionPlugin))
    shells = {str(plugin.provides()): plugin for plugin in plugins}
    if shell not in shells:
        raise UsageError(str(UnknownName("shell with a completion", shell, shells)))
    with hydra_sees(["harness"]):
        getattr(shells[shell](None), command)()
    return True


def _choices(verb: str, last: str, project: Path, of_runs: Collection[str]) -> list[str]:
    """What may stand where the cursor is, as whole words."""
    if verb == "run":
        key, _, _ = last.partition("=")
        return [f"{key}={name}" for name in (*names(project), LATEST)]
    if verb in of_runs:
        return [*names(project), LATEST]
    if verb == "fetch":
        return sorted(path.stem for path in (project / "datasets").glob("*.yaml"))
    if verb == "list":
        from harness.cli.holdings import KINDS

        return list(KINDS)
    return []


def without_verb(line: str) -> str:
    """A command line as Hydra expects it: the program, then the overrides.

    >>> without_verb("harness run conf=")
    'harness conf='
    """
    program, _, rest = line.lstrip().partition(" ")
    _, _, overrides = rest.lstrip().partition(" ")
    return f"{program} {overrides}"
