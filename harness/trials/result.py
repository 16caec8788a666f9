"""What a process left, told apart: a result, a limit, a signal, or an end without an answer."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.trials.process import Outcome
from harness.trials.worker import DIARY, PROTOCOL

if TYPE_CHECKING:
    from harness.trials.plan import Trial

LOG_CHARACTERS = 4000


def read_result(folder: Path, outcome: Outcome, trial: Trial, *, external: bool) -> dict[str, Any]:
    """What a process left, told apart: a result, a limit, a signal, or an end without an answer."""
    if outcome.how == "timeout":
        return {"status": "timeout", "reason": f"killed after {trial.limits['wall_s']:g} s", **_diary(folder)}
    if outcome.how == "memory":
        gib = trial.limits["memory_bytes"] / 2**30
        return {"status": "memory", "reason": f"killed at {outcome.peak / 2**30:.2f} GiB (limit {gib:g} GiB)"}
    if outcome.code != 0:
        return {"status": "crash", "reason": ending(outcome)}
    try:
        result = json.loads((folder / "result.json").read_text())
        return _external(result, outcome) if external else result
    except FileNotFoundError:
        return {"status": "error", "reason": "exited with status 0 but wrote no result.json"}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        return {"status": "error", "reason": f"wrote a result.json that does not follow the protocol: {error!r}"[:500]}


def _diary(folder: Path) -> dict[str, Any]:
    """What a killed worker had done: its set-up, and the calls that ended, which count as warm-up only."""
    try:
        setup, *calls = (float(line) for line in (folder / DIARY).read_text().splitlines())
    except (OSError, ValueError):
        return {}
    return {"setup": setup, "warmup": calls}


def ending(outcome: Outcome) -> str:
    """How a process ended, in words.

    >>> ending(Outcome(how="exit", code=-11, wall=1.0, log=""))
    'died by signal 11 (SIGSEGV)'
    """
    if outcome.how != "exit":
        return f"killed: {outcome.how}"
    if outcome.code < 0:
        try:
            name = f" ({signal.Signals(-outcome.code).name})"
        except ValueError:
            name = ""
        return f"died by signal {-outcome.code}{name}"
    return f"exited with status {outcome.code}"


def _external(result: dict[str, Any], outcome: Outcome) -> dict[str, Any]:
    """An external command's result: the whole process is the sample unless it reports its own."""
    if result.get("protocol") != PROTOCOL:
        raise ValueError(f"protocol {result.get('protocol')!r}, expected {PROTOCOL}")
    if result.get("status", "ok") != "ok":
        return {
            "status": "unavailable" if result["status"] == "unavailable" else "error",
            "reason": str(result.get("reason", "")),
        }
    samples = [float(value) for value in result.get("samples", ())]
    if any(not 0 <= value < float("inf") for value in samples):
        raise ValueError("samples must be seconds, finite and not negative")
    peak = result.get("peak_bytes")
    return {
        "status": "ok",
        "version": result.get("version", ""),
        "samples": samples or [outcome.wall],
        "clock": "player" if samples else "process",
        "cold": not samples,
        "stages": {str(k): [float(x) for x in v] for k, v in result.get("stages", {}).items()},
        "memory": {"host_peak": int(peak), "host_source": "reported", "device_peak": None} if peak else None,
        "answers": [dict(result["answer"])],
    }


def sampled_memory(outcome: Outcome | None) -> dict[str, Any]:
    """Peak memory as the harness saw it from outside, for a process that did not report its own."""
    if outcome is None:
        return {}
    return {"host_peak": outcome.peak or None, "host_source": "sampled", "device_peak": None}


def log_tail(outcome: Outcome) -> str:
    """The end of a process's output, and what else was noticed about it."""
    parts = []
    if outcome.flooded:
        parts.append(f"[{outcome.flooded} bytes of output before this were left out]\n")
    parts.append(outcome.log[-LOG_CHARACTERS:])
    if outcome.leftover:
        parts.append(f"\n[{outcome.leftover} process(es) outlived the player and were killed]")
    return "".join(parts)
