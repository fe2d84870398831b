"""Gaussian derivatives of an image, computed where the whole kernel fits.

Rows are filtered first, then columns; one pass over the pixels gives all derivatives of one
direction, since they read the same neighbours. The value of a pixel does not depend on where the
image was cut, to the last bit. Those of volumes are in `derivatives3d`.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from stroma.errors import ShapeError
from stroma.features.filtering.kernels import gaussian_taps, reach
from stroma.features.filtering.lanes import WIDTH, add, load, multiply_add, store, subtract, zeros

Float32 = NDArray[np.float32]

Derivatives = dict[tuple[int, ...], Float32]
"""Images by their order of derivative along (y, x) or (z, y, x)."""

Units = tuple[float, float]
"""By how much longer the unit of length is than a pixel, along y and x."""

SQUARE = (1.0, 1.0)

LINE = 16
"""Floats in a line of the processor's cache."""

STRIP = 64
"""Columns that are filtered at once, first along x, then along y."""


def planes(count: int, height: int, width: int) -> Float32:
    """Return ``count`` images to be written, with room for whole lanes at the end of each row.

    Rows are an odd number of cache lines apart, so that a column does not fall into few sets of
    the cache; what lies between them is 0.
    """
    lines = -(-width // WIDTH) * WIDTH // LINE
    pitch = (lines | 1) * LINE
    rows = _aligned(count * height * pitch).reshape(count, height, pitch)
    rows[:, :, width:] = 0
    return rows[:, :, :width]


class Room:
    """Memory for volumes that is used again and again.

    Large arrays are given back to the system when they are forgotten, and are cleared by it when
    they are asked for anew: a fifth of the time of all filters.
    """

    def __init__(self) -> None:
        self._buffers: dict[str, Float32] = {}
        self._views: dict[str, Float32] = {}

    def solids(self, name: str, count: int, depth: int, height: int, width: int) -> Float32:
        """Return ``count`` volumes to be written, with rows as those of `planes`.

        Planes too are an odd number of cache lines apart. They are valid until the next ones of
        that name are asked for.
        """
        known = self._views.get(name)
        if known is not None and known.shape == (count, depth, height, width):
            return known
        lines = -(-width // WIDTH) * WIDTH // LINE
        pitch = (lines | 1) * LINE
        plane = ((height * pitch // LINE) | 1) * LINE
        size = count * depth * plane
        if name not in self._buffers or len(self._buffers[name]) < size + WIDTH + LINE:
            self._buffers[name] = np.empty(size + WIDTH + LINE, np.float32)
        found = _aligned(size, self._buffers[name]).reshape(count, depth, plane)
        rows = found[:, :, : height * pitch].reshape(count, depth, height, pitch)
        rows[..., width:] = 0
        self._views[name] = rows[..., :width]
        return self._views[name]


def _aligned(size: int, buffer: Float32 | None = None) -> Float32:
    """Return floats that begin with a line of the cache, and may be read a few beyond their end."""
    if buffer is None:
        buffer = np.empty(size + WIDTH + LINE, np.float32)
    start = -buffer.ctypes.data // 4 % LINE
    buffer[start + size : start + size + WIDTH] = 0
    found: Float32 = buffer[start : start + size]
    return found


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


def jet(image: Float32, sigma: float, order: int, units: Units = SQUARE) -> Derivatives:
    """Return all derivatives up to an order of the image smoothed with a Gaussian.

    Parameters
    ----------
    image : (y, x) float32
        From ``planes``, or a part of it.
    sigma : float
        In units of length.
    order : {0, 1, 2}
    units : (float, float)
        Pixels in a unit of length, along y and x.

    Returns
    -------
    dict of (int, int) to (y - 2 r, x - 2 r) float32
        By order along (y, x), with ``r = reach(sigma, order)`` for square pixels.
    """
    taps = [kernels_of(sigma, unit, order) for unit in units]
    found = _filtered(image, taps[0], taps[1], order)
    orders = [(y, x) for x in range(order + 1) for y in range(order + 1 - x)]
    return dict(zip(orders, found, strict=True))


def smooth(image: Float32, sigma: float, radius: int) -> Float32:
    """Return the (y - 2 r, x - 2 r) image smoothed with a Gaussian cut off at a radius r."""
    taps = (_taps(sigma, 0, radius),) * 3
    smoothed: Float32 = _filtered(image, taps, taps, 0)[0]
    return smoothed


@cache
def kernels_of(sigma: float, unit: float, order: int) -> tuple[Float32, ...]:
    """Return the kernels for `_filtered`, for derivatives by the unit of length."""
    powers = (unit ** np.arange(3)).astype(np.float32)
    taps = (_taps(sigma * unit, o, reach(sigma * unit, o)) * powers[: o + 1] for o in range(3))
    return tuple(np.ascontiguousarray(t) for t in taps)


@cache
def _taps(sigma: float, order: int, radius: int) -> Float32:
    """Return the kernels of all orders, (radius + 1, order + 1); shorter ones end in zeros."""
    taps = np.zeros((radius + 1, order + 1), np.float32)
    for o in range(order + 1):
        length = radius if order == 0 else reach(sigma, o)
        taps[: length + 1, o] = gaussian_taps(sigma, o, length)
    taps.flags.writeable = False
    return taps


def _filtered(
    image: Float32, down: tuple[Float32, ...], across: tuple[Float32, ...], order: int
) -> Float32:
    """Return all derivatives up to an order.

    ``down[o]`` and ``across[o]`` have the kernels of the orders 0 to o along y and x.
    """
    height = image.shape[0] - 2 * (len(down[order]) - 1)
    width = image.shape[1] - 2 * (len(across[order]) - 1)
    out = planes((order + 1) * (order + 2) // 2, height, width)
    separable(image, down, across[order], order, planes(order + 1, len(image), STRIP), out)
    return out


def _compiled(*orders: int) -> Any:
    """Return the pass for kernels of some of the orders 0 to 2."""
    even, first, second = (order in orders for order in range(3))

    def one_pass(image, step, taps, out):  # type: ignore[no-untyped-def]
        """Write to ``out`` (orders, y, x); neighbours are ``step`` elements apart."""
        height, width = out.shape[1:]
        pitch, radius = image.strides[0] // 4, len(taps) - 1
        out_plane, out_pitch = out.strides[0] // 4, out.strides[1] // 4
        for x in range(0, width, WIDTH):
            for y in range(height):
                centre = y * pitch + x + radius * step
                pixel = load(image, centre)
                sum0 = multiply_add(taps[0, 0], pixel, zeros()) if even else zeros()
                sum1 = zeros()
                sum2 = multiply_add(taps[0, 2], pixel, zeros()) if second else zeros()
                for t in range(1, radius + 1):
                    before, after = load(image, centre - t * step), load(image, centre + t * step)
                    both = add(after, before)
                    if even:
                        sum0 = multiply_add(taps[t, 0], both, sum0)
                    if first:
                        sum1 = multiply_add(taps[t, 1], subtract(after, before), sum1)
                    if second:
                        sum2 = multiply_add(taps[t, 2], both, sum2)
                at = y * out_pitch + x
                if even:
                    store(out, at, sum0)
                if first:
                    store(out, at + out_plane if even else at, sum1)
                if second:
                    store(out, at + 2 * out_plane, sum2)

    # Numba's cache links functions by their names: two of one name, compiled by different
    # processes, would be taken for one another.
    one_pass.__qualname__ = f"pass_of_{'_'.join(map(str, orders))}"
    return njit(nogil=True, cache=True, error_model="numpy")(one_pass)


_pass0, _pass1, _pass2 = _compiled(0), _compiled(0, 1), _compiled(0, 1, 2)
slopes_along = _compiled(1)


@njit(nogil=True, cache=True, error_model="numpy")
def separable(image, down, across, order, strip, out):  # type: ignore[no-untyped-def]
    """Filter rows, then columns, a strip at a time, which stays in the cache between the two."""
    width, radius = out.shape[2], len(across) - 1
    for x in range(0, width, strip.shape[2]):
        end, first = min(x + strip.shape[2], width), 0
        rows = strip[:, :, : end - x]
        filter_along(image[:, x : end + 2 * radius], image.strides[1] // 4, order, across, rows)
        for rest in range(order, -1, -1):  # derivatives along y, whose kernels may be shorter
            cut = len(down[order]) - len(down[rest])
            columns = rows[order - rest, cut : rows.shape[1] - cut]
            goal = out[first : first + rest + 1, :, x:end]
            filter_along(columns, columns.strides[0] // 4, rest, down[rest], goal)
            first += rest + 1


@njit(nogil=True, cache=True, error_model="numpy")
def filter_along(image, step, order, taps, out):  # type: ignore[no-untyped-def]
    """Write all orders to ``out`` (orders, y, x); neighbours are ``step`` elements apart."""
    if order == 0:
        _pass0(image, step, taps, out)
    elif order == 1:
        _pass1(image, step, taps, out)
    else:
        _pass2(image, step, taps, out)
