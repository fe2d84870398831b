"""Gaussian kernels of finite length and their derivatives."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray


@cache
def reach(sigma: float, order: int) -> int:
    """Return the radius, in pixels, of the kernel of one derivative of a Gaussian."""
    return math.ceil((3 + order / 2) * sigma)


@cache
def gaussian_taps(sigma: float, order: int, radius: int) -> NDArray[np.float64]:
    """Return the kernel at 0, 1, ... ``radius``; the other half mirrors it.

    Even orders are even functions, order 1 is an odd one. The values are those of the correlation
    kernel: ``sum(k[x] * image[p + x])``. Sampling and cutting off the tails spoil the kernel's
    moments, which are restored: a smoothing kernel adds up to 1, a derivative returns exactly
    0 for a constant and 1 for x (order 1) or x**2 / 2 (order 2), however small the scale.

    Parameters
    ----------
    sigma : float, pixels
    order : {0, 1, 2}
        Order of the derivative.
    radius : int, pixels
        Kernel taps on either side of the centre; at least 1 for derivatives.

    Returns
    -------
    (radius + 1,) float64
    """
    x = np.arange(radius + 1, dtype=np.float64)
    taps: NDArray[np.float64]
    bell = np.exp(-0.5 * (x / sigma) ** 2)
    weight = np.where(x > 0, 2.0, 1.0)  # how often a tap occurs
    if order == 0:
        taps = bell / (weight * bell).sum()
    elif order == 1:
        taps = x * bell if bell[1] > 0 else x == 1  # a scale so small that the bell underflows
        taps = taps / (weight * x * taps).sum()
    else:
        taps = (x**2 / sigma**2 - 1) * bell
        taps = taps - (weight * taps).sum() / (2 * radius + 1)
        taps = taps / (weight * x**2 / 2 * taps).sum()
    taps.flags.writeable = False
    return taps
