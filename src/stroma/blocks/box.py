"""Boxes of pixels, and reading them beyond the border of an image."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

PerAxis = tuple[int, int, int]
"""A number along z, y and x."""


def per_axis(value: int | PerAxis, *, across: int) -> PerAxis:
    """Return a number per axis: one that is given alone holds along y and x, ``across`` along z."""
    return value if isinstance(value, tuple) else (across, value, value)


@dataclass(frozen=True, order=True, slots=True)
class Box:
    """The pixels from (front, top, left) up to, not including, (back, bottom, right).

    A rectangle of a plane is a box of depth one. Where an operation takes one number, it holds
    along y and x, and nothing happens along z.
    """

    top: int
    left: int
    bottom: int
    right: int
    front: int = 0
    back: int = 1

    @classmethod
    def of(cls, shape: tuple[int, ...]) -> Box:
        """Return the box that covers an array of that shape, (y, x) or (z, y, x)."""
        return cls.between((0, 0, 0), (1, *shape)[-3:])

    @classmethod
    def between(cls, start: Iterable[int], stop: Iterable[int]) -> Box:
        """Return the box from one voxel (z, y, x) up to, not including, another."""
        (front, top, left), (back, bottom, right) = start, stop
        return cls(top, left, bottom, right, front, back)

    @property
    def start(self) -> PerAxis:
        """First voxel (z, y, x)."""
        return self.front, self.top, self.left

    @property
    def stop(self) -> PerAxis:
        """End (z, y, x), which does not belong to the box."""
        return self.back, self.bottom, self.right

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        return self.bottom - self.top, self.right - self.left

    @property
    def sides(self) -> PerAxis:
        """Depth, height and width."""
        return self.back - self.front, *self.shape

    @property
    def area(self) -> int:
        """Number of pixels; 0 for an empty or inverted box."""
        return math.prod(max(0, side) for side in self.sides)

    @property
    def middle(self) -> tuple[float, float]:
        """Row and column of the middle."""
        return (self.top + self.bottom) / 2, (self.left + self.right) / 2

    @property
    def slices(self) -> tuple[slice, slice]:
        """The box as an index into the last two axes of an array."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    @property
    def index(self) -> tuple[slice, slice, slice]:
        """The box as an index into the last three axes of an array."""
        return slice(self.front, self.back), *self.slices

    def along(self, axis: str) -> tuple[int, int]:
        """Return where the box begins and ends along z, y or x."""
        at = "zyx".index(axis)
        return self.start[at], self.stop[at]

    def spanning(self, axis: str, ends: tuple[int, int]) -> Box:
        """Return the box with another beginning and end along z, y or x."""
        spans = [ends if a == axis else self.along(a) for a in "zyx"]
        return Box.between(*zip(*spans, strict=True))

    def grown(self, margin: int | PerAxis) -> Box:
        """Return the box with that many pixels more on every side."""
        more = per_axis(margin, across=0)
        return Box.between(
            (a - m for a, m in zip(self.start, more, strict=True)),
            (b + m for b, m in zip(self.stop, more, strict=True)),
        )

    def aligned(self, stride: int | PerAxis) -> Box:
        """Return the smallest box around this one with corners on multiples of ``stride``."""
        steps = per_axis(stride, across=1)
        return Box.between(
            (a // s * s for a, s in zip(self.start, steps, strict=True)),
            (-(-b // s) * s for b, s in zip(self.stop, steps, strict=True)),
        )

    def clipped(self, other: Box) -> Box:
        """Return what both boxes cover."""
        return Box(
            max(self.top, other.top),
            max(self.left, other.left),
            min(self.bottom, other.bottom),
            min(self.right, other.right),
            max(self.front, other.front),
            min(self.back, other.back),
        )

    def relative(self, origin: Box) -> Box:
        """Return the box in coordinates that start at another box's first voxel."""
        front, top, left = origin.start
        return Box(
            self.top - top,
            self.left - left,
            self.bottom - top,
            self.right - left,
            self.front - front,
            self.back - front,
        )

    def scaled(self, factor: int | PerAxis) -> Box:
        """Return the box in pixels that are ``factor`` times smaller."""
        factors = per_axis(factor, across=1)
        return Box.between(
            (a * f for a, f in zip(self.start, factors, strict=True)),
            (b * f for b, f in zip(self.stop, factors, strict=True)),
        )

    def coarse(self, factor: int | PerAxis) -> Box:
        """Return the cells of ``factor`` x ``factor`` pixels that the box touches."""
        factors, box = per_axis(factor, across=1), self.aligned(factor)
        return Box.between(
            (a // f for a, f in zip(box.start, factors, strict=True)),
            (b // f for b, f in zip(box.stop, factors, strict=True)),
        )


def hull(boxes: Sequence[Box]) -> Box:
    """Return the smallest box around others."""
    return Box.between(
        (min(edges) for edges in zip(*(b.start for b in boxes), strict=True)),
        (max(edges) for edges in zip(*(b.stop for b in boxes), strict=True)),
    )


def reflected(start: int, stop: int, length: int) -> NDArray[np.intp]:
    """Return where positions start..stop fall when the image is mirrored at its border pixels."""
    if length == 1:
        return np.zeros(stop - start, np.intp)
    position = np.arange(start, stop) % (2 * (length - 1))
    return np.minimum(position, 2 * (length - 1) - position)


def read_reflected(read: Callable[[Box], NDArray[Any]], shape: PerAxis, box: Box) -> NDArray[Any]:
    """Read a box that may reach beyond an image, mirroring the image at its border.

    Parameters
    ----------
    read : callable
        Returns the (..., z, y, x) values of a box inside the image.
    shape : (int, int, int)
        Depth, height and width of the image.
    box : Box
        What is wanted; any size and position.
    """
    if box.clipped(Box.of(shape)) == box:
        return read(box)
    at = [reflected(a, b, n) for a, b, n in zip(box.start, box.stop, shape, strict=True)]
    first = [int(positions.min()) for positions in at]
    needed = Box.between(first, (int(positions.max()) + 1 for positions in at))
    z, y, x = (positions - start for positions, start in zip(at, first, strict=True))
    return read(needed)[..., z[:, None, None], y[:, None], x]
