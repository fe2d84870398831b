"""Reading and writing strokes: label images, ImageJ ROIs and QuPath GeoJSON."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.data.classes import Class
from stroma.data.image import Image
from stroma.data.outlines import outlines
from stroma.data.shapes import Area, Points
from stroma.data.strokes import Strokes, named, present
from stroma.errors import FormatError, LabelError, MissingFileError, StromaError
from stroma.io.atomic import replaced
from stroma.io.labels import read_labels
from stroma.io.lazy import damaged
from stroma.io.marks import Mark
from stroma.io.tables import STROKE_READERS, STROKE_WRITERS
from stroma.io.write import write_labels

LOG = logging.getLogger(__name__)

HINTS = {
    "say no class": "Give them a group or a name in ImageJ or a class in QuPath, or name one for "
    "all of them with unnamed='CLASS'.",
    "lie outside the image": "Do they belong to another image, or to a part of one?",
    "lie on a plane that the image does not have": "Do they belong to another image?",
}
"""Why marks are left out -> what to do about it."""

NO_CLASS, OUTSIDE, NO_PLANE = HINTS

MAX_PIXELS = 2**33
"""Strokes are refused for larger images, since they are held whole (16 GiB)."""


def read_strokes(
    path: str | Path,
    image: Image,
    *,
    classes: Sequence[Class] = (),
    width: float = 3.0,
    unnamed: str = "",
) -> Strokes:
    """Return the strokes in a file, for an image.

    - A label image of the size of the image (PNG, TIFF, NPY, OME-Zarr): labels as stored.
    - ImageJ ``.roi`` and ``.zip``: the class is the ROI's group; without one, it is the ROI's
      name without a number at its end ("nucleus-3" is of class "nucleus", "class 2-7" of label 2).
    - QuPath ``.geojson``: the class is the object's classification.

    Classes known by name only keep the label they have in ``classes``, or get the next free one,
    in the order of the file. What is drawn later lies on top. Marks that say no class, lie
    outside the image, or are of a class that QuPath ignores, are left out; ``notes`` say so.

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
    unnamed : str
        Class of marks that say none; empty to leave them out.

    Raises
    ------
    LabelError
        If nothing is left, a mark does not say its plane in a stack, or labels are not integers
        from 0 to 65535.
    FormatError, MissingFileError, ShapeError
        If the file cannot be read or does not fit the image.
    """
    where = Path(path)
    if not where.exists():
        raise MissingFileError(f"There is no file {where}.")
    reader = STROKE_READERS.get(where.suffix.lower()) if where.is_file() else None
    if reader is None:
        return read_labels(where, image, classes=classes)
    if where.stat().st_size == 0:
        raise FormatError(f"{where} is empty (0 bytes). Export the strokes again.")
    try:
        marks: list[Mark] = reader(where, image, width)
    except OSError as error:
        if isinstance(error, StromaError):
            raise
        raise damaged(where, error) from error
    strokes = draw(marks, image, classes=classes, source=str(where), unnamed=unnamed)
    for note in strokes.notes:
        LOG.warning("%s", note)
    return strokes


def draw(
    marks: Sequence[Mark],
    image: Image,
    *,
    classes: Sequence[Class] = (),
    source: str = "",
    unnamed: str = "",
) -> Strokes:
    """Return strokes with marks drawn one over the other."""
    sizes = {a: n for a, n in image.sizes.items() if a != "c"}
    if math.prod(sizes.values()) > MAX_PIXELS:
        raise LabelError(f"Strokes for an image of {sizes} would not fit in memory; cut it first.")
    labels = np.zeros(tuple(sizes.values()), dtype=np.uint16)
    known = tuple(classes)
    left_out: dict[str, list[str]] = {}
    for mark in marks:
        named_mark = replace(mark, name=mark.name or ("" if mark.label else unnamed))
        plane = _plane(mark, sizes, source)
        reason = _reason(named_mark, plane, sizes)
        if reason or plane is None:
            left_out.setdefault(reason, []).append(mark.called)
            continue
        known, label = _label(named_mark, known)
        mark.shape.draw(labels[plane], label)
    notes = [_note(source, reason, each, len(marks)) for reason, each in left_out.items()]
    if marks and sum(map(len, left_out.values())) == len(marks):
        raise LabelError(f"There is no mark to learn from. {' '.join(notes)}")
    found = present(labels)
    new = [c for c in known if c not in classes and c.label not in found]
    notes += [f"{source}: class {c.name!r} has no pixel in the image: it is left out." for c in new]
    return Strokes(labels, "".join(sizes), tuple(c for c in known if c not in new), tuple(notes))


def _reason(mark: Mark, plane: tuple[int, ...] | None, sizes: Mapping[str, int]) -> str:
    """Return why a mark is left out; empty where it is drawn."""
    if mark.ignored:
        return mark.ignored
    if not mark.label and not mark.name:
        return NO_CLASS
    if plane is None:
        return NO_PLANE
    left, top, right, bottom = mark.shape.bounds
    inside = right > 0 and bottom > 0 and left < sizes["x"] and top < sizes["y"]
    return "" if inside else OUTSIDE


def _note(source: str, reason: str, called: Sequence[str], of: int) -> str:
    """Return what is said of marks that are left out for one reason."""
    names = called[0] if len(called) == 1 else f"{called[0]} and others"
    hint = HINTS.get(reason, "")
    return f"{source}: {len(called)} of {of} marks {reason} ({names}): left out. {hint}".rstrip()


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


def _label(mark: Mark, known: tuple[Class, ...]) -> tuple[tuple[Class, ...], int]:
    """Return the classes with that of a mark, and its label."""
    if not mark.label:
        found, known = named(mark.name, mark.color, known)
        return known, found.label
    if all(c.label != mark.label for c in known):
        known = (*known, Class(mark.label, mark.name, mark.color))
    return known, mark.label


def _plane(mark: Mark, sizes: Mapping[str, int], source: str) -> tuple[int, ...] | None:
    """Return the index of the plane a mark lies on; None if the image has no such plane."""
    index: list[int] = []
    for axis, n in sizes.items():
        if axis in "yx":
            continue
        if n > 1 and axis not in mark.plane:
            raise LabelError(
                f"{source}: {mark.called} says no {axis}, but the image has {n} planes along "
                f"{axis}. Give it a position within the image."
            )
        index.append(mark.plane.get(axis, 0))
        if not 0 <= index[-1] < n:
            return None
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
