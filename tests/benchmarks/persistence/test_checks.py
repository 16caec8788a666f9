"""The checks accept right answers in any order and form, and catch every planted wrong one."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np
import pytest

from benchmarks.persistence import cases, checks, oracle, workloads
from benchmarks.persistence.barcode import as_answer, canonical, counts
from harness.case import Problem
from playing import CONTROLS, KNOWN, answer


def _right(problem: Problem) -> dict[str, Any]:
    inputs = problem.inputs
    return as_answer(oracle.rips(inputs["points"], inputs["threshold"], inputs["max_dimension"]))


def _check(problem: Problem, found: dict[str, Any]) -> Any:
    return checks.rips(problem.inputs, problem.known, found)


TINY = cases.tiny(n=20, max_dimension=1)


def test_a_right_answer_passes_in_any_order_and_precision() -> None:
    """Shuffled rows, zero-length bars and float32 give the same canonical form."""
    right = _right(TINY)
    plain = _check(TINY, right)
    assert plain.ok, plain.detail
    assert plain.exact
    assert plain.distance == plain.tolerance == 0
    rng = np.random.default_rng(0)
    other = {name: rng.permutation(np.vstack([rows, [[0.3, 0.3]]]) if name == "bars_1" else rows).astype(np.float32)
             for name, rows in right.items()}  # fmt: skip
    again = _check(TINY, other)
    assert again.ok, again.detail
    assert all(again.canonical[name].tobytes() == plain.canonical[name].tobytes() for name in plain.canonical)


@pytest.mark.parametrize("control", CONTROLS)
def test_every_control_is_caught(control: str) -> None:
    """On points where the counts are known and on points that the textbook judges."""
    for problem in (cases.torus(n=10_000, k=20), TINY):
        found = _check(problem, dict(answer(control, problem)))
        assert not found.ok
        assert found.detail
        assert found.canonical, "a wrong answer is kept, so that agreement and pictures can show it"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda a: a.pop("bars_1"), "bars_1 is missing; the answer holds bars_0"),
        (lambda a: a.update(bars_1=np.zeros((2, 3))), r"bars_1 has shape \(2, 3\)"),
        (lambda a: a.update(bars_1=np.array([["a", "b"]])), "bars_1 has shape"),
        (lambda a: a.update(bars_1=np.array([[np.nan, 1.0]])), "is NaN"),
        (lambda a: a.update(bars_1=np.array([[0.4, 0.3]])), "dies before it is born"),
        (lambda a: a.update(bars_1=np.array([[-np.inf, 0.3]])), "has no finite birth"),
        (lambda a: a.update(bars_1=np.array([[0.3, 0.9]])), "lies beyond the threshold 0.5"),
        (lambda a: a.update(bars_1=np.array([[0.31, 0.32]])), "no float32 length of an edge"),
        (lambda a: a.update(bars_0=a["bars_0"][:-1]), "H0: "),
        (lambda a: a.update(bars_0=a["bars_0"][1:]), "H0: 18 finite bars of positive length"),
        (lambda a: a.update(bars_0=a["bars_0"] + [[0.001, 0]]), "H0: .* not born at 0"),
    ],
)
def test_a_broken_answer_is_wrong_and_says_how(change: Any, says: str) -> None:
    """Missing and malformed parts are wrong answers, not errors of the check."""
    import re

    broken = _right(TINY)
    change(broken)
    found = _check(TINY, broken)
    assert not found.ok
    assert re.search(says, found.detail), found.detail


def test_the_forest_is_checked_even_if_nobody_computed_its_digest() -> None:
    """A problem without `known`, say one of a user's own, is held against the forest all the same."""
    inputs = TINY.inputs
    right = _right(TINY)
    assert checks.rips(inputs, {}, right).ok
    right["bars_0"][0, 1] = np.nextafter(np.float32(right["bars_0"][0, 1]), np.float32(1))
    assert "spanning forest" in checks.rips(inputs, {}, right).detail


