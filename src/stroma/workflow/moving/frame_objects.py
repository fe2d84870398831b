"""From classes of pixels over time to label images of objects, frame by frame."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from stroma.errors import LabelError, ParameterError
from stroma.io.tracks.movie import read_movie
from stroma.io.write import write_image

SMALLEST = 20
"""Pixels of a part that is an object, unless told."""


def parts_of(
    classes: NDArray[np.integer], label: int, *, smallest: int = SMALLEST
) -> NDArray[np.uint16]:
    """Return the connected parts of a class in a frame, numbered from 1.

    Parameters
    ----------
    classes : (y, x) or (z, y, x) int array
        Class of every pixel; pixels that share a corner are connected.
    label : int
        Whose parts.
    smallest : int
        Pixels of a part, at least.

    Raises
    ------
    LabelError
        If there are more than 65,535.
    """
    found, count = ndimage.label(classes == label, np.ones((3,) * classes.ndim))
    size = np.bincount(found.ravel(), minlength=count + 1)
    kept = size >= smallest
    kept[0] = False
    if kept.sum() > np.iinfo(np.uint16).max:
        raise LabelError(f"A frame has {kept.sum()} parts, more than 65,535. Ask for larger ones.")
    number = np.cumsum(kept) * kept
    return np.asarray(number[found], np.uint16)


def write_objects(
    classes: str | Path,
    folder: str | Path,
    *,
    label: int,
    name: str = "",
    smallest: int = SMALLEST,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Write the parts of a class as label images, one file a frame, and return how many.

    Parameters
    ----------
    classes : path
        A segmentation over time.
    folder : path
        Where ``t0000.tif`` and so on go; made if need be.
    label, smallest
        As for `parts_of`.
    name : str
        What the class is called, where it is told that it has no part.
    progress : callable, optional
        Told how many frames are done, and of how many.

    Raises
    ------
    ParameterError
        If no frame has such a part.
    """
    movie, count = read_movie(classes), 0
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    spacing = dict(zip("zyx"[3 - len(movie.spacing) :], movie.spacing, strict=True))
    for t, frame in enumerate(movie):
        found = parts_of(np.asarray(frame), label, smallest=smallest)
        count += int(found.max(initial=0))
        axes, unit = "zyx"[-found.ndim :], movie.unit if spacing else ""
        write_image(target / f"t{t:04d}.tif", found, axes=axes, spacing=spacing, unit=unit)
        if progress is not None:
            progress(t + 1, len(movie))
    if not count:
        raise ParameterError(
            f"No frame has a part of {name or f'class {label}'} of {smallest} pixels or more. "
            "Choose another class, or smaller parts."
        )
    return count
