"""The working grid: the image after ``image_downsample``, and the way back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.blocks.box import Box, read_reflected
from stroma.blocks.interpolate import interpolate


def block_mean(values: NDArray[Any], factor: int) -> NDArray[Any]:
    """Return the means of factor x factor blocks of (..., y, x) values; sides must be multiples."""
    if factor == 1:
        return values
    dtype = np.float64 if values.dtype == np.float64 else np.float32
    *rest, height, width = values.shape
    total = np.zeros((*rest, height // factor, width // factor), dtype)
    for dy, dx in np.ndindex(factor, factor):  # always the same order: equal wherever it is cut
        total += values[..., dy::factor, dx::factor]
    return total / dtype(factor**2)


@dataclass(frozen=True)
class WorkingGrid:
    """The pixels that features are computed on.

    Every grid starts at (0, 0). A factor above 1 joins blocks of ``factor`` x ``factor`` pixels to
    their mean, the last ones completed by mirroring; one below -1 repeats every pixel ``-factor``
    times along both axes; 1, 0 and -1 leave the image as it is.

    Parameters
    ----------
    image_shape : (int, int)
        Height and width of the image.
    factor : int
        ``image_downsample``.
    """

    image_shape: tuple[int, int]
    factor: int = 1

    @property
    def down(self) -> int:
        """Pixels of the image per working pixel."""
        return max(self.factor, 1)

    @property
    def up(self) -> int:
        """Working pixels per pixel of the image."""
        return max(-self.factor, 1)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the working grid."""
        height, width = (-(-n // self.down) * self.up for n in self.image_shape)
        return height, width

    def read(self, read: Callable[[Box], NDArray[Any]], box: Box) -> NDArray[Any]:
        """Read a box of working pixels, mirrored beyond the border of the grid.

        Parameters
        ----------
        read : callable
            Returns the (C, y, x) values of a box inside the image.
        box : Box
            Working pixels, of any position.
        """
        return read_reflected(lambda inside: self._read_inside(read, inside), self.shape, box)

    def _read_inside(self, read: Callable[[Box], NDArray[Any]], box: Box) -> NDArray[Any]:
        if self.up > 1:
            pixels = box.coarse(self.up)
            repeated = read(pixels).repeat(self.up, axis=-2).repeat(self.up, axis=-1)
            return repeated[(..., *box.relative(pixels.scaled(self.up)).slices)]
        pixels = box.scaled(self.down)
        return block_mean(read_reflected(read, self.image_shape, pixels), self.down)

    def cells(self, box: Box) -> Box:
        """Return the working pixels that a box of the image touches."""
        return box.coarse(self.down).scaled(self.up)

    def pixels(self, box: Box) -> Box:
        """Return the pixels of the image that working pixels (whole cells) stand for."""
        return box.coarse(self.up).scaled(self.down).clipped(Box.of(self.image_shape))

    @property
    def margin(self) -> int:
        """Working pixels needed around a box to bring it back to the image."""
        return 1 if self.down > 1 else 0

    def restore(self, values: NDArray[Any], origin: Box, box: Box) -> NDArray[Any]:
        """Bring (..., y, x) values of working pixels back to the pixels of the image.

        Parameters
        ----------
        values : array
            Values on working pixels, which start at the top left of ``origin``.
        origin : Box
            The working pixels the values cover, inside the grid.
        box : Box
            Pixels of the image to return; ``margin`` working pixels around them, as far as the
            grid reaches, must be covered.
        """
        if self.up > 1:
            cut = values[(..., *box.scaled(self.up).relative(origin).slices)]
            return block_mean(cut, self.up)
        if self.down == 1:
            return values[(..., *box.relative(origin).slices)]
        start = (origin.top * self.down, origin.left * self.down)
        return interpolate(values, box, step=self.down, origin=start, order=1)

    def mark(
        self, points: NDArray[np.integer], labels: NDArray[np.integer]
    ) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
        """Return labelled pixels of the image as labelled working pixels.

        A working pixel that stands for several labelled pixels gets their most frequent label
        (the smallest of equals), so that a stroke one pixel wide is never lost.

        Parameters
        ----------
        points : (n, 2) int array
            Pixels (y, x) of the image.
        labels : (n,) int array
            Their labels.
        """
        points = np.asarray(points, np.intp)
        if self.up > 1:
            offset = np.argwhere(np.ones((self.up, self.up), bool))
            repeated = (points[:, None] * self.up + offset).reshape(-1, 2)
            return repeated, np.repeat(labels, self.up**2)
        if self.down == 1:
            return points, labels
        return _majority(points // self.down, labels)


def _majority(
    cells: NDArray[np.integer], labels: NDArray[np.integer]
) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
    votes, counts = np.unique(np.column_stack([cells, labels]), axis=0, return_counts=True)
    order = np.lexsort((votes[:, 2], -counts, votes[:, 1], votes[:, 0]))
    votes = votes[order]
    first = np.ones(len(votes), bool)
    first[1:] = (votes[1:, :2] != votes[:-1, :2]).any(axis=1)
    return votes[first, :2].astype(np.intp), votes[first, 2].astype(labels.dtype)
