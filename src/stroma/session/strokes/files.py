"""Files of strokes: label images, ImageJ ROIs, QuPath GeoJSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from stroma.blocks.box import Box
from stroma.data.classes import Class, told_apart
from stroma.data.strokes import Strokes as Marks
from stroma.data.strokes import as_labels
from stroma.errors import ShapeError
from stroma.session.core.core import Core
from stroma.session.strokes import operations as ops
from stroma.session.strokes.bench import Strokes
from stroma.session.strokes.painted.tiles import StrokeTiles


class StrokeFiles:
    """Reading and writing the strokes of an image.

    Parameters
    ----------
    core : Core
        On which images.
    """

    def __init__(self, core: Core) -> None:
        self.core = core

    @property
    def _classes(self) -> tuple[Class, ...]:
        return tuple(self.core.bench(Strokes).classes.values())

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
        core = self.core
        with core.lock:
            sheet, pixels = core.document.sheet(image), core.images[image]
        if isinstance(source, str | Path):
            from stroma.io import read_strokes

            source = read_strokes(source, pixels, classes=self._classes, width=width)
        if isinstance(source, Marks):
            labels, listed = source.labels, tuple(source.classes)
        else:
            labels, listed = as_labels(np.asarray(source)), ()
        tiles = StrokeTiles.of(labels.reshape(-1, *labels.shape[-2:]), sheet.shape)
        if tiles.planes != sheet.planes:
            raise ShapeError(
                f"The image {sheet.name!r} has {sheet.planes} planes, the strokes "
                f"{tiles.planes} (shape {labels.shape})."
            )
        unnamed = tiles.labels() - {c.label for c in (*listed, *self._classes)}
        new = (*listed, *(Class(label) for label in sorted(unnamed)))
        classes = told_apart(new, self._classes)
        core.do(ops.Import(image, tuple(tiles.packed()), classes, replace))

    def export_strokes(self, image: str, path: str | Path) -> Path:
        """Write the strokes of an image: label image, ImageJ ROIs (.zip) or QuPath GeoJSON."""
        from stroma.io import write_strokes

        with self.core.lock:
            strokes, pixels = self.marks(image), self.core.images[image]
        return write_strokes(path, strokes, pixels)

    def marks(self, image: str) -> Marks:
        """Return the strokes of an image as labels of its shape, with all classes."""
        core = self.core
        with core.lock:
            sheet, tiles = core.document.sheet(image), core.bench(Strokes).tiles[image]
            labels = np.zeros((sheet.planes, *sheet.shape), np.uint16)
            for plane in tiles.painted_planes():
                labels[plane] = tiles.read(plane, Box.of(sheet.shape))
        shaped = labels.reshape(*sheet.outer.values(), *sheet.shape)
        return Marks(shaped, "".join(sheet.sizes), self._classes)
