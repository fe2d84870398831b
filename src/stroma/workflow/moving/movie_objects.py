"""From a movie and a model to label images, frame by frame; what is done already is kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stroma.data.image import Image
from stroma.errors import FileError, ParameterError
from stroma.io.atomic import replaced
from stroma.io.tracks.movie import read_frames
from stroma.io.write import write_image
from stroma.workflow.applying.applied import is_network, result_of
from stroma.workflow.applying.outputs import fingerprint, state_of
from stroma.workflow.moving.frame_objects import SMALLEST, parts_of

if TYPE_CHECKING:
    from stroma.workflow.applying.applied import Model

RECORD = "objects.json"
"""Which model, movie and options the label images in a folder are of."""


def write_movie_objects(
    model: Model,
    source: str | Path,
    folder: str | Path,
    *,
    label: int | str | None = None,
    smallest: int = SMALLEST,
    axes: str | None = None,
    series: int | None = None,
    overwrite: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write the objects that a model finds in each frame of a movie, one file a frame.

    Frames that are there already, of the same model, movie and options, are not made again, so
    that a run that was cut off goes on where it was.

    Parameters
    ----------
    model : ConvpaintModel or Network
        Trained: one that finds objects, or classes, whose connected parts are objects.
    source : path
        Folder with one image a frame, or a stack.
    folder : path
        Where ``t0000.tif`` and so on go, numbered as the frames; made if need be.
    label : int or str, optional
        Number or name of the class that is objects; of two classes the second, unless given.
    smallest : int
        Pixels of a part of a class, at least.
    axes : str, optional
        Axes of the movie, where it does not name them.
    series : int, optional
        Which movie, where the file holds several; the first unless given.
    overwrite : bool
        Replace objects of another model, movie or of other options.
    progress : callable, optional
        Told how many frames are done, and of how many.

    Raises
    ------
    ParameterError
        If the model finds something else, or it is not clear which class is meant.
    FileError
        If there are objects of another kind in the folder.
    """
    target, frames = Path(folder), read_frames(source, axes=axes, series=series)
    chosen = None if result_of(model) == "instances" else class_of(model, label)
    said: Any = [fingerprint(model), str(Path(source).resolve()), state_of(Path(source)), axes]
    said += [chosen, None if chosen is None else smallest]
    said += [] if series is None else [series]
    _claimed(target, hashlib.sha256(json.dumps(said).encode()).hexdigest(), overwrite=overwrite)
    for i, number in enumerate(frames.numbers):
        path = target / f"t{number:04d}.tif"
        if not path.exists():
            _write(path, frames.at(i), objects_in(model, frames.at(i), chosen, smallest))
        if progress is not None:
            progress(i + 1, len(frames))


def objects_in(
    model: Model, image: Image, label: int | None = None, smallest: int = SMALLEST
) -> NDArray[np.integer]:
    """Return the (y, x) or (z, y, x) objects that a model finds in an image.

    Parameters
    ----------
    model : ConvpaintModel or Network
        Trained.
    image : Image
        One frame.
    label : int, optional
        Class whose connected parts are objects; None where the model finds objects itself.
    smallest : int
        Pixels of a part, at least.
    """
    found = np.asarray(model.segment(image))
    return found if label is None else parts_of(found, label, smallest=smallest)


def class_of(model: Model, wanted: int | str | None) -> int:
    """Return the class whose parts are objects.

    Raises
    ------
    ParameterError
        If the model finds no classes, there is no such class, or several may be meant.
    """
    if result_of(model) != "classes" or (is_network(model) and model.heads):
        raise ParameterError(
            "Objects are tracked where a model finds objects or classes, and this one finds "
            "something else. Of points: `stroma segment` writes a table that `stroma track` takes."
        )
    named = {c.label: c.name for c in model.classes if c.label in model.classes_.tolist()}
    if wanted is None and len(named) == 2:
        return max(named)
    if wanted is None and len(named) == 1:
        return next(iter(named))
    for label, name in named.items():
        if str(wanted).lower() in (str(label), name.lower()):
            return label
    known = ", ".join(f"{label} ({name})" for label, name in named.items())
    said = "Say which class is objects" if wanted is None else f"No class {wanted!r}"
    raise ParameterError(f"{said}; the model has the classes {known}.")


def _claimed(folder: Path, identity: str, *, overwrite: bool) -> None:
    """Make the folder one of these objects: empty, or with some of them."""
    record = folder / RECORD
    there = sorted(folder.glob("t*.tif")) if folder.exists() else []
    known = record.read_text(encoding="utf-8") if record.exists() else ""
    if there and identity not in known:
        if not overwrite:
            raise FileError(
                f"{folder} holds label images of another model, movie or of other options. Name "
                "another folder, or say that they may be replaced (overwrite)."
            )
        for path in there:
            path.unlink()
    folder.mkdir(parents=True, exist_ok=True)
    with replaced(record) as temporary:
        temporary.write_text(json.dumps({"identity": identity}), encoding="utf-8")


def _write(path: Path, image: Image, found: NDArray[np.integer]) -> None:
    axes = "zyx"[-found.ndim :]
    spacing = {a: image.spacing[a] for a in axes if a in image.spacing}
    most = np.iinfo(np.uint16).max
    kind = np.uint16 if found.max(initial=0) <= most else np.uint32
    write_image(path, found.astype(kind), axes=axes, spacing=spacing, unit=image.unit)
