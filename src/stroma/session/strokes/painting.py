"""Painting: strokes on images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import minimum_filter

from stroma.blocks.box import Box
from stroma.errors import ParameterError, ShapeError
from stroma.pixel.door import Points
from stroma.session.core.core import Core
from stroma.session.core.operations import Operation
from stroma.session.core.packs import Labels
from stroma.session.core.slices import Slice
from stroma.session.events import Position
from stroma.session.strokes import operations as ops
from stroma.session.strokes.bench import Strokes
from stroma.session.strokes.drawing.brush import packed_mask
from stroma.session.strokes.painted.tiles import StrokeTiles


class Painting:
    """Brushes: one step of undo for everything that is painted.

    Coordinates are (y, x), row and column, in pixels of a plane, with whole numbers at the corners
    of pixels: the first pixel reaches from 0 to 1.

    Parameters
    ----------
    core : Core
        On which images.
    """

    def __init__(self, core: Core) -> None:
        self.core = core

    def _do(self, operation: Operation) -> int:
        """Do something, and return the number of the step of undo that it belongs to."""
        self.core.do(operation)
        return self.core.document.last_edit

    def _number(self, image: str, plane: Position | None) -> int:
        return self.core.document.sheet(image).plane_number(plane)

    def _slice(self, image: str, plane: Position | None) -> Slice:
        return Slice(self.core.document.sheet(image).cuts, self._number(image, plane))

    def _height(self, image: str, number: int) -> float:
        """Return the height of a pixel in its widths, on planes that cut a volume of known size."""
        cuts, spacing = self.core.document.sheet(image).cuts, self.core.images[image].spacing
        axes = cuts.axes(number)
        if cuts.across(number) == "z" or not set(axes) <= set(spacing):
            return 1.0
        high = spacing[axes[0]] / spacing[axes[1]]
        return min(max(high, 1 / ops.MAX_HEIGHT), ops.MAX_HEIGHT)

    def _tiles(self, image: str) -> StrokeTiles:
        return self.core.bench(Strokes).tiles[self.core.document.sheet(image).key]

    def paint(
        self,
        image: str,
        points: Sequence[tuple[float, float]],
        *,
        label: int,
        radius: float = 2.0,
        plane: Position | None = None,
        continues: int = 0,
    ) -> int:
        """Draw a line with a round brush, and return the number of the edit.

        Parameters
        ----------
        image : str
            Key of the image.
        points : sequence of (y, x)
            What the brush passes through; one point makes a dot. Pixels outside the image are
            left out.
        label : int
            The class.
        radius : float
            In pixels: a pixel is painted if its centre is that close. The pixels under the points
            always are. On a plane across y or x, in pixels along its columns: where the image
            knows how far apart planes are, the brush is as round in the sample.
        plane : dict of str to int, optional
            Position along t and z, as far as the image has them. On a volume also along y, or x:
            ``{"y": 40}`` is the plane across y there, and its points are (z, x); those of a plane
            across x are (z, y).
        continues : int
            Number of the edit this is part of, for strokes that are sent piece by piece: undone
            together with it, as long as nothing else happened in between.

        Raises
        ------
        LabelError
            If there is no such class.
        ParameterError
            If a point, the radius or the plane is not possible.
        """
        with self.core.lock:
            number = self._number(image, plane)
            high = self._height(image, number)
            return self._do(ops.Paint(image, number, tuple(points), radius, label, continues, high))

    def erase(
        self,
        image: str,
        points: Sequence[tuple[float, float]],
        *,
        radius: float = 5.0,
        plane: Position | None = None,
        continues: int = 0,
    ) -> int:
        """Remove labels along a line; parameters as for ``paint``."""
        with self.core.lock:
            number = self._number(image, plane)
            high = self._height(image, number)
            return self._do(ops.Paint(image, number, tuple(points), radius, 0, continues, high))

    def fill(
        self,
        image: str,
        points: Sequence[tuple[float, float]],
        *,
        label: int,
        plane: Position | None = None,
    ) -> int:
        """Fill a polygon of at least 3 corners (y, x), and return the number of the edit."""
        with self.core.lock:
            number = self._number(image, plane)
            return self._do(ops.Fill(image, number, tuple(points), label))

    def stamp(
        self,
        image: str,
        mask: NDArray[np.bool_],
        *,
        corner: tuple[int, int],
        label: int,
        plane: Position | None = None,
        continues: int = 0,
    ) -> int:
        """Give the marked pixels of a rectangle a label (0 erases); returns the edit's number.

        For tools that decide pixel by pixel: fill buckets, brushes of other programs.

        Parameters
        ----------
        image : str
            Key of the image.
        mask : (h, w) array of bool
            The pixels that are meant.
        corner : (y, x)
            Where the first pixel of the mask lies; all of it lies in the image.
        label, plane, continues
            As for ``paint``.
        """
        box = Box(*corner, corner[0] + mask.shape[0], corner[1] + mask.shape[1])
        with self.core.lock:
            number = self._number(image, plane)
            return self._do(ops.Stamp(image, number, box, packed_mask(mask), label, continues))

    def take_group(
        self,
        image: str,
        groups: NDArray[np.integer],
        group: int,
        *,
        label: int,
        plane: Position | None = None,
        continues: int = 0,
    ) -> int:
        """Paint the pixels of a group, such as a cluster, as a class; returns the edit's number.

        Pixels at the border of the group are left out, as long as others are left, and so are those
        that are painted already.

        Parameters
        ----------
        image : str
            Key of the image.
        groups : (h, w) array of int
            The group of every pixel of the plane.
        group : int
            Which of them.
        label, plane, continues
            As for ``paint``.

        Raises
        ------
        ShapeError
            If there is not one group for every pixel of the plane.
        ParameterError
            If the group is nowhere, or painted already.
        """
        chosen = np.asarray(groups) == group
        if not chosen.any():
            raise ParameterError(f"No pixel is in group {group}. Choose another.")
        inner = minimum_filter(chosen, 3, mode="nearest")
        with self.core.lock:
            painted = self.strokes(image, plane=plane)
            if chosen.shape != painted.shape:
                raise ShapeError(
                    f"Groups are one number for each of {painted.shape} pixels, got "
                    f"{chosen.shape}. Group the pixels of this plane."
                )
            free = (inner if inner.any() else chosen) & (painted == 0)
            if not free.any():
                raise ParameterError(f"All of group {group} is painted already. Choose another.")
            rows, columns = np.nonzero(free.any(axis=1))[0], np.nonzero(free.any(axis=0))[0]
            top, left = int(rows[0]), int(columns[0])
            mask = free[top : rows[-1] + 1, left : columns[-1] + 1]
            return self.stamp(
                image, mask, corner=(top, left), label=label, plane=plane, continues=continues
            )

    def clear(self, image: str, *, plane: Position | None = None, label: int | None = None) -> None:
        """Erase the strokes of an image, or those of one plane or one class."""
        with self.core.lock:
            number = None if plane is None else self._number(image, plane)
            self._do(ops.Clear(image, number, label))

    def strokes(
        self, image: str, box: Box | None = None, *, plane: Position | None = None
    ) -> Labels:
        """Return the (h, w) labels painted in a box of a plane; 0 where there are none."""
        with self.core.lock:
            chosen = self._slice(image, plane)
            return chosen.read(self._tiles(image), box or chosen.whole)

    def painted(self, image: str, *, plane: Position | None = None) -> list[Box]:
        """Return rectangles that hold all strokes of a plane, each at most 128 pixels wide."""
        with self.core.lock:
            return self._slice(image, plane).painted(self._tiles(image))

    def painted_pixels(self, image: str) -> int:
        """Return how many pixels of an image are painted."""
        with self.core.lock:
            return self._tiles(image).count()

    def points(self, image: str) -> Points:
        """Return all painted pixels of an image."""
        with self.core.lock:
            return self._tiles(image).points()
