"""A heap of triangles over Z/2: the one whose longest edge is latest on top, and equal ones that cancel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tcs.persistence.compute.kernels import doubled, kernel, precedes
from tcs.persistence.voids.spaces import between

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@kernel
def add_triangle(
    space: Any, ages: NDArray[np.float64], corners: NDArray[np.int64], size: int, x: int, y: int, z: int
) -> Any:
    """Put a triangle on a heap; its new size and its arrays, or larger ones, are returned.

    Args:
        space: one of the records of :mod:`.voids.spaces`.
        ages, corners: the heap, ``size`` long: the length of the longest edge of each triangle, the latest among
            equals; its ends, the smaller first, and the third vertex.
    """
    length, a, b, c = between(space, x, y), min(x, y), max(x, y), z
    other = between(space, x, z)
    if precedes(length, a, b, other, min(x, z), max(x, z)):
        length, a, b, c = other, min(x, z), max(x, z), y
    other = between(space, y, z)
    if precedes(length, a, b, other, min(y, z), max(y, z)):
        length, a, b, c = other, min(y, z), max(y, z), x
    if size == len(ages):
        ages, corners = doubled(ages), doubled(corners)
    at = size
    while at > 0:
        above = (at - 1) // 2
        if length < ages[above] or (length == ages[above] and not after(a, b, c, corners, above)):
            break
        move(ages, corners, above, at)
        at = above
    ages[at] = length
    corners[at, 0], corners[at, 1], corners[at, 2] = a, b, c
    return size + 1, ages, corners


@kernel
def add_both(
    space: Any, ages: NDArray[np.float64], corners: NDArray[np.int64], size: int, a: int, b: int, x: int, y: int
) -> Any:
    """Put the triangles from a and from b to the edge xy on a heap; as :func:`add_triangle`."""
    size, ages, corners = add_triangle(space, ages, corners, size, a, x, y)
    return add_triangle(space, ages, corners, size, b, x, y)


@kernel
def take_latest(ages: NDArray[np.float64], corners: NDArray[np.int64], size: int, thirds: NDArray[np.int64]) -> Any:
    """Take all triangles off a heap that have the latest longest edge.

    Returns:
        How many of them are left when equal ones have cancelled, the array of their third vertices, which is
        ``thirds`` or a larger one, and the new size of the heap.
    """
    length, a, b = ages[0], corners[0, 0], corners[0, 1]
    m = 0
    while size > 0 and ages[0] == length and corners[0, 0] == a and corners[0, 1] == b:
        c = corners[0, 2]
        size = drop_top(ages, corners, size)
        # equal triangles come one after the other
        if m > 0 and thirds[m - 1] == c:
            m -= 1
            continue
        if m == len(thirds):
            thirds = doubled(thirds)
        thirds[m] = c
        m += 1
    return m, thirds, size


@kernel
def after(a: int, b: int, c: int, corners: NDArray[np.int64], at: int) -> bool:
    """Whether a triangle comes after one on the heap with a latest edge of the same length."""
    u, v, w = corners[at, 0], corners[at, 1], corners[at, 2]
    return bool(a > u or (a == u and (b > v or (b == v and c > w))))


@kernel
def drop_top(ages: NDArray[np.float64], corners: NDArray[np.int64], size: int) -> int:
    """Take the top of the heap away; its new size is returned."""
    size -= 1
    length, a, b, c = ages[size], corners[size, 0], corners[size, 1], corners[size, 2]
    at = 0
    while 2 * at + 1 < size:
        below = 2 * at + 1
        if below + 1 < size and (
            ages[below + 1] > ages[below]
            or (
                ages[below + 1] == ages[below]
                and after(corners[below + 1, 0], corners[below + 1, 1], corners[below + 1, 2], corners, below)
            )
        ):
            below += 1
        if length > ages[below] or (length == ages[below] and after(a, b, c, corners, below)):
            break
        move(ages, corners, below, at)
        at = below
    ages[at] = length
    corners[at, 0], corners[at, 1], corners[at, 2] = a, b, c
    return size


@kernel
def move(ages: NDArray[np.float64], corners: NDArray[np.int64], source: int, to: int) -> None:
    """Copy an entry of the heap to another place."""
    ages[to] = ages[source]
    for i in range(3):
        corners[to, i] = corners[source, i]
