"""Every peer that is installed gives the textbook's bars and the known counts; the others say what to do."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from benchmarks.persistence import cases, checks, oracle, workloads
from benchmarks.persistence.barcode import as_answer, canonical, counts
from harness.case import Problem
from harness.errors import Unavailable
from harness.trials.target import load
from playing import CONTROLS, KNOWN, PROJECT, RIPS, answer

PLAIN = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
CLOUDS: dict[str, Callable[[int, int], Any]] = {
    "random": lambda n, seed: workloads.cube(n, seed),
    "plane": lambda n, seed: workloads.annulus(n, seed),
    "ties": lambda n, seed: np.random.default_rng(seed).integers(0, 3, (n, 2)).astype(float),
    "duplicates": lambda n, seed: workloads.duplicates(n, seed),
    "many dimensions": lambda n, seed: np.random.default_rng(seed).integers(0, 3, (n, 20)).astype(float),
}

# Dory 1.1.137 loses essential classes of H2: integers(0, 3, (10, 20)) from default_rng(310), threshold sqrt(25.5).
HIGHEST = {"Dory": 1, "tcs in tiles": 1}


def _problem(points: Any, threshold: float, max_dimension: int) -> Problem:
    return Problem(inputs={"points": points, "threshold": threshold, "max_dimension": max_dimension})


@pytest.mark.parametrize("player", RIPS)
@pytest.mark.parametrize("kind", CLOUDS)
def test_small_clouds_have_the_bars_of_the_textbook(player: str, kind: str) -> None:
    """Random clouds, ties, duplicates and many dimensions, H0 to H2, at thresholds that cut in the middle."""
    if (player, kind) == ("tcs in tiles", "many dimensions"):
        with pytest.raises(Unavailable, match="20 coordinates cannot be tiled, up to 12 can"):
            answer(player, _problem(np.ones((3, 20)), 1.0, 1))
        return

    @PLAIN
    @given(
        n=st.integers(1, 16), seed=st.integers(0, 10**6), cut=st.floats(0.1, 1.1),
        max_dimension=st.integers(0, HIGHEST.get(player, 2)),
    )  # fmt: skip
    def agree(n: int, seed: int, cut: float, max_dimension: int) -> None:
        points = CLOUDS[kind](n, seed)
        span = float(np.ptp(points, axis=0).max()) or 1.0
        # no squared distance of whole points lies near this threshold: there `<` and `<=` must not matter
        threshold = float(np.sqrt(np.floor((cut * span) ** 2 * points.shape[1]) + 0.5))
        right = canonical(as_answer(oracle.rips(points, threshold, max_dimension)), max_dimension)
        found = canonical(answer(player, _problem(points, threshold, max_dimension)), max_dimension)
        for name, rows in right.items():
            np.testing.assert_array_equal(found[name], rows)

    agree()


@pytest.mark.parametrize("player", RIPS)
def test_w_1e4_20(player: str) -> None:
    """9,999 finite H0 bars and 1 essential, 2,624 finite H1 and 160 essential, and H0 is the spanning forest."""
    problem = cases.torus(n=10_000, k=20)
    found = checks.rips(problem.inputs, problem.known, answer(player, problem, threads=2))
    assert found.ok, found.detail
    assert counts(found.canonical) == {"finite": {"0": 9_999, "1": 2_624}, "essential": {"0": 1, "1": 160}}


def test_peers_are_equal_bit_for_bit() -> None:
    """On ties, duplicates, many dimensions and H2 all installed peers have one canonical answer."""
    for problem in (
        cases.lattice(side=12), cases.lattice(side=5, dimension=3, max_dimension=2),
        cases.duplicates(n=1000, k=20), cases.torus(n=1000, k=20), cases.tiny(n=30),
    ):  # fmt: skip
        answers = set()
        for player in RIPS:
            try:
                found = answer(player, problem)
            except (pytest.skip.Exception, Unavailable):
                continue
            check = checks.rips(problem.inputs, problem.known, found)
            assert check.ok, f"{player}: {check.detail}"
            answers.add(tuple(rows.tobytes() for rows in check.canonical.values()))
        assert len(answers) <= 1


@pytest.mark.parametrize("player", RIPS)
def test_threads_do_not_change_the_answer(player: str) -> None:
    """One thread and two give the same bars."""
    problem = cases.cube(n=1000, k=20)
    one, two = (canonical(answer(player, problem, threads=threads), 1) for threads in (1, 2))
    assert all(one[name].tobytes() == two[name].tobytes() for name in one)


@pytest.mark.parametrize("player", RIPS)
def test_inputs_are_left_alone_and_the_order_of_points_does_not_matter(player: str) -> None:
    """A permuted cloud has the same bars; the arrays that were handed over keep their bytes."""
    points = workloads.torus(300)
    before = points.tobytes()
    straight = canonical(answer(player, _problem(points, 0.4, 1)), 1)
    shuffled = canonical(answer(player, _problem(np.random.default_rng(1).permutation(points), 0.4, 1)), 1)
    assert points.tobytes() == before
    assert all(straight[name].tobytes() == shuffled[name].tobytes() for name in straight)


@pytest.mark.parametrize("player", [*RIPS, *CONTROLS])
def test_bad_input_is_refused_before_the_clock_starts(player: str) -> None:
    """The message names the thing, whichever player is asked."""
    setup = load(KNOWN.player(player).target, PROJECT)
    with pytest.raises(ValueError, match=r"points: .* not finite, first \(0, 0\) \(NaN\)"):
        setup({"points": np.full((3, 2), np.nan), "threshold": 1.0, "max_dimension": 1, "threads": 1}, None)


@pytest.mark.parametrize(
    ("player", "module"),
    [
        ("ripser.py", "ripser"),
        ("GUDHI RipsPersistence", "gudhi.sklearn"),
        ("GUDHI RipsPersistence collapsed", "gudhi.sklearn"),
        ("giotto-ph", "gph"),
        ("giotto-ph collapsed", "gph"),
        ("Ripser++", "ripserplusplus"),
        ("GUDHI SimplexTree", "gudhi"),
        ("oineus", "oineus"),
        ("dionysus", "dionysus"),
        ("holos-tda", "holos_tda"),
        ("Dory", "pydory"),
        ("Dory", "pyarrow.csv"),
    ],
)
def test_a_player_whose_package_is_missing_says_how_to_install_it(
    player: str, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unavailable, not an error: the run goes on and the report says why."""
    monkeypatch.setitem(sys.modules, module, None)
    problem = _problem(workloads.square(5), 0.5, 1)
    with pytest.raises(Unavailable, match="pip install"):
        load(KNOWN.player(player).target, PROJECT)({**problem.inputs, "threads": 1}, None)


