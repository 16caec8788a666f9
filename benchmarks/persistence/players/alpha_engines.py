"""Players of the alpha complex: values are squared radii."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.persistence import inputs as problem
from benchmarks.persistence.players.packages import need
from benchmarks.persistence.players.steps import PEERS, Answer, Solve, gudhi_bars
from harness.case import Stage, player


@player(
    name="GUDHI AlphaComplex",
    task="persistence.alpha",
    engine="GUDHI",
    packages={"gudhi": ">=3.11"},
    install="pip install -e '.[peers]' -c constraints.txt",
    cite="Rouvreau, Alpha complex, GUDHI 3.13 (CGAL inside)",
    note="precision 'safe': predicates are exact, values are rounded last",
)
def alpha_complex(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """GUDHI's AlphaComplex with precision 'safe'."""
    points = problem.cloud(inputs["points"])
    gudhi = need("gudhi", PEERS)

    def solve() -> Answer:
        with stage("delaunay"):
            complex_ = gudhi.AlphaComplex(points=points, precision="safe")
        with stage("filtration"):
            tree = complex_.create_simplex_tree()
        with stage("reduction"):
            tree.compute_persistence(homology_coeff_field=2)
        return gudhi_bars(tree, points.shape[1])

    return solve
