"""Points on which determinants can be taken without error: scaled, distinct, along a curve, no coordinate constant."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tcs.persistence.delaunay.hilbert import along_curve
from tcs.persistence.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tcs.persistence.compute.team import Team

# Coordinates, of which the largest is scaled to between 1/2 and 1, are whole multiples of 2^-GRID. Determinants and
# what is made of them have up to 7 factors and then stay above the least normal number of float64, 2^-1022.
GRID = 140
# Points that had to be rounded to the grid may not lie closer than this.
CLOSEST = 2.0**-80


class ExactPoints(NamedTuple):
    """Points that kernels can work on.

    Attributes:
        points: float64 (m, d), distinct, along a Hilbert curve, without the coordinates in which all are equal, but
            with one at least.
        exponent: those of the input are 2^exponent times as large.
        rounded: how many distinct points had to move to lie on the grid of 2^(exponent - GRID).
    """

    points: NDArray[np.float64]
    exponent: int
    rounded: int

    def check(self, nearest: float) -> None:
        """Refuse points that rounding moved by too much beside the smallest of their distances.

        Args:
            nearest: a quarter of the square of that, of :attr:`points`; inf if there is one point only.

        Raises:
            InputError: a distance may be off by more than 2^-58 of itself.
        """
        if self.rounded and nearest < (CLOSEST / 2) ** 2:
            raise InputError(
                f"points: {self.rounded} of them have coordinates finer than 2^{self.exponent - GRID}, which exact "
                f"determinants cannot take, and some lie closer than 2^{self.exponent - 80}; round such coordinates, "
                "or compute parts of so different a scale apart"
            )


def exact_points(cloud: NDArray[np.float64], team: Team) -> ExactPoints:
    """Scale and sort a cloud (n, d) of finite float64 numbers, n and d at least 1; points that are equal become one.

    Raises:
        InputError: points became equal that are not, see :meth:`ExactPoints.check`.
    """
    exponent = int(np.frexp(np.abs(cloud).max())[1])
    # adding 0 turns -0.0 into 0.0
    points = np.ldexp(cloud, -exponent) + 0.0
    fine = (np.abs(points) < 2.0 ** (52 - GRID)) & (cloud != 0)
    moved = 0
    if fine.any():
        on_grid = np.ldexp(np.rint(np.ldexp(points[fine], GRID)), -GRID)
        points[fine], before = on_grid + 0.0, points[fine]
        changed = np.zeros(points.shape, dtype=np.bool_)
        # zero where it was not zero before means that scaling took all bits
        changed[fine] = (on_grid != before) | (before == 0)
        moved = int(changed.any(axis=1).sum())
    points = np.ascontiguousarray(points[:, np.ptp(points, axis=0) > 0])
    if points.shape[1] == 0:
        points = np.zeros((len(points), 1))
    points = points[along_curve(points, team)]
    new = np.append(True, (points[1:] != points[:-1]).any(axis=1))
    found = ExactPoints(points if new.all() else points[new], exponent, moved)
    if moved and len(found.points) < len(np.unique(cloud, axis=0)):
        found.check(0.0)
    return found
