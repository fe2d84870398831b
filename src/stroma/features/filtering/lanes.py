"""Thirty-two neighbouring floats as one value in numba code.

A loop that the compiler vectorises by itself treats the pixels of a row differently: most go
through vector instructions, the last few through scalar ones, and the two may round differently.
With lanes, every pixel goes through the same instructions wherever it lies in its block, and
several sums stay in registers at once, which makes the kernels of this package fast.

Addresses are counted in elements from the first one of the array, whatever its shape; nothing is
checked, and all of the 32 elements are touched unless a count says otherwise.

Numba's cache does not notice changes to this file; delete ``__pycache__/*.nbi`` after one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, models, register_model

WIDTH = 32

_VECTORS = {
    bits: ir.VectorType(kind(), WIDTH) for bits, kind in ((32, ir.FloatType), (64, ir.DoubleType))
}
_VECTOR = _VECTORS[32]
_INDEX = ir.IntType(32)


class Lanes(types.Type):  # type: ignore[misc]
    """The numba type of 32 floats, of single (32 bits) or double (64 bits) precision."""

    def __init__(self, bits: int) -> None:
        self.bits = bits
        super().__init__(name=f"Lanes{WIDTH}x{bits}")


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, fe_type: Any) -> None:
        super().__init__(manager, fe_type, _VECTORS[fe_type.bits])


_LANES, _WIDE = Lanes(32), Lanes(64)

GUESS = 0x5FE6EB50C7B537A9
"""The bits that half of those of a double are taken from, to guess its inverse root."""

_NUMBERS = {32: types.float32, 64: types.float64}


def _address(context: Any, builder: Any, array_type: Any, array: Any, index: Any) -> Any:
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), _VECTOR.as_pointer())


def _spread(builder: Any, number: Any) -> Any:
    """Repeat a number in all lanes."""
    empty = ir.Constant(ir.VectorType(number.type, WIDTH), ir.Undefined)
    first = builder.insert_element(empty, number, _INDEX(0))
    return builder.shuffle_vector(first, empty, ir.Constant(ir.VectorType(_INDEX, WIDTH), None))


@intrinsic  # type: ignore[untyped-decorator]
def load(typing: Any, array: Any, index: Any) -> tuple[Any, Callable[..., Any]]:
    """Return ``array.flat[index : index + 32]`` of a float32 array."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(_address(context, builder, array, *args), align=4)

    return _LANES(array, types.intp), code


@intrinsic  # type: ignore[untyped-decorator]
def store(typing: Any, array: Any, index: Any, lanes: Any) -> tuple[Any, Callable[..., Any]]:
    """Write lanes to ``array.flat[index : index + 32]``."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store(args[2], _address(context, builder, array, *args[:2]), align=4)
        return context.get_dummy_value()

    return types.void(array, types.intp, _LANES), code


@intrinsic  # type: ignore[untyped-decorator]
def store_some(
    typing: Any, array: Any, index: Any, lanes: Any, count: Any
) -> tuple[Any, Callable[..., Any]]:
    """Write the first ``count`` lanes to ``array.flat[index : index + count]``."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        copy = cgutils.alloca_once_value(builder, args[2])
        goal = _address(context, builder, array, *args[:2])
        cgutils.raw_memcpy(builder, goal, copy, args[3], 4)
        return context.get_dummy_value()

    return types.void(array, types.intp, _LANES, types.intp), code


@intrinsic  # type: ignore[untyped-decorator]
def zeros(typing: Any) -> tuple[Any, Callable[..., Any]]:
    """Return lanes of 0."""
    return _LANES(), lambda *_: ir.Constant(_VECTOR, None)


@intrinsic  # type: ignore[untyped-decorator]
def widen(typing: Any, a: Any) -> tuple[Any, Callable[..., Any]]:
    """Return lanes of single precision in double precision."""
    return _WIDE(_LANES), lambda context, builder, signature, args: builder.fpext(
        args[0], _VECTORS[64]
    )


@intrinsic  # type: ignore[untyped-decorator]
def narrow(typing: Any, a: Any) -> tuple[Any, Callable[..., Any]]:
    """Return lanes of double precision rounded to single precision."""
    return _LANES(_WIDE), lambda context, builder, signature, args: builder.fptrunc(
        args[0], _VECTORS[32]
    )


