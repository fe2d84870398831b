"""What strokes to carve by mean: an answer for all planes of a frame, and what of it is on one."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stroma.blocks.box import Box
from stroma.objects.correct import slices
from stroma.objects.flooded import Flooded
from stroma.objects.seeds import BACKGROUND, OBJECT, Places
from stroma.session.core.sheet import Sheet
from stroma.session.core.slices import Slice
from stroma.session.objects.book import Labels
from stroma.session.objects.carving.kept import Line
from stroma.session.strokes.drawing.brush import brush
from stroma.session.strokes.drawing.runs import pixels, spread

Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Answer:
    """What strokes mean.

    Parameters
    ----------
    about : tuple
        What it depends on.
    frame : int
        Which frame of the image it is for.
    found : Flooded
        The regions.
    taken : (z, y, x) bool array
        Pixels of other objects.
    lost : (n,) int array
        How many of them each region has.
    labels : (z, y, x) int array or None
        All objects; kept, so that the identity in ``about`` stays theirs.
    """

    about: tuple[Hashable, ...]
    frame: int
    found: Flooded
    taken: Bools
    lost: NDArray[np.int64]
    labels: Labels | None

    @property
    def pixels(self) -> int:
        """About how many pixels the object has: whole regions are counted."""
        free = self.found.regions.sizes - self.lost
        return int(free[self.found.state == OBJECT].sum())

    def on(self, sheet: Sheet, plane: int, box: Box) -> Bools:
        """Return which pixels in a box of a plane belong to the object; none at another time."""
        if sheet.position(plane).get("t", 0) != self.frame:
            return np.zeros(box.shape, bool)
        voxels = sheet.cuts.voxels(plane, box)
        part = slices((*voxels.start, *voxels.stop))
        return (self.found.mask(part) & ~self.taken[part]).reshape(box.shape)


@dataclass(frozen=True, eq=False)
class Outlined:
    """What is carved, on one plane.

    Parameters
    ----------
    box : Box
        Where on the plane.
    mask : (h, w) bool array
        Which pixels of the box belong to it.
    pixels : int
        About how many pixels it has on all planes.
    lacking : str
        What must be done before there is an answer; empty where there is one.
    answer : Answer or None
        What it is part of, for other planes; None where there is none.
    """

    box: Box
    mask: Bools
    pixels: int = 0
    lacking: str = ""
    answer: Answer | None = None


def taken_by_others(labels: Labels | None, number: int, shape: tuple[int, ...]) -> Bools:
    """Return the pixels of all objects but one."""
    if labels is None:
        return np.zeros(shape, bool)
    taken: Bools = labels > 0
    if number:
        taken &= labels != number
    return taken


def places_of(sheet: Sheet, lines: Sequence[Line]) -> tuple[Places, Places]:
    """Return the pixels of strokes on the object and beside it, as places in a flat frame.

    Of strokes across one another, the last counts.
    """
    drawn = [_drawn(sheet, line) for line in lines]
    places = np.concatenate(drawn)
    kinds = [OBJECT if line.on else BACKGROUND for line in lines]
    labels = np.repeat(kinds, [len(p) for p in drawn])
    last, at = np.unique(places[::-1], return_index=True)
    said = labels[::-1][at]
    return last[said == OBJECT], last[said == BACKGROUND]


def _drawn(sheet: Sheet, line: Line) -> Places:
    """Return the pixels of a stroke, as places in a flat frame."""
    size = sheet.sizes.get("z", 1), sheet.sizes["y"], sheet.sizes["x"]
    found = [np.empty(0, np.int64)]
    plane = Slice(sheet.cuts, line.plane)
    first = sheet.cuts.level(line.plane)
    for drawn in brush(line.points, line.radius, sheet.cuts.shape(line.plane)):
        level, flat = spread(plane, drawn)
        row, column = pixels(flat)
        z = np.repeat(level, flat[2] - flat[1]) if plane.across != "z" else level
        found.append(((z - first) * size[1] + row) * size[2] + column)
    return np.concatenate(found)
