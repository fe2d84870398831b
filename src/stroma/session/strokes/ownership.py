"""Which stroke a painted pixel belongs to, found by going through what was done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stroma.pixel.door import Points
from stroma.pixel.guidance.components import components
from stroma.session.core.document import Edit
from stroma.session.strokes.change import Painted
from stroma.session.strokes.tiles import TILE, TileKey, unpacked

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
    tiles: dict[TileKey, NDArray[np.int64]] = {}
    for edit in (e for e in edits if isinstance(e.change, Painted)):
        number = 0 if edit.kind in WHOLE else edit.number
        for key, delta in edit.change.strokes:
            if key == image:
                owner = tiles.setdefault(delta.key, np.zeros((TILE, TILE), np.int64))
                box = delta.box
                part = owner[
                    box.top % TILE : (box.top % TILE) + box.shape[0],
                    box.left % TILE : (box.left % TILE) + box.shape[1],
                ]
                before = unpacked(delta.before, box.shape)
                after = unpacked(delta.after, box.shape)
                part[before != after] = number
    owned = _looked_up(tiles, points)
    rest = np.flatnonzero(owned == 0)
    if len(rest):
        parts = components(Points(points.plane[rest], points.yx[rest], points.label[rest]))
        owned[rest] = parts + owned.max(initial=0)
    return owned


def _looked_up(tiles: dict[TileKey, NDArray[np.int64]], points: Points) -> NDArray[np.int64]:
    owned = np.zeros(len(points.label), np.int64)
    places = np.column_stack([points.plane, points.yx // TILE])
    found, which = np.unique(places, axis=0, return_inverse=True)
    for i, (plane, row, column) in enumerate(found.tolist()):
        if (plane, row, column) in tiles:
            members = np.flatnonzero(which.reshape(-1) == i)
            y, x = (points.yx[members] % TILE).T
            owned[members] = tiles[plane, row, column][y, x]
    return owned
