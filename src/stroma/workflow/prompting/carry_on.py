"""Objects that were clicked on one plane or frame, carried to the others."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from stroma.data.image import Image
from stroma.errors import ParameterError
from stroma.prompts.carry import Carrying, carried
from stroma.prompts.contract import PromptedSegmenter
from stroma.prompts.pixels import pixels_of


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
    first = pixels_of(image.at(**{axis: at}))
    for planes in (range(at + 1, image.sizes[axis]), range(at - 1, -1, -1)):
        yield from carried(
            engine, lambda n: pixels_of(image.at(**{axis: n})), planes, mask, first=first, how=how
        )