def test_the_oracle_says_what_too_many_points_leave_unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Above LISTED_POINTS no edge is listed: a shifted bar of H1 passes, and the oracle's text says why."""
    right = _right(TINY)
    assert "lengths of edges, textbook reduction" in _check(TINY, right).oracle
    monkeypatch.setattr(checks, "LISTED_POINTS", 10)
    monkeypatch.setattr(checks, "ORACLE_SIMPLICES", 0)
    shifted = {**right, "bars_1": right["bars_1"] * [[1 + 1e-4, 1 - 1e-4]]}
    for known, says in (
        (TINY.known, "; H1 unchecked; its bars rest on agreement"),
        ({**TINY.known, "finite": {"1": 1}, "essential": {"1": 1}},
         ", known counts; H1 checked by counts; its bars rest on agreement"),
    ):  # fmt: skip
        found = checks.rips(TINY.inputs, known, shifted)
        assert found.ok, found.detail
        assert found.oracle.endswith(says)
        assert "lengths of edges" not in found.oracle
    low = checks.rips({**TINY.inputs, "max_dimension": 0}, TINY.known, right)
    assert "agreement" not in low.oracle, "H0 is always checked in full"


def test_known_counts_are_compared() -> None:
    """Essential classes of H1 that contradict the known Betti number."""
    problem = Problem(inputs=TINY.inputs, known={**TINY.known, "essential": {"1": 99}})
    assert "essential bars instead of 99" in _check(problem, _right(TINY)).detail


def test_what_is_known_is_json_and_digests_do_not_depend_on_the_machine() -> None:
    """`known` travels as JSON; a canonical answer's digest is that of its little-endian float32 bytes."""
    json.dumps(dict(TINY.known), allow_nan=False)
    rows = canonical(_right(TINY), 1)["bars_0"]
    assert TINY.known["forest"]["sha256"] == hashlib.sha256(
        f"({len(rows) - 1},)".encode() + rows[:-1, 1].astype("<f4").tobytes()
    ).hexdigest()  # fmt: skip


def test_negative_zero_is_zero() -> None:
    """An engine that is born at -0.0 has the same digest."""
    minus = canonical({"bars_0": np.array([[-0.0, 1.0]])}, 0)["bars_0"]
    assert minus.tobytes() == canonical({"bars_0": np.array([[0.0, 1.0]])}, 0)["bars_0"].tobytes()


@pytest.mark.parametrize("make", [cases.alpha_square, cases.alpha_cube, cases.alpha_torus])
def test_alpha_agrees_with_the_second_triangulation(make: Any) -> None:
    """GUDHI's squared radii to 1e-9, and its radii are caught."""
    problem = make(n=300)
    found = checks.alpha(problem.inputs, problem.known, answer("GUDHI AlphaComplex", problem))
    assert found.ok, found.detail
    assert found.distance is not None
    assert found.distance < 1e-9
    assert not found.exact
    wrong = checks.alpha(problem.inputs, problem.known, answer("control radii", problem))
    assert not wrong.ok
    assert "squared radii" in wrong.detail


def test_alpha_catches_a_lost_bar_and_a_missing_dimension() -> None:
    """Counts differ in the top dimension; H2 of a cloud in space must be there."""
    problem = cases.alpha_cube(n=100)
    found = dict(answer("GUDHI AlphaComplex", problem))
    lost = {**found, "bars_2": found["bars_2"][np.ptp(found["bars_2"], axis=1).argsort()[:-1]]}
    assert "births in H2 instead of" in checks.alpha(problem.inputs, {}, lost).detail
    assert checks.alpha(problem.inputs, {}, lost).distance is None, "what has no partner is at no distance"
    found.pop("bars_2")
    assert "bars_2 is missing" in checks.alpha(problem.inputs, {}, found).detail


@pytest.mark.parametrize(("column", "value"), [(1, np.inf), (1, 1e30)])
def test_alpha_has_a_finite_distance_or_none(column: int, value: float) -> None:
    """A top bar without end, or an absurdly late one, is wrong, and its distance still fits into JSON."""
    problem = cases.alpha_square(n=100)
    found = {name: np.array(rows) for name, rows in answer("GUDHI AlphaComplex", problem).items()}
    found["bars_1"][np.ptp(found["bars_1"], axis=1).argmax(), column] = value
    wrong = checks.alpha(problem.inputs, problem.known, found)
    assert not wrong.ok
    assert wrong.distance is None or np.isfinite(wrong.distance)
    json.dumps(wrong.distance, allow_nan=False)


