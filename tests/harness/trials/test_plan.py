"""The matrix of trials: complete, seeded, interleaved, with ids that say what was asked."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from harness.case import CaseInfo, PlayerInfo
from harness.config import CaseConfig, GateConfig, Limits, RunConfig
from harness.discover import Registry
from harness.errors import ConfigurationError, UnknownName
from harness.trials.plan import Trial, plan, trial_id

REGISTRY = Registry(
    cases={"s.c": CaseInfo(name="s.c", target="benchmarks.s:c", version=3, task="t", check="benchmarks.s:k")},
    players={name: PlayerInfo(name=name, task="t", engine=name) for name in "abc"}
    | {"x": PlayerInfo(name="x", task="other")},
)


def config(**changes: object) -> RunConfig:
    entry = CaseConfig(**{"case": "s.c", "params": {"n": [10, 20], "k": [1]}, "processes": 4, **changes})  # type: ignore[arg-type]
    return RunConfig(seed=5, cases={"c": entry})


def test_every_combination_once() -> None:
    """Each instance x player x process is there exactly once; slow players get fewer processes."""
    trials = plan(config(fewer={"c": 1}), REGISTRY, threads=2)
    counts = Counter((t.instance, t.player) for t in trials)
    assert counts == {(f"c[k=1,n={n}]", p): 1 if p == "c" else 4 for n in (10, 20) for p in "abc"}
    assert len({t.trial for t in trials}) == len(trials)
    assert {t.case_version for t in trials} == {3}


@given(st.integers(0, 1000))
def test_players_are_interleaved(seed: int) -> None:
    """Within an instance every round has each player once before any has its next process."""
    settings = config()
    settings.seed = seed
    for instance in ("c[k=1,n=10]", "c[k=1,n=20]"):
        rounds = [t.process for t in plan(settings, REGISTRY, threads=2) if t.instance == instance]
        assert rounds == sorted(rounds)


def test_the_order_is_random_but_repeats_with_its_seed() -> None:
    """Two plans of one seed are equal; another seed has another order; ids do not depend on order."""
    first, again = plan(config(), REGISTRY, threads=2), plan(config(), REGISTRY, threads=2)
    assert first == again
    orders = set()
    for seed in range(10):
        settings = config()
        settings.seed = seed
        orders.add(tuple(t.player for t in plan(settings, REGISTRY, threads=2)))
    assert len(orders) > 5


def test_ids_say_what_was_asked() -> None:
    """An id changes with every thing asked, and is the same in another process."""
    (base, *_) = plan(config(), REGISTRY, threads=2)
    values = base.to_dict()
    assert trial_id(values) == base.trial
    for name in set(values) - {"trial"}:
        changed = {**values, name: "other"}
        assert trial_id(changed) != base.trial, name
    code = f"from harness.trials.plan import trial_id; print(trial_id({values!r}))"
    root = str(Path(__file__).parents[3])
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert found.stdout.strip() == base.trial


def test_limits_and_threads_reach_the_trial() -> None:
    """GiB become bytes; threads 0 means those of the machine."""
    (trial, *_) = plan(config(limits=Limits(wall_s=7, memory_gib=2)), REGISTRY, threads=6)
    assert isinstance(trial, Trial)
    assert (dict(trial.limits), trial.threads) == ({"wall_s": 7, "memory_bytes": 2**31}, 6)
    (trial, *_) = plan(config(threads=1), REGISTRY, threads=6)
    assert trial.threads == 1


@pytest.mark.parametrize(
    ("params", "error", "words"),
    [
        (
            {"n": [1], "kk": [1]},
            UnknownName,
            r"no parameter of s\.c is named 'kk'\. Did you mean 'k'.*cases\.c\.params",
        ),
        ({"n": [1], "seed": [1]}, UnknownName, "'seed' comes from the run"),
        ({"k": [1]}, ConfigurationError, r"cases\.c\.params: s\.c needs n as well"),
    ],
)
def test_wrong_parameters(params: dict[str, list[int]], error: type[Exception], words: str) -> None:
    """A parameter that the case does not take, and one that it lacks, are refused before anything is measured."""
    info = replace(REGISTRY.case("s.c"), parameters=("n", "k"), required=("n",))
    known = replace(REGISTRY, cases={"s.c": info})
    assert plan(config(params={"n": [1]}), known, threads=2)
    with pytest.raises(error, match=words):
        plan(config(params=params), known, threads=2)


@pytest.mark.parametrize(
    ("gate", "words"),
    [
        ({"player": "aa"}, r"no player is named 'aa'\. Did you mean 'a'.*gates\.g\.player"),
        ({"player": "best_peer"}, "no player is named 'best_peer'"),
        ({"player": "a", "over": "nobody"}, r"gates\.g\.over names it"),
        ({"player": "a", "where": {"nn": 1}}, r"no parameter is named 'nn'\. Did you mean 'n'.*gates\.g\.where"),
    ],
)
def test_a_gate_that_nothing_could_judge(gate: dict[str, Any], words: str) -> None:
    """A wrong name in a gate is refused before anything is measured, unless the gate says itself that it is blocked."""
    settings = config()
    settings.gates = {"g": GateConfig(title="g", case="c", below=1, **gate)}
    with pytest.raises(UnknownName, match=words):
        plan(settings, REGISTRY, threads=2)
    settings.gates = {"g": GateConfig(title="g", case="c", below=1, blocked="nobody wrote it yet", **gate)}
    assert plan(settings, REGISTRY, threads=2)


def test_sound_gates_are_planned() -> None:
    """The best peer, and parameters of any case for a gate over all cases, are no wrong names."""
    settings = config()
    settings.gates = {
        "g": GateConfig(
            title="g", case="c", kind="ratio", player="a", over="best_peer", above=2, where={"n": [10, 20]}
        ),
        "all": GateConfig(title="all", kind="agreement", where={"k": 1}),
    }
    assert plan(settings, REGISTRY, threads=2)


def test_a_player_of_another_task() -> None:
    """It is refused, and those who answer are named."""
    with pytest.raises(ConfigurationError, match=r"answers 'other'.*Players that answer it: a, b, c"):
        plan(config(players=["x"]), REGISTRY, threads=2)
