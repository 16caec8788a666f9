"""What makes no sense is refused when a run is configured, with near misses where it is a name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from harness.case import Problem
from harness.config import RunConfig, located, typed
from harness.errors import ConfigurationError


def settings(*, case: dict[str, Any] | None = None, gate: dict[str, Any] | None = None, **run: Any) -> dict[str, Any]:
    """A sound configuration of one case and one gate, with changes."""
    return {
        "cases": {"torus": {"case": "s.torus", "params": {"n": [1, 2]}, **(case or {})}},
        "gates": {"g": {"title": "g", "case": "torus", "player": "a", "below": 1.0, **(gate or {})}},
        **run,
    }


def test_sound() -> None:
    """What the others change is sound before."""
    assert typed(settings()).cases["torus"].params == {"n": [1, 2]}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"progress": "plan"}, "progress 'plan' is not one of auto, rich, plain, none. Did you mean 'plain'"),
        ({"lock_wait_s": -1}, "lock_wait_s must be 0 or more seconds"),
        ({"lock_wait_s": float("nan")}, "lock_wait_s must be 0 or more seconds"),
        ({"case": {"threads": -1}}, "cases.torus: threads must be 0"),
        (
            {"case": {"limits": {"wall_s": float("inf")}}},
            "cases.torus.limits: wall_s must be a number above 0, found inf",
        ),
        ({"case": {"limits": {"wall_s": float("nan")}}}, "wall_s must be a number above 0, found nan"),
        ({"case": {"limits": {"memory_gib": 0}}}, "cases.torus.limits: memory_gib must be a number above 0, found 0"),
        ({"case": {"sampling": {"budget_s": -0.1}}}, "cases.torus.sampling: budget_s must be 0 or more"),
        ({"case": {"sampling": {"budget_s": float("inf")}}}, "budget_s must be 0 or more"),
        ({"case": {"sampling": {"max_warmup": -1}}}, "cases.torus.sampling: max_warmup must be 0 or more"),
        ({"case": {"players": ["a", "b", "a"]}}, "cases.torus.players: 'a' is named twice"),
        ({"case": {"params": {"n": [1, 2, 1]}}}, "cases.torus.params.n: 1 is there twice"),
        (
            {"case": {"players": ["gudhi"], "fewer": {"gudi": 1}}},
            "cases.torus.fewer: 'gudi' is not among its players. Did you mean 'gudhi'",
        ),
        ({"gate": {"case": "tors"}}, "case 'tors' is not under cases: torus. Did you mean 'torus'"),
        ({"gate": {"needs": ["gg"]}}, "needs 'gg', which is not under gates. Did you mean 'g'"),
        ({"gate": {"requires": {"provenance": "reel"}}}, "no provenance is named 'reel'. Did you mean 'real'"),
        ({"gate": {"requires": {"device": "cpu|gpu"}}}, "no device is named 'gpu'. Did you mean 'cpu'"),
        ({"title": "\\${oc.env:HOME}"}, "title: holds '${'"),
    ],
)
def test_what_makes_no_sense(changes: dict[str, Any], words: str) -> None:
    """One sentence that names the key and, for a name, what was probably meant."""
    with pytest.raises(ConfigurationError, match=re.escape(words)):
        typed(settings(**changes))


def test_numbers_that_look_alike_are_two_instances() -> None:
    """1 and 1.0 have different names as instances, so that neither is a duplicate of the other."""
    assert typed(settings(case={"params": {"n": [1, 1.0]}})).cases["torus"].params == {"n": [1, 1.0]}


def test_a_problem_says_where_it_is_from() -> None:
    """A provenance that no condition could name is an error of the case."""
    with pytest.raises(ValueError, match="one of real, derived, synthetic, not 'genuine'"):
        Problem(inputs={}, provenance="genuine")


def test_what_a_user_brings_is_looked_for_from_the_working_directory(tmp_path: Path) -> None:
    """Whole paths are kept, so the referee finds them from wherever it works; what is not there is named."""
    (tmp_path / "mine.onnx").touch()
    found = located(RunConfig(model="mine.onnx"), tmp_path)
    assert (found.model, found.recording) == (str(tmp_path / "mine.onnx"), None)
    assert located(found, Path("/")) == found
    with pytest.raises(ConfigurationError, match=r"recording=mine\.nwb: there is nothing at .*mine\.nwb"):
        located(RunConfig(recording="mine.nwb"), tmp_path)
