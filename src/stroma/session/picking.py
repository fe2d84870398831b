"""Many pixels with one press: what looks alike, what strokes enclose, and a stroke to remove."""

from __future__ import annotations

import math

import numpy as np

from stroma.blocks.box import Box
from stroma.data.cut import flat
from stroma.errors import ParameterError
from stroma.session.core.core import Core
from stroma.session.core.opening import OpenImage
from stroma.session.events import Position
from stroma.session.strokes.drawing.region import (
    Mask,
    alike,
    enclosed,
    nearest_part,
    reaches_border,
)
from stroma.session.strokes.painting import Painting

SIDE = 1536
"""Rows and columns around a press that are looked at."""

STROKE_SIDE = 4096
"""The same for a stroke that is removed."""

Point = tuple[float, float]


class Picking:
    """The magic wand, the bucket and removing strokes; each press is one step of undo.

    Parameters
    ----------
    core : Core
        On which images.
    """

    def __init__(self, core: Core) -> None:
        self.core = core
        self._painting = Painting(core)

    def paint_alike(
        self,
        image: str,
        point: Point,
        *,
        label: int,
        reach: float = 0.3,
        box: Box | None = None,
        plane: Position | None = None,
    ) -> int:
        """Paint the region around a pixel that looks like it, and return the edit's number.

        What is painted already stays as it is; label 0 erases what lies in the region.

        Parameters
        ----------
        image : str
            Key of the image.
        point : (y, x)
            Where.
        label : int
            The class.
        reach : float
            How unlike pixels may be, in standard deviations of what is looked at.
        box : Box, optional
            What is looked at, such as what is in view: at most 1,536 rows and columns around the
            point.
        plane : dict of str to int, optional
            As for ``paint``.

        Raises
        ------
        ParameterError
            If the point is not in the image, or nothing is left to paint there.
        """
        if not 0 < reach <= 100:
            raise ParameterError(f"reach is a number above 0, up to 100, got {reach}.")
        one = self.core.image(image)
        part, seed = _window(one, point, box, plane)
        rows, columns = part.slices
        values = flat(self.core.pixels(image).at(**(plane or {}))).read({"y": rows, "x": columns})
        found = alike(values.reshape(-1, *part.shape).astype(np.float32), seed, reach=reach)
        return self._stamped(image, found, part, label=label, plane=plane)

    def fill_in(
        self,
        image: str,
        point: Point,
        *,
        label: int,
        box: Box | None = None,
        plane: Position | None = None,
    ) -> int:
        """Paint what strokes enclose around a pixel, and return the edit's number.

        Parameters
        ----------
        image, point, label, box, plane
            As for ``paint_alike``.

        Raises
        ------
        ParameterError
            If the point is painted, or not enclosed within what is looked at.
        """
        part, seed = _window(self.core.image(image), point, box, plane)
        painted = self._painting.strokes(image, part, plane=plane) > 0
        if painted[seed]:
            raise ParameterError("This pixel is painted. Press where strokes enclose others.")
        found = enclosed(painted, seed)
        if reaches_border(found):
            raise ParameterError(
                "No strokes enclose this place. Draw an outline around it that is closed and in "
                "view, then fill it."
            )
        return self._stamped(image, found, part, label=label, plane=plane)

    def remove_stroke(
        self,
        image: str,
        point: Point,
        *,
        within: float = 3.0,
        plane: Position | None = None,
    ) -> int:
        """Erase the stroke at a pixel, or near it, and return the edit's number.

        A stroke is what is painted in one class and connected, in up to 4,096 rows and columns
        around the point.

        Parameters
        ----------
        image, point, plane
            As for ``paint_alike``.
        within : float
            How far away, in pixels, the stroke may be.

        Raises
        ------
        ParameterError
            If the point is not in the image, or no stroke is near.
        """
        if not within >= 0:
            raise ParameterError(f"within is a number of pixels, 0 or more, got {within}.")
        part, seed = _window(self.core.image(image), point, None, plane, side=STROKE_SIDE)
        with self.core.lock:
            labels = self._painting.strokes(image, part, plane=plane)
            found = nearest_part(labels, seed, within=within)
            if found is None:
                raise ParameterError("There is no stroke here. Click on one.")
            return self._stamped(image, found, part, label=0, plane=plane)

    def _stamped(
        self, image: str, found: Mask, part: Box, *, label: int, plane: Position | None
    ) -> int:
        with self.core.lock:
            painted = self._painting.strokes(image, part, plane=plane) > 0
            meant = found & (~painted if label else painted)
            if not meant.any():
                raise ParameterError(
                    "All of this region is painted already. Press elsewhere."
                    if label
                    else "Nothing is painted in this region."
                )
            rows, columns = (np.flatnonzero(meant.any(axis=axis)) for axis in (1, 0))
            top, left = int(rows[0]), int(columns[0])
            mask = meant[top : rows[-1] + 1, left : columns[-1] + 1]
            corner = part.top + top, part.left + left
            return self._painting.stamp(image, mask, corner=corner, label=label, plane=plane)


def _window(
    one: OpenImage, point: Point, box: Box | None, plane: Position | None, *, side: int = SIDE
) -> tuple[Box, tuple[int, int]]:
    """Return what is looked at, and where the pixel lies in it.

    Raises
    ------
    ParameterError
        If the pixel does not.
    """
    if not all(map(math.isfinite, point)):
        raise ParameterError(f"A point is two numbers, got {point}.")
    y, x = (math.floor(v) for v in point)
    whole = Box.of(one.plane_shape(plane))
    half = side // 2
    around = Box(y - half, x - half, y + half, x + half).clipped(whole)
    part = around if box is None else around.clipped(box)
    if not (part.top <= y < part.bottom and part.left <= x < part.right):
        raise ParameterError(f"The image {one.name!r} has no pixel at row {y}, column {x} in view.")
    return part, (y - part.top, x - part.left)
