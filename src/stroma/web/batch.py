"""The latest batch: what became of each image, what is tried again, and how results look."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from stroma.data.image import Image
from stroma.errors import FormatError, MissingFileError, ParameterError
from stroma.io import read_image
from stroma.io.atomic import replaced
from stroma.session import Session
from stroma.web import tiles
from stroma.workflow.applying.outputs import Outputs
from stroma.workflow.applying.overlay import overlay, picture, sampled

Values = Mapping[str, Any]
Plain = dict[str, Any]

LATEST = "batch.json"
WAYS = ("format", "probabilities", "overlay", "tables")
"""What of the outputs the page lets people choose."""

LABELS = ("_labels.", "_objects.")
"""What the names of results contain that are labels, and can be shown."""

SIDE = 1400
"""Pixels along the longer side of a picture of a result, at most."""


def keep(folder: Path, answer: Values, wanted: Outputs) -> None:
    """Write what became of each image, and what was wanted of it."""
    ways = {way: getattr(wanted, way) for way in WAYS}
    with replaced(folder / LATEST) as new:
        new.write_text(json.dumps({"answer": dict(answer), "wanted": ways}), encoding="utf-8")


def kept(folder: Path) -> tuple[Plain, Outputs] | None:
    """Return what became of each image of the latest batch, and what was wanted; None if none.

    A file that is damaged counts as none: it only repeats what the results say.
    """
    path = folder / LATEST
    if path.is_symlink() or not path.is_file():
        return None
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        images = [_image(one) for one in said["answer"]["images"]]
        ways = {way: said["wanted"][way] for way in WAYS}
        return {**said["answer"], "images": images, "folder": str(folder)}, Outputs(**ways)
    except (ValueError, KeyError, TypeError):
        return None


def _image(said: Values) -> Plain:
    """Return what became of an image, as it was kept."""
    words = {word: str(said[word]) for word in ("name", "key", "file", "error")}
    return {**words, "files": [str(name) for name in said["files"]]}


def failed(folder: Path) -> dict[str, str]:
    """Return the reason of each image that failed in the latest batch, by its key."""
    found = kept(folder)
    images = [] if found is None else found[0]["images"]
    return {one["key"]: one["error"] for one in images if one["key"] and one["error"]}


def look(session: Session, folder: Path, name: str) -> bytes:
    """Return a PNG of a result of the latest batch laid over its image; the middle of a volume.

    Parameters
    ----------
    session : Session
        Whose images these are.
    folder : Path
        Where results are.
    name : str
        Of one of its files; images may be called alike.

    Raises
    ------
    MissingFileError
        If the batch has no such file, or it is gone.
    ParameterError
        If it has no labels that could be shown.
    """
    found = kept(folder)
    images: Sequence[Plain] = [] if found is None else found[0]["images"]
    one = next((i for i in images if name in i["files"]), None)
    if one is None:
        raise MissingFileError(f"The latest export has no file {name[:100]!r}. Export it again.")
    path = _labels(folder, one["files"])
    plane = _middle(_read(path))
    labels = sampled(plane, _fitting(plane)).astype(np.uint32)
    return tiles.picture_png(
        overlay(_ground(session, one["key"], labels.shape), labels, session.classes)
    )


def _labels(folder: Path, names: Sequence[str]) -> Path:
    """Return the labels among the results of an image."""
    known = {path.name: path for path in folder.iterdir() if not path.is_symlink()}
    for name in names:
        if any(part in name for part in LABELS):
            if name not in known:
                raise MissingFileError(
                    f"{name} is not among the results any more. Export it again."
                )
            return known[name]
    raise ParameterError("These results are no labels, so there is nothing to look at here.")


def _read(path: Path) -> Image:
    try:
        return read_image(path)
    except FormatError as error:
        raise FormatError(f"{path.name} cannot be shown: {error}") from error


def _middle(image: Image) -> Image:
    return image.at(**{axis: size // 2 for axis, size in image.sizes.items() if axis not in "yx"})


def _fitting(plane: Image) -> tuple[int, int]:
    """Return the size of a plane that is not larger than a picture."""
    height, width = plane.sizes["y"], plane.sizes["x"]
    every = -(-max(height, width) // SIDE)
    return -(-height // every), -(-width // every)


def _ground(session: Session, key: str, shape: tuple[int, ...]) -> Any:
    """Return the middle plane of an image in grey or colour; black where it is not at hand."""
    one = next((i for i in session.images if i.key == key and not i.missing), None)
    if one is not None:
        middle = {axis: size // 2 for axis, size in one.outer.items()}
        drawn = picture(one.image.at(**middle), side=SIDE)
        if drawn.shape[:2] == shape:
            return drawn
    return np.zeros((*shape, 3), np.uint8)
