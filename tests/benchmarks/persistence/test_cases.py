"""Every configured case can be made, and says what is known about it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from benchmarks.persistence import cases
from benchmarks.persistence.thresholds import TABLE
from harness.trials.target import load
from playing import KNOWN, PROJECT

CONFIGURED = [
    (path.stem, name, entry)
    for path in sorted((PROJECT / "conf" / "cases").glob("persistence_*.yaml"))
    for name, entry in yaml.safe_load(path.read_text()).items()
]


@pytest.mark.parametrize(("file", "name", "entry"), CONFIGURED, ids=[f"{file}-{name}" for file, name, _ in CONFIGURED])
def test_configured_entries_name_what_exists(file: str, name: str, entry: dict[str, Any]) -> None:
    """Cases, players of the right task, and a threshold for every size that is asked."""
    info = KNOWN.case(entry["case"])
    assert {KNOWN.player(player).task for player in (*entry["players"], *entry.get("fewer", {}))} == {info.task}
    workload, params = re.sub(r"^persistence\.|_on_disk$|_drawn$", "", entry["case"]), entry["params"]
    for k in params.get("k", []):
        sizes = params.get("n") or params.get("session") or [{"digits": 1797, "allen": 715093703}[workload]]
        assert all((workload, n, k) in TABLE for n in sizes)


def test_every_phase_has_a_control_and_two_engines_for_it() -> None:
    """A planted wrong answer needs a consensus to differ from."""
    for file in {file for file, _, _ in CONFIGURED}:
        entries = [entry for found, _, entry in CONFIGURED if found == file]
        engines = [{KNOWN.player(player).engine for player in entry["players"]} for entry in entries]
        assert any("control" in names and len(names) >= 3 for names in engines)


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("torus", {"n": 1000, "k": 20}), ("square", {"n": 1000, "k": 20}), ("cube", {"n": 1000, "k": 20}),
        ("annulus", {"n": 1000, "k": 20}), ("clifford", {"n": 1000, "k": 20}), ("swiss_roll", {"n": 1000, "k": 20}),
        ("clusters", {"n": 1000, "k": 20}), ("whole_square", {"n": 50}), ("lattice", {"side": 5}),
        ("duplicates", {"n": 1000, "k": 20}), ("tiny", {}), ("alpha_square", {"n": 50}),
        ("alpha_cube", {"n": 50}), ("alpha_torus", {"n": 50}), ("image", {"side": 8}), ("volume", {"side": 6}),
        ("flood_torus", {"n": 50, "landmarks": 10}),
    ],
)  # fmt: skip
def test_a_case_is_the_same_every_time(name: str, params: dict[str, Any]) -> None:
    """Same parameters and seed: the same bytes; another seed is another input (a lattice has none)."""
    make = load(KNOWN.case(f"persistence.{name}").target, PROJECT)
    first, again, other = make(**params, seed=0), make(**params, seed=0), make(**params, seed=1)
    json.dumps(dict(first.known), allow_nan=False)
    for key, value in first.inputs.items():
        if isinstance(value, np.ndarray):
            assert value.tobytes() == again.inputs[key].tobytes()
            assert name == "lattice" or value.tobytes() != other.inputs[key].tobytes()


def test_counts_are_known_for_the_declared_points_only() -> None:
    """Another seed draws other points, of which nothing is known but the forest."""
    assert cases.torus(n=10_000, k=20).known["finite"] == {"1": 2_624}
    assert set(cases.torus(n=10_000, k=20, seed=1).known) == {"forest"}


@pytest.mark.parametrize(("side", "dimension"), [(2, 2), (5, 2), (3, 3)])
def test_the_lattice_formula_is_the_rank_of_its_graph(side: int, dimension: int) -> None:
    """Cycles = edges - vertices + 1, all filled at the diagonal."""
    from benchmarks.persistence import oracle
    from benchmarks.persistence.barcode import as_answer, canonical, counts

    problem = cases.lattice(side=side, dimension=dimension)
    found = counts(canonical(as_answer(oracle.rips(problem.inputs["points"], 1.5, 1)), 1))
    assert {kind: problem.known[kind] for kind in ("finite", "essential")} == found


def test_the_whole_square_has_the_bars_of_no_threshold() -> None:
    """Cut at the enclosing radius, the textbook finds what it finds among all edges, and nothing essential but H0."""
    from benchmarks.persistence import oracle
    from benchmarks.persistence.barcode import as_answer, canonical, counts

    problem = cases.whole_square(n=24, max_dimension=2)
    points, longest = problem.inputs["points"], problem.inputs["threshold"]
    assert longest < 1.0 < np.sqrt(2)
    cut, whole = (canonical(as_answer(oracle.rips(points, t, 2)), 2) for t in (longest, np.sqrt(2)))
    assert all(cut[name].tobytes() == whole[name].tobytes() for name in whole)
    assert counts(whole)["essential"] == problem.known["essential"]
    assert counts(whole)["finite"]["1"] > 0


def test_digits_are_real_and_carry_their_hash() -> None:
    """The record can name the data set and its sha256."""
    pytest.importorskip("sklearn", reason="scikit-learn brings the digits")
    problem = cases.digits(k=20)
    assert problem.provenance == "real"
    assert len(problem.data["digits"]) == 64
    assert problem.inputs["points"].shape == (1797, 64)


def test_allen_is_read_where_it_is_present() -> None:
    """3,645 presentations of 637 units, derived from the published recordings."""
    from harness.data.datasets import locate
    from harness.errors import DataError

    try:
        locate("allen_session_counts")
    except DataError as error:
        pytest.skip(str(error))
    problem = cases.allen(k=20)
    assert problem.inputs["points"].shape == (3645, 637)
    assert problem.provenance == "derived"


def test_absent_data_are_told_from_a_broken_case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """locate's error comes through, with the name of the data set."""
    from harness.errors import DataError

    monkeypatch.setenv("TCS_DATA_ROOT", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(DataError, match="allen_session_counts"):
        cases.allen(k=20)


def test_an_unknown_size_is_refused() -> None:
    """A definition never moves by itself: a size without a literal is an error that says how to add one."""
    with pytest.raises(ValueError, match="no threshold is fixed for n=1234"):
        cases.cube(n=1234, k=20)
