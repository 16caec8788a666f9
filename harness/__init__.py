"""A batch benchmark and validation harness: a gate passes only on measured numbers with right answers."""

from harness.case import Check, Problem, case, player
from harness.errors import Unavailable

__all__ = ["Check", "Problem", "Unavailable", "case", "player"]
__version__ = "0.1.0"
