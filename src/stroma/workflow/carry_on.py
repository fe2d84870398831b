"""Objects that were clicked on one plane or frame, carried to the others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.data.image import Image
from stroma.errors import ParameterError
from stroma.prompts.carry import Carrying, Plane, carried
from stroma.prompts.contract import PromptedSegmenter


def axis_of(image: Image) -> str:
    """Return the axis along which objects are carried: z of volumes, t of movies of planes.

    Raises
    ------
    ParameterError
        If the image has neither, or both.
    """
    along = [a for a in "zt" if a in image.sizes]
    if len(along) != 1:
        raise ParameterError(
            "Objects are carried through planes along z or frames along t; the image has the axes "
            f"{', '.join(image.kept_axes)}. Give one volume, or one movie of planes."
        )
    return along[0]


def carry_through(
    image: Image, found: NDArray[np.int32], engine: PromptedSegmenter, *, how: Carrying
) -> None:
    """Add to a label image where its objects go on; earlier pixels stay as they are.

    Parameters
    ----------
    image : Image
        A volume, or a movie.
    found : (z or t, y, x) int32
        Objects, each on one plane; changed in place.
    engine : PromptedSegmenter
        What finds them on other planes.
    how : Carrying
        How far.
    """
    axis = axis_of(image)
    starts = [(n, int(k)) for n, plane in enumerate(found) for k in np.unique(plane[plane > 0])]
    for at, number in starts:
        for plane, mask in _both_ways(image, axis, at, found[at] == number, engine, how):
            free = mask & (found[plane] == 0)
            found[plane][free] = number


def _both_ways(
    image: Image,
    axis: str,
    at: int,
    mask: NDArray[np.bool_],
    engine: PromptedSegmenter,
    how: Carrying,
) -> Iterator[tuple[int, NDArray[np.bool_]]]:
    first = plane_of(image, axis, at)
    for planes in (range(at + 1, image.sizes[axis]), range(at - 1, -1, -1)):
        yield from carried(
            engine, lambda n: plane_of(image, axis, n), planes, mask, first=first, how=how
        )


def plane_of(image: Image, axis: str, number: int) -> Plane:
    """Return the (C, y, x) pixels of a plane, and whether they are a colour picture."""
    view = image.at(**{axis: number})
    values: NDArray[Any] = view.read()
    axes = view.kept_axes
    first = np.moveaxis(values, axes.index("c"), 0) if "c" in axes else values[None]
    return first, view.rgb and len(first) == 3
