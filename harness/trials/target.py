"""Load ``"module:attribute"`` from a project, and from that project only."""

from __future__ import annotations

import importlib
import sys
import types
from pathlib import Path
from typing import Any


def load(target: str, project: str | Path) -> Any:
    """The attribute that a target names.

    ``benchmarks`` is bound to the project's own folder first: where another checkout with a folder of that
    name is on the path (an editable install of this one, say), the import system might take that instead.

    Raises:
        ImportError, AttributeError: as Python says them.
    """
    project = str(project)
    if project not in sys.path:
        sys.path.insert(0, project)
    if "benchmarks" not in sys.modules:
        package = types.ModuleType("benchmarks")
        package.__path__ = [str(Path(project) / "benchmarks")]
        sys.modules["benchmarks"] = package
    module, _, attribute = target.partition(":")
    return getattr(importlib.import_module(module), attribute)
