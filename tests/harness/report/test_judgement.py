"""verdicts.json gives back what was judged, and ties it to the run."""

from __future__ import annotations

import json

from harness import report
from harness.store import Run
from harness.verdict import Verdict


def test_verdicts_come_back(full: tuple[Run, list[Verdict]]) -> None:
    """All fields of every verdict are there; infinity, which JSON lacks, is null."""
    run, verdicts = full
    report.write(run, verdicts)
    values = json.loads((run.path / "verdicts.json").read_text(), parse_constant=lambda name: 1 / 0)
    assert [one["gate"] for one in values["verdicts"]] == [verdict.gate for verdict in verdicts]
    assert values["verdicts"][0] == json.loads(json.dumps(verdicts[0].to_dict()))
    assert values["verdicts"][3]["value"] is None
    assert values["exit_status"] == 10
    assert values["head"] == run.records[-1].digest
    assert values["configuration"] == run.manifest["configuration"]
    assert values["tolerate"] == ["BLOCKED", "OFF-CONDITION"]