def test_ripser_py_refuses_what_would_abort_the_process() -> None:
    """Above some 600,000 points its simplex numbers overflow, and it calls abort()."""
    pytest.importorskip("ripser", reason="ripser.py is not installed")
    problem = _problem(np.zeros((700_000, 1)), 1.0, 1)
    with pytest.raises(Unavailable, match="700000 points overflow in H1"):
        answer("ripser.py", problem)


def test_tiles_have_no_h2() -> None:
    """They stop at H1."""
    with pytest.raises(Unavailable, match="H0 to H1, not H2"):
        answer("tcs in tiles", _problem(workloads.square(5), 0.5, 2))


def test_dory_has_no_h3() -> None:
    """It stops at H2."""
    pytest.importorskip("pydory", reason="pydory is not installed")
    with pytest.raises(Unavailable, match="not H3"):
        answer("Dory", _problem(workloads.square(5), 0.5, 3))


def test_oineus_refuses_a_matrix_that_does_not_fit() -> None:
    """In many dimensions it needs the whole distance matrix."""
    pytest.importorskip("oineus", reason="oineus is not installed")
    with pytest.raises(Unavailable, match="20000 points at most"):
        answer("oineus", _problem(np.zeros((30_000, 6)), 1.0, 1))


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_dory_loses_no_digit_at_any_scale(scale: float) -> None:
    """It writes twelve decimals; the lengths are scaled so that those hold every float32."""
    points = workloads.torus(300) * scale
    right = canonical(answer("GUDHI SimplexTree", _problem(points, 0.4 * scale, 1)), 1)
    found = canonical(answer("Dory", _problem(points, 0.4 * scale, 1)), 1)
    assert all(found[name].tobytes() == right[name].tobytes() for name in right)


def test_dory_leaves_nothing_behind_and_writes_where_the_runner_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its text lies within TMPDIR, which a runner sets to the job's folder, and is gone afterwards."""
    pytest.importorskip("pydory", reason="pydory is not installed")
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    written: list[str] = []
    make = tempfile.TemporaryDirectory

    def noted(**options: Any) -> Any:
        folder = make(**options)
        written.append(folder.name)
        return folder

    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "TemporaryDirectory", noted)
    answer("Dory", _problem(workloads.square(5), 0.5, 1))
    assert [Path(name).parent for name in written] == [tmp_path]
    assert not list(tmp_path.iterdir())


def test_dory_reads_back_every_float32_that_is_written(tmp_path: Path) -> None:
    """The decimals of lengths are the shortest that name the same float32, at both ends of their range."""
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    from benchmarks.persistence.players.dory import _write

    # lengths are scaled to below 2^20
    lengths = np.random.default_rng(0).random(1000, dtype=np.float32) * np.float32(2.0) ** np.arange(-30, 20).repeat(20)
    lengths = np.append(lengths, 0).astype(np.float32)
    i = np.arange(len(lengths), dtype=np.int32)
    _write(tmp_path / "edges.csv", i, i + 1, lengths)
    rows = [line.split(",") for line in (tmp_path / "edges.csv").read_text().splitlines()]
    assert [(int(a), int(b)) for a, b, _ in rows] == [(k, k + 1) for k in range(len(lengths))]
    assert np.array([np.float32(float(length)) for _, _, length in rows]).tobytes() == lengths.tobytes()


@pytest.mark.parametrize("player", ["giotto-ph", "giotto-ph collapsed"])
def test_giotto_keeps_an_edge_that_float32_rounds_above_the_threshold(player: str) -> None:
    """It works in float32, where a length just below the threshold may round above it, as the threshold does."""
    for end in (0.1, 0.3, 1 / 3, 0.7, 1.1, 1.7):
        found = canonical(answer(player, _problem(np.array([[0.0], [end]]), end, 1)), 1)
        assert found["bars_0"].tolist() == [[0, np.float32(end)], [0, np.inf]]


def test_tcs_loads_its_kernels_on_the_points_nearest_to_the_first() -> None:
    """As dense as the cloud, or the set-up would load no kernel that needs edges; a small cloud is taken whole."""
    from benchmarks.persistence.players.tcs import FIRST, neighbourhood

    points = workloads.torus(3000)
    near = neighbourhood(points)
    distances = np.linalg.norm(points - points[0], axis=1)
    assert near.shape == (FIRST, 3)
    assert np.linalg.norm(near - points[0], axis=1).max() == np.sort(distances)[FIRST - 1]
    assert len(neighbourhood(points[:7])) == 7
