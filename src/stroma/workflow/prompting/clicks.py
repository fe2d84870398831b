"""Clicks and boxes, each for one object of an image: given as arrays, or read from a table."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stroma.data.image import Image
from stroma.errors import FormatError, MissingFileError, ParameterError, ShapeError, short
from stroma.io.cells import from_cell

ON, NUMBER = "label", "object"
"""Columns of a table of clicks beside the coordinates."""

MOST = 2**31 - 1


@dataclass(frozen=True, eq=False)
class Clicks:
    """Clicks on an image and boxes, each for one object.

    Parameters
    ----------
    places : (n, d) float64
        In pixels, in the order of the axes of the image without channels.
    labels : (n,) int64
        1 on the object, 0 beside it.
    objects : (n,) int64
        Which object each is for, from 1.
    boxes : (k, 2, d) float64
        First and last corners of boxes, each around an object.
    boxed : (k,) int64
        Which object each box is for, from 1.
    """

    places: NDArray[np.float64]
    labels: NDArray[np.int64]
    objects: NDArray[np.int64]
    boxes: NDArray[np.float64]
    boxed: NDArray[np.int64]

    @property
    def numbers(self) -> list[int]:
        """Numbers of all objects."""
        return sorted({*self.objects.tolist(), *self.boxed.tolist()})

    @property
    def count(self) -> int:
        """How many clicks and boxes there are."""
        return len(self.objects) + len(self.boxed)


def clicks_of(
    image: Image,
    points: ArrayLike | None,
    labels: ArrayLike | None,
    objects: ArrayLike | None,
    *,
    boxes: ArrayLike | None = None,
    boxed: ArrayLike | None = None,
) -> Clicks:
    """Return clicks and boxes, checked; arguments as those of `prompt`.

    Raises
    ------
    ParameterError, ShapeError
        If they lie outside, or do not fit the image or each other.
    """
    axes = image.kept_axes.replace("c", "")
    if points is None and boxes is None:
        raise ParameterError("Say where the objects are: give points or boxes.")
    places = _coordinates(points, axes, "Clicks", 1)
    corners = _coordinates(boxes, axes, "Boxes", 2).reshape(-1, 2, len(axes))
    for given, what in ((places, "click"), (corners.reshape(-1, len(axes)), "corner of a box")):
        _require_inside(given, image, axes, what)
    on = _whole(labels, len(places), "labels of clicks", 0, 1)
    numbers = _whole(objects, len(places), "numbers of objects", 1, MOST)
    own = np.arange(1, len(corners) + 1) if boxed is None else boxed
    known = _whole(own, len(corners), "numbers of objects", 1, MOST, of="boxes")
    return Clicks(places, on, numbers, np.sort(corners, axis=1), known)


def _coordinates(
    given: ArrayLike | None, axes: str, what: str, corners: int
) -> NDArray[np.float64]:
    """Return what was given row by row, with so many coordinates for each axis."""
    if given is None:
        return np.zeros((0, corners * len(axes)))
    found = np.atleast_2d(np.asarray(given, np.float64))
    if found.ndim != 2 or found.shape[1] != corners * len(axes) or not len(found):
        named = [f"{a}{k}" if corners > 1 else a for k in range(corners) for a in axes]
        raise ShapeError(
            f"{what} on this image have the coordinates {', '.join(named)} each, got shape "
            f"{np.shape(given)}."
        )
    return found


def _require_inside(places: NDArray[np.float64], image: Image, axes: str, what: str) -> None:
    sides = np.array([image.sizes[a] for a in axes])
    outside = ~((places >= -0.5) & (places <= sides - 0.5)).all(axis=1)
    if outside.any():
        told = ", ".join(f"{a} {v:g}" for a, v in zip(axes, places[outside][0], strict=True))
        raise ParameterError(f"The {what} at {told} lies outside the image of {image.sizes}.")


def _whole(
    values: ArrayLike | None, count: int, what: str, least: int, most: int, of: str = "clicks"
) -> NDArray[np.int64]:
    found = np.ones(count) if values is None else np.atleast_1d(np.asarray(values, np.float64))
    if found.shape != (count,):
        raise ShapeError(f"There are {count} {of} and {found.size} {what}; give one for each.")
    wrong = found[~((found >= least) & (found <= most) & (found == np.rint(found)))]
    if len(wrong):
        raise ParameterError(
            f"The {what} are whole numbers from {least} to {most}, got {wrong[0]:g}."
        )
    return found.astype(np.int64)


def read_clicks(path: Path, image: Image) -> Clicks:
    """Return the clicks of a table.

    Parameters
    ----------
    path : Path
        CSV with the columns y and x (z and t where the image has them) in pixels. ``object`` is
        the number of the object a click is for; without it each click is for one of its own.
        ``label`` is 1 on the object, 0 beside it; without it all are on it. Or of boxes: y0, x0,
        y1 and x1 (z0, z1, t0, t1), first and last corner.
    image : Image
        What was clicked on.

    Raises
    ------
    MissingFileError, FormatError
        If there is no such table, or its columns or values are not those.
    """
    if not path.is_file():
        raise MissingFileError(f"There is no file {path}.")
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = [_tidy(row) for row in csv.DictReader(file)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise FormatError(f"{path} is no table as CSV: {short(error)}.") from error
    axes = image.kept_axes.replace("c", "")
    if rows and all(f"{a}0" in rows[0] for a in axes):
        return _boxes(rows, path, image)
    lacking = [a for a in axes if not rows or a not in rows[0]]
    if lacking:
        raise FormatError(
            f"{path} has no clicks with the columns {', '.join(axes)}; "
            f"{', '.join(lacking)} {'is' if len(lacking) == 1 else 'are'} missing. "
            f"(Boxes have the columns {', '.join(_corner_names(axes))}.)"
        )
    places = [[_number(row[a], path, line) for a in axes] for line, row in _lines(rows)]
    on = [_number(row.get(ON) or "1", path, line) for line, row in _lines(rows)]
    own = [_number(row.get(NUMBER) or str(line - 1), path, line) for line, row in _lines(rows)]
    try:
        return clicks_of(image, places, on, own)
    except (ParameterError, ShapeError) as error:
        raise type(error)(f"{path}: {error}") from error


def _corner_names(axes: str) -> list[str]:
    return [f"{a}{end}" for end in "01" for a in axes]


def _boxes(rows: list[dict[str, str]], path: Path, image: Image) -> Clicks:
    """Return the boxes of a table."""
    names = _corner_names(image.kept_axes.replace("c", ""))
    lacking = [name for name in names if name not in rows[0]]
    if lacking:
        raise FormatError(f"{path} has boxes without the columns {', '.join(lacking)}.")
    corners = [[_number(row[n], path, line) for n in names] for line, row in _lines(rows)]
    own = [_number(row.get(NUMBER) or str(line - 1), path, line) for line, row in _lines(rows)]
    try:
        return clicks_of(image, None, None, None, boxes=corners, boxed=own)
    except (ParameterError, ShapeError) as error:
        raise type(error)(f"{path}: {error}") from error


def _lines(rows: list[dict[str, str]]) -> Iterator[tuple[int, dict[str, str]]]:
    return enumerate(rows, start=2)


def _tidy(row: Mapping[str, Any]) -> dict[str, str]:
    return {str(k).strip().lower(): from_cell(str(v or "")).strip() for k, v in row.items()}


def _number(text: str, path: Path, line: int) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise FormatError(f"{path}, line {line}: {short(text, 20)!r} is no number.") from error
