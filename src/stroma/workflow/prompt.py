"""Clicks on an image, or a table of them, to labelled objects."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
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
from stroma.prompts.carry import Carrying
from stroma.prompts.contract import PromptedSegmenter
from stroma.workflow.carry_on import axis_of, carry_through

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


@dataclass(frozen=True)
class Prompted:
    """What came of a table of clicks.

    Parameters
    ----------
    objects : int
        How many there are.
    clicks : int
        How many clicks and boxes they took.
    pixels : int
        How many pixels they cover.
    """

    objects: int
    clicks: int
    pixels: int


def prompt(
    image: Image | NDArray[Any],
    *,
    points: ArrayLike | None = None,
    labels: ArrayLike | None = None,
    objects: ArrayLike | None = None,
    boxes: ArrayLike | None = None,
    box_objects: ArrayLike | None = None,
    carry: bool | int | Carrying = False,
    engine: str | PromptedSegmenter = "graph",
) -> NDArray[np.int32]:
    """Return the objects that clicks and boxes mean, as a label image.

    Volumes are worked on as such where the engine can; frames of a movie each on its own.

    Parameters
    ----------
    image : Image or (y, x) or (z, y, x) array
        What was clicked on.
    points : (n, d) array-like, optional
        Clicks in pixels, in the order of the axes of the image without channels.
    labels : (n,) array-like, optional
        1 for clicks on their object, 0 beside it; all 1 where left out.
    objects : (n,) array-like, optional
        Number of the object that each click is for; one object where left out.
    boxes : (k, 2 * d) array-like, optional
        First and last corner of boxes around objects: y0, x0, y1, x1 on a plane. A box on a frame
        of a movie has that frame in both corners.
    box_objects : (k,) array-like, optional
        Number of the object that each box is for; 1, 2, ... where left out.
    carry : bool or int or Carrying
        Whether objects go on through the planes of a volume, or frames of a movie: each is found on
        the plane of its clicks, and looked for on the next one until it fades. A number says how
        many planes at most, each way.
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
    given = _clicks(known, points, labels, objects, boxes=boxes, boxed=box_objects)
    return segment(known, given, made, carry=_carrying(carry))


def _carrying(carry: bool | int | Carrying) -> Carrying | None:
    if isinstance(carry, Carrying):
        return carry
    if carry is True:
        return Carrying()
    return Carrying(reach=carry) if carry else None


def prompt_file(
    path: Path,
    clicks: Path | None,
    out: Path,
    *,
    boxes: Sequence[str] = (),
    carry: int = 0,
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
    clicks : Path or None
        CSV as for `read_clicks`.
    out : Path
        Label image to write.
    boxes : sequence of str
        Boxes, each around an object of its own: "y0,x0,y1,x1".
    carry : int
        How many planes or frames objects are carried through at most; 0 for none.
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
    given = _given(clicks, boxes, image)
    found = segment(image, given, built, carry=_carrying(carry))
    write_labels(out, found, like=image)
    return Prompted(len(given.numbers), given.count, int((found > 0).sum()))


def _given(clicks: Path | None, boxes: Sequence[str], image: Image) -> Clicks:
    """Return the clicks of a table, or boxes."""
    if clicks is not None and boxes:
        raise ParameterError("Give a table of clicks, or boxes, not both.")
    if clicks is not None:
        return read_clicks(clicks, image)
    if not boxes:
        raise ParameterError("Say where the objects are, with --points or --box.")
    return _clicks(image, None, None, None, boxes=[_corners(text) for text in boxes])


def _corners(text: str) -> list[float]:
    try:
        return [float(v) for v in text.split(",")]
    except ValueError as error:
        raise ParameterError(f"A box is written y0,x0,y1,x1, got {short(text, 40)!r}.") from error


def segment(
    image: Image, clicks: Clicks, engine: PromptedSegmenter, *, carry: Carrying | None = None
) -> NDArray[np.int32]:
    """Return the label image of all objects, frame by frame and without overlap."""
    space = _space(image) if carry is None else "yx"
    split = ("t" if "t" in image.sizes else "") if carry is None else axis_of(image)
    if space not in engine.axes:
        raise ParameterError(
            f"This engine works in {' and '.join(engine.axes)}, the image has the axes "
            f"{space}. Give one plane of it, or choose another engine."
        )
    axes = image.kept_axes.replace("c", "")
    result = np.zeros(tuple(image.sizes[a] for a in axes), np.int32)
    for frame, view in _frames(image, clicks, split):
        target = result if frame is None else result[frame]
        on, around = (_lie_on(p, frame) for p in (clicks.places, clicks.boxes[:, 0]))
        engine.set_image(_channels_first(view), rgb=view.rgb and view.sizes.get("c") == 3)
        for number in clicks.numbers:
            own, boxed = on & (clicks.objects == number), around & (clicks.boxed == number)
            if not own.any() and not boxed.any():
                continue
            if not boxed.any():
                _needs_one_on(clicks.labels[own], number, split, frame)
            masks, _ = engine.predict(
                points=clicks.places[own][:, -len(space) :],
                labels=clicks.labels[own],
                boxes=clicks.boxes[boxed][:, :, -len(space) :].reshape(-1, 2 * len(space)),
            )
            target[masks[0] & (target == 0)] = number
    if carry is not None:
        carry_through(image, result, engine, how=carry)
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
    image: Image,
    points: ArrayLike | None,
    labels: ArrayLike | None,
    objects: ArrayLike | None,
    *,
    boxes: ArrayLike | None = None,
    boxed: ArrayLike | None = None,
) -> Clicks:
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


def _space(image: Image) -> str:
    return "zyx" if "z" in image.sizes else "yx"


def _frames(image: Image, clicks: Clicks, split: str) -> Iterator[tuple[int | None, Image]]:
    """Yield every frame, or plane, that something was said of."""
    if not split:
        yield None, image
        return
    along = np.concatenate([clicks.places[:, 0], clicks.boxes[:, 0, 0]])
    for at in np.unique(np.clip(_nearest(along), 0, image.sizes[split] - 1)).tolist():
        yield at, image.at(**{split: at})


def _nearest(values: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.rint(values).astype(np.int64)


def _lie_on(places: NDArray[np.float64], frame: int | None) -> NDArray[np.bool_]:
    """Tell which places lie on a frame."""
    if frame is None:
        return np.ones(len(places), bool)
    return np.asarray(np.clip(_nearest(places[:, 0]), 0, None) == frame)


def _needs_one_on(labels: NDArray[np.int64], number: int, split: str, frame: int | None) -> None:
    if not labels.any():
        where = "" if frame is None else f" in {'frame' if split == 't' else 'plane'} {frame}"
        raise ParameterError(
            f"Object {number} has no click on it{where}, only beside it. Add one with label 1."
        )


def _channels_first(image: Image) -> NDArray[Any]:
    values = image.read()
    axes = image.kept_axes
    return np.moveaxis(values, axes.index("c"), 0) if "c" in axes else values[None]
