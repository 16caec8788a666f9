"""A peer's package, or the reason why it is not here."""

from __future__ import annotations

import importlib
from types import ModuleType

from harness.errors import Unavailable


def need(module: str, install: str) -> ModuleType:
    """Import a peer's module.

    Raises:
        Unavailable: it is not installed, or it does not load; the message says what to do.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise Unavailable(f"{error}; {install}") from None
    except (ImportError, OSError) as error:
        raise Unavailable(f"{module} is installed but does not load: {error}; {install}") from None
