"""Gaussian derivatives of an image, computed where the whole kernel fits."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from stroma.features.kernels import gaussian_taps, reach

Float32 = NDArray[np.float32]

ORDERS = ((0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (0, 2))
"""Orders (along y, along x) of the derivatives in a jet; a jet of order 1 has the first three."""

SMOOTHED, IY, IX, IYY, IXY, IXX = range(6)


def jet(image: Float32, sigma: float, order: int) -> Float32:
    """Return all derivatives up to an order (0, 1 or 2) of the image smoothed with a Gaussian.

    Parameters
    ----------
    image : (y, x) float32
    sigma : float, pixels

    Returns
    -------
    (n, y - 2 r, x - 2 r) float32
        In the order of ``ORDERS``, n = 1, 3 or 6, with ``r = reach(sigma, order)``.
    """
    r = reach(sigma, order)
    orders = [o for o in ORDERS if sum(o) <= order]
    full = [cv2.sepFilter2D(image, -1, _full(sigma, x), _full(sigma, y)) for y, x in orders]
    return np.stack([f[r : f.shape[0] - r, r : f.shape[1] - r] for f in full])


def smooth(image: Float32, sigma: float, radius: int) -> Float32:
    """Return the (y - 2 r, x - 2 r) image smoothed with a Gaussian cut off at a radius r."""
    kernel = _kernel(sigma, 0, radius)
    full = cv2.sepFilter2D(image, -1, kernel, kernel)
    valid: Float32 = full[radius : full.shape[0] - radius, radius : full.shape[1] - radius]
    return valid


def _kernel(sigma: float, order: int, radius: int) -> Float32:
    taps = gaussian_taps(sigma, order, radius)
    mirrored = -taps[:0:-1] if order == 1 else taps[:0:-1]
    kernel: Float32 = np.concatenate([mirrored, taps]).astype(np.float32)
    return kernel


def _full(sigma: float, order: int) -> Float32:
    return _kernel(sigma, order, reach(sigma, order))
