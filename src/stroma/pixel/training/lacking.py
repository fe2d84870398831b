"""Labelled pixels without data, which nothing is learnt of."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stroma.blocks.box import Box
from stroma.data.missing import lacks_data, missing_pixels
from stroma.pixel.door import Points, Source

TILE = 512
"""Side of the squares in which pixels are looked up."""


def with_data(points: Points, source: Source) -> Points:
    """Return the points that lie on pixels with data; the same object if all do."""
    kept = has_data(points, source)
    if kept.all():
        return points
    return Points(points.plane[kept], points.yx[kept], points.label[kept])


def has_data(points: Points, source: Source) -> NDArray[np.bool_]:
    """Return which of (n,) points lie on pixels with data.

    For images that are read lazily this is right once their features are computed, which notes
    whether any pixel lacks data.
    """
    kept = np.ones(len(points.label), bool)
    if not lacks_data(source.image) or not len(kept):
        return kept
    squares = np.column_stack([points.plane, points.yx // TILE])
    which = np.unique(squares, axis=0, return_inverse=True)[1].reshape(-1)
    order = np.argsort(which, kind="stable")
    for members in np.split(order, np.flatnonzero(np.diff(which[order])) + 1):
        kept[members] = _known(points.yx[members], int(points.plane[members[0]]), source)
    return kept


def _known(yx: NDArray[np.integer], plane: int, source: Source) -> NDArray[np.bool_]:
    """Return which pixels of one square of a plane have data."""
    low, high = yx.min(axis=0), yx.max(axis=0) + 1
    box = Box(int(low[0]), int(low[1]), int(high[0]), int(high[1]))
    rows, columns = box.slices
    values = source.image.at(**source.positions[plane]).read({"y": rows, "x": columns})
    lacking = missing_pixels(values.reshape(-1, *box.shape))
    if lacking is None:
        return np.ones(len(yx), bool)
    y, x = (yx - low).T
    return np.asarray(~lacking[y, x])
