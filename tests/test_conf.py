"""Every configuration composes and makes sense, and no row of the requirements is without its gate."""

from __future__ import annotations

import functools
import re
from pathlib import Path

import pytest

from harness.cli.compose import compose
from harness.conditions import require_known
from harness.config import GateConfig, RunConfig, problems
from harness.discover import registry
from harness.trials.plan import plan

ROOT = Path(__file__).resolve().parent.parent
CONFIGURATIONS = sorted(path.stem for path in (ROOT / "conf" / "conf").glob("*.yaml"))
PHASES = ["phase1", "phase2", "phase3"]
ROWS = (
    [f"H{n}" for n in range(1, 7)]
    + [f"Q{n}" for n in range(1, 15)]
    + [f"T{n}" for n in range(1, 11)]
    + [f"D{n}" for n in range(9)]
)
COVERED_BY_TESTS = {
    "H6": "published tables and their history: test_publish.py and test_asv.py in tests/harness/report",
}
CONDITIONS = {"gpu": "A100 80GB", "cuda": "12.2"}


@functools.cache
def composed(name: str) -> RunConfig:
    return compose(ROOT, [f"conf={name}"])


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_a_configuration_composes(name: str) -> None:
    """It is typed, makes sense, has a phase and a title, and every gate of it is complete."""
    config = composed(name)
    assert problems(config) == []
    assert config.phase
    assert config.title
    assert config.gates
    for key, gate in config.gates.items():
        assert gate.title, f"gates.{key} makes no claim"
        assert not gate.title.endswith("."), f"gates.{key}: a title is printed in sentences of others"
        assert gate.row, f"gates.{key} belongs to no row"
        assert set(re.split(r",\s*", gate.row)) <= set(ROWS), f"gates.{key}: row {gate.row} does not exist"
        require_known(gate.requires)


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_a_configuration_can_be_planned(name: str) -> None:
    """Every case and player that it names is registered and answers the task."""
    config = composed(name)
    known = registry(ROOT, config.players)
    trials = plan(config, known, threads=2)
    assert {trial.entry for trial in trials} == set(config.cases)
    for key, gate in config.gates.items():
        if gate.blocked or not gate.case:
            continue
        for player in filter(None, (gate.player, gate.over)):
            entry = config.cases[gate.case]
            playing = entry.players or known.answering(known.case(entry.case).task)
            assert player == "best_peer" or player in playing, f"gates.{key}: {player!r} does not play {gate.case!r}"
        played = {trial.instance for trial in trials if trial.entry == gate.case and _has(gate, trial.params)}
        assert played, f"gates.{key}: no instance of {gate.case!r} has {gate.where}"


def test_every_row_has_a_gate() -> None:
    """All rows of the requirements, from today on; a row without a gate names the test that stands for it."""
    gates = [gate for name in CONFIGURATIONS for gate in composed(name).gates.values()]
    rows = {row for gate in gates for row in re.split(r",\s*", gate.row)}
    assert set(ROWS) - rows <= set(COVERED_BY_TESTS)


@pytest.mark.parametrize(("phase", "letter"), [("phase1", "Q"), ("phase2", "T"), ("phase3", "D")])
def test_a_phase_holds_its_rows(phase: str, letter: str) -> None:
    """Each phase's own configuration has a gate for each of its rows."""
    gates = composed(phase).gates.values()
    rows = {row for gate in gates for row in re.split(r",\s*", gate.row)}
    assert {row for row in ROWS if row.startswith(letter)} <= rows


