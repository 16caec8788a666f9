"""The fastest candidate over each of the others by name: the best peer first, peers by time, other candidates last."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import fabricate
from harness import report
from harness.record import Record
from harness.report.summary import summarise

CHECK = {"oracle": "known counts", "detail": "", "exact": True}


def timed(player: str, time: float, *, count: int = 3, **changes: Any) -> list[Record]:
    """Processes 1 % apart."""
    return [
        fabricate.record(
            player=player, process=process, samples=[time * (1 + 0.01 * (process - count // 2))], **changes
        )
        for process in range(count)
    ]


def stopped(player: str, status: str, unfinished: float = 0.0) -> list[Record]:
    return [fabricate.record(player=player, status=status, samples=[], check={}, unfinished=unfinished)]


def sentence(folder: Path, records: list[Record]) -> str:
    (table,) = summarise(fabricate.run(folder, records), []).entries[0].tables
    return table.speedups


def test_over_each_by_name(tmp_path: Path) -> None:
    """One that was stopped bounds the speed from below; wrong answers, controls and the absent say nothing of it."""
    found = sentence(
        tmp_path / "run",
        [
            *timed("ours", 0.5, role="candidate"),
            *timed("on a GPU", 0.02, role="candidate", device="cuda"),
            *timed("slow", 20.0),
            *timed("quick", 10.0),
            *timed("single", 15.0, count=1),
            *timed("planted", 0.001, role="control"),
            *timed("odd one", 12.0, check={**CHECK, "ok": True, "answer": "e" * 64}),
            *timed("wrong", 0.01, role="candidate", check={**CHECK, "ok": False, "answer": "f" * 64}),
            *stopped("stopped", "timeout", 60.0),
            *stopped("absent", "unavailable"),
        ],
    )
    assert found.startswith("on a GPU is 500× (")
    assert found.endswith(" as ours.")
    told = found.removeprefix("on a GPU is ").replace(" as fast", "").removesuffix(".").split(", ")
    times, players = zip(*(each.split(" as ") for each in told), strict=True)
    assert players == ("quick (best peer)", "single", "slow", "stopped", "ours")
    assert [each.split("×")[0] for each in times[:3]] == ["500", "750", "1,000"]
    assert times[1] == "750×"
    assert times[3].startswith("≥ 2,9")
    assert times[4].startswith("25.0× (")


def test_nobody_to_compare(tmp_path: Path) -> None:
    assert sentence(tmp_path / "1", timed("ours", 0.5, role="candidate")) == ""
    assert sentence(tmp_path / "2", timed("peer", 0.5)) == ""
    wrong = timed("ours", 0.5, role="candidate", check={**CHECK, "ok": False, "answer": "f" * 64})
    assert sentence(tmp_path / "3", [*wrong, *timed("peer", 0.5)]) == ""


def test_it_is_printed(tmp_path: Path) -> None:
    run = fabricate.run(tmp_path / "run", [*timed("ours", 0.5, role="candidate"), *timed("peer", 1.0)])
    report.write(run, [])
    for name in ("table.md", "report.html"):
        assert "ours is 2.00× (" in (run.path / name).read_text()
