"""What a process left, told apart: a result, a limit, a signal, or an end without an answer."""

from __future__ import annotations

import json
import math
import signal
from collections.abc import Mapping
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
        lasted = _unfinished(folder, outcome)
        return {"status": "timeout", "reason": f"killed after {trial.limits['wall_s']:g} s", "unfinished": lasted}
    peak = f"{outcome.peak / 2**30:.2f} GiB"
    if outcome.how == "memory":
        limit = f"{trial.limits['memory_bytes'] / 2**30:g} GiB"
        return {"status": "memory", "reason": f"killed at {peak} (limit {limit})"}
    if outcome.how == "machine":
        return {"status": "memory", "reason": f"killed at {peak}, since the machine had no more memory to give"}
    if outcome.code != 0:
        return {"status": "crash", "reason": ending(outcome)}
    try:
        result = json.loads((folder / "result.json").read_text())
        return _external(result, outcome) if external else result
    except FileNotFoundError:
        return {"status": "error", "reason": "exited with status 0 but wrote no result.json"}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        return {"status": "error", "reason": f"wrote a result.json that does not follow the protocol: {error!r}"[:500]}


def _unfinished(folder: Path, outcome: Outcome) -> float:
    """Seconds that the call had lasted that was going on when the process was stopped; 0 if none was."""
    try:
        began = float((folder / DIARY).read_text().splitlines()[-1])
    except (OSError, ValueError, IndexError):
        return 0.0
    return max(0.0, outcome.ended - began)


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
    if sum(samples) > outcome.wall:
        raise ValueError(f"samples of {sum(samples):g} s in all from a process that lived for {outcome.wall:g} s")
    stages = {str(name): [float(value) for value in values] for name, values in result.get("stages", {}).items()}
    if not all(math.isfinite(value) for values in stages.values() for value in values):
        raise ValueError("stages must be seconds, finite")
    peak = result.get("peak_bytes")
    return {
        "status": "ok",
        "version": result.get("version", ""),
        "samples": samples or [outcome.wall],
        "clock": "player" if samples else "process",
        "cold": not samples,
        "stages": stages,
        "memory": {"host_peak": int(peak), "host_source": "reported", "device_peak": None} if peak else None,
        "answers": [dict(result["answer"])],
    }


def peak_memory(reported: Mapping[str, Any] | None, outcome: Outcome | None) -> dict[str, Any]:
    """Peak memory of a process and its children, bytes.

    Its own report counts (a child's is exact and ends with the last call, before the answer is written), unless
    there is none, or the process had children and was seen to use more with them.
    """
    own = dict(reported or {"host_peak": None, "device_peak": None})
    seen = outcome.peak if outcome and (not reported or outcome.members > 1) else 0
    if seen > (own["host_peak"] or 0):
        own.update(host_peak=seen, host_source="sampled")
    return own if own["host_peak"] else {}


def worst_metrics(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """Of the metrics of two answers of one process, the worse value of each: a player is as good as its worst call.

    >>> worst_metrics({"error": {"value": 2.0, "direction": "lower"}}, {"error": {"value": 1.0, "direction": "lower"}})
    {'error': {'value': 2.0, 'direction': 'lower'}}
    """
    kept = {**before}
    for name, metric in now.items():
        sign = 1 if metric.get("direction") == "higher" else -1
        if name not in kept or sign * metric["value"] < sign * kept[name]["value"]:
            kept[name] = metric
    return kept


def log_tail(outcome: Outcome) -> str:
    """The end of a process's output, and what else was noticed about it."""
    parts = []
    if outcome.flooded:
        parts.append(f"[{outcome.flooded} bytes of output before this were left out]\n")
    parts.append(outcome.log[-LOG_CHARACTERS:])
    if outcome.leftover:
        parts.append(f"\n[{outcome.leftover} process(es) outlived the player and were killed]")
    return "".join(parts)