def test_the_targets_are_those_of_the_requirements() -> None:
    """The bounds that the requirements give as numbers, literally, with their units."""
    gates = {key: gate for name in PHASES for key, gate in composed(name).gates.items()}
    found = {key: (gate.below, gate.above, gate.unit) for key, gate in gates.items()}
    wanted: dict[str, tuple[float | None, float | None, str]] = {
        "q2_sequence_length": (None, 8191, "tokens"),
        "q9_smoke": (300, None, "s"),
        "q13_usable": (0.1, None, "s"),
        "t1_million_20s": (20, None, "s"),
        "t2_chunk": (10, None, "ms"),
        "t4_diffusion": (100, None, "ms"),
        "t5_ratio": (None, 1000, "x"),
        "t6_hits": (None, 0.9, "share"),
        "t8_latency": (100, None, "ms"),
        "t8_gpu_utilisation": (None, 0.8, "share"),
        "t8_cache_hits": (None, 0.9, "share"),
        "d0": (None, 500, "x"),
        "d1_time": (0.5, None, "s"),
        "d3_overhead": (5, None, "us"),
        "d5_plausibility": (None, 0.8, "share"),
        "d7_time": (5, None, "ms"),
        "d8_million_1s": (1, None, "s"),
        "d8_sheaf_diffusion": (100, None, "ms"),
    }
    assert {key: found[key] for key in wanted} == wanted


def test_the_million_points_are_bound_to_their_conditions() -> None:
    """Speed-ups and times at 1M points are claimed on an A100 80GB with CUDA 12.2, or for any GPU in so many words."""
    for name in ("phase2", "phase3"):
        for key, gate in composed(name).gates.items():
            if gate.where.get("n") == 1000000 and gate.kind in ("ratio", "absolute") and gate.player.endswith("cuda"):
                at_hand = "on the GPU at hand" in gate.title
                assert gate.requires == ({"gpu": "any"} if at_hand else CONDITIONS), key
                assert gate.where == {"n": 1000000, "k": 20}, key
                assert gate.needs in (["t1_agree_1m", "t1_controls"], ["d0"]) or key.startswith("d0"), key


def test_phase_3_opens_on_d0_alone() -> None:
    """Every gate of phase 3 needs d0, and d0 needs right answers and the ratio over both GUDHI and a CPU's Ripser."""
    config = composed("phase3")
    gates = config.gates
    right = ["d0_agree", "d0_controls"]
    assert gates["d0"].needs == ["d0_over_cpu_ripser", *right]
    assert gates["d0_over_cpu_ripser"].needs == right
    assert [(gates[key].kind, gates[key].case) for key in right] == [("agreement", "torus_1m"), ("control", "controls")]
    assert config.cases["controls"].case == config.cases["torus_1m"].case
    assert all((gates[key].kind, gates[key].above) == ("ratio", 500) for key in ("d0", "d0_over_cpu_ripser"))
    assert all(gate.needs == ["d0"] for key, gate in gates.items() if not key.startswith("d0"))


def test_fidelity_is_judged_on_real_data() -> None:
    """A gate on biological recordings or on a model's quality cannot pass on made-up input."""
    phase1, phase3 = (composed(name).gates for name in ("phase1", "phase3"))
    for key in ("d5_plausibility", "d4_pci", "h4_small_world"):
        assert phase3[key].requires == {"provenance": "real"}, key
    for key in ("q1_state_evolution", "q3_parity_f16", "q3_parity_int8", "q3_parity_int4", "h3_quantisation_error"):
        assert phase1[key].requires == {"provenance": "real"}, key


def test_what_nothing_can_answer_says_so() -> None:
    """A blocked gate says in a sentence what is missing; its player is not there, or it would not be blocked."""
    known = registry(ROOT)
    for name in PHASES:
        for key, gate in composed(name).gates.items():
            if gate.blocked:
                assert len(gate.blocked.split()) > 5, key
                assert gate.player not in known.players or not gate.player, f"gates.{key} has a player; drop 'blocked'"


def test_smoke_can_pass_anywhere() -> None:
    """The smoke run has a gate on agreement and one on the controls, none that is blocked or bound to a machine."""
    config = composed("smoke")
    kinds = {gate.kind for gate in config.gates.values()}
    assert {"agreement", "control"} <= kinds
    assert not [key for key, gate in config.gates.items() if gate.blocked or gate.requires]
    assert all(entry.processes >= 3 for entry in config.cases.values())


def _has(gate: GateConfig, params: object) -> bool:
    assert isinstance(params, dict)
    return all(
        params.get(name) == value or (isinstance(value, list) and params.get(name) in value)
        for name, value in gate.where.items()
    )