def test_the_alpha_reference_of_an_equilateral_triangle() -> None:
    """H1 from the squared half side to the squared circumradius; H0 dies at squared half sides."""
    from benchmarks.persistence.alpha import circumscribed, reference

    points = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, np.sqrt(0.75)]])
    deaths, loops = reference(points)
    np.testing.assert_allclose(deaths, [0.25, 0.25])
    np.testing.assert_allclose(loops, [[0.25, 1 / 3]])
    centre, square = circumscribed(np.array([[[0.0, 0, 0], [2, 0, 0]]]))
    assert centre.tolist() == [[1, 0, 0]]
    assert square.tolist() == [1]


@pytest.mark.parametrize("player", ["GUDHI CubicalComplex", "oineus cubes"])
@pytest.mark.parametrize("make", [lambda: cases.image(side=24), lambda: cases.volume(side=9)])
def test_cubical_players_are_exact(player: str, make: Any) -> None:
    """H0 and the top homology equal the union-find, in the plane and in space."""
    problem = make()
    found = checks.cubical(problem.inputs, problem.known, answer(player, problem))
    assert found.ok, found.detail


def test_the_other_cubical_complex_is_caught() -> None:
    """Values on the top cells answer another question."""
    for problem in (cases.image(side=24), cases.volume(side=9)):
        found = checks.cubical(problem.inputs, problem.known, answer("control top cells", problem))
        assert not found.ok
        assert "differ from the" in found.detail


def test_cubical_players_agree_on_ties() -> None:
    """An image of three grey values."""
    values = np.random.default_rng(0).integers(0, 3, (15, 17)).astype(float)
    problem = Problem(inputs={"values": values})
    for player in ("GUDHI CubicalComplex", "oineus cubes"):
        found = checks.cubical(problem.inputs, {}, answer(player, problem))
        assert found.ok, f"{player}: {found.detail}"


def test_flood_is_judged_by_bottleneck_distance() -> None:
    """The alpha bars themselves are at distance 0; another shape's are beyond the covering radius."""
    pytest.importorskip("gudhi", reason="GUDHI computes the bottleneck distance")
    problem = cases.flood_torus(n=400, landmarks=60)
    squares = answer("GUDHI AlphaComplex", problem)
    radii = {name: np.sqrt(np.maximum(rows, 0)) for name, rows in squares.items()}
    found = checks.flood(problem.inputs, problem.known, radii)
    assert found.ok, found.detail
    assert found.distance == pytest.approx(0, abs=1e-6)
    assert found.metrics["bottleneck"]["unit"] == "length"
    flat = {**radii, "bars_1": np.empty((0, 2))}
    wrong = checks.flood(problem.inputs, {"covering_radius": 0.05}, flat)
    assert not wrong.ok
    assert "above the covering radius" in wrong.detail
    endless = checks.flood(problem.inputs, problem.known, {**radii, "bars_2": np.array([[0.1, np.inf]])})
    assert not endless.ok
    assert endless.distance is None


def test_flooder_is_near_the_alpha_complex() -> None:
    """Where flooder is installed, its bars are within the covering radius of its landmarks."""
    problem = cases.flood_torus(n=500, landmarks=30)
    found = checks.flood(problem.inputs, problem.known, answer("flooder", problem))
    assert found.ok, found.detail


def test_different_complexes_are_different_tasks() -> None:
    """No player answers two tasks, and no two tasks share a check."""
    tasks = {info.task: info.check for name, info in KNOWN.cases.items() if name.startswith("persistence.")}
    assert len(tasks) == len(set(tasks.values())) >= 5


def test_counts_of_an_empty_answer() -> None:
    """Empty dimensions count zero."""
    assert counts(canonical({"bars_0": []}, 0)) == {"finite": {"0": 0}, "essential": {"0": 0}}
    assert workloads.lattice(1).shape == (1, 2)
