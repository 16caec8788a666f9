"""How every compiled kernel here is compiled, and the arithmetic that all of them share.

``fastmath`` stays off: a squared length must have the same bits wherever it is computed, so nothing may be reordered
or contracted into fused multiply-adds. Kernels release the GIL and are called from threads (:mod:`.compute.team`).
"""

from __future__ import annotations

import functools
import hashlib
import math
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np

try:
    import numba
    from llvmlite import ir
    from numba.core import types
    from numba.extending import intrinsic
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "tcs.persistence compiles its kernels with numba, which is not installed; "
        "pip install 'tcs-harness[persistence]', in a clone pip install -e '.[persistence]' -c constraints.txt",
        name=error.name,
    ) from None

if TYPE_CHECKING:
    from numpy.typing import NDArray

Compiled = TypeVar("Compiled", bound=Callable[..., Any])
# Up to this dimension loops over coordinates are unrolled, each dimension with machine code of its own.
UNROLLED = 4
ROOT = Path(__file__).parent.parent


def kernel(function: Compiled) -> Compiled:
    """Compile a function when it is first called, and keep the machine code in a cache on disk, if there can be one."""
    # machine code holds that of the kernels it calls, but numba looks for changes in the function's own file only
    function.__qualname__ += f".{sources(Path(function.__code__.co_filename))}"
    try:
        return cast("Compiled", numba.njit(nogil=True, cache=True, error_model="numpy")(function))
    except RuntimeError:
        warn_of_no_cache()
        return cast("Compiled", numba.njit(nogil=True, error_model="numpy")(function))


@functools.cache
def sources(module: Path, root: Path = ROOT) -> str:
    """A digest of the text of a module and of all of this package that it imports, itself or by way of others."""
    texts: dict[Path, bytes] = {}
    waiting = [module]
    while waiting:
        path = waiting.pop()
        if path not in texts:
            texts[path] = path.read_bytes() if path.is_file() else b""
            names = re.findall(rb"from tcs\.persistence\.([\w.]+) import", texts[path])
            waiting += [root.joinpath(*name.decode().split(".")).with_suffix(".py") for name in names]
    return hashlib.sha256(b"".join(texts[path] for path in sorted(texts))).hexdigest()[:12]


@functools.cache
def warn_of_no_cache() -> None:
    """Say once why kernels are compiled again in each process, and what helps."""
    warnings.warn(
        "numba can write to no cache folder, so kernels are compiled anew in each process, which takes many seconds; "
        "set NUMBA_CACHE_DIR to a folder that can be written to",
        RuntimeWarning,
        stacklevel=2,
    )


def inlined(function: Compiled) -> Compiled:
    """Make a part of the kernels that call it, where the cost of a call would be seen."""
    return cast("Compiled", numba.njit(nogil=True, error_model="numpy", inline="always")(function))


def axes_of(dimension: int) -> Any:
    """What kernels take the number of coordinates from: a tuple, whose length the compiler knows, or an array."""
    return (0,) * dimension if dimension <= UNROLLED else np.zeros(dimension, dtype=np.int64)


def room(shape: int | tuple[int, ...], dtype: Any) -> NDArray[Any]:
    """An array whose entries are not set, for large ones.

    It lies in the pages that the system hands out by itself. numpy asks for huge ones (``madvise``); where memory is
    fragmented, or a virtual machine's, finding and clearing these took several times as long as they save.
    """
    count = math.prod(shape) if isinstance(shape, tuple) else shape
    return cast("NDArray[Any]", _room(count, np.empty(0, dtype)).reshape(shape))


@kernel
def _room(count: int, like: NDArray[Any]) -> NDArray[Any]:
    return np.empty(count, like.dtype)


@kernel
def squared(points: NDArray[np.float64], a: int, b: int, axes: Any) -> float:
    """The squared distance of points a and b: squares of differences, added up in the order of the coordinates."""
    total = 0.0
    for c in range(len(axes)):
        difference = points[a, c] - points[b, c]
        total += difference * difference
    return total


@kernel
def precedes(square: float, a: int, b: int, other: float, u: int, v: int) -> bool:
    """Whether the edge {a, b} comes before {u, v}, u < v, in the order by (squared length, smaller, larger vertex)."""
    if square != other:
        return square < other
    low, high = min(a, b), max(a, b)
    return low < u or (low == u and high < v)


@kernel
def doubled(values: Any) -> Any:
    """The same values with room for twice as many (along the first axis)."""
    grown = np.empty((2 * values.shape[0] + 16,) + values.shape[1:], values.dtype)
    grown[: values.shape[0]] = values
    return grown


def _trailing_zeros(typing_context: Any, word: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.int64), generate


trailing_zeros: Callable[[int], int] = cast("Any", intrinsic(_trailing_zeros))
"""Within kernels: the place of the lowest bit that is set in an int64 other than 0."""
