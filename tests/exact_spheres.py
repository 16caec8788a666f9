"""Spheres through points, in fractions: what tests of triangulations and of alpha complexes hold values against."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

Point = list[Fraction]


def exact(points: Any) -> list[Point]:
    """Rows of float64 numbers as fractions, which have the same values."""
    return [[Fraction(float(x)) for x in row] for row in points]


def distance(a: Point, b: Point) -> Fraction:
    """The squared distance of two points."""
    return sum(((x - y) ** 2 for x, y in zip(a, b, strict=True)), Fraction(0))


def barycentric(corners: list[Point]) -> list[Fraction] | None:
    """The centre of the smallest sphere through the corners, as weights of them; None if they are flat.

    It is the first corner plus a combination of the sides that has equal distances: a linear system with the sides'
    Gram matrix, solved by elimination.
    """
    sides = [[x - y for x, y in zip(corner, corners[0], strict=True)] for corner in corners[1:]]
    rows = [[sum((x * y for x, y in zip(a, b, strict=True)), Fraction(0)) for b in sides] for a in sides]
    rows = [[*row, row[i] / 2] for i, row in enumerate(rows)]
    for i in range(len(rows)):
        pivot = next((j for j in range(i, len(rows)) if rows[j][i]), None)
        if pivot is None:
            return None
        rows[i], rows[pivot] = rows[pivot], rows[i]
        for j in range(len(rows)):
            if j != i:
                factor = rows[j][i] / rows[i][i]
                rows[j] = [x - factor * y for x, y in zip(rows[j], rows[i], strict=True)]
    weights = [row[-1] / row[i] for i, row in enumerate(rows)]
    return [1 - sum(weights, Fraction(0)), *weights]


def circumcentre(corners: list[Point]) -> Point | None:
    """The centre of the smallest sphere through the corners; None if they are flat."""
    weights = barycentric(corners)
    if weights is None:
        return None
    return [
        sum((w * corner[c] for w, corner in zip(weights, corners, strict=True)), Fraction(0))
        for c in range(len(corners[0]))
    ]
