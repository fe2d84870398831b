"""Clicks on an image, or a table of them, to labelled objects."""

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
from stroma.io import read_image, write_labels
from stroma.io.cells import from_cell
from stroma.prompts import build
from stroma.prompts.contract import PromptedSegmenter

ON, NUMBER = "label", "object"
"""Columns of a table of clicks beside the coordinates."""

MOST = 2**31 - 1


@dataclass(frozen=True, eq=False)
class Clicks:
    """Clicks on an image, each for one object.

    Parameters
    ----------
    places : (n, d) float64
        In pixels, in the order of the axes of the image without channels.
    labels : (n,) int64
        1 on the object, 0 beside it.
    objects : (n,) int64
        Which object each is for, from 1.
    """

    places: NDArray[np.float64]
    labels: NDArray[np.int64]
    objects: NDArray[np.int64]


@dataclass(frozen=True)
class Prompted:
    """What came of a table of clicks.

    Parameters
    ----------
    objects : int
        How many there are.
    clicks : int
        How many clicks they took.
    pixels : int
        How many pixels they cover.
    """

    objects: int
    clicks: int
    pixels: int


def prompt(
    image: Image | NDArray[Any],
    *,
    points: ArrayLike,
    labels: ArrayLike | None = None,
    objects: ArrayLike | None = None,
    engine: str | PromptedSegmenter = "graph",
) -> NDArray[np.int32]:
    """Return the objects that clicks mean, as a label image.

    Volumes are worked on as such where the engine can; frames of a movie each on its own.

    Parameters
    ----------
    image : Image or (y, x) or (z, y, x) array
        What was clicked on.
    points : (n, d) array-like
        Clicks in pixels, in the order of the axes of the image without channels.
    labels : (n,) array-like, optional
        1 for clicks on their object, 0 beside it; all 1 where left out.
    objects : (n,) array-like, optional
        Number of the object that each click is for; one object where left out.
    engine : str or PromptedSegmenter
        Name in `stroma.prompts.ENGINES`, or an engine.

    Returns
    -------
    (*axes) int32
        The image's axes without channels; 0 is no object. Where objects overlap, the pixels belong
        to the lower number.

    Raises
    ------
    ParameterError, ShapeError
        If clicks lie outside, do not fit the image, or an object has none on it.
    """
    known = image if isinstance(image, Image) else _image_of(image)
    made = build.engine(engine) if isinstance(engine, str) else engine
    return segment(known, _clicks(known, points, labels, objects), made)


def prompt_file(
    path: Path,
    clicks: Path,
    out: Path,
    *,
    engine: str = "graph",
    weights: Path | None = None,
    cache: Path | None = None,
    overwrite: bool = False,
) -> Prompted:
    """Write the objects that a table of clicks means, as a label image.

    Parameters
    ----------
    path : Path
        The image.
    clicks : Path
        CSV as for `read_clicks`.
    out : Path
        Label image to write.
    engine : str
        Name in `stroma.prompts.ENGINES`.
    weights, cache : Path, optional
        As for `stroma.prompts.build.engine`.
    overwrite : bool
        Whether an earlier file is replaced.
    """
    if out.exists() and not overwrite:
        raise ParameterError(f"{out} exists already. Add --overwrite, or choose another name.")
    built = build.engine(engine, weights=weights, cache=cache)
    image = read_image(path)
    given = read_clicks(clicks, image)
    found = segment(image, given, built)
    write_labels(out, found, like=image)
    return Prompted(len(np.unique(given.objects)), len(given.objects), int((found > 0).sum()))


def segment(image: Image, clicks: Clicks, engine: PromptedSegmenter) -> NDArray[np.int32]:
    """Return the label image of all objects, frame by frame and without overlap."""
    space = _space(image)
    if space not in engine.axes:
        raise ParameterError(
            f"This engine works in {' and '.join(engine.axes)}, the image has the axes "
            f"{space}. Give one plane of it, or choose another engine."
        )
    axes = image.kept_axes.replace("c", "")
    result = np.zeros(tuple(image.sizes[a] for a in axes), np.int32)
    for frame, view, at in _frames(image, clicks, axes):
        target = result if frame is None else result[frame]
        engine.set_image(_channels_first(view), rgb=view.rgb and view.sizes.get("c") == 3)
        for number in np.unique(clicks.objects[at]):
            own = at & (clicks.objects == number)
            places = clicks.places[own][:, -len(space) :]
            _needs_one_on(clicks.labels[own], int(number), frame)
            masks, _ = engine.predict(points=places, labels=clicks.labels[own])
            target[masks[0] & (target == 0)] = number
    return result


