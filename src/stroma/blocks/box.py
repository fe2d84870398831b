"""Rectangles of pixels, and reading them beyond the border of an image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, order=True)
class Box:
    """The pixels from (top, left) up to, not including, (bottom, right)."""

    top: int
    left: int
    bottom: int
    right: int

    @classmethod
    def of(cls, shape: tuple[int, int]) -> Box:
        """Return the box that covers an array of that shape."""
        return cls(0, 0, *shape)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        return self.bottom - self.top, self.right - self.left

    @property
    def area(self) -> int:
        """Number of pixels; 0 for an empty or inverted box."""
        return max(0, self.bottom - self.top) * max(0, self.right - self.left)

    @property
    def slices(self) -> tuple[slice, slice]:
        """The box as an index into the last two axes of an array."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def grown(self, margin: int) -> Box:
        """Return the box with that many pixels more on every side."""
        return Box(self.top - margin, self.left - margin, self.bottom + margin, self.right + margin)

    def aligned(self, stride: int) -> Box:
        """Return the smallest box around this one with corners on multiples of ``stride``."""
        return Box(
            self.top // stride * stride,
            self.left // stride * stride,
            -(-self.bottom // stride) * stride,
            -(-self.right // stride) * stride,
        )

    def clipped(self, other: Box) -> Box:
        """Return what both boxes cover."""
        return Box(
            max(self.top, other.top),
            max(self.left, other.left),
            min(self.bottom, other.bottom),
            min(self.right, other.right),
        )

    def relative(self, origin: Box) -> Box:
        """Return the box in coordinates that start at another box's top left."""
        return Box(
            self.top - origin.top,
            self.left - origin.left,
            self.bottom - origin.top,
            self.right - origin.left,
        )

    def scaled(self, factor: int) -> Box:
        """Return the box in pixels that are ``factor`` times smaller."""
        return Box(*(factor * edge for edge in (self.top, self.left, self.bottom, self.right)))

    def coarse(self, factor: int) -> Box:
        """Return the cells of ``factor`` x ``factor`` pixels that the box touches."""
        box = self.aligned(factor)
        return Box(*(e // factor for e in (box.top, box.left, box.bottom, box.right)))


def reflected(start: int, stop: int, length: int) -> NDArray[np.intp]:
    """Return where positions start..stop fall when the image is mirrored at its border pixels."""
    if length == 1:
        return np.zeros(stop - start, np.intp)
    position = np.arange(start, stop) % (2 * (length - 1))
    return np.minimum(position, 2 * (length - 1) - position)


def read_reflected(
    read: Callable[[Box], NDArray[Any]], shape: tuple[int, int], box: Box
) -> NDArray[Any]:
    """Read a box that may reach beyond an image, mirroring the image at its border.

    Parameters
    ----------
    read : callable
        Returns the (..., y, x) values of a box inside the image.
    shape : (int, int)
        Height and width of the image.
    box : Box
        What is wanted; any size and position.
    """
    inside = box.clipped(Box.of(shape))
    if inside == box:
        return read(box)
    rows = reflected(box.top, box.bottom, shape[0])
    columns = reflected(box.left, box.right, shape[1])
    needed = Box(int(rows.min()), int(columns.min()), int(rows.max()) + 1, int(columns.max()) + 1)
    values = read(needed)
    return values[..., (rows - needed.top)[:, None], columns - needed.left]
