"""What filters make of the derivatives of every pixel alone.

The arrays that are read are from ``derivatives.planes``, or parts of them with the same rows.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from stroma.features.filtering.lanes import (
    WIDTH,
    add,
    at_least,
    filled,
    inverse_root,
    load,
    multiply,
    multiply_add,
    multiply_add_lanes,
    narrow,
    sqrt,
    store_some,
    subtract,
    widen,
    zeros,
)

Float32 = NDArray[np.float32]

TINY = 1e-90
"""Least number of which the inverse root is taken; its cube is finite."""


def _third_of_the_angle() -> tuple[np.float32, ...]:
    """Return the polynomial of s = cos(a / 2) that is cos(a / 3), highest power first.

    a goes from 0 to pi; as a function of s there is no singularity nearby, and ten coefficients
    are exact to single precision.
    """
    s = (1 + np.cos(np.pi * (np.arange(200) + 0.5) / 200)) / 2
    fit = np.polynomial.Chebyshev.fit(s, np.cos(2 / 3 * np.arccos(s)), 9, domain=[0, 1])
    return tuple(np.float32(c) for c in fit.convert(kind=np.polynomial.Polynomial).coef[::-1])


THIRD = _third_of_the_angle()


def magnitude(*derivatives: Float32, out: Float32) -> None:
    """Write the length of a vector of two or three components to ``out`` (y, x)."""
    (_magnitude if len(derivatives) == 2 else _magnitude3)(*derivatives, out)


def eigenvalues(*entries: Float32, out: Float32) -> None:
    """Write the eigenvalues of symmetric matrices to ``out`` (n, y, x), the largest first.

    Parameters
    ----------
    *entries : (y, x) float32
        The upper triangle, row by row: three of a matrix of two rows, six of one of three.
    out : (2, y, x) or (3, y, x) float32
    """
    (_eigenvalues if len(entries) == 3 else _eigenvalues3)(*entries, out)


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


@njit(nogil=True, cache=True, error_model="numpy")
def _magnitude3(dz, dy, dx, out):  # type: ignore[no-untyped-def]
    height, width = out.shape
    for y in range(height):
        for x in range(0, width, WIDTH):
            a = load(dz, y * (dz.strides[0] // 4) + x)
            b = load(dy, y * (dy.strides[0] // 4) + x)
            c = load(dx, y * (dx.strides[0] // 4) + x)
            length = sqrt(add(add(multiply(a, a), multiply(b, b)), multiply(c, c)))
            store_some(out, y * (out.strides[0] // 4) + x, length, min(WIDTH, width - x))


@njit(nogil=True, cache=True, error_model="numpy")
def _eigenvalues3(zz, zy, zx, yy, yx, xx, out):  # type: ignore[no-untyped-def]
    """Solve the characteristic polynomial with cosines (Smith 1961, doi 10.1145/355578.366316).

    Eigenvalues that are almost equal ask for an almost exact determinant: it is computed in double
    precision.
    """
    height, width = out.shape[1:]
    plane = out.strides[0] // 4
    for y in range(height):
        for x in range(0, width, WIDTH):
            a = widen(load(zz, y * (zz.strides[0] // 4) + x))
            b = widen(load(yy, y * (yy.strides[0] // 4) + x))
            c = widen(load(xx, y * (xx.strides[0] // 4) + x))
            d = widen(load(zy, y * (zy.strides[0] // 4) + x))
            e = widen(load(zx, y * (zx.strides[0] // 4) + x))
            f = widen(load(yx, y * (yx.strides[0] // 4) + x))
            mean = multiply(add(add(a, b), c), filled(1 / 3))
            a, b, c = subtract(a, mean), subtract(b, mean), subtract(c, mean)
            dd, ee, ff = multiply(d, d), multiply(e, e), multiply(f, f)
            squares = add(add(multiply(a, a), multiply(b, b)), multiply(c, c))
            squares = multiply_add(2.0, add(add(dd, ee), ff), squares)
            spread = multiply(squares, filled(1 / 6))
            inverse = inverse_root(at_least(spread, TINY))
            root = multiply(spread, inverse)
            volume = subtract(multiply(a, subtract(multiply(b, c), ff)), multiply(b, ee))
            volume = subtract(volume, multiply(c, dd))
            volume = multiply_add(2.0, multiply(d, multiply(e, f)), volume)
            cube = multiply(inverse, multiply(inverse, inverse))
            half_cosine = multiply(filled(0.25), multiply(volume, cube))
            centre, reach = narrow(mean), narrow(add(root, root))
            upper = _third_angle(add(filled(0.5), half_cosine))
            lower = _third_angle(subtract(filled(0.5), half_cosine))
            largest = multiply_add_lanes(reach, upper, centre)
            least = subtract(centre, multiply(reach, lower))
            middle = subtract(multiply_add(np.float32(3), centre, zeros()), add(largest, least))
            at, count = y * (out.strides[1] // 4) + x, min(WIDTH, width - x)
            store_some(out, at, largest, count)
            store_some(out, at + plane, middle, count)
            store_some(out, at + 2 * plane, least, count)


@njit(nogil=True, cache=True, error_model="numpy", inline="always")
def _third_angle(square):  # type: ignore[no-untyped-def]
    """Return cos(a / 3) from the square of cos(a / 2)."""
    s = sqrt(narrow(at_least(square, 0.0)))
    value = filled(THIRD[0])
    for power in range(1, len(THIRD)):
        value = multiply_add_lanes(value, s, filled(THIRD[power]))
    return value
