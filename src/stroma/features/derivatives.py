"""Gaussian derivatives of an image, computed where the whole kernel fits.

Rows are filtered first, then columns; one pass over the pixels gives all derivatives of one
direction, since they read the same neighbours. The value of a pixel does not depend on where the
image was cut, to the last bit.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from stroma.errors import ShapeError
from stroma.features.kernels import gaussian_taps, reach
from stroma.features.lanes import WIDTH, add, load, multiply_add, store, subtract, zeros

Float32 = NDArray[np.float32]

Derivatives = dict[tuple[int, int], Float32]
"""Images by their order of derivative along (y, x)."""

LINE = 16
"""Floats in a line of the processor's cache."""


def planes(count: int, height: int, width: int) -> Float32:
    """Return ``count`` images to be written, with room for whole lanes at the end of each row.

    Rows are an odd number of cache lines apart, so that a column does not fall into few sets of
    the cache; what lies between them is 0.
    """
    lines = -(-width // WIDTH) * WIDTH // LINE
    pitch = (lines | 1) * LINE
    buffer = np.empty(count * height * pitch + WIDTH, np.float32)
    buffer[count * height * pitch :] = 0
    rows = buffer[: count * height * pitch].reshape(count, height, pitch)
    rows[:, :, width:] = 0
    return rows[:, :, :width]


def core_shape(block: Float32, halo: int) -> tuple[int, int]:
    """Return the size of what is left of a block (C, y, x) without its halo.

    Raises
    ------
    ShapeError
        If nothing is left.
    """
    height, width = (n - 2 * halo for n in block.shape[1:])
    if min(height, width) < 1:
        raise ShapeError(
            f"A block (C, y, x) is larger than its halo of {halo} pixels on every side; "
            f"got the shape {block.shape}."
        )
    return height, width


def in_planes(image: Float32) -> Float32:
    """Return a copy of an image (y, x) as the functions of this module take it."""
    copy: Float32 = planes(1, *image.shape)[0]
    copy[:] = image
    return copy


def jet(image: Float32, sigma: float, order: int) -> Derivatives:
    """Return all derivatives up to an order of the image smoothed with a Gaussian.

    Parameters
    ----------
    image : (y, x) float32
        From ``planes``, or a part of it.
    sigma : float, pixels
    order : {0, 1, 2}

    Returns
    -------
    dict of (int, int) to (y - 2 r, x - 2 r) float32
        By order along (y, x), with ``r = reach(sigma, order)``.
    """
    r = reach(sigma, order)
    found = {}
    for x_order, rows in enumerate(_along(image, 1, _taps(sigma, order, r))):
        rest = order - x_order  # derivatives left for y, which may need a shorter kernel
        cut = r - reach(sigma, rest)
        columns = rows[cut : len(rows) - cut]
        along_y = _along(columns, 0, _taps(sigma, rest, reach(sigma, rest)))
        found.update({(y_order, x_order): values for y_order, values in enumerate(along_y)})
    return found


def smooth(image: Float32, sigma: float, radius: int) -> Float32:
    """Return the (y - 2 r, x - 2 r) image smoothed with a Gaussian cut off at a radius r."""
    taps = _taps(sigma, 0, radius)
    smoothed: Float32 = _along(_along(image, 1, taps)[0], 0, taps)[0]
    return smoothed


@cache
def _taps(sigma: float, order: int, radius: int) -> Float32:
    """Return the kernels of all orders, (radius + 1, order + 1); shorter ones end in zeros."""
    taps = np.zeros((radius + 1, order + 1), np.float32)
    for o in range(order + 1):
        length = radius if order == 0 else reach(sigma, o)
        taps[: length + 1, o] = gaussian_taps(sigma, o, length)
    taps.flags.writeable = False
    return taps


def _along(image: Float32, axis: int, taps: Float32) -> Float32:
    """Correlate an image with kernels along one axis; (orders, y, x), where they fit."""
    radius, orders = len(taps) - 1, taps.shape[1]
    shape = [n - 2 * radius * (i == axis) for i, n in enumerate(image.shape)]
    out = planes(orders, *shape)
    pitch = image.strides[0] // image.itemsize
    _PASSES[orders - 1](image, pitch, pitch if axis == 0 else 1, taps, out)
    return out


def _compiled(order: int) -> Any:
    """Return the pass for kernels of the orders 0 to ``order``."""
    first, second = order >= 1, order >= 2

    @njit(nogil=True, cache=True, error_model="numpy")
    def one_pass(image, pitch, step, taps, out):  # type: ignore[no-untyped-def]
        """Write to ``out`` (orders, y, x); neighbours are ``step`` elements apart."""
        height, width = out.shape[1:]
        out_plane, out_pitch = out.strides[0] // 4, out.strides[1] // 4
        radius = len(taps) - 1
        for x in range(0, width, WIDTH):
            for y in range(height):
                centre = y * pitch + x + radius * step
                pixel = load(image, centre)
                sum0 = multiply_add(taps[0, 0], pixel, zeros())
                sum1 = zeros()
                sum2 = multiply_add(taps[0, 2], pixel, zeros()) if second else zeros()
                for t in range(1, radius + 1):
                    before, after = load(image, centre - t * step), load(image, centre + t * step)
                    both = add(after, before)
                    sum0 = multiply_add(taps[t, 0], both, sum0)
                    if first:
                        sum1 = multiply_add(taps[t, 1], subtract(after, before), sum1)
                    if second:
                        sum2 = multiply_add(taps[t, 2], both, sum2)
                at = y * out_pitch + x
                store(out, at, sum0)
                if first:
                    store(out, at + out_plane, sum1)
                if second:
                    store(out, at + 2 * out_plane, sum2)

    return one_pass


_PASSES = [_compiled(order) for order in range(3)]
