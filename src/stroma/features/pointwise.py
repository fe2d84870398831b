"""Functions of single pixels, as numpy ufuncs: what filters make of derivatives."""

from __future__ import annotations

from math import sqrt

import numpy as np
from numba import vectorize

_HALF = np.float32(0.5)

_TWO = ["float32(float32, float32)"]
_THREE = ["float32(float32, float32, float32)"]


@vectorize(_TWO, cache=True)
def magnitude(y, x):  # type: ignore[no-untyped-def]
    """Return the length of the vector (y, x)."""
    return sqrt(y * y + x * x)


@vectorize(_THREE, cache=True)
def larger_eigenvalue(yy, xy, xx):  # type: ignore[no-untyped-def]
    """Return the larger eigenvalue of the matrix [[yy, xy], [xy, xx]]."""
    mean, half = _HALF * (yy + xx), _HALF * (yy - xx)
    return mean + sqrt(half * half + xy * xy)


@vectorize(_THREE, cache=True)
def smaller_eigenvalue(yy, xy, xx):  # type: ignore[no-untyped-def]
    """Return the smaller eigenvalue of the matrix [[yy, xy], [xy, xx]]."""
    mean, half = _HALF * (yy + xx), _HALF * (yy - xx)
    return mean - sqrt(half * half + xy * xy)
