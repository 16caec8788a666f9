"""Whom a player is compared with: the peers of an instance, and which of them is the hardest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.judging.evidence import Instance, standing
from harness.judging.stats import geometric_mean

BEST = "best_peer"
RIVALS = ("peer", "baseline")


def rivals(over: str, player: str, one: Instance) -> list[str]:
    """The peer that a gate names under ``over``, or for ``best_peer`` all peers and baselines of the instance."""
    if over != BEST:
        return [over]
    return sorted(name for name, role in one.roles.items() if role in RIVALS and name != player)


def best_peer(one: Instance, times: Mapping[str, Sequence[float]]) -> str | None:
    """The peer or baseline with the least time whose answer stands: the lowest ratio of a gate over ``best_peer``.

    One that finished in some of its processes only is among them, as leaving it out would flatter the others.

    Args:
        times: player to the time of each process that finished (seconds).
    """
    able = [name for name in rivals(BEST, "", one) if times.get(name) and standing(one, name).state == "ok"]
    return min(able, key=lambda name: (geometric_mean(times[name]), name), default=None)
