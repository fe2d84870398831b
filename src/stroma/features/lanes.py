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

_VECTOR = ir.VectorType(ir.FloatType(), WIDTH)
_INDEX = ir.IntType(32)


class Lanes(types.Type):  # type: ignore[misc]
    """The numba type of 32 floats."""

    def __init__(self) -> None:
        super().__init__(name=f"Lanes{WIDTH}")


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, fe_type: Any) -> None:
        super().__init__(manager, fe_type, _VECTOR)


_LANES = Lanes()


def _address(context: Any, builder: Any, array_type: Any, array: Any, index: Any) -> Any:
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), _VECTOR.as_pointer())


def _spread(builder: Any, number: Any) -> Any:
    """Repeat a number in all lanes."""
    empty = ir.Constant(_VECTOR, ir.Undefined)
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
def add(typing: Any, a: Any, b: Any) -> tuple[Any, Callable[..., Any]]:
    """Return a + b."""
    return _LANES(_LANES, _LANES), lambda context, builder, signature, args: builder.fadd(*args)


@intrinsic  # type: ignore[untyped-decorator]
def subtract(typing: Any, a: Any, b: Any) -> tuple[Any, Callable[..., Any]]:
    """Return a - b."""
    return _LANES(_LANES, _LANES), lambda context, builder, signature, args: builder.fsub(*args)


@intrinsic  # type: ignore[untyped-decorator]
def multiply(typing: Any, a: Any, b: Any) -> tuple[Any, Callable[..., Any]]:
    """Return a * b."""
    return _LANES(_LANES, _LANES), lambda context, builder, signature, args: builder.fmul(*args)


@intrinsic  # type: ignore[untyped-decorator]
def sqrt(typing: Any, a: Any) -> tuple[Any, Callable[..., Any]]:
    """Return the square root of a."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        form = ir.FunctionType(_VECTOR, [_VECTOR])
        name = f"llvm.sqrt.v{WIDTH}f32"
        return builder.call(cgutils.get_or_insert_function(builder.module, form, name), args)

    return _LANES(_LANES), code


@intrinsic  # type: ignore[untyped-decorator]
def multiply_add(typing: Any, number: Any, a: Any, b: Any) -> tuple[Any, Callable[..., Any]]:
    """Return number * a + b, rounded once where the processor can."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        form = ir.FunctionType(_VECTOR, [_VECTOR] * 3)
        function = cgutils.get_or_insert_function(builder.module, form, f"llvm.fmuladd.v{WIDTH}f32")
        return builder.call(function, [_spread(builder, args[0]), args[1], args[2]])

    return _LANES(types.float32, _LANES, _LANES), code
