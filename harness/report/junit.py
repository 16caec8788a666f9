"""junit.xml: a test case a gate, for the systems that read nothing else.

FAIL is a failure, BLOCKED and INCONCLUSIVE are errors, OFF-CONDITION is skipped. A tolerated verdict keeps
its kind and says that it is tolerated: what was not measured is never green, the exit status decides.
"""

from __future__ import annotations

from xml.etree import ElementTree

from harness import wording
from harness.report.model import Gate, Report

KINDS = {"FAIL": "failure", "BLOCKED": "error", "INCONCLUSIVE": "error", "OFF-CONDITION": "skipped"}


def render(report: Report) -> str:
    """The whole document."""
    counts = dict(report.headline.counts)
    totals = {
        "tests": str(len(report.gates)),
        "failures": str(counts.get("FAIL", 0)),
        "errors": str(counts.get("BLOCKED", 0) + counts.get("INCONCLUSIVE", 0)),
        "skipped": str(counts.get("OFF-CONDITION", 0)),
    }
    root = ElementTree.Element("testsuites", {"name": "harness", **totals})
    suite = ElementTree.SubElement(
        root,
        "testsuite",
        {"name": report.phase, "timestamp": report.provenance.created.removesuffix(" UTC").replace(" ", "T"), **totals},
    )
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in (
        ("run", report.provenance.run),
        ("commit", report.provenance.commit),
        ("machine", report.machine_key),
        ("configuration", report.provenance.configuration_hash),
        ("tolerates", report.headline.tolerates),
        ("exit_status", str(report.headline.exit_status)),
    ):
        ElementTree.SubElement(properties, "property", {"name": name, "value": wording.clean(value)})
    for gate in report.gates:
        _case(suite, report.phase, gate)
    ElementTree.indent(root)
    return "<?xml version='1.0' encoding='utf-8'?>\n" + ElementTree.tostring(root, encoding="unicode") + "\n"


def _case(suite: ElementTree.Element, phase: str, gate: Gate) -> None:
    name = ".".join(part for part in (phase, gate.row) if part)
    case = ElementTree.SubElement(suite, "testcase", {"classname": name, "name": gate.key})
    kind = KINDS.get(gate.verdict)
    tolerated = "tolerated by the configuration; " if gate.tolerated else ""
    if kind:
        message = f"{tolerated}{gate.verdict}: {gate.reason}"
        told = ElementTree.SubElement(
            case, kind, {"message": message} if kind == "skipped" else {"message": message, "type": gate.verdict}
        )
        told.text = "\n".join(_lines(gate))
    ElementTree.SubElement(case, "system-out").text = "\n".join(_lines(gate))


def _lines(gate: Gate) -> list[str]:
    lines = [f"{gate.verdict}: {gate.title}", gate.reason]
    if gate.measured:
        lines.append(
            f"measured {gate.measured}"
            + (f" ({gate.interval})" if gate.interval else "")
            + (f", {gate.basis}" if gate.basis else "")
        )
    if gate.bound:
        lines.append(f"bound {gate.bound}")
    lines += [f"requires {name} {asked}, here: {found}" for name, asked, found in gate.conditions]
    if gate.next_step:
        lines.append(f"next: {gate.next_step}")
    return lines
