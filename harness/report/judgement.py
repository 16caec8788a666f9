"""verdicts.json: the verdicts for programs, with what ties them to their run."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from harness import wording
from harness.store import Run
from harness.verdict import Verdict, exit_status

SCHEMA = 1


def render(run: Run, verdicts: Sequence[Verdict]) -> str:
    """The whole document; a number that JSON does not know becomes null."""
    values = {
        "schema": SCHEMA,
        "run": run.manifest.get("run", ""),
        "phase": run.config.phase,
        "created": run.manifest.get("created", ""),
        "finished": run.manifest.get("finished"),
        "environment": run.environment.get("key", ""),
        "git": run.manifest.get("git", {}),
        "configuration": run.manifest.get("configuration", ""),
        "records": len(run.records),
        "head": run.records[-1].digest if run.records else "",
        "tolerate": list(run.config.tolerate),
        "exit_status": exit_status(verdicts),
        "verdicts": [verdict.to_dict() for verdict in verdicts],
    }
    return json.dumps(_plain(values), indent=1, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {wording.clean(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value
