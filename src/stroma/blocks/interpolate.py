"""Values between the centres of cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from stroma.blocks.box import Box, PerAxis, per_axis

SPLINE_REACH = 16
"""Cells beyond which a value has no visible influence on a spline of order 2 to 5."""


def reach(order: int) -> int:
    """Return how many cells around a position its interpolated value depends on."""
    return (0, 1)[order] if order < 2 else SPLINE_REACH


def interpolate(
    values: NDArray[Any],
    box: Box,
    *,
    step: int | PerAxis,
    origin: tuple[int, ...] = (0, 0, 0),
    order: int = 1,
) -> NDArray[Any]:
    """Return the values of cells at every pixel of a box.

    Parameters
    ----------
    values : (..., d, h, w) array
        One value per cell.
    box : Box
        The pixels wanted. Beyond the centres of the outermost cells their value is continued.
    step : int or (int, int, int)
        Sides of a cell, in pixels; one number holds along y and x.
    origin : (int, int, int)
        First pixel (z, y, x) of the first cell.
    order : int
        0 nearest, 1 linear, 2 to 5 spline.
    """
    steps = per_axis(step, across=1)
    axes = [
        _Axis(np.arange(a - o, b - o), s, n)
        for a, b, o, s, n in zip(box.start, box.stop, origin, steps, values.shape[-3:], strict=True)
    ]
    if order > 1 and max(steps) > 1:
        return _spline(values, axes, order, box.sides)
    for place, axis in zip((-3, -2, -1), axes, strict=True):
        find = axis.linear if order and axis.step > 1 else axis.nearest
        values = find(values, place)
    return values


def sample(
    values: NDArray[Any],
    points: NDArray[np.integer],
    *,
    step: int | PerAxis,
    origin: tuple[int, ...] = (0, 0, 0),
    order: int = 0,
) -> NDArray[Any]:
    """Return the (n, F) values of (F, d, h, w) cells at n pixels (z, y, x), as ``interpolate``."""
    steps = per_axis(step, across=1)
    shifted = (np.asarray(points) - np.asarray(origin)).astype(np.intp)
    axes = [
        _Axis(pixel, s, n) for pixel, s, n in zip(shifted.T, steps, values.shape[1:], strict=True)
    ]
    if order == 0 or max(steps) == 1:
        z, y, x = (axis.cell for axis in axes)
        return values[:, z, y, x].T
    if order == 1:
        return _sample_linear(values, axes)
    grid = np.stack([axis.position for axis in axes])
    flat = values.astype(np.float32, copy=False)
    return np.stack([_mapped(m, grid, order) for m in flat], axis=1)


def _sample_linear(values: NDArray[Any], axes: Sequence[_Axis]) -> NDArray[Any]:
    """Mix the cells around every point, along z, then y, then x, as `interpolate` does."""

    def mixed(left: int, *chosen: NDArray[np.intp]) -> NDArray[Any]:
        if left == 0:
            z, y, x = chosen
            found: NDArray[Any] = values[:, z, y, x]
            return found
        axis = axes[left - 1]
        if axis.step == 1:
            return mixed(left - 1, axis.cell, *chosen)
        before, after, weight = axis.neighbours
        below, above = mixed(left - 1, before, *chosen), mixed(left - 1, after, *chosen)
        found = below * (1 - weight) + above * weight
        return found

    return mixed(3).T


def _spline(
    values: NDArray[Any], axes: Sequence[_Axis], order: int, sides: PerAxis
) -> NDArray[Any]:
    grid = np.stack(np.meshgrid(*(axis.position for axis in axes), indexing="ij"))
    flat = values.reshape(-1, *values.shape[-3:]).astype(np.float32, copy=False)
    maps = [_mapped(m, grid, order) for m in flat]
    return np.stack(maps).reshape(*values.shape[:-3], *sides)


def _mapped(volume: NDArray[Any], grid: NDArray[np.float64], order: int) -> NDArray[Any]:
    """Return a volume at positions; a plane as a plane, which a spline along z would not change."""
    if len(volume) == 1:
        volume, grid = volume[0], grid[1:]
    found: NDArray[Any] = ndimage.map_coordinates(volume, grid, order=order, mode="nearest")
    return found


class _Axis:
    """Pixels along one axis of cells.

    Parameters
    ----------
    pixel : (n,) int array
        Counted from the start of cell 0.
    step : int
        Pixels of a cell.
    length : int
        Number of cells.
    """

    def __init__(self, pixel: NDArray[np.intp], step: int, length: int) -> None:
        self.pixel, self.step, self.length = pixel, step, length

    @property
    def cell(self) -> NDArray[np.intp]:
        """The cells in which pixels lie."""
        return np.clip(self.pixel // self.step, 0, self.length - 1)

    @property
    def position(self) -> NDArray[np.float64]:
        """Where pixel centres lie, in cells from the centre of cell 0."""
        return (2 * self.pixel + 1 - self.step) / (2 * self.step)

    @property
    def neighbours(self) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]:
        """The cells on both sides of pixels and the weight of the second.

        The weight comes from integers, so that it does not depend on where the cells start.
        """
        double = 2 * self.pixel + 1 - self.step
        cell = double // (2 * self.step)
        weight = ((double - cell * 2 * self.step) / (2 * self.step)).astype(np.float32)
        last = self.length - 1
        return np.clip(cell, 0, last), np.clip(cell + 1, 0, last), weight

    def nearest(self, values: NDArray[Any], axis: int) -> NDArray[Any]:
        """Return the values of the cells in which pixels lie; without copying, if possible."""
        first, last = self.pixel[0], self.pixel[-1]
        if self.step == 1 and first >= 0 and last < self.length:
            cut: tuple[Any, ...] = (..., slice(first, last + 1), *(slice(None),) * (-1 - axis))
            part: NDArray[Any] = values[cut]
            return part
        return np.take(values, self.cell, axis)

    def linear(self, values: NDArray[Any], axis: int) -> NDArray[Any]:
        """Return values between the centres of cells."""
        before, after, weight = self.neighbours
        weight = weight.reshape(-1, *(1,) * (-1 - axis))
        below, above = np.take(values, before, axis), np.take(values, after, axis)
        mixed: NDArray[Any] = below * (1 - weight) + above * weight
        return mixed
