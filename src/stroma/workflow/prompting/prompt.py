"""Clicks on an image, or a table of them, to labelled objects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stroma.data.image import Image
from stroma.errors import ParameterError, ShapeError, short
from stroma.io import read_image, write_labels
from stroma.prompts import build
from stroma.prompts.carry import By as Carried
from stroma.prompts.carry import Carrying
from stroma.prompts.contract import PromptedSegmenter
from stroma.prompts.everything import By, Everything
from stroma.prompts.pixels import pixels_of
from stroma.workflow.prompting.carry_on import axis_of, carry_through
from stroma.workflow.prompting.clicks import Clicks, clicks_of, read_clicks
from stroma.workflow.prompting.everything import find_everything


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
        many planes at most, each way. Engines with a memory of frames follow it by that.
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
    given = clicks_of(known, points, labels, objects, boxes=boxes, boxed=box_objects)
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
    carry_by: str = "auto",
    everything: str | None = None,
    engine: str = "graph",
    weights: Path | None = None,
    cache: Path | None = None,
    decoder: Path | None = None,
    series: int | None = None,
    overwrite: bool = False,
) -> Prompted:
    """Write the objects that a table of clicks means, as a label image.

    Parameters
    ----------
    path : Path
        The image.
    clicks : Path or None
        CSV as for `stroma.workflow.prompting.clicks.read_clicks`.
    out : Path
        Label image to write.
    boxes : sequence of str
        Boxes, each around an object of its own: "y0,x0,y1,x1".
    carry : int
        How many planes or frames objects are carried through at most; 0 for none.
    carry_by : {"auto", "prompts", "memory"}
        How they are found again; see `stroma.prompts.carry.By`.
    everything : {"grid", "decoder", "prompts"}, optional
        All objects are looked for, without clicks; see `stroma.prompts.everything.By`.
    engine : str
        Name in `stroma.prompts.ENGINES`.
    weights, cache, decoder : Path, optional
        As for `stroma.prompts.build.engine`.
    series : int, optional
        Which image, where the file holds several; the first unless given.
    overwrite : bool
        Whether an earlier file is replaced.
    """
    if out.exists() and not overwrite:
        raise ParameterError(f"{out} exists already. Add overwrite=True, or choose another name.")
    how = Everything(by=cast(By, everything or "grid"))  # what is none is told there
    carrying = Carrying(reach=carry or 1, by=cast(Carried, carry_by))
    built = build.engine(engine, weights=weights, cache=cache, decoder=decoder)
    image = read_image(path, series=series)
    if everything:
        if clicks is not None or boxes or carry:
            raise ParameterError(
                "All objects are looked for, or those of clicks and boxes: not both."
            )
        found = find_everything(image, engine=built, how=how)
        write_labels(out, found, like=image)
        return Prompted(int(found.max(initial=0)), 0, int((found > 0).sum()))
    given = _given(clicks, boxes, image)
    found = segment(image, given, built, carry=carrying if carry else None)
    write_labels(out, found, like=image)
    return Prompted(len(given.numbers), given.count, int((found > 0).sum()))


def _given(clicks: Path | None, boxes: Sequence[str], image: Image) -> Clicks:
    """Return the clicks of a table, or boxes."""
    if clicks is not None and boxes:
        raise ParameterError("Give a table of clicks, or boxes, not both.")
    if clicks is not None:
        return read_clicks(clicks, image)
    if not boxes:
        raise ParameterError(
            "Say where the objects are, with points or boxes; or find all with everything='grid'."
        )
    return clicks_of(image, None, None, None, boxes=[_corners(text) for text in boxes])


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
        values, rgb = pixels_of(view)
        engine.set_image(values, rgb=rgb)
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


def _image_of(values: NDArray[Any]) -> Image:
    found = np.asarray(values)
    if found.ndim not in (2, 3):
        raise ShapeError(
            f"An array is (y, x) or (z, y, x), got shape {found.shape}. Name the axes of others: "
            "stroma.Image(array, 'cyx')."
        )
    return Image(found, "zyx"[-found.ndim :])


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
