"""Sixteen float32 numbers worked on at once, within kernels: vectors of a width that every compiler maps to its own.

A loop over an array that ends in a decision for each entry is compiled to one entry at a time, or to much shuffling.
Here a comparison of two vectors is a word with one bit for each lane, so that decisions are made on words. Arithmetic
is that of IEEE float32, lane by lane, nothing contracted.
"""

from __future__ import annotations

import operator
from typing import Any, cast

from llvmlite import ir
from numba.core import types
from numba.core.typing.templates import ConcreteTemplate, infer_global
from numba.extending import intrinsic, lower_builtin, models, register_model

LANES = 16
VECTOR = ir.VectorType(ir.FloatType(), LANES)
WORD = ir.IntType(64)
INDEX = ir.IntType(32)


class Lanes(types.Type):
    """The type of such a vector; it has the operators + - * with its like."""

    def __init__(self) -> None:
        super().__init__(name="Lanes")


lanes: Any = cast("Any", Lanes)()


@register_model(Lanes)
class _Model(models.PrimitiveModel):
    def __init__(self, manager: Any, of: Any) -> None:
        super().__init__(manager, of, VECTOR)  # type: ignore[no-untyped-call]


def _operator(function: Any, instruction: str) -> None:
    @infer_global(function)  # type: ignore[no-untyped-call]
    class _Template(ConcreteTemplate):
        cases = [lanes(lanes, lanes)]

    def lower(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return getattr(builder, instruction)(*arguments)

    cast("Any", lower_builtin)(function, lanes, lanes)(lower)


for _function, _instruction in ((operator.add, "fadd"), (operator.sub, "fsub"), (operator.mul, "fmul")):
    _operator(_function, _instruction)


def _load(typing_context: Any, values: Any, start: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        place = builder.gep(array.data, [arguments[1]])
        return builder.load(builder.bitcast(place, VECTOR.as_pointer()), align=4)

    return lanes(values, types.int64), generate


def _every(typing_context: Any, value: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        one = builder.insert_element(ir.Constant(VECTOR, ir.Undefined), arguments[0], ir.Constant(INDEX, 0))
        return builder.shuffle_vector(one, one, ir.Constant(ir.VectorType(INDEX, LANES), None))

    return lanes(types.float32), generate


def _at_least(typing_context: Any, left: Any, right: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        found = builder.fcmp_ordered(">=", *arguments)
        return builder.zext(builder.bitcast(found, ir.IntType(LANES)), WORD)

    return types.int64(lanes, lanes), generate


def _larger(typing_context: Any, left: Any, right: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.select(builder.fcmp_ordered(">", *arguments), *arguments)

    return lanes(lanes, lanes), generate


def _least(typing_context: Any, values: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = ir.FunctionType(ir.FloatType(), [VECTOR])
        reduce = builder.module.declare_intrinsic(f"llvm.vector.reduce.fmin.v{LANES}f32", (), kind)
        return builder.call(reduce, arguments, fastmath=("nnan",))

    return types.float32(lanes), generate


def _ones(typing_context: Any, word: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.int64(types.int64), generate


load = cast("Any", intrinsic(_load))
"""``load(values, start)``: the entries of a contiguous float32 array (n,) from ``start`` on; n is not looked at."""
every = cast("Any", intrinsic(_every))
"""``every(value)``: the same float32 in all lanes."""
at_least = cast("Any", intrinsic(_at_least))
"""``at_least(left, right)``: an int64 in which bit i tells whether lane i of ``left`` is at least that of ``right``."""
larger = cast("Any", intrinsic(_larger))
"""``larger(left, right)``: the larger of both in each lane; that of ``right`` if one is NaN."""
least = cast("Any", intrinsic(_least))
"""``least(values)``: the smallest of all lanes, of which none may be NaN."""
ones = cast("Any", intrinsic(_ones))
"""``ones(word)``: how many bits of an int64 are set."""
