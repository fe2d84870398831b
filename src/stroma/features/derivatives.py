"""Gaussian derivatives of an image, computed where the whole kernel fits.

Rows are filtered first, then columns; one pass over the pixels gives all derivatives of one
direction, since they read the same neighbours. Volumes are filtered along z before, for all planes
at once; then every plane is an image. The value of a pixel does not depend on where the image was
cut, to the last bit.
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


def solids(count: int, depth: int, height: int, width: int) -> Float32:
    """Return ``count`` volumes to be written, with rows as those of `planes`.

    Planes too are an odd number of cache lines apart.
    """
    lines = -(-width // WIDTH) * WIDTH // LINE
    pitch = (lines | 1) * LINE
    plane = ((height * pitch // LINE) | 1) * LINE
    rows = _aligned(count * depth * plane).reshape(count, depth, plane)[:, :, : height * pitch]
    rows = rows.reshape(count, depth, height, pitch)
    rows[..., width:] = 0
    return rows[..., :width]


def _aligned(size: int) -> Float32:
    """Return floats that begin with a line of the cache, and may be read a few beyond their end."""
    buffer = np.empty(size + WIDTH + LINE, np.float32)
    start = -buffer.ctypes.data // 4 % LINE
    buffer[start + size :] = 0
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


def in_solids(volume: Float32) -> Float32:
    """Return a copy of a volume (z, y, x) as the functions of this module take it."""
    copy: Float32 = solids(1, *volume.shape)[0]
    copy[:] = volume
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
    taps = [_kernels(sigma, unit, order) for unit in units]
    found = _filtered(image, taps[0], taps[1], order)
    orders = [(y, x) for x in range(order + 1) for y in range(order + 1 - x)]
    return dict(zip(orders, found, strict=True))


def smooth(image: Float32, sigma: float, radius: int) -> Float32:
    """Return the (y - 2 r, x - 2 r) image smoothed with a Gaussian cut off at a radius r."""
    taps = (_taps(sigma, 0, radius),) * 3
    smoothed: Float32 = _filtered(image, taps, taps, 0)[0]
    return smoothed


def along_z(volume: Float32, sigma: float, order: int, unit: float = 1.0) -> Float32:
    """Return all derivatives along z up to an order of a volume smoothed with a Gaussian along z.

    Parameters
    ----------
    volume : (z, y, x) float32
        From ``solids``, or a part of it.
    sigma : float
        In units of length.
    order : {0, 1, 2}
    unit : float
        Planes in a unit of length.

    Returns
    -------
    (order + 1, z - 2 r, y, x) float32
        With ``r = reach(sigma * unit, order)``.
    """
    taps = _kernels(sigma, unit, order)[order]
    depth, height, width = volume.shape
    out = solids(order + 1, depth - 2 * (len(taps) - 1), height, width)
    _depthwise(volume, taps, order, planes(1, depth, STRIP)[0], out)
    return out


def product_along_z(first: Float32, second: Float32, sigma: float, unit: float) -> Float32:
    """Return the (z - 2 r, y, x) product of two volumes, smoothed along z as `along_z` does."""
    taps = _kernels(sigma, unit, 0)[0]
    depth, height, width = first.shape
    out = solids(1, depth - 2 * (len(taps) - 1), height, width)
    _depthwise_products(first, second, taps, planes(1, depth, STRIP)[0], out)
    found: Float32 = out[0]
    return found


@cache
def _kernels(sigma: float, unit: float, order: int) -> tuple[Float32, ...]:
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
    _separable(image, down, across[order], order, planes(order + 1, len(image), STRIP), out)
    return out


def _compiled(order: int) -> Any:
    """Return the pass for kernels of the orders 0 to ``order``."""
    first, second = order >= 1, order >= 2

    @njit(nogil=True, cache=True, error_model="numpy")
    def one_pass(image, step, taps, out):  # type: ignore[no-untyped-def]
        """Write to ``out`` (orders, y, x); neighbours are ``step`` elements apart."""
        height, width = out.shape[1:]
        pitch, radius = image.strides[0] // 4, len(taps) - 1
        out_plane, out_pitch = out.strides[0] // 4, out.strides[1] // 4
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


_pass0, _pass1, _pass2 = _compiled(0), _compiled(1), _compiled(2)


@njit(nogil=True, cache=True, error_model="numpy")
def _separable(image, down, across, order, strip, out):  # type: ignore[no-untyped-def]
    """Filter rows, then columns, a strip at a time, which stays in the cache between the two."""
    width, radius = out.shape[2], len(across) - 1
    for x in range(0, width, strip.shape[2]):
        end, first = min(x + strip.shape[2], width), 0
        rows = strip[:, :, : end - x]
        _pass(image[:, x : end + 2 * radius], image.strides[1] // 4, order, across, rows)
        for rest in range(order, -1, -1):  # derivatives along y, whose kernels may be shorter
            cut = len(down[order]) - len(down[rest])
            columns = rows[order - rest, cut : rows.shape[1] - cut]
            goal = out[first : first + rest + 1, :, x:end]
            _pass(columns, columns.strides[0] // 4, rest, down[rest], goal)
            first += rest + 1


@njit(nogil=True, cache=True, error_model="numpy")
def _depthwise(volume, taps, order, strip, out):  # type: ignore[no-untyped-def]
    """Filter along z, a strip of a row at a time.

    A strip is copied from all planes first: neighbours along z lie on pages of memory of their own,
    more of them than a processor keeps at hand.
    """
    height, width = out.shape[2:]
    for y in range(height):
        for x in range(0, width, strip.shape[1]):
            end = min(x + strip.shape[1], width)
            for z in range(volume.shape[0]):
                for i in range(end - x):
                    strip[z, i] = volume[z, y, x + i]
            goal = out[:, :, y, x:end]
            _pass(strip[:, : end - x], strip.strides[0] // 4, order, taps, goal)


@njit(nogil=True, cache=True, error_model="numpy")
def _depthwise_products(first, second, taps, strip, out):  # type: ignore[no-untyped-def]
    """Smooth the product of two volumes along z, which is nowhere kept as a whole."""
    height, width = out.shape[2:]
    for y in range(height):
        for x in range(0, width, strip.shape[1]):
            end = min(x + strip.shape[1], width)
            for z in range(first.shape[0]):
                for i in range(end - x):
                    strip[z, i] = first[z, y, x + i] * second[z, y, x + i]
            goal = out[:, :, y, x:end]
            _pass(strip[:, : end - x], strip.strides[0] // 4, 0, taps, goal)


@njit(nogil=True, cache=True, error_model="numpy")
def _pass(image, step, order, taps, out):  # type: ignore[no-untyped-def]
    if order == 0:
        _pass0(image, step, taps, out)
    elif order == 1:
        _pass1(image, step, taps, out)
    else:
        _pass2(image, step, taps, out)
