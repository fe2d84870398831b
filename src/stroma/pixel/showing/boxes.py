"""Objects in a foreground: its largest part, and the parts of every group."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stroma.blocks.box import Box

SAME = 0.8
"""Intersection over union with the box of the largest part above which another box is left out."""

CONNECTED = np.ones((3, 3), bool)


@dataclass(frozen=True)
class Object:
    """A box around a part of the foreground.

    Parameters
    ----------
    box : Box
        Its pixels.
    group : int
        The group it is a part of; 0 for the largest part of the whole foreground.
    area : int
        Pixels of the part.
    """

    box: Box
    group: int
    area: int


def objects_in(
    segments: NDArray[np.integer], front: tuple[int, ...], *, least: int = 200
) -> list[Object]:
    """Return the box of the largest part of the foreground, then those of parts of its groups.

    Parameters
    ----------
    segments : (y, x) int array
        The group of every pixel; 0 where there is no data.
    front : tuple of int
        Groups that are the foreground.
    least : int
        Pixels of the parts of groups that are told, at least.
    """
    whole = _parts(np.isin(segments, front), 0)
    if not whole:
        return []
    largest = max(whole, key=lambda one: one.area)
    others = [one for group in front for one in _parts(segments == group, group)]
    told = [one for one in others if one.area >= least and overlap(one.box, largest.box) <= SAME]
    return [largest, *sorted(told, key=lambda one: (-one.area, one.box))]


def overlap(one: Box, other: Box) -> float:
    """Return the intersection over union of two boxes."""
    common = one.clipped(other).area
    return common / (one.area + other.area - common)


def _parts(mask: NDArray[np.bool_], group: int) -> list[Object]:
    from scipy import ndimage

    parts, count = ndimage.label(mask, CONNECTED)
    areas = np.bincount(parts.ravel(), minlength=count + 1)[1:]
    return [
        Object(Box(rows.start, columns.start, rows.stop, columns.stop), group, int(area))
        for (rows, columns), area in zip(ndimage.find_objects(parts), areas, strict=True)
    ]
