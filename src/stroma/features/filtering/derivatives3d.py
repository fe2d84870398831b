"""Gaussian derivatives of volumes, and products of them averaged, where the whole kernel fits.

Volumes are filtered along z first, then plane by plane as images are. What is averaged is computed
in (z, x) planes: there neighbours along z lie close together, and the gradient, its products and
their averages along z and x stay near the processor.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray

from stroma.features.filtering.derivatives import (
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
from stroma.features.filtering.lanes import WIDTH, load, multiply, store

Float32 = NDArray[np.float32]

CHUNK = 16
"""Rows that are filtered along y at once."""


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


def jet_of_plane(
    along: Float32, z: int, sigma: float, units: Units, room: Room, name: str
) -> Derivatives:
    """Return all derivatives of one plane, of those along z that `along_z` gave.

    Parameters
    ----------
    along : (order + 1, z, y, x) float32
    z : int
    sigma : float
        In units of length.
    units : (float, float)
        Pixels in a unit of length, along y and x.
    room : Room
    name : str
        Where they are kept until the next ones of that name.

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
    out = room.solids(name, 1, len(orders), height, width)[0]
    rows = room.solids("jet strip", 1, order + 1, along.shape[2], STRIP)[0]
    _jet(along, z, down, across, rows, out)
    return dict(zip(orders, out, strict=True))


def along_plane(
    volume: Float32, z: int, sigma: float, order: int, unit: float, room: Room
) -> Float32:
    """Return one plane of what `along_z` returns, (order + 1, 1, y, x), without the others.

    It is for short kernels: the planes that one looks at are still near the processor for the next.
    """
    taps = kernels_of(sigma, unit, order)[order]
    out = room.solids("along", order + 1, 1, *volume.shape[1:])
    _across_planes(volume[z:], taps, order, out[:, 0])
    return out


def averaged_products(
    volume: Float32, slope: float, sigma: float, units: tuple[float, float, float], room: Room
) -> Float32:
    """Return the products of the gradient of a volume with itself, averaged along z and x.

    Parameters
    ----------
    volume : (z, y, x) float32
        From ``Room.solids``, or a part of it.
    slope : float
        Sigma of the gradient, in units of length.
    sigma : float
        Of the average.
    units : (float, float, float)
        Voxels in a unit of length along z, y and x.

    Returns
    -------
    (6, z - 2 r - 2 s, y - 2 r, x - 2 r - 2 s) float32
        Of z with z, y and x, of y with y and x, and of x with x; ``r = reach(slope, 1)`` and
        ``s = reach(sigma, 0)`` for cubes.
    """
    slopes = tuple(kernels_of(slope, unit, 1) for unit in units)
    means = tuple(kernels_of(sigma, unit, 0)[0] for unit in (units[0], units[2]))
    sides = _inner(volume.shape, [taps[1] for taps in slopes])
    depth, width = _inner((sides[0], sides[2]), means)
    out = room.solids("products", 6, depth, sides[1], width)
    rooms = (
        room.solids("slopes", 2, CHUNK, volume.shape[0], volume.shape[2]),
        room.solids("slopes strip", 1, 2, volume.shape[0], STRIP)[0],
        room.solids("gradient", 1, 3, sides[0], sides[2])[0],
        room.solids("products strip", 1, 1, sides[0], STRIP)[0, 0],
        room.solids("products rows", 1, 1, depth, sides[2])[0],
    )
    _averaged_products(volume, slopes, means, rooms, out)
    return out


def averaged_plane(products: Float32, z: int, sigma: float, unit: float, room: Room) -> Float32:
    """Return one plane (6, y - 2 r, x) of what `averaged_products` gave, averaged along y."""
    taps = kernels_of(sigma, unit, 0)[0]
    count, _, height, width = products.shape
    out: Float32 = room.solids("averaged", 1, count, height - 2 * (len(taps) - 1), width)[0]
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
def _across_planes(volume, taps, order, out):  # type: ignore[no-untyped-def]
    """Filter along z, row by row, to one plane of every order."""
    plane = volume.strides[0] // 4
    for y in range(out.shape[1]):
        filter_along(volume[0, y : y + 1], plane, order, taps, out[:, y : y + 1])


@njit(nogil=True, cache=True, error_model="numpy")
def _averaged_products(volume, slopes, means, rooms, out):  # type: ignore[no-untyped-def]
    """Filter along y a few rows at a time; then every (z, x) plane of them by itself."""
    along, strips, gradient, strip, rows = rooms
    down, across = slopes[0], slopes[2]
    height, step, reach = out.shape[2], volume.strides[1] // 4, len(slopes[1][1]) - 1
    for y in range(0, height, along.shape[1]):
        end = min(y + along.shape[1], height)
        for z in range(volume.shape[0]):
            seen = volume[z, y : end + 2 * reach]
            filter_along(seen, step, 1, slopes[1][1], along[:, : end - y, z])
        for i in range(end - y):
            _gradient(along[:, i], down, across, strips, gradient)
            _products(gradient, means[0], means[1], strip, rows, out[:, :, y + i])


@njit(nogil=True, cache=True, error_model="numpy")
def _gradient(along, down, across, rows, out):  # type: ignore[no-untyped-def]
    """Write the three first derivatives of a (z, x) plane, a strip of columns at a time."""
    width, depth, step = out.shape[2], along.shape[1], rows.strides[1] // 4
    cut, side = len(down[1]) - len(down[0]), len(across[1]) - len(across[0])
    for x in range(0, width, rows.shape[2]):
        end = min(x + rows.shape[2], width)
        strips = rows[:, :, : end - x]
        filter_along(along[0, :, x : end + 2 * (len(across[1]) - 1)], 1, 1, across[1], strips)
        slopes_along(strips[0], step, down[1], out[0:1, :, x:end])
        filter_along(strips[1, cut : depth - cut], step, 0, down[0], out[2:3, :, x:end])
        seen = along[1, cut : depth - cut, x + side : end + side + 2 * (len(across[0]) - 1)]
        strips = strips[:1, : depth - 2 * cut]
        filter_along(seen, 1, 0, across[0], strips)
        filter_along(strips[0], step, 0, down[0], out[1:2, :, x:end])


@njit(nogil=True, cache=True, error_model="numpy")
def _products(gradient, down, across, strip, rows, out):  # type: ignore[no-untyped-def]
    """Multiply, then filter along z and x, pair by pair."""
    depth, width = gradient.shape[1:]
    part, pitch, step = gradient.strides[0] // 4, gradient.strides[1] // 4, strip.strides[0] // 4
    product = 0
    for a in range(3):
        for b in range(a, 3):
            for x in range(0, width, strip.shape[1]):
                end = min(x + strip.shape[1], width)
                for z in range(depth):
                    at = z * pitch + x
                    for i in range(0, end - x, WIDTH):
                        one = load(gradient, a * part + at + i)
                        other = load(gradient, b * part + at + i)
                        store(strip, z * step + i, multiply(one, other))
                filter_along(strip[:, : end - x], step, 0, down, rows[:, :, x:end])
            filter_along(rows[0], 1, 0, across, out[product : product + 1])
            product += 1


@njit(nogil=True, cache=True, error_model="numpy")
def _columns(products, z, taps, out):  # type: ignore[no-untyped-def]
    """Filter one plane of every volume along y."""
    step = products.strides[2] // 4
    for i in range(len(products)):
        filter_along(products[i, z], step, 0, taps, out[i : i + 1])