@intrinsic  # type: ignore[untyped-decorator]
def add(typing: Any, a: Any, b: Any) -> tuple[Any, Callable[..., Any]]:
    """Return a + b."""
    return a(a, a), lambda context, builder, signature, args: builder.fadd(*args)


@intrinsic  # type: ignore[untyped-decorator]
def subtract(typing: Any, a: Any, b: Any) -> tuple[Any, Callable[..., Any]]:
    """Return a - b."""
    return a(a, a), lambda context, builder, signature, args: builder.fsub(*args)


@intrinsic  # type: ignore[untyped-decorator]
def multiply(typing: Any, a: Any, b: Any) -> tuple[Any, Callable[..., Any]]:
    """Return a * b."""
    return a(a, a), lambda context, builder, signature, args: builder.fmul(*args)


@intrinsic  # type: ignore[untyped-decorator]
def at_least(typing: Any, a: Any, least: Any) -> tuple[Any, Callable[..., Any]]:
    """Return the larger of a and a number."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        bound = _spread(builder, args[1])
        return builder.select(builder.fcmp_ordered(">", args[0], bound), args[0], bound)

    return a(a, _NUMBERS[a.bits]), code


@intrinsic  # type: ignore[untyped-decorator]
def sqrt(typing: Any, a: Any) -> tuple[Any, Callable[..., Any]]:
    """Return the square root of a."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        form = ir.FunctionType(args[0].type, [args[0].type])
        name = f"llvm.sqrt.v{WIDTH}f{a.bits}"
        return builder.call(cgutils.get_or_insert_function(builder.module, form, name), args)

    return a(a), code


@intrinsic  # type: ignore[untyped-decorator]
def inverse_root(typing: Any, a: Any) -> tuple[Any, Callable[..., Any]]:
    """Return 1 / sqrt(a) of positive lanes in double precision, without dividing.

    Half the exponent, as an integer, is a guess that is wrong by 3 % at most; every step of Newton
    squares the error. Processors take several times as long for a root and a division.
    """

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        [value] = args
        whole = ir.VectorType(ir.IntType(64), WIDTH)
        bits = builder.lshr(builder.bitcast(value, whole), ir.Constant(whole, [1] * WIDTH))
        guess = builder.sub(ir.Constant(whole, [GUESS] * WIDTH), bits)
        found = builder.bitcast(guess, value.type)
        more, half = (ir.Constant(value.type, [n] * WIDTH) for n in (1.5, -0.5))
        less = builder.fmul(value, half)
        for _ in range(4):
            square = builder.fmul(found, found)
            found = builder.fmul(found, _fused(builder, 64, less, square, more))
        return found

    return _WIDE(_WIDE), code


@intrinsic  # type: ignore[untyped-decorator]
def multiply_add(typing: Any, number: Any, a: Any, b: Any) -> tuple[Any, Callable[..., Any]]:
    """Return number * a + b, rounded once where the processor can."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _fused(builder, a.bits, _spread(builder, args[0]), args[1], args[2])

    return a(_NUMBERS[a.bits], a, a), code


@intrinsic  # type: ignore[untyped-decorator]
def multiply_add_lanes(typing: Any, a: Any, b: Any, c: Any) -> tuple[Any, Callable[..., Any]]:
    """Return a * b + c, rounded once where the processor can."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _fused(builder, a.bits, *args)

    return a(a, a, a), code


@intrinsic  # type: ignore[untyped-decorator]
def filled(typing: Any, number: Any) -> tuple[Any, Callable[..., Any]]:
    """Return lanes of a number, in its precision."""
    lanes = _WIDE if number.bitwidth == 64 else _LANES
    return lanes(number), lambda context, builder, signature, args: _spread(builder, args[0])


def _fused(builder: Any, bits: int, *args: Any) -> Any:
    form = ir.FunctionType(args[0].type, [args[0].type] * 3)
    name = f"llvm.fmuladd.v{WIDTH}f{bits}"
    return builder.call(cgutils.get_or_insert_function(builder.module, form, name), args)