def read_clicks(path: Path, image: Image) -> Clicks:
    """Return the clicks of a table.

    Parameters
    ----------
    path : Path
        CSV with the columns y and x (z and t where the image has them) in pixels. ``object`` is
        the number of the object a click is for; without it each click is for one of its own.
        ``label`` is 1 on the object, 0 beside it; without it all are on it.
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
    lacking = [a for a in axes if not rows or a not in rows[0]]
    if lacking:
        raise FormatError(
            f"{path} has no clicks with the columns {', '.join(axes)}; "
            f"{', '.join(lacking)} {'is' if len(lacking) == 1 else 'are'} missing."
        )
    places = [[_number(row[a], path, line) for a in axes] for line, row in _lines(rows)]
    on = [_number(row.get(ON) or "1", path, line) for line, row in _lines(rows)]
    own = [_number(row.get(NUMBER) or str(line - 1), path, line) for line, row in _lines(rows)]
    try:
        return _clicks(image, places, on, own)
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


def _image_of(values: NDArray[Any]) -> Image:
    found = np.asarray(values)
    if found.ndim not in (2, 3):
        raise ShapeError(
            f"An array is (y, x) or (z, y, x), got shape {found.shape}. Name the axes of others: "
            "stroma.Image(array, 'cyx')."
        )
    return Image(found, "zyx"[-found.ndim :])


def _clicks(
    image: Image, points: ArrayLike, labels: ArrayLike | None, objects: ArrayLike | None
) -> Clicks:
    axes = image.kept_axes.replace("c", "")
    places = np.atleast_2d(np.asarray(points, np.float64))
    if places.ndim != 2 or places.shape[1] != len(axes) or not len(places):
        raise ShapeError(
            f"Clicks on this image have the coordinates {', '.join(axes)}, got shape "
            f"{np.shape(points)}."
        )
    sides = np.array([image.sizes[a] for a in axes])
    outside = ~((places >= -0.5) & (places <= sides - 0.5)).all(axis=1)
    if outside.any():
        told = ", ".join(f"{a} {v:g}" for a, v in zip(axes, places[outside][0], strict=True))
        raise ParameterError(f"The click at {told} lies outside the image of {image.sizes}.")
    on = _whole(labels, len(places), "labels of clicks", 0, 1)
    return Clicks(places, on, _whole(objects, len(places), "numbers of objects", 1, MOST))


def _whole(
    values: ArrayLike | None, count: int, what: str, least: int, most: int
) -> NDArray[np.int64]:
    found = np.ones(count) if values is None else np.atleast_1d(np.asarray(values, np.float64))
    if found.shape != (count,):
        raise ShapeError(f"There are {count} clicks and {found.size} {what}; give one for each.")
    wrong = found[~((found >= least) & (found <= most) & (found == np.rint(found)))]
    if len(wrong):
        raise ParameterError(
            f"The {what} are whole numbers from {least} to {most}, got {wrong[0]:g}."
        )
    return found.astype(np.int64)


def _space(image: Image) -> str:
    return "zyx" if "z" in image.sizes else "yx"


def _frames(
    image: Image, clicks: Clicks, axes: str
) -> Iterator[tuple[int | None, Image, NDArray[np.bool_]]]:
    """Yield every frame that was clicked on, and which clicks lie on it."""
    if "t" not in axes:
        yield None, image, np.ones(len(clicks.places), bool)
        return
    times = np.clip(np.rint(clicks.places[:, 0]), 0, image.sizes["t"] - 1).astype(int)
    for t in np.unique(times).tolist():
        yield t, image.at(t=t), times == t


def _needs_one_on(labels: NDArray[np.int64], number: int, frame: int | None) -> None:
    if not labels.any():
        where = "" if frame is None else f" in frame {frame}"
        raise ParameterError(
            f"Object {number} has no click on it{where}, only beside it. Add one with label 1."
        )


def _channels_first(image: Image) -> NDArray[Any]:
    values = image.read()
    axes = image.kept_axes
    return np.moveaxis(values, axes.index("c"), 0) if "c" in axes else values[None]
