"""Reading label images and the classes they carry."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from stroma.data.classes import Class
from stroma.data.image import Image
from stroma.data.strokes import Strokes, as_labels
from stroma.errors import LabelError, ShapeError
from stroma.io.atomic import is_zarr
from stroma.io.read import read_image
from stroma.io.tables import CLASS_READERS, ORIENTATIONS, PALETTES, ending_of


def read_labels(path: Path, image: Image, *, classes: Sequence[Class] = ()) -> Strokes:
    """Return the labels in an image file, with the shape of the image they belong to.

    A picture with a palette gives the positions in its palette. Axes of one sample may be left
    out, and a stack whose axes are not named is taken to have those of the image.

    Raises
    ------
    ShapeError
        If the size differs, or labels and image say that they are turned to each other.
    LabelError
        If values are not integers from 0 to 65535, or the file is a picture in colours.
    """
    found = read_image(path)
    if found.lossy:
        raise LabelError(
            f"{path} was saved with loss, as JPEG does, which mixes the values of neighbouring "
            "pixels: labels come back as classes that nobody painted. Save them as PNG or TIFF."
        )
    indices = PALETTES.get(path.suffix.lower())
    values = indices(path) if indices is not None else None
    axes = image.kept_axes.replace("c", "")
    shape = tuple(image.sizes[a] for a in axes)
    if values is None:
        fits = _without_ones(found.shape) == _without_ones(shape)
        if found.sizes.get("c", 1) > 1 and not fits:
            raise LabelError(
                f"{path} has {found.sizes['c']} channels or colours; a label image has one. "
                "Save the labels themselves, not a picture of them."
            )
        values = found.read()
    if _without_ones(values.shape) != _without_ones(shape):
        raise ShapeError(
            f"{path} has shape {values.shape}, but its image {image.source or ''} has "
            f"{dict(zip(axes, shape, strict=True))}. Labels have one value per pixel."
            f"{_hint(values.shape, image)}"
        )
    _check_orientation(path, image)
    labels = as_labels(values.reshape(shape), source=str(path))
    own = {c.label: c for c in (*read_classes(path), *classes)}
    return Strokes(np.ascontiguousarray(labels), axes, tuple(own.values()))


def read_classes(path: Path) -> tuple[Class, ...]:
    """Return the classes that a label file carries; none if it carries none."""
    ending = ".zarr" if path.is_dir() and is_zarr(path) else path.suffix.lower()
    if ending not in CLASS_READERS:
        return ()
    classes: tuple[Class, ...] = CLASS_READERS[ending](path)
    return classes


def _check_orientation(path: Path, image: Image) -> None:
    """Refuse labels whose axes run elsewhere in the sample than those of the image."""
    of_image = Path(str((image.read_with or {}).get("path", "")))
    if not {ending_of(path), ending_of(of_image)} <= {*ORIENTATIONS} or not of_image.exists():
        return
    ours, theirs = (ORIENTATIONS[ending_of(p)](p) for p in (path, of_image))
    if ours and theirs and ours != theirs:
        raise ShapeError(
            f"{path} is stored as {ours} (where its axes run to), its image {image.source} as "
            f"{theirs}: its labels lie elsewhere. Save them in the orientation of the image."
        )


def _hint(shape: Sequence[int], image: Image) -> str:
    """Return what to try where the labels are one plane, and the image may be no stack."""
    outer = [a for a in image.kept_axes if a in "tz" and image.sizes[a] > 1]
    plane = tuple(image.sizes[a] for a in "yx")
    if len(outer) != 1 or _without_ones(shape) != plane or "c" in image.kept_axes:
        return ""
    return (
        f" If the {image.sizes[outer[0]]} planes of the image are channels, say so with axes='cyx'."
    )


def _without_ones(shape: Sequence[int]) -> tuple[int, ...]:
    return tuple(n for n in shape[:-2] if n != 1) + tuple(shape[-2:])
