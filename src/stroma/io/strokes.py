"""Reading and writing strokes: label images, ImageJ ROIs and QuPath GeoJSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.data.classes import Class
from stroma.data.image import Image
from stroma.data.outlines import outlines
from stroma.data.shapes import Area, Points
from stroma.data.strokes import Strokes, named
from stroma.errors import LabelError, MissingFileError
from stroma.io.atomic import replaced
from stroma.io.labels import read_labels
from stroma.io.marks import Mark
from stroma.io.tables import STROKE_READERS, STROKE_WRITERS
from stroma.io.write import write_labels

MAX_PIXELS = 2**33
"""Strokes are refused for larger images, since they are held whole (16 GiB)."""


def read_strokes(
    path: str | Path, image: Image, *, classes: Sequence[Class] = (), width: float = 3.0
) -> Strokes:
    """Return the strokes in a file, for an image.

    - A label image of the size of the image (PNG, TIFF, NPY, OME-Zarr): labels as stored.
    - ImageJ ``.roi`` and ``.zip``: the class is the ROI's group; without one, it is the ROI's
      name without a number at its end ("nucleus-3" is of class "nucleus", "class 2-7" of label 2).
    - QuPath ``.geojson``: the class is the object's classification.

    Classes known by name only keep the label they have in ``classes``, or get the next free one,
    in the order of the file. What is drawn later lies on top.

    Parameters
    ----------
    path : str or Path
        The file.
    image : Image
        The image the strokes belong to.
    classes : sequence of Class
        Classes that are known already, so that the same name gets the same label in all files.
    width : float
        Width of lines that have none, and of points, in pixels.

    Raises
    ------
    LabelError
        If a mark has no class, lies on no plane of the image, or labels are not integers from
        0 to 65535.
    FormatError, MissingFileError, ShapeError
        If the file cannot be read or does not fit the image.
    """
    where = Path(path)
    if not where.exists():
        raise MissingFileError(f"There is no file {where}.")
    reader = STROKE_READERS.get(where.suffix.lower()) if where.is_file() else None
    if reader is None:
        return read_labels(where, image, classes=classes)
    marks: list[Mark] = reader(where, image, width)
    return draw(marks, image, classes=classes, source=str(where))


def draw(
    marks: Iterable[Mark], image: Image, *, classes: Sequence[Class] = (), source: str = ""
) -> Strokes:
    """Return strokes with marks drawn one over the other."""
    sizes = {a: n for a, n in image.sizes.items() if a != "c"}
    if np.prod(list(sizes.values()), dtype=np.float64) > MAX_PIXELS:
        raise LabelError(f"Strokes for an image of {sizes} would not fit in memory; cut it first.")
    labels = np.zeros(tuple(sizes.values()), dtype=np.uint16)
    known = tuple(classes)
    for mark in marks:
        known, label = _label(mark, known, source)
        mark.shape.draw(labels[_plane(mark, sizes, source)], label)
    return Strokes(labels, "".join(sizes), known)


def write_strokes(path: str | Path, strokes: Strokes, image: Image) -> Path:
    """Write strokes as ImageJ ROIs (``.zip``), QuPath GeoJSON, or a label image.

    Outlines follow the sides of pixels, so that reading them back gives the same pixels.

    Raises
    ------
    FormatError
        If no writer knows the ending of the name.
    """
    where = Path(path)
    writer = STROKE_WRITERS.get(where.suffix.lower())
    if writer is None:
        return write_labels(where, strokes.labels, like=image, classes=strokes.classes)
    with replaced(where) as temporary:
        writer(temporary, list(_marks(strokes)))
    return where


def _label(mark: Mark, known: tuple[Class, ...], source: str) -> tuple[tuple[Class, ...], int]:
    """Return the classes with that of a mark, and its label."""
    if not mark.label and not mark.name:
        raise LabelError(
            f"{source}: {mark.title or 'a mark'} says no class. Give it a group or a name in "
            "ImageJ, a class in QuPath, or remove it."
        )
    if not mark.label:
        found, known = named(mark.name, mark.color, known)
        return known, found.label
    if all(c.label != mark.label for c in known):
        known = (*known, Class(mark.label, mark.name, mark.color))
    return known, mark.label


def _plane(mark: Mark, sizes: Mapping[str, int], source: str) -> tuple[int, ...]:
    """Return the index of the plane a mark lies on."""
    index = []
    for axis, n in sizes.items():
        if axis in "yx":
            continue
        i = mark.plane.get(axis, 0 if n == 1 else -1)
        if not 0 <= i < n:
            said = f"{axis}={i}" if axis in mark.plane else f"no {axis}"
            raise LabelError(
                f"{source}: {mark.title or 'a mark'} says {said}, but the image has {n} planes "
                f"along {axis}. Give it a position within the image."
            )
        index.append(i)
    return tuple(index)


def _marks(strokes: Strokes) -> Iterable[Mark]:
    """Return one mark per connected part of a class on a plane."""
    outer = strokes.axes.removesuffix("yx")
    for index in np.ndindex(strokes.labels.shape[:-2]):
        plane = dict(zip(outer, index, strict=True))
        yield from _marks_on(strokes.labels[index], plane, strokes.classes)


def _marks_on(
    labels: NDArray[Any], plane: Mapping[str, int], classes: Sequence[Class]
) -> Iterable[Mark]:
    for c in classes:
        parts: list[list[Points]] = outlines(labels == c.label)
        for i, rings in enumerate(parts, start=1):
            title = f"{c.name}-{i}"
            yield Mark(Area(tuple(rings)), plane, c.name, c.label, c.color, title)
