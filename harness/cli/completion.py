"""Tab completion: verbs and run names by us, the keys and choices of a configuration by Hydra."""

from __future__ import annotations

import os
from collections.abc import Sequence

OF_RUNS = ("report", "verify", "compare", "publish", "asv")


def complete(words: Sequence[str]) -> int:
    """Answer what a shell's completion function asks: ``harness -sc query=bash`` with COMP_LINE set."""
    from harness.cli.verbs import VERBS, dispatch

    line = os.environ.get("COMP_LINE", "")
    typed = line.split()
    if len(typed) < 2 or (len(typed) == 2 and not line.endswith(" ")):
        print(" ".join(sorted(VERBS)))
        return 0
    verb = typed[1]
    if verb == "run":
        os.environ["COMP_LINE"] = without_verb(line)
        return dispatch(["run", *words])
    if verb in OF_RUNS:
        from harness.cli.runs import LATEST, names
        from harness.project import find

        print(" ".join([*names(find()), LATEST]))
    return 0


def without_verb(line: str) -> str:
    """A command line as Hydra expects it: the program, then the overrides.

    >>> without_verb("harness run conf=")
    'harness conf='
    """
    program, _, rest = line.lstrip().partition(" ")
    _, _, overrides = rest.lstrip().partition(" ")
    return f"{program} {overrides}"
