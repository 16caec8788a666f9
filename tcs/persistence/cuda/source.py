"""The text of the kernels, and what their parameters are."""

from __future__ import annotations

import functools
import re
from importlib import resources
from typing import Any, NamedTuple

import numpy as np

PARTS = ("common.cuh", "cells.cu", "lunes.cu", "forest.cu", "descent.cu", "reduction.cu")
TYPES = {"u8": np.uint8, "u32": np.uint32, "u64": np.uint64, "f32": np.float32, "f64": np.float64}
_KERNEL = re.compile(r'extern "C" __global__ void (\w+)\(([^)]*)\)')
_PARAMETER = re.compile(r"\s*(?:const )?(\w+)(\*?) (\w+)\s*")


class Parameter(NamedTuple):
    """One parameter of a kernel: an array of a type, or one number."""

    name: str
    type: Any
    array: bool


@functools.cache
def source() -> str:
    """All kernels, one text that includes nothing, so that whoever compiles and caches it sees every change."""
    folder = resources.files("tcs.persistence.cuda") / "kernels"
    return "\n".join((folder / name).read_text() for name in PARTS)


def options(dimension: int) -> tuple[str, ...]:
    """What the compiler has to be told for clouds of so many coordinates; nothing may be contracted."""
    return (f"-DDIMENSION={dimension}", "-fmad=false", "--std=c++17")


@functools.cache
def kernels() -> dict[str, tuple[Parameter, ...]]:
    """The parameters of every kernel."""
    found = {}
    for name, text in _KERNEL.findall(source()):
        parameters = []
        for each in text.split(","):
            kind, pointer, called = _PARAMETER.fullmatch(each).groups()  # type: ignore[union-attr]
            parameters.append(Parameter(called, TYPES[kind], bool(pointer)))
        found[name] = tuple(parameters)
    return found


def arguments(name: str, values: tuple[Any, ...]) -> list[Any]:
    """Values as a kernel takes them: neither CUDA nor CuPy would notice one too few or of another type.

    Returns:
        Arrays as they are, None as an address of 0, and numbers as numpy's of the type that the kernel declares.

    Raises:
        TypeError: there are too few or too many, or an array has another type or is not contiguous.
    """
    parameters = kernels()[name]
    if len(values) != len(parameters):
        raise TypeError(f"{name} takes {len(parameters)} arguments, not {len(values)}")
    taken: list[Any] = []
    for parameter, value in zip(parameters, values, strict=True):
        if not parameter.array:
            taken.append(parameter.type(value))
        elif value is None:
            taken.append(np.uint64(0))
        elif value.dtype != parameter.type or not value.flags.c_contiguous:
            kind, given = np.dtype(parameter.type), "" if value.flags.c_contiguous else "parts of an array of "
            raise TypeError(f"{name}: {parameter.name} is a contiguous array of {kind}, not {given}{value.dtype}")
        else:
            taken.append(value)
    return taken
