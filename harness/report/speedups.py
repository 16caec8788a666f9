"""How many times as fast the fastest candidate is as each of the others, in words."""

from __future__ import annotations

from collections.abc import Sequence

from harness import wording
from harness.judging.agreement import Agreement
from harness.report.rows import Side, ratio, state


def speedups(sides: Sequence[Side], best: Side | None, agreed: Agreement) -> str:
    """One sentence on an instance: over the peers by name, the best one first, then over other candidates.

    Of players whose answer stands, or who were stopped at their limit, by whose time the speed is bounded from below.
    Empty where there is no candidate whose answer stands, or nobody beside it.
    """
    right = [found for found in sides if found.role == "candidate" and found.centre and state(found, agreed) == "ok"]
    if not right:
        return ""
    ours = min(right, key=lambda found: found.centre or 0.0)
    over = []
    for found in sides:
        times = ratio(found, ours, state(found, agreed))
        if found is ours or times is None or times.value is None:
            continue
        interval = f" ({times.interval})" if times.interval else ""
        named = f"{wording.shorten(found.player, 80)}{' (best peer)' if found is best else ''}"
        over.append((found.role == "candidate", found is not best, times.value, f"{times.text}{interval} as {named}"))
    if not over:
        return ""
    words = [text for *_, text in sorted(over)]
    return f"{wording.shorten(ours.player, 80)} is {words[0].replace(' as ', ' as fast as ', 1)}{_rest(words[1:])}."


def _rest(words: Sequence[str]) -> str:
    return f", {', '.join(words)}" if words else ""
