"""The gate on the harness itself: identical players compared, and how often that raises a false alarm."""

from __future__ import annotations

from dataclasses import dataclass

from harness.config import GateConfig
from harness.judging.absolute import no_instance
from harness.judging.evidence import Evidence, Instance, standing
from harness.judging.outcome import LEAST_PROCESSES, Outcome, blocked, trials
from harness.judging.quantity import NoQuantity, quantity
from harness.judging.stats import Interval, clopper_pearson, welch_log_ratio
from harness.wording import number


def calibration(gate: GateConfig, evidence: Evidence) -> Outcome:
    """A/A: two identical players; the share of their ratio's intervals that exclude 1 is the false-alarm rate.

    In the long run that share is 1 - confidence, if the intervals are what they claim to be. So the gate FAILs
    only where an exact interval of the share lies above that, and PASSes where it lies below its own bound.
    """
    if not gate.player or not gate.over:
        return blocked("a calibration needs two identical players, under 'player' and 'over'", "Name both.")
    instances = evidence.instances(gate)
    if not instances:
        return no_instance(gate, evidence)
    pairs = [_pair(gate, one) for one in instances]
    found = [pair for pair in pairs if pair.ratio is not None]
    left = [pair.why for pair in pairs if pair.ratio is None]
    if not found:
        text = f"{gate.player} and {gate.over} cannot be compared anywhere: {left[0]}"
        return blocked(text, "Let both finish on some instance.")
    alarms = sum(pair.ratio is not None and not pair.ratio.low <= 1 <= pair.ratio.high for pair in found)
    rate = clopper_pearson(alarms, len(found), gate.confidence)
    verdict, step = _weigh(gate, rate)
    text = (
        f"{alarms} of {len(found)} comparisons of {gate.player} with the identical {gate.over} raised a false alarm: "
        f"{number(rate.value)} ({gate.confidence * 100:g} % interval {number(rate.low)} to {number(rate.high)}), "
        f"where {number(1 - gate.confidence)} is what the intervals promise"
    )
    return Outcome(
        verdict=verdict,
        reason=f"{text}; {len(left)} more could not be compared: {left[0]}" if left else text,
        next_step=step,
        value=rate.value,
        low=rate.low,
        high=rate.high,
        processes=min(pair.ratio.n for pair in found if pair.ratio is not None),
        evidence=tuple(trial for pair in found for trial in pair.evidence),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    """One comparison; without a ratio ``why`` says what was missing."""

    ratio: Interval | None = None
    evidence: tuple[str, ...] = ()
    why: str = ""


def _pair(gate: GateConfig, one: Instance) -> _Pair:
    sides = []
    for name in (gate.over, gate.player):
        stands = standing(one, name)
        if stands.state != "ok":
            return _Pair(why=f"{name} {stands.why} on {one.instance}")
        if len(stands.records) < LEAST_PROCESSES:
            return _Pair(why=f"{name} has fewer than {LEAST_PROCESSES} processes on {one.instance}")
        sides.append(stands.records)
    try:
        over, ours = ([quantity(record, gate.metric, gate.statistic, "s") for record in side] for side in sides)
        ratio = welch_log_ratio(over, ours, gate.confidence)
    except (NoQuantity, ValueError) as error:
        return _Pair(why=f"{error} ({one.instance})")
    return _Pair(ratio=ratio, evidence=trials(*sides))


def _weigh(gate: GateConfig, rate: Interval) -> tuple[str, str]:
    if rate.low > 1 - gate.confidence:
        step = "Do not trust this machine's verdicts: look for interference with 'harness doctor', use more processes."
        return "FAIL", step
    if gate.below is not None and rate.high < gate.below:
        return "PASS", ""
    return "INCONCLUSIVE", f"Compare on more instances than {rate.n}."
