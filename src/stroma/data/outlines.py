"""From painted pixels to outlines that give exactly these pixels when drawn."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stroma.data.shapes import Points

_STEPS = ((1, 0), (0, 1), (-1, 0), (0, -1))


def outlines(mask: NDArray[np.bool_]) -> list[list[Points]]:
    """Return, for every connected part (pixels sharing a side), its outline and then its holes.

    Parameters
    ----------
    mask : (y, x) bool array
        The pixels.

    Returns
    -------
    list of list of (n, 2) arrays
        Corners as x, y, with whole numbers at the corners of pixels.
    """
    from scipy import ndimage

    parts, _ = ndimage.label(mask)
    found = []
    for i, (rows, columns) in enumerate(ndimage.find_objects(parts), start=1):
        rings = _rings(parts[rows, columns] == i)
        rings.sort(key=_signed_area, reverse=True)
        corner = np.array([columns.start, rows.start], dtype=np.float64)
        found.append([ring + corner for ring in rings])
    return found


def inner_edges(labels: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Return which pixels above 0 have another label at one of their sides, within the image."""
    found = np.zeros(labels.shape, bool)
    for axis in range(labels.ndim):
        one, other = np.moveaxis(labels, axis, 0), np.moveaxis(found, axis, 0)
        differ = one[1:] != one[:-1]
        other[1:] |= differ
        other[:-1] |= differ
    return found & (labels > 0)


def _rings(mask: NDArray[np.bool_]) -> list[Points]:
    """Follow the sides between pixels in and out of the mask, which stays on the right."""
    following = _sides(mask)
    rings = []
    while following:
        path: list[tuple[int, int]] = []
        place: dict[tuple[int, int], int] = {}
        corner = next(iter(following))
        while following.get(corner):
            if corner in place:
                rings.append(_cut(path, place, corner))
            place[corner] = len(path)
            path.append(corner)
            ends = following[corner]
            step = ends.pop()
            if not ends:
                del following[corner]
            corner = step
        rings.append(_cut(path, place, corner))
    return rings


def _cut(
    path: list[tuple[int, int]], place: dict[tuple[int, int], int], corner: tuple[int, int]
) -> Points:
    """Take the loop that closed at a corner off the path, without corners on straight lines."""
    start = place[corner]
    loop = path[start:]
    del path[start:]
    for passed in loop:
        place.pop(passed, None)
    points = np.array(loop, dtype=np.float64)
    before, after = points - np.roll(points, 1, axis=0), np.roll(points, -1, axis=0) - points
    turns: Points = points[(before != after).any(axis=1)]
    return turns


def _sides(mask: NDArray[np.bool_]) -> dict[tuple[int, int], list[tuple[int, int]]]:
    """Return the sides of the mask as corner -> next corners, clockwise around it (y down)."""
    padded = np.pad(mask, 1)
    inside = padded[1:-1, 1:-1]
    neighbours = (padded[:-2, 1:-1], padded[1:-1, 2:], padded[2:, 1:-1], padded[1:-1, :-2])
    starts = ((0, 0), (1, 0), (1, 1), (0, 1))
    sides: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for neighbour, (sx, sy), (dx, dy) in zip(neighbours, starts, _STEPS, strict=True):
        for y, x in np.argwhere(inside & ~neighbour).tolist():
            begin = (x + sx, y + sy)
            sides.setdefault(begin, []).append((begin[0] + dx, begin[1] + dy))
    return sides


def _signed_area(ring: Points) -> float:
    x, y = ring.T
    return float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2
