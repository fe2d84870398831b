"""The working grid: the image after ``image_downsample``, and the way back."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.blocks.box import Box, PerAxis, per_axis, read_reflected
from stroma.blocks.interpolate import interpolate


def block_mean(values: NDArray[Any], factor: int | PerAxis) -> NDArray[Any]:
    """Return the means of blocks of (..., z, y, x) values; sides must be multiples.

    Parameters
    ----------
    values : (..., z, y, x) array
        With one number as ``factor``, the last two axes do.
    factor : int or (int, int, int)
        Sides of a block; one number holds along y and x.
    """
    steps = [factor] * 2 if isinstance(factor, int) else list(factor)
    if isinstance(factor, tuple) and factor[0] == 1:
        steps = steps[1:]
    cells = math.prod(steps)
    if cells == 1:
        return values
    dtype = np.float64 if values.dtype == np.float64 else np.float32
    inner = values.shape[-len(steps) :]
    sides = (n // s for n, s in zip(inner, steps, strict=True))
    total = np.zeros((*values.shape[: -len(steps)], *sides), dtype)
    for first in np.ndindex(*steps):  # always the same order: equal wherever it is cut
        at: tuple[Any, ...] = tuple(slice(f, None, s) for f, s in zip(first, steps, strict=True))
        total += values[(..., *at)]
    return total / dtype(cells)


@dataclass(frozen=True)
class WorkingGrid:
    """The pixels that features are computed on.

    Every grid starts at 0. A factor above 1 joins blocks of so many pixels to their mean, the last
    ones completed by mirroring; one below -1 repeats every pixel ``-factor`` times; 1, 0 and -1
    leave the image as it is.

    Parameters
    ----------
    image_shape : (int, int) or (int, int, int)
        Height and width of the image, or depth, height and width; kept as three numbers.
    factor : int or (int, int, int)
        ``image_downsample``; one number holds along y and x.
    """

    image_shape: tuple[int, ...]
    factor: int | PerAxis = 1

    def __post_init__(self) -> None:
        """Bring both into one form: numbers along z, y and x."""
        object.__setattr__(self, "image_shape", Box.of(self.image_shape).sides)
        object.__setattr__(self, "factor", per_axis(self.factor, across=1))

    @cached_property
    def whole(self) -> Box:
        """All pixels of the image."""
        return Box.of(self.image_shape)

    @cached_property
    def down(self) -> PerAxis:
        """Pixels of the image per working pixel."""
        return _each(lambda f: max(f, 1), self.factor)

    @cached_property
    def up(self) -> PerAxis:
        """Working pixels per pixel of the image."""
        return _each(lambda f: max(-f, 1), self.factor)

    @cached_property
    def shape(self) -> PerAxis:
        """Depth, height and width of the working grid."""
        return _each(lambda n, d, u: -(-n // d) * u, self.image_shape, self.down, self.up)

    def read(self, read: Callable[[Box], NDArray[Any]], box: Box) -> NDArray[Any]:
        """Read a box of working pixels, mirrored beyond the border of the grid.

        Parameters
        ----------
        read : callable
            Returns the (C, z, y, x) values of a box inside the image.
        box : Box
            Working pixels, of any position.
        """
        return read_reflected(lambda inside: self._read_inside(read, inside), self.shape, box)

    def _read_inside(self, read: Callable[[Box], NDArray[Any]], box: Box) -> NDArray[Any]:
        cells = box.coarse(self.up)
        needed = cells.scaled(self.down)
        values = block_mean(read_reflected(read, self.whole.sides, needed), self.down)
        for axis, times in zip((-3, -2, -1), self.up, strict=True):
            values = values.repeat(times, axis=axis) if times > 1 else values
        inner = box.relative(cells.scaled(self.up))
        return values if inner.sides == values.shape[-3:] else values[(..., *inner.index)]

    def cells(self, box: Box) -> Box:
        """Return the working pixels that a box of the image touches."""
        return box.coarse(self.down).scaled(self.up)

    def pixels(self, box: Box) -> Box:
        """Return the pixels of the image that working pixels (whole cells) stand for."""
        return box.coarse(self.up).scaled(self.down).clipped(self.whole)

    @cached_property
    def margin(self) -> PerAxis:
        """Working pixels needed around a box to bring it back to the image."""
        return _each(lambda d: 1 if d > 1 else 0, self.down)

    def restore(self, values: NDArray[Any], origin: Box, box: Box) -> NDArray[Any]:
        """Bring (..., z, y, x) values of working pixels back to the pixels of the image.

        Parameters
        ----------
        values : array
            Values on working pixels, which start at the first one of ``origin``.
        origin : Box
            The working pixels the values cover, inside the grid.
        box : Box
            Pixels of the image to return; ``margin`` working pixels around them, as far as the
            grid reaches, must be covered.
        """
        if self.factor == (1, 1, 1):
            return values[(..., *box.relative(origin).index)]
        every = self.whole.coarse(self.down)
        cells = box.coarse(self.down).grown(self.margin).clipped(every)
        fine = cells.scaled(self.up)
        values = block_mean(values[(..., *fine.relative(origin).index)], self.up)
        if max(self.down) == 1:
            return values
        start = cells.scaled(self.down).start
        return interpolate(values, box, step=self.down, origin=start, order=1)

    def mark(
        self, points: NDArray[np.integer], labels: NDArray[np.integer]
    ) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
        """Return labelled pixels of the image as labelled working pixels.

        A working pixel that stands for several labelled pixels gets their most frequent label
        (the smallest of equals), so that a stroke one pixel wide is never lost.

        Parameters
        ----------
        points : (n, 3) int array
            Pixels (z, y, x) of the image.
        labels : (n,) int array
            Their labels.
        """
        points = np.asarray(points, np.intp)
        if max(self.down) > 1:
            points, labels = _majority(points // np.array(self.down), labels)
        if max(self.up) > 1:
            offset = np.argwhere(np.ones(self.up, bool))
            points = (points[:, None] * np.array(self.up) + offset).reshape(-1, 3)
            labels = np.repeat(labels, math.prod(self.up))
        return points, labels


def _each(function: Callable[..., int], *values: Any) -> PerAxis:
    z, y, x = (function(*along) for along in zip(*values, strict=True))
    return z, y, x


def _majority(
    cells: NDArray[np.integer], labels: NDArray[np.integer]
) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
    votes, counts = np.unique(np.column_stack([cells, labels]), axis=0, return_counts=True)
    order = np.lexsort((votes[:, 3], -counts, votes[:, 2], votes[:, 1], votes[:, 0]))
    votes = votes[order]
    first = np.ones(len(votes), bool)
    first[1:] = (votes[1:, :3] != votes[:-1, :3]).any(axis=1)
    return votes[first, :3].astype(np.intp), votes[first, 3].astype(labels.dtype)
