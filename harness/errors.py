"""Every error that the harness raises on purpose, in one small file.

::

    HarnessError                 exit status 1
    +-- ConfigurationError       a configuration that cannot be composed or does not make sense
    |   +-- UnknownName          a name that nothing answers to, with near misses
    +-- UsageError               exit status 2: a verb or an argument that does not exist
    +-- DataError                a data set that is missing, truncated or has the wrong hash
    |   +-- DataMissing          it is not on this machine
    +-- StoreError               a run folder that cannot be written or read
    |   +-- Taken                the folder of a new run exists already
    |   +-- SchemaError          a record of another schema, or not a record
    +-- Locked                   another run is timing on this machine
    +-- WorkerError              a helper process of the harness failed
    Unavailable                  raised by a player: it cannot answer this problem here, and why
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class HarnessError(Exception):
    """Base of all errors of the harness; the message names the thing, what was found, and the next step."""

    exit_status = 1


class ConfigurationError(HarnessError):
    """A configuration that cannot be composed, or that asks for something impossible."""


MOST_NAMES = 12
"""Of the known names, as many are listed in a message."""


def meant(name: str, known: Iterable[str]) -> str:
    """The question after a wrong name, with up to three near misses; empty if nothing is near.

    >>> meant("tors", ["torus", "cube"])
    " Did you mean 'torus'?"
    """
    near = difflib.get_close_matches(name, sorted(known), n=3, cutoff=0.5)
    return " Did you mean " + " or ".join(repr(match) for match in near) + "?" if near else ""


class UnknownName(ConfigurationError):
    """A case, player, gate, data set or run that does not exist; ``known`` has all names, the message some.

    >>> str(UnknownName("player", "riper", ["ripser", "gudhi"]))
    "no player is named 'riper'. Did you mean 'ripser'? Known: gudhi, ripser"
    """

    def __init__(self, kind: str, name: str, known: Iterable[str], *, hint: str = "") -> None:
        self.kind, self.name, self.known = kind, name, sorted(known)
        text = f"no {kind} is named {name!r}.{meant(name, self.known)}"
        shown = self.known[:MOST_NAMES]
        more = f" and {len(self.known) - len(shown)} more" if len(self.known) > len(shown) else ""
        text += f" Known: {', '.join(shown)}{more}" if shown else f" No {kind} is known here."
        super().__init__(f"{text.rstrip('.')}. {hint}" if hint else text)


class UsageError(HarnessError):
    """A verb or an argument that does not exist."""

    exit_status = 2


class DataError(HarnessError):
    """A data set that is missing, truncated, or whose bytes are not the declared ones."""


class DataMissing(DataError):
    """A data set that is not on this machine."""


class StoreError(HarnessError):
    """A run folder that cannot be written or read."""


class Taken(StoreError):
    """The folder that a run was to be made in exists already."""


class SchemaError(StoreError):
    """A line that is not a record of a schema that this version reads."""


class Locked(HarnessError):
    """Another run is timing on this machine; two at once would disturb each other."""


class WorkerError(HarnessError):
    """A helper process of the harness (not a player) failed."""


class Unavailable(Exception):
    """Raised by a player that cannot answer this problem on this machine; the message says why.

    It is no :class:`HarnessError`: the trial is recorded as ``unavailable`` and the run goes on.
    """
