"""Painting on a desk: strokes, and files of strokes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.blocks.box import Box
from stroma.data.strokes import Strokes, as_labels
from stroma.errors import ShapeError
from stroma.pixel.door import Points
from stroma.session import operations as ops
from stroma.session.brush import packed_mask
from stroma.session.desk import Desk
from stroma.session.events import Position
from stroma.session.strokes import Labels, StrokeTiles


class PaintedDesk(Desk):
    """A desk with brushes: one step of undo for everything that is painted.

    Coordinates are (y, x) in pixels, with whole numbers at the corners of pixels: the first pixel
    reaches from 0 to 1.
    """

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
            always are.
        plane : dict of str to int, optional
            Position along t and z, as far as the image has them.
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
        with self._lock:
            number = self._document.sheet(image).plane_number(plane)
            self._do(ops.Paint(image, number, tuple(points), radius, label, continues))
            return self._document.last_edit

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
        with self._lock:
            number = self._document.sheet(image).plane_number(plane)
            self._do(ops.Paint(image, number, tuple(points), radius, 0, continues))
            return self._document.last_edit

    def fill(
        self,
        image: str,
        points: Sequence[tuple[float, float]],
        *,
        label: int,
        plane: Position | None = None,
    ) -> int:
        """Fill a polygon of at least 3 corners (y, x), and return the number of the edit."""
        with self._lock:
            number = self._document.sheet(image).plane_number(plane)
            self._do(ops.Fill(image, number, tuple(points), label))
            return self._document.last_edit

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
        with self._lock:
            number = self._document.sheet(image).plane_number(plane)
            self._do(ops.Stamp(image, number, box, packed_mask(mask), label, continues))
            return self._document.last_edit

    def clear(self, image: str, *, plane: Position | None = None, label: int | None = None) -> None:
        """Erase the strokes of an image, or those of one plane or one class."""
        with self._lock:
            sheet = self._document.sheet(image)
            number = None if plane is None else sheet.plane_number(plane)
            self._do(ops.Clear(image, number, label))

    def strokes(
        self, image: str, box: Box | None = None, *, plane: Position | None = None
    ) -> Labels:
        """Return the (h, w) labels painted in a box of a plane; 0 where there are none."""
        with self._lock:
            sheet = self._document.sheet(image)
            return sheet.strokes.read(sheet.plane_number(plane), box or Box.of(sheet.shape))

    def painted(self, image: str, *, plane: Position | None = None) -> list[Box]:
        """Return rectangles that hold all strokes of a plane, each at most 128 pixels wide."""
        with self._lock:
            sheet = self._document.sheet(image)
            return sheet.strokes.tiles(sheet.plane_number(plane))

    def painted_pixels(self, image: str) -> int:
        """Return how many pixels of an image are painted."""
        with self._lock:
            return self._document.sheet(image).strokes.count()

    def points(self, image: str) -> Points:
        """Return all painted pixels of an image."""
        with self._lock:
            return self._document.sheet(image).strokes.points()

    # ------------------------------------------------------------------ files of strokes

    def import_strokes(
        self, image: str, source: Any, *, replace: bool = False, width: float = 3.0
    ) -> None:
        """Lay strokes from a file or an array over those that are there; one step of undo.

        Parameters
        ----------
        image : str
            Key of the image.
        source : str, Path, Strokes or array of int
            A label image, ImageJ ROIs, QuPath GeoJSON (see `stroma.io.strokes.read_strokes`), or
            labels of the shape of the image without channels. Classes that are not known are added.
        replace : bool
            Erase what is there first.
        width : float
            Width of lines that have none, in pixels.

        Raises
        ------
        FormatError, MissingFileError, LabelError, ShapeError
            If the strokes cannot be read, or do not fit.
        """
        with self._lock:
            sheet, pixels = self._document.sheet(image), self._images[image]
        if isinstance(source, str | Path):
            from stroma.io import read_strokes

            source = read_strokes(source, pixels, classes=self.classes, width=width)
        if isinstance(source, Strokes):
            labels, classes = source.labels, source.classes
        else:
            labels, classes = as_labels(np.asarray(source)), ()
        tiles = StrokeTiles.of(labels.reshape(-1, *labels.shape[-2:]), sheet.shape)
        if tiles.planes != sheet.strokes.planes:
            raise ShapeError(
                f"The image {sheet.name!r} has {sheet.strokes.planes} planes, the strokes "
                f"{tiles.planes} (shape {labels.shape})."
            )
        self._do(ops.Import(image, tuple(tiles.packed()), classes, replace))

    def export_strokes(self, image: str, path: str | Path) -> Path:
        """Write the strokes of an image: label image, ImageJ ROIs (.zip) or QuPath GeoJSON."""
        from stroma.io import write_strokes

        with self._lock:
            sheet, pixels = self._document.sheet(image), self._images[image]
            labels = np.zeros((sheet.strokes.planes, *sheet.shape), np.uint16)
            for plane in sheet.strokes.painted_planes():
                labels[plane] = sheet.strokes.read(plane, Box.of(sheet.shape))
        shaped = labels.reshape(*sheet.outer.values(), *sheet.shape)
        strokes = Strokes(shaped, "".join(sheet.sizes), self.classes)
        return write_strokes(path, strokes, pixels)
