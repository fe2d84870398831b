"""Values between the centres of square cells."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from stroma.blocks.box import Box

SPLINE_REACH = 16
"""Cells beyond which a value has no visible influence on a spline of order 2 to 5."""


def reach(order: int) -> int:
    """Return how many cells around a position its interpolated value depends on."""
    return (0, 1)[order] if order < 2 else SPLINE_REACH


def interpolate(
    values: NDArray[Any], box: Box, *, step: int, origin: tuple[int, int] = (0, 0), order: int = 1
) -> NDArray[Any]:
    """Return the values of cells at every pixel of a box.

    Parameters
    ----------
    values : (..., h, w) array
        One value per cell of ``step`` x ``step`` pixels.
    box : Box
        The pixels wanted. Beyond the centres of the outermost cells their value is continued.
    step : int
        Side of a cell, in pixels.
    origin : (int, int)
        Top left pixel of cell (0, 0).
    order : int
        0 nearest, 1 linear, 2 to 5 spline.
    """
    if step == 1:
        order = 0
    rows = _Axis(box.top - origin[0], box.bottom - origin[0], step, values.shape[-2])
    columns = _Axis(box.left - origin[1], box.right - origin[1], step, values.shape[-1])
    if order == 0:
        return values[..., rows.nearest[:, None], columns.nearest]
    if order == 1:
        return columns.linear(rows.linear(values, -2), -1)
    grid = np.meshgrid(rows.position, columns.position, indexing="ij")
    flat = values.reshape(-1, *values.shape[-2:]).astype(np.float32, copy=False)
    maps = [ndimage.map_coordinates(m, grid, order=order, mode="nearest") for m in flat]
    return np.stack(maps).reshape(*values.shape[:-2], *box.shape)


def sample(
    values: NDArray[Any],
    points: NDArray[np.integer],
    *,
    step: int,
    origin: tuple[int, int] = (0, 0),
    order: int = 0,
) -> NDArray[Any]:
    """Return the (n, F) values of (F, h, w) cells at n pixels (y, x), as ``interpolate`` does."""
    y, x = (np.asarray(points).T - np.asarray(origin)[:, None]).astype(np.intp)
    if order == 0 or step == 1:
        rows = np.clip(y // step, 0, values.shape[1] - 1)
        columns = np.clip(x // step, 0, values.shape[2] - 1)
        return values[:, rows, columns].T
    if order == 1:
        return _sample_linear(values, y, x, step)
    grid = np.stack([_position(y, step), _position(x, step)])
    flat = values.astype(np.float32, copy=False)
    return np.stack(
        [ndimage.map_coordinates(m, grid, order=order, mode="nearest") for m in flat], axis=1
    )


def _sample_linear(
    values: NDArray[Any], y: NDArray[np.intp], x: NDArray[np.intp], step: int
) -> NDArray[Any]:
    (y0, y1, v), (x0, x1, u) = (
        _neighbours(p, step, n) for p, n in zip((y, x), values.shape[1:], strict=True)
    )
    left = values[:, y0, x0] * (1 - v) + values[:, y1, x0] * v
    right = values[:, y0, x1] * (1 - v) + values[:, y1, x1] * v
    mixed: NDArray[Any] = (left * (1 - u) + right * u).T
    return mixed


def _position(pixel: NDArray[np.intp], step: int) -> NDArray[np.float64]:
    """Return where pixel centres lie, in cells from the centre of cell 0."""
    return (2 * pixel + 1 - step) / (2 * step)


def _neighbours(
    pixel: NDArray[np.intp], step: int, length: int
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]:
    """Return the cells on both sides of pixels and the weight of the second.

    The weight comes from integers, so that it does not depend on where the cells start.
    """
    double = 2 * pixel + 1 - step
    cell = double // (2 * step)
    weight = ((double - cell * 2 * step) / (2 * step)).astype(np.float32)
    return np.clip(cell, 0, length - 1), np.clip(cell + 1, 0, length - 1), weight


class _Axis:
    """Pixels start..stop along one axis of cells."""

    def __init__(self, start: int, stop: int, step: int, length: int) -> None:
        self.pixel = np.arange(start, stop)
        self.step, self.length = step, length

    @property
    def nearest(self) -> NDArray[np.intp]:
        return np.clip(self.pixel // self.step, 0, self.length - 1)

    @property
    def position(self) -> NDArray[np.float64]:
        return _position(self.pixel, self.step)

    def linear(self, values: NDArray[Any], axis: int) -> NDArray[Any]:
        before, after, weight = _neighbours(self.pixel, self.step, self.length)
        weight = weight[:, None] if axis == -2 else weight
        below, above = np.take(values, before, axis), np.take(values, after, axis)
        mixed: NDArray[Any] = below * (1 - weight) + above * weight
        return mixed
