"""What a computation on a device takes: seconds and bytes of its stages, and what leaves the device."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tcs.persistence.compute.clock import Clock


class Tally:
    """Of one computation, which enters into it what it does.

    Attributes:
        clock: seconds by stage.
        moved: bytes by stage, those of the arrays that it takes and of those that it leaves, each once.
        fetched: bytes of each transfer to the host, in their order; the last one is that of the bars.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.moved: dict[str, int] = {}
        self.fetched: list[int] = []

    def enter(self, stage: str, *arrays: Any) -> None:
        """Arrays, or tuples that hold some, which a stage takes or leaves."""
        self.moved[stage] = self.moved.get(stage, 0) + sum(bytes_of(each) for each in arrays)


def bytes_of(found: Any) -> int:
    """Bytes of an array, or of all arrays in a tuple; nothing else has any."""
    if isinstance(found, tuple):
        return sum(bytes_of(each) for each in found)
    return int(getattr(found, "nbytes", 0))
