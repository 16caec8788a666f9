"""``harness doctor``: what this machine is, how quiet it is now, and what it therefore cannot measure."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.cli.holdings import Holdings
from harness.errors import HarnessError
from harness.machine import environment, lock
from harness.machine.disturbance import interference, snapshot

LISTEN_S = 0.25
_BUSY, _STOLEN = 0.1, 0.02


def main(argv: Sequence[str], project: Path | None) -> int:
    """The verb ``doctor``. Returns 0: a finding is no failure; a run's verdicts are where it counts."""
    parser = argparse.ArgumentParser(prog="harness doctor", description="This machine, and what it cannot measure.")
    parser.add_argument("--json", action="store_true", help="machine-readable output")
    words = parser.parse_args(argv)
    found = examine(project)
    if words.json:
        print(json.dumps(found, indent=1, ensure_ascii=False))
        return 0
    from harness.cli.table import show

    show(f"machine {found['machine']['key']}", ["", ""], describe(found["machine"], found["now"]))
    versions = [[name, version] for name, version in found["machine"]["packages"].items()]
    show("packages", ["package", "version"], versions, empty="none of those that the players name")
    sets = [[row["name"], "yes" if row["present"] else "no", row["detail"]] for row in found["datasets"]]
    show("data", ["data set", "here", "where, or how to get it"], sets, empty="no data set is declared")
    for cause, title in (("machine", "what this machine cannot measure"), ("project", "what nothing can measure yet")):
        show(title, ["kind", "name", "why, and what helps"], _grouped(found["unmeasurable"], cause), empty="nothing")
    show("warnings", [""], [[text] for text in found["warnings"]], empty="none")
    return 0


def examine(project: Path | None) -> dict[str, Any]:
    """Everything that the doctor knows, as JSON values.

    Returns:
        ``machine`` (facts), ``now`` (what happened in a quarter of a second), ``datasets``, ``unmeasurable``
        (rows of kind, name, why, and whether the cause is this ``machine`` or the ``project``) and ``warnings``
        (sentences).
    """
    before = snapshot()
    facts = environment.facts(project)
    time.sleep(LISTEN_S)
    now = interference(before, snapshot(gpu=bool(facts["gpus"])))
    sets, unmeasurable, problems = _project_view(project, facts)
    return {
        "machine": facts,
        "now": now,
        "datasets": sets,
        "unmeasurable": unmeasurable,
        "warnings": [*problems, *warnings(facts, now, lock.holder())],
    }


def warnings(facts: Mapping[str, Any], now: Mapping[str, Any], holder: str = "") -> list[str]:
    """What would disturb a measurement here, each with the next step."""
    found = []
    cores, cpu = facts["cpu"]["cores"], facts["cpu"]
    busy = max(now.get("foreign_cpu") or 0.0, 0.0)
    slow = [
        name
        for name in str(facts["governor"]).split(", ")
        if name in ("powersave", "ondemand", "conservative", "schedutil")
    ]
    if slow:
        found.append(
            f"the frequency governor is {', '.join(slow)}: clocks change while a trial runs; as root: "
            "cpupower frequency-set -g performance"
        )
    if facts["load"] and facts["load"][0] > max(0.5, 0.25 * cores):
        found.append(
            f"the load is {facts['load'][0]:g} on {cores} core(s): something else has run in the last minute; "
            "wait, or stop it"
        )
    if busy > _BUSY:
        found.append(f"other processes used {busy:.0%} of the CPUs just now: stop them before a run is judged")
    if (now.get("steal") or 0.0) > _STOLEN:
        found.append(
            f"the hypervisor took {now['steal']:.0%} of the CPUs' time just now: this machine shares its cores, so "
            "times will vary"
        )
    if now.get("throttled"):
        found.append(f"the CPUs were throttled {now['throttled']} time(s) just now, by heat or by the cgroup's quota")
    if now.get("swapped"):
        found.append(f"{now['swapped']} pages moved to or from swap just now: memory is short")
    if facts["swap_bytes"]:
        found.append(
            f"{gib(facts['swap_bytes'])} of swap are on: a player near its memory limit would be slow instead of "
            "stopped; as root: swapoff -a"
        )
    if cpu["cores"] < cpu["logical"]:
        found.append(
            f"only {cpu['cores']} of {cpu['logical']} CPUs may be used (affinity or cgroup quota): the machine's key "
            "says so"
        )
    if facts["gpu_error"]:
        found.append(f"the GPU cannot be asked: {facts['gpu_error']}")
    if now.get("foreign_gpu"):
        found.append(f"other processes hold the GPU: {', '.join(now['foreign_gpu'])}; stop them before a run is judged")
    if holder:
        found.append(f"a run is timing on this machine now: {holder}; a second one waits or stops")
    return found


