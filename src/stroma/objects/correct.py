"""Corrections of objects by hand: what each makes of a label image."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from stroma.data.shapes import Area
from stroma.errors import LabelError, ParameterError

Labels = NDArray[np.int32]
Mask = NDArray[np.bool_]
Points = Sequence[tuple[float, float]]
MARGIN = 256
"""Pixels around an object within which lines are followed."""

Slices: TypeAlias = tuple[slice, slice, slice]


@dataclass(frozen=True, eq=False)
class Patch:
    """A part of a label image as it is after a correction.

    Parameters
    ----------
    box : (6,) tuple of int
        First z, y, x, then the ends, which lie outside.
    values : (z, y, x) int32 array
        What is there then.
    """

    box: tuple[int, ...]
    values: Labels

    @property
    def slices(self) -> Slices:
        """Where it lies."""
        return slices(self.box)


@dataclass(frozen=True)
class Given:
    """What a correction is about.

    Parameters
    ----------
    numbers : tuple of int
        Objects.
    points : tuple of (y, x)
        Of a line or a polygon, in pixels; the first pixel reaches from 0 to 1.
    z : int
        The plane that was drawn on.
    """

    numbers: tuple[int, ...] = ()
    points: tuple[tuple[float, float], ...] = ()
    z: int = 0


def slices(box: Sequence[int]) -> Slices:
    """Return the slices of a box."""
    return slice(box[0], box[3]), slice(box[1], box[4]), slice(box[2], box[5])


def corrected(labels: Labels, kind: str, given: Given) -> Patch:
    """Return what a correction changes; the label image itself stays as it is.

    Parameters
    ----------
    labels : (z, y, x) int32 array
        Objects; a plane has depth one.
    kind : {"merge", "split", "delete", "draw", "fill", "reassign"}
        What is done. "merge" makes objects one, with the number of the first. "split" cuts one
        along a line; of a volume, through all its planes; where none is given, the one that most
        of the line lies on. "draw" makes what lies in a polygon and is of no object
        a new one. "fill" closes holes. "reassign" gives what lies in a polygon to an object, or
        (0) to none.
    given : Given
        To what.

    Raises
    ------
    ParameterError
        If it does not fit what is there.
    """
    if kind not in KINDS:
        raise ParameterError(f"No correction {kind[:30]!r}. Known: {', '.join(KINDS)}.")
    correct, least, most, points = KINDS[kind]
    if not least <= len(given.numbers) <= most or len(set(given.numbers)) < len(given.numbers):
        several = f"at least {least} different objects"
        wanted = {0: "no objects", 1: "1 object"}.get(most, several)
        raise ParameterError(
            f"{kind} takes {wanted}, got {len(given.numbers)}. Select what it is about first."
        )
    if len(given.points) < points:
        raise ParameterError(f"{kind} takes at least {points} points, got {len(given.points)}.")
    return correct(labels, given)


def _of(labels: Labels, numbers: Sequence[int]) -> Patch:
    """Return the box around objects, with what is in it."""
    mask = labels == numbers[0] if len(numbers) == 1 else np.isin(labels, numbers)
    box = box_around(mask)
    part = Patch(box, labels[slices(box)].copy())
    there = set(np.unique(part.values).tolist())
    for number in numbers:
        if number not in there or number == 0:
            raise ParameterError(f"There is no object {number}.")
    return part


def box_around(mask: Mask) -> tuple[int, ...]:
    """Return the box around what is marked of (z, y, x) pixels, as `Patch` has it."""
    ends = []
    for axis in range(3):
        along = np.flatnonzero(mask.any(axis=tuple(a for a in range(3) if a != axis)))
        ends.append((int(along[0]), int(along[-1]) + 1) if len(along) else (0, 1))
    return (*(e[0] for e in ends), *(e[1] for e in ends))


def _merge(labels: Labels, given: Given) -> Patch:
    part = _of(labels, given.numbers)
    part.values[np.isin(part.values, given.numbers)] = given.numbers[0]
    return part


def _delete(labels: Labels, given: Given) -> Patch:
    part = _of(labels, given.numbers)
    part.values[np.isin(part.values, given.numbers)] = 0
    return part


def _fill(labels: Labels, given: Given) -> Patch:
    from scipy.ndimage import binary_fill_holes

    part = _of(labels, given.numbers)
    for number in given.numbers:
        mask = part.values == number
        solid = binary_fill_holes(mask[0])[None] if len(mask) == 1 else binary_fill_holes(mask)
        part.values[solid & (part.values == 0)] = number
    return part


def _split(labels: Labels, given: Given) -> Patch:
    from scipy.ndimage import distance_transform_edt
    from skimage.measure import label

    number = given.numbers[0] if given.numbers else _most_under(labels, given)
    part = _of(labels, (number,))
    mask = part.values == number
    cut = _line(given.points, part.box)
    left = mask & ~cut
    found = np.asarray(label(left, connectivity=3), np.int32)
    if found.max() < 2:
        raise ParameterError(
            f"The line does not part the object {number}. Draw it right across, from outside to "
            "outside."
        )
    order = np.argsort(-np.bincount(found.ravel())[1:], kind="stable")
    names = np.zeros(len(order) + 1, np.int32)
    names[order[0] + 1] = number
    names[order[1:] + 1] = _next(labels) + np.arange(len(order) - 1)
    nearest = distance_transform_edt(found == 0, return_distances=False, return_indices=True)
    part.values[mask] = names[found[tuple(nearest)]][mask]
    return part


def _most_under(labels: Labels, given: Given) -> int:
    """Return the object of the plane that most of a line lies on."""
    plane = labels[given.z : given.z + 1]
    under = plane[_line(given.points, (0, 0, 0, *plane.shape))]
    numbers, counts = np.unique(under[under > 0], return_counts=True)
    if not len(numbers):
        raise ParameterError("The line crosses no object. Draw it right across one.")
    return int(numbers[counts.argmax()])


def _draw(labels: Labels, given: Given) -> Patch:
    part, inside = _polygon(labels, given)
    free = inside & (part.values == 0)
    if not free.any():
        raise ParameterError("All of that is of other objects. Draw where there is none.")
    part.values[free] = _next(labels)
    return part


def _reassign(labels: Labels, given: Given) -> Patch:
    part, inside = _polygon(labels, given)
    number = given.numbers[0]
    if number and not (labels == number).any():
        raise ParameterError(f"There is no object {number}.")
    part.values[inside] = number
    return part


def _next(labels: Labels) -> int:
    """Return a number that no object has."""
    most = int(labels.max(initial=0))
    if most >= 2**31 - 2**16:
        raise LabelError("There are no free numbers for more objects. Number them anew first.")
    return most + 1


def _polygon(labels: Labels, given: Given) -> tuple[Patch, Mask]:
    """Return the box around a polygon, and which of its pixels are inside."""
    height, width = labels.shape[1:]
    ring = np.array([(x, y) for y, x in given.points], np.float64)
    low = np.clip(np.floor(ring.min(axis=0)), 0, (width, height)).astype(int)
    high = np.clip(np.ceil(ring.max(axis=0)), 0, (width, height)).astype(int)
    if (high <= low).any() or not 0 <= given.z < len(labels):
        raise ParameterError("The polygon lies outside the image.")
    plane = np.zeros((high[1] - low[1], high[0] - low[0]), np.uint16)
    Area((ring - low,)).draw(plane, 1)
    if not plane.any():
        raise ParameterError("The polygon holds no pixel. Draw it larger.")
    z = given.z
    box = (z, int(low[1]), int(low[0]), z + 1, int(high[1]), int(high[0]))
    return Patch(box, labels[slices(box)].copy()), plane[None] > 0


def _line(points: Points, box: Sequence[int]) -> Mask:
    """Return the pixels of a line in a box, on all its planes; no diagonal step slips through."""
    from skimage.draw import line

    size = box[4] - box[1], box[5] - box[2]
    plane = np.zeros(size, np.bool_)
    ends = [(int(np.floor(y)) - box[1], int(np.floor(x)) - box[2]) for y, x in points]
    for start, end in pairwise(ends):
        near = _near(start, end, size)
        if near is None:
            continue
        rows, columns = line(*near)
        for r, c in ((rows, columns), (rows[:-1], columns[1:])):
            inside = (r >= 0) & (r < size[0]) & (c >= 0) & (c < size[1])
            plane[r[inside], c[inside]] = True
    return np.broadcast_to(plane, (box[3] - box[0], *size))


def _near(
    start: tuple[int, int], end: tuple[int, int], size: tuple[int, int]
) -> tuple[int, ...] | None:
    """Return both ends of that part of a line that is near a box, however long it is."""
    first, last = 0.0, 1.0
    for a, b, n in zip(start, end, size, strict=True):
        if a == b and not -MARGIN <= a <= n + MARGIN:
            return None
        if a != b:
            enters, leaves = sorted(((-MARGIN - a) / (b - a), (n + MARGIN - a) / (b - a)))
            first, last = max(first, enters), min(last, leaves)
    if first > last:
        return None
    ends = [a + t * (b - a) for t in (first, last) for a, b in zip(start, end, strict=True)]
    return tuple(int(np.floor(v)) for v in ends)


Correct = Callable[[Labels, Given], Patch]
MANY = 100_000

KINDS: dict[str, tuple[Correct, int, int, int]] = {
    "merge": (_merge, 2, MANY, 0),
    "split": (_split, 0, 1, 2),
    "delete": (_delete, 1, MANY, 0),
    "draw": (_draw, 0, 0, 3),
    "fill": (_fill, 1, MANY, 0),
    "reassign": (_reassign, 1, 1, 3),
}
"""Corrections by name: how, and the least and greatest number of objects and least of points."""
