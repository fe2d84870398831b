"""What filters make of the derivatives of every pixel alone.

The arrays that are read are from ``derivatives.planes``, or parts of them with the same rows.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from stroma.features.lanes import (
    WIDTH,
    add,
    load,
    multiply,
    multiply_add,
    sqrt,
    store_some,
    subtract,
    zeros,
)

Float32 = NDArray[np.float32]


def magnitude(dy: Float32, dx: Float32, *, out: Float32) -> None:
    """Write the length of the vector (dy, dx) to ``out`` (y, x)."""
    _magnitude(dy, dx, out)


def eigenvalues(yy: Float32, xy: Float32, xx: Float32, *, out: Float32) -> None:
    """Write the larger and the smaller eigenvalue of [[yy, xy], [xy, xx]] to ``out`` (2, y, x)."""
    _eigenvalues(yy, xy, xx, out)


@njit(nogil=True, cache=True, error_model="numpy")
def _magnitude(dy, dx, out):  # type: ignore[no-untyped-def]
    height, width = out.shape
    for y in range(height):
        for x in range(0, width, WIDTH):
            a = load(dy, y * (dy.strides[0] // 4) + x)
            b = load(dx, y * (dx.strides[0] // 4) + x)
            length = sqrt(add(multiply(a, a), multiply(b, b)))
            store_some(out, y * (out.strides[0] // 4) + x, length, min(WIDTH, width - x))


@njit(nogil=True, cache=True, error_model="numpy")
def _eigenvalues(yy, xy, xx, out):  # type: ignore[no-untyped-def]
    height, width = out.shape[1:]
    plane, half = out.strides[0] // 4, np.float32(0.5)
    for y in range(height):
        for x in range(0, width, WIDTH):
            a = load(yy, y * (yy.strides[0] // 4) + x)
            b = load(xy, y * (xy.strides[0] // 4) + x)
            c = load(xx, y * (xx.strides[0] // 4) + x)
            mean = multiply_add(half, add(a, c), zeros())
            difference = multiply_add(half, subtract(a, c), zeros())
            root = sqrt(add(multiply(difference, difference), multiply(b, b)))
            at, count = y * (out.strides[1] // 4) + x, min(WIDTH, width - x)
            store_some(out, at, add(mean, root), count)
            store_some(out, at + plane, subtract(mean, root), count)
