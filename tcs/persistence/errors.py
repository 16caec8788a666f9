"""The tree of errors.

PersistenceError > InputError (also a ValueError), MemoryForecastError (also a MemoryError), FolderError (also an
OSError), WorkerError, DeviceError (also a RuntimeError). Beside it stands a warning, SlowWarning.
"""

from __future__ import annotations


class PersistenceError(Exception):
    """Something about a computation of persistent homology."""


class InputError(PersistenceError, ValueError):
    """The input cannot be what was meant; the message names the argument, what was found and the next step."""


class MemoryForecastError(PersistenceError, MemoryError):
    """The forecast of memory is above the limit, so the work was not begun."""


class FolderError(PersistenceError, OSError):
    """A folder of tiles cannot be used; the message says why, and how to go on."""


class WorkerError(PersistenceError):
    """A worker that had a tile to work on failed."""


class DeviceError(PersistenceError, RuntimeError):
    """There is no GPU for what was asked of one; the message says why."""


class SlowWarning(UserWarning):
    """The work will take long; the message says about how long, and what would make it shorter."""
