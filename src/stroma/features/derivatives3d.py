"""Gaussian derivatives of volumes, and products of them averaged, where the whole kernel fits.

Volumes are filtered along z first, then plane by plane as images are. What is averaged is kept as
rows of (z, x) planes: then neighbours along z lie close together, and all products of a row are
made, and averaged along z and x, while the row stays near the processor.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray

from stroma.features.derivatives import (
    STRIP,
    Derivatives,
    Room,
    Units,
    filter_along,
    kernels_of,
    planes,
    separable,
    slopes_along,
)
from stroma.features.lanes import WIDTH, load, multiply, store

Float32 = NDArray[np.float32]


def along_z(
    volume: Float32, sigma: float, order: int, unit: float, room: Room, name: str
) -> Float32:
    """Return all derivatives along z up to an order of a volume smoothed with a Gaussian along z.

    Parameters
    ----------
    volume : (z, y, x) float32
        From ``Room.solids``, or a part of it.
    sigma : float
        In units of length.
    order : {0, 1, 2}
    unit : float
        Planes in a unit of length.
    room : Room
    name : str
        Where they are kept until the next ones of that name.

    Returns
    -------
    (order + 1, z - 2 r, y, x) float32
        With ``r = reach(sigma * unit, order)``.
    """
    taps = kernels_of(sigma, unit, order)[order]
    depth, height, width = volume.shape
    out = room.solids(name, order + 1, depth - 2 * (len(taps) - 1), height, width)
    _depthwise(volume, taps, order, planes(1, depth, STRIP)[0], out)
    return out


def jet_of_plane(along: Float32, z: int, sigma: float, units: Units) -> Derivatives:
    """Return all derivatives of one plane, of those along z that `along_z` gave.

    Parameters
    ----------
    along : (order + 1, z, y, x) float32
    z : int
    sigma : float
        In units of length.
    units : (float, float)
        Pixels in a unit of length, along y and x.

    Returns
    -------
    dict of (int, int, int) to (y - 2 r, x - 2 r) float32
        By order along (z, y, x), with ``r = reach(sigma, order)`` for square pixels.
    """
    order = len(along) - 1
    down, across = (kernels_of(sigma, unit, order) for unit in units)
    height, width = _inner(along.shape[2:], (down[order], across[order]))
    orders = [
        (z, y, x)
        for z in range(order + 1)
        for x in range(order + 1 - z)
        for y in range(order + 1 - z - x)
    ]
    out = planes(len(orders), height, width)
    rows = planes(order + 1, along.shape[2], STRIP)
    _jet(along, z, down, across, rows, out)
    return dict(zip(orders, out, strict=True))


def gradients(along: Float32, sigma: float, units: Units, room: Room) -> Float32:
    """Return the gradient of a volume, of what `along_z` gave for order 1.

    Returns
    -------
    (3, y - 2 r, z, x - 2 r) float32
        Derivatives along z, y and x, with ``r = reach(sigma, 1)`` for square pixels.
    """
    down, across = (kernels_of(sigma, unit, 1) for unit in units)
    height, width = _inner(along.shape[2:], (down[1], across[1]))
    out = room.solids("gradient", 3, height, along.shape[1], width)
    _gradients(along, down, across, planes(2, along.shape[2], STRIP), out)
    return out


def averaged_products(gradient: Float32, sigma: float, units: Units, room: Room) -> Float32:
    """Return the products of the three volumes of a gradient, averaged along z and x.

    Parameters
    ----------
    gradient : (3, y, z, x) float32
    sigma : float
        In units of length.
    units : (float, float)
        Voxels in a unit of length, along z and x.

    Returns
    -------
    (6, z - 2 r, y, x - 2 r) float32
        Of z with z, y and x, of y with y and x, and of x with x; ``r = reach(sigma, 0)``.
    """
    down, across = (kernels_of(sigma, unit, 0)[0] for unit in units)
    depth, width = _inner(gradient.shape[2:], (down, across))
    out = room.solids("products", 6, depth, gradient.shape[1], width)
    strip = planes(1, gradient.shape[2], STRIP)[0]
    rows = planes(1, depth, gradient.shape[3])
    _averaged_products(gradient, down, across, strip, rows, out)
    return out


def averaged_plane(products: Float32, z: int, sigma: float, unit: float) -> Float32:
    """Return one plane (6, y - 2 r, x) of what `averaged_products` gave, averaged along y."""
    taps = kernels_of(sigma, unit, 0)[0]
    count, _, height, width = products.shape
    out = planes(count, height - 2 * (len(taps) - 1), width)
    _columns(products, z, taps, out)
    return out


def _inner(sides: Sequence[int], taps: Sequence[Float32]) -> list[int]:
    """Return the sides of a plane without the reach of kernels."""
    return [n - 2 * (len(own) - 1) for n, own in zip(sides, taps, strict=True)]


@njit(nogil=True, cache=True, error_model="numpy")
def _depthwise(volume, taps, order, strip, out):  # type: ignore[no-untyped-def]
    """Filter along z, a strip of a row at a time.

    A strip is copied from all planes first: neighbours along z lie on pages of memory of their own,
    more of them than a processor keeps at hand.
    """
    height, width = out.shape[2:]
    plane, pitch = volume.strides[0] // 4, volume.strides[1] // 4
    for y in range(height):
        for x in range(0, width, strip.shape[1]):
            end = min(x + strip.shape[1], width)
            for z in range(volume.shape[0]):
                at, goal = z * plane + y * pitch + x, z * (strip.strides[0] // 4)
                for i in range(0, end - x, WIDTH):
                    store(strip, goal + i, load(volume, at + i))
            step = strip.strides[0] // 4
            filter_along(strip[:, : end - x], step, order, taps, out[:, :, y, x:end])


@njit(nogil=True, cache=True, error_model="numpy")
def _jet(along, z, down, across, rows, out):  # type: ignore[no-untyped-def]
    """Filter the derivatives along z of one plane; the higher they are, the shorter the kernels."""
    order, first = len(along) - 1, 0
    height, width = along.shape[2:]
    for rest in range(order, -1, -1):
        top = len(down[order]) - len(down[rest])
        left = len(across[order]) - len(across[rest])
        plane = along[order - rest, z, top : height - top, left : width - left]
        end = first + (rest + 1) * (rest + 2) // 2
        strips = rows[: rest + 1, : height - 2 * top]
        separable(plane, down, across[rest], rest, strips, out[first:end])
        first = end


@njit(nogil=True, cache=True, error_model="numpy")
def _gradients(along, down, across, rows, out):  # type: ignore[no-untyped-def]
    """Write the three first derivatives, plane by plane, a strip of columns at a time."""
    depth, width = out.shape[2:]
    height, step = along.shape[2], rows.strides[1] // 4
    cut, side = len(down[1]) - len(down[0]), len(across[1]) - len(across[0])
    for z in range(depth):
        for x in range(0, width, rows.shape[2]):
            end = min(x + rows.shape[2], width)
            strips = rows[:, :, : end - x]
            seen = along[0, z, :, x : end + 2 * (len(across[1]) - 1)]
            filter_along(seen, 1, 1, across[1], strips)
            slopes_along(strips[0], step, down[1], out[1:2, :, z, x:end])
            filter_along(strips[1, cut : height - cut], step, 0, down[0], out[2:3, :, z, x:end])
            seen = along[1, z, cut : height - cut, x + side : end + side + 2 * (len(across[0]) - 1)]
            strips = strips[:1, : height - 2 * cut]
            filter_along(seen, 1, 0, across[0], strips)
            filter_along(strips[0], step, 0, down[0], out[0:1, :, z, x:end])


@njit(nogil=True, cache=True, error_model="numpy")
def _averaged_products(gradient, down, across, strip, rows, out):  # type: ignore[no-untyped-def]
    """Multiply, then filter along z and x, row by row."""
    depth, width = gradient.shape[2:]
    part, row, pitch = gradient.strides[0] // 4, gradient.strides[1] // 4, gradient.strides[2] // 4
    step = strip.strides[0] // 4
    for y in range(gradient.shape[1]):
        product = 0
        for a in range(3):
            for b in range(a, 3):
                for x in range(0, width, strip.shape[1]):
                    end = min(x + strip.shape[1], width)
                    for z in range(depth):
                        at = y * row + z * pitch + x
                        for i in range(0, end - x, WIDTH):
                            one = load(gradient, a * part + at + i)
                            other = load(gradient, b * part + at + i)
                            store(strip, z * step + i, multiply(one, other))
                    filter_along(strip[:, : end - x], step, 0, down, rows[:, :, x:end])
                filter_along(rows[0], 1, 0, across, out[product : product + 1, :, y])
                product += 1


@njit(nogil=True, cache=True, error_model="numpy")
def _columns(products, z, taps, out):  # type: ignore[no-untyped-def]
    """Filter one plane of every volume along y."""
    step = products.strides[2] // 4
    for i in range(len(products)):
        filter_along(products[i, z], step, 0, taps, out[i : i + 1])