def describe(facts: Mapping[str, Any], now: Mapping[str, Any]) -> list[list[str]]:
    """The machine in words: rows of name and value."""
    cpu, group = facts["cpu"], facts["cgroup"]
    quota = f"{group['cpus']:g} CPUs" if group["cpus"] else "no CPU limit"
    memory = gib(group["memory_bytes"]) if group["memory_bytes"] else "no memory limit"
    gpus = [
        f"{gpu['name']}, {gib(gpu['memory_bytes'])}, compute capability {gpu['compute_capability'] or 'not known'}"
        for gpu in facts["gpus"]
    ]
    counts = f"{cpu['cores']} usable of {cpu['logical']} CPUs, {cpu['physical']} cores, {cpu['sockets']} socket(s)"
    rows = [
        ["CPU", f"{cpu['model']}: {', '.join([counts, str(cpu['numa_nodes']) + ' NUMA node(s)', *cpu['simd']])}"],
        ["memory", f"{gib(facts['memory_bytes'])}, swap {gib(facts['swap_bytes']) if facts['swap_bytes'] else 'off'}"],
        ["cgroup", f"version {group['version']}: {quota}, {memory}" if group["version"] else "none"],
        ["governor", facts["governor"] or "not shown by this kernel (usual in virtual machines)"],
        ["virtual", facts["virtualization"] or "no sign of it"],
        ["load", ", ".join(f"{value:g}" for value in facts["load"]) or "not known"],
        [
            "steal",
            "not known"
            if now["steal"] is None
            else f"{now['steal']:.1%} just now; other processes {now['foreign_cpu']:.0%}",
        ],
        *[["GPU", text] for text in gpus or [facts["gpu_error"] or "none (no nvidia-smi on PATH)"]],
        ["driver", facts["driver"] or "none"],
        ["CUDA", f"driver: {facts['cuda'] or 'none'}; compiler (nvcc): {facts['nvcc'] or 'none'}"],
        ["system", f"{facts['os']}, kernel {facts['kernel']}, {facts['libc']}"],
        ["Python", facts["python"]],
    ]
    return rows + [["variable", f"{name}={value}"] for name, value in facts["variables"].items()]


def gib(size: int | None) -> str:
    """Bytes as GiB with one decimal.

    >>> gib(3 * 2**29)
    '1.5 GiB'
    """
    return "not known" if size is None else f"{size / 2**30:.1f} GiB"


def _project_view(
    project: Path | None, facts: Mapping[str, Any]
) -> tuple[list[dict[str, Any]], list[dict[str, str]], list[str]]:
    """Data sets, what cannot be measured, and what is wrong with the project itself: that must not stop the doctor."""
    if project is None:
        return [], [], []
    holdings, sets, lacking, problems = Holdings(project, facts), [], [], []
    for kind in ("datasets", "players", "cases", "gates"):
        try:
            rows = getattr(holdings, kind)
        except (HarnessError, OSError) as error:
            problems.append(f"the project's {kind} cannot be listed: {error}")
            continue
        if kind == "datasets":
            sets = [
                {"name": row.name, "present": not row.why, "detail": row.why or row.about["folder"]} for row in rows
            ]
        else:
            lacking += [
                {
                    "kind": kind[:-1],
                    "name": row.name,
                    "why": row.why,
                    "cause": "project" if row.about.get("blocked") else "machine",
                }
                for row in rows
                if row.why
            ]
    return sets, lacking, problems


def _grouped(rows: Sequence[Mapping[str, str]], cause: str) -> list[list[str]]:
    """Rows of one cause, those with the same kind and reason as one."""
    groups: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        if row["cause"] == cause:
            groups.setdefault((row["kind"], row["why"]), []).append(row["name"])
    return [
        [
            kind if len(names) == 1 else f"{len(names)} {kind}s",
            names[0] if len(names) == 1 else f"{names[0]} ... {names[-1]}",
            why,
        ]
        for (kind, why), names in groups.items()
    ]
