"""Verdicts ready to print, and the headline that the first screen gives them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness import wording
from harness.config import VERDICTS, GateConfig, RunConfig
from harness.judging.agreement import Agreement
from harness.report.model import Evidence, Gate, Headline
from harness.verdict import EXIT_STATUS, Verdict, exit_status

ORDER = ("FAIL", "INCONCLUSIVE", "PASS", "OFF-CONDITION", "BLOCKED")
WORDS = {
    "PASS": "passed",
    "FAIL": "failed",
    "BLOCKED": "blocked",
    "OFF-CONDITION": "off condition",
    "INCONCLUSIVE": "inconclusive",
}
MEANINGS = {
    "PASS": "the interval's bound clears the claim, and the answers are right",
    "FAIL": "the interval excludes the claim, or an answer is wrong",
    "BLOCKED": "something that the claim needs is not there yet; nothing was measured",
    "OFF-CONDITION": "this machine is not the one that the claim is about; a number, if any, is for orientation",
    "INCONCLUSIVE": "measured, but the interval does not decide",
}


def gates(verdicts: Sequence[Verdict], config: RunConfig, places: Mapping[str, tuple[str, str]]) -> tuple[Gate, ...]:
    """Verdicts as printable gates, those that were measured first.

    Args:
        places: trial id to the anchor of its records and to words for them.
    """
    made = [
        _gate(number, verdict, config.gates.get(verdict.gate), places)
        for number, verdict in enumerate(verdicts, start=1)
    ]
    return tuple(sorted(made, key=lambda gate: ORDER.index(gate.verdict)))


def headline(
    verdicts: Sequence[Verdict],
    printed: Sequence[Gate],
    config: RunConfig,
    *,
    agreed: Mapping[str, Agreement],
    progress: str,
    warnings: tuple[str, ...],
) -> Headline:
    """What the first screen says: the worst verdict that counts, and why."""
    status = exit_status(verdicts)
    counts = tuple((word, sum(one.verdict == word for one in verdicts)) for word in VERDICTS)
    counting = [gate for gate in printed if gate.verdict != "PASS" and not gate.tolerated]
    tolerated = [gate for gate in printed if gate.tolerated]
    passed = dict(counts)["PASS"]
    qualifier = ""
    if not printed:
        word, tone, causes = "NO VERDICT", "none", []
    elif counting:
        word = min((gate.verdict for gate in counting), key=EXIT_STATUS.__getitem__)
        tone, causes = word.lower(), [gate for gate in counting if gate.verdict == word]
    elif passed:
        word, tone, causes = "PASS", "pass" if not tolerated else "partial", tolerated
        qualifier = f"{len(tolerated)} tolerated" if tolerated else ""
    else:
        word = min((gate.verdict for gate in tolerated), key=EXIT_STATUS.__getitem__)
        tone, causes, qualifier = word.lower(), tolerated, "tolerated"
    return Headline(
        word=word,
        tone=tone,
        qualifier=qualifier,
        sentence=_sentence(dict(counts), len(verdicts)),
        exit_status=status,
        counts=tuple((word, number) for word, number in counts if number),
        causes=tuple(causes[:3]),
        more_causes=max(len(causes) - 3, 0),
        tolerates=_tolerates(config),
        answers=_answers(agreed),
        progress=progress,
        warnings=warnings,
    )


def _gate(number: int, verdict: Verdict, config: GateConfig | None, places: Mapping[str, tuple[str, str]]) -> Gate:
    unit = "×" if verdict.kind == "ratio" and verdict.unit in ("", "s", "x") else verdict.unit
    relation = {">=": "≥ ", "<=": "≤ ", ">": "> ", "<": "< "}.get(verdict.relation, "")
    measured = interval = ""
    if verdict.value is not None:
        measured = relation + wording.amount(verdict.value, unit)
        if verdict.low is not None and verdict.high is not None and not relation:
            interval = f"{verdict.confidence * 100:g} %: {wording.span(verdict.low, verdict.high, unit)}"
    basis = wording.count(verdict.processes, "process", "processes") if verdict.processes else ""
    return Gate(
        key=wording.clean(verdict.gate),
        anchor=f"gate-{number}",
        title=wording.clean(verdict.title or verdict.gate),
        row=wording.clean(verdict.row),
        kind=verdict.kind,
        verdict=verdict.verdict,
        tolerated=verdict.tolerated,
        measured=measured,
        interval=interval,
        bound=_bound(verdict, config, unit),
        basis=basis,
        conditions=tuple(
            (wording.clean(name), wording.clean(asked), wording.clean(verdict.found.get(name, "not looked at")))
            for name, asked in verdict.required.items()
        ),
        reason=wording.clean(verdict.reason),
        next_step=wording.clean(verdict.next_step),
        evidence=_evidence(verdict, places),
    )


def _bound(verdict: Verdict, config: GateConfig | None, unit: str) -> str:
    limits = dict(verdict.bound)
    if not limits and config is not None:
        limits = {
            name: value for name, value in (("below", config.below), ("above", config.above)) if value is not None
        }
    return ", ".join(
        f"{'<' if name == 'below' else '>'} {wording.bound(value, unit)}" for name, value in limits.items()
    )


def _evidence(verdict: Verdict, places: Mapping[str, tuple[str, str]]) -> tuple[Evidence, ...]:
    gathered: dict[str, tuple[str, int]] = {}
    for trial in verdict.evidence:
        if trial in places:
            anchor, text = places[trial]
            gathered[anchor] = (text, gathered.get(anchor, (text, 0))[1] + 1)
    return tuple(Evidence(text=f"{text} ({number})", anchor=anchor) for anchor, (text, number) in gathered.items())


def _sentence(counts: Mapping[str, int], total: int) -> str:
    if not total:
        return "This configuration holds no gate, so nothing was judged."
    if counts["PASS"] == total:
        return "The only gate passed." if total == 1 else f"All {total} gates passed."
    said = [
        f"{counts[word]} {WORDS[word]}"
        for word in ("FAIL", "INCONCLUSIVE", "OFF-CONDITION", "BLOCKED", "PASS")
        if counts[word]
    ]
    return f"Of {wording.count(total, 'gate')}, {wording.join(said)}."


def _tolerates(config: RunConfig) -> str:
    parts = [wording.join(config.tolerate)] if config.tolerate else []
    parts += [f"{wording.join(gate.tolerate)} of {name}" for name, gate in config.gates.items() if gate.tolerate]
    if not parts:
        return "This configuration tolerates nothing: every verdict but PASS shows in the exit status."
    return f"This configuration tolerates {'; '.join(parts)}: such a verdict leaves the exit status alone."


def _answers(agreed: Mapping[str, Agreement]) -> str:
    found = list(agreed.values())
    if not found:
        return "No answer was given."
    confirmed = sum(one.consensus is not None for one in found)
    parts = [f"{confirmed} of {wording.count(len(found), 'instance')} with an answer that independent engines confirm"]
    if tolerated := sum(one.tolerated for one in found):
        parts.append(f"{tolerated} with one that is right within the tolerance of an oracle")
    if disputed := sum(one.disputed for one in found):
        parts.append(f"{disputed} disputed")
    if wrong := sum(len(one.wrong) for one in found):
        parts.append(wording.count(wrong, "wrong answer"))
    caught, missed = sum(len(one.controls_caught) for one in found), sum(len(one.controls_missed) for one in found)
    if caught + missed:
        parts.append(f"planted wrong answers caught: {caught} of {caught + missed}")
    else:
        parts.append("no planted wrong answer took part")
    return "; ".join(parts) + "."
