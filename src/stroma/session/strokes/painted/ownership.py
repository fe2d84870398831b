"""Which stroke a painted pixel belongs to, found by going through what was done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stroma.pixel.door import Points
from stroma.pixel.guidance.components import components
from stroma.session.core.document import Edit
from stroma.session.strokes.painted.change import Painted

Place = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]
"""Plane, row and column of pixels."""

WHOLE = ("import",)
"""Kinds of edits that are many strokes at once, told apart by what is connected."""


@dataclass(frozen=True)
class ClassCount:
    """What is painted of a class.

    Parameters
    ----------
    label : int
        The class.
    pixels, strokes : int
        How many, over all images.
    images : int
        How many images have any.
    """

    label: int
    pixels: int
    strokes: int
    images: int


def distribution(edits: Sequence[Edit], points: Mapping[str, Points]) -> list[ClassCount]:
    """Count the painted pixels and the strokes of each class, by label.

    Parameters
    ----------
    edits : sequence of Edit
        What was done, in order.
    points : mapping of str to Points
        The labelled pixels of each image.
    """
    counts: dict[int, list[tuple[int, int]]] = {}
    for image, found in points.items():
        owned = owners(edits, image, found)
        for label in np.unique(found.label).tolist():
            own = owned[found.label == label]
            counts.setdefault(label, []).append((len(own), len(np.unique(own))))
    return [
        ClassCount(label, sum(n for n, _ in each), sum(k for _, k in each), len(each))
        for label, each in sorted(counts.items())
    ]


def owners(edits: Sequence[Edit], image: str, points: Points) -> NDArray[np.int64]:
    """Return the (n,) number of the stroke each labelled pixel belongs to.

    A stroke is what was painted in one step. Pixels that were imported, or painted before the steps
    that are remembered, count as one stroke where they are connected.

    Parameters
    ----------
    edits : sequence of Edit
        What was done, in order.
    image : str
        The image.
    points : Points
        Its labelled pixels.
    """
    owned, index = np.zeros(len(points.label), np.int64), _Index(points)
    for edit in (e for e in edits if isinstance(e.change, Painted)):
        number = 0 if edit.kind in WHOLE else edit.number
        for key, delta in edit.change.strokes:
            for place in delta.pieces.pixels() if key == image else ():
                owned[index.of(place)] = number
    rest = np.flatnonzero(owned == 0)
    if len(rest):
        parts = components(Points(points.plane[rest], points.yx[rest], points.label[rest]))
        owned[rest] = parts + owned.max(initial=0)
    return owned


class _Index:
    """Where in a list of points a pixel is.

    Parameters
    ----------
    points : Points
        The list.
    """

    def __init__(self, points: Points) -> None:
        place = points.plane, *points.yx.T
        self._size = [int(axis.max(initial=-1)) + 1 for axis in place]
        numbers = self._number(place)
        self._order = np.argsort(numbers)
        self._numbers = numbers[self._order]

    def of(self, place: Place) -> NDArray[np.intp]:
        """Return where those of the pixels are that are in the list."""
        plane, row, column = place
        planes, height, width = self._size
        inside = (plane < planes) & (row < height) & (column < width)
        wanted = self._number((plane[inside], row[inside], column[inside]))
        at = np.searchsorted(self._numbers, wanted)
        at, wanted = at[at < len(self._numbers)], wanted[at < len(self._numbers)]
        found: NDArray[np.intp] = self._order[at[self._numbers[at] == wanted]]
        return found

    def _number(self, place: Place) -> NDArray[np.int64]:
        plane, row, column = place
        numbers: NDArray[np.int64] = (plane * self._size[1] + row) * self._size[2] + column
        return numbers
