"""A made-up run with something of everything: sweeps, statuses, controls, a dispute, hostile text, every verdict."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import fabricate
from harness.config import GateConfig
from harness.record import Record
from harness.store import Run
from harness.verdict import Verdict

HOSTILE = "<script>alert(1)</script>|`x`$_^$"
LOG = "]]></pre><script>alert(2)</script>\x00\x08\x1b[31mred\x1b[0m\ud800\u202egnp\n"
RIGHT, OTHER = "a" * 64, "e" * 64
BAD = {
    "timeout": "killed after 60 s",
    "memory": "killed at 4.01 GiB (limit 4 GiB)",
    "crash": "killed by signal 11",
    "error": "ValueError: no such thing",
    "unavailable": "needs a GPU, and there is none",
}


def check(answer: str = RIGHT, **changes: Any) -> dict[str, Any]:
    return {"oracle": "known counts", "ok": True, "detail": "", "exact": True, "answer": answer, **changes}


def finished(player: str, seconds: float, *, count: int = 3, **changes: Any) -> list[Record]:
    """Processes that finished, 1 % apart."""
    times = [seconds * (1 + 0.01 * (process - 1)) for process in range(count)]
    return [
        fabricate.record(player=player, process=process, samples=[time, time * 1.01], **changes)
        for process, time in enumerate(times)
    ]


def stopped(player: str, status: str, **changes: Any) -> Record:
    """One process that did not finish."""
    nothing: dict[str, Any] = {"samples": [], "cpu": [], "stages": {}, "check": {}, "memory": {}, "interference": {}}
    return fabricate.record(player=player, status=status, reason=BAD[status], **{**nothing, **changes})


def everything() -> list[Record]:
    """Records of every status, over two sizes, with a control, a wrong answer and a disturbed process."""
    records = []
    for n in (1000, 10_000):
        at: dict[str, Any] = {"params": {"k": 20, "n": n}}
        records += finished("ours", n * 1e-6, role="candidate", **at)
        records += finished("ripser.py", n * 1e-5, **at)
        records += finished("gudhi", n * 2e-5, **at)
        records += finished("odd one", n * 3e-5, check=check(OTHER), **at)
        records += finished("single", n * 4e-5, count=1, **at)
        records += [stopped(f"peer with {status}", status, **at) for status in BAD if status != "timeout"]
        records += [stopped("peer with timeout", "timeout", unfinished=59.2, **at)]
        wrong = check(ok=False, detail="159 essential bars, not 160", answer="f" * 64)
        records += [fabricate.record(player="wrong", status="wrong_answer", check=wrong, **at)]
        records += [fabricate.record(player="planted", role="control", status="wrong_answer", check=wrong, **at)]
    near = check(exact=False, distance=0.003, tolerance=0.01)
    noise = {
        "load": 3.0,
        "steal": 0.2,
        "foreign_cpu": 0.4,
        "throttled": 2,
        "swapped": 1,
        "foreign_gpu": ["python (process 7)"],
    }
    records += finished("near", 0.1, entry="approximate", params={}, check=near, interference=noise)
    evil: dict[str, Any] = {"entry": "evil", "params": {"n": 1}, "log": LOG}
    records += [stopped(HOSTILE, "error", **evil)]
    records += finished("_underscore", 0.5, entry="evil", params={"n": 1}, check=check(OTHER))
    records += finished("$x^2$", 0.5, entry="evil", params={"n": 1}, check=check(RIGHT), engine=HOSTILE)
    return records


def every_verdict(records: list[Record]) -> list[Verdict]:
    """One verdict of each kind, some tolerated, with evidence and hostile words."""
    evidence = tuple(record.trial for record in records if record.player in ("ours", "ripser.py"))
    common: dict[str, Any] = {"row": "T1", "processes": 3, "evidence": evidence}
    ratio: dict[str, Any] = {**common, "kind": "ratio", "unit": "x", "bound": {"above": 5.0}}
    ten: dict[str, Any] = {**ratio, "value": 10.0, "low": 9.0, "high": 11.0}
    a100 = {"required": {"gpu": "A100 80GB"}, "found": {"gpu": "none"}, "kind": "absolute", "unit": "s", "value": 1.0}
    return [
        Verdict(gate="fast", title="Fast", verdict="PASS", reason="10 is above 5.", **ten),
        Verdict(gate="faster", title="Faster", verdict="FAIL", reason="10 is below 50.", next_step="Be fast.", **ten),
        Verdict(gate="censored", title="Twenty", verdict="PASS", reason="stopped", value=38.0, relation=">=", **ratio),
        Verdict(gate="straddles", title="Ten", verdict="INCONCLUSIVE", reason="straddles", value=float("inf"), **ratio),
        Verdict(gate="a100", title="A", verdict="OFF-CONDITION", reason="no GPU", tolerated=True, **{**common, **a100}),
        Verdict(
            gate="none",
            title=HOSTILE,
            verdict="BLOCKED",
            reason=LOG,
            next_step=LOG,
            tolerated=True,
            row="T2",
            kind="absolute",
        ),
    ]


@pytest.fixture
def full(tmp_path: Path) -> tuple[Run, list[Verdict]]:
    """A run with something of everything, and its verdicts."""
    records = everything()
    gates = {"none": GateConfig(title="none", blocked="nobody yet", below=1.0)}
    run = fabricate.run(tmp_path / "run", records, gates=gates, title=HOSTILE, tolerate=["BLOCKED", "OFF-CONDITION"])
    return run, every_verdict(records)


@pytest.fixture
def empty(tmp_path: Path) -> Run:
    """A run that measured nothing."""
    return fabricate.run(tmp_path / "empty", [])
