"""Lines, masks and rectangles as runs of pixels along rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from stroma.blocks.box import Box
from stroma.session.core.slices import Slice

CLOSE = 1e-9
"""Square of pixels by which a centre may be farther away than the radius, for rounding."""

MANY = 2**18
"""Rows of segments that are looked at together, for bounded memory."""

Runs = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]
"""Row, first column, and the column behind the last."""

Label = TypeVar("Label", bound=np.unsignedinteger)
Floats = NDArray[np.float64]


def of_segments(
    start: Floats, end: Floats, radius: float, shape: tuple[int, int], *, width: float = 1.0
) -> Iterator[Runs]:
    """Yield the pixels whose centre is at most ``radius`` from one of many segments.

    A segment with round ends meets a row in one run: from the leftmost to the rightmost of what
    its ends and its middle cover there.

    Parameters
    ----------
    start, end : (n, 2) float arrays
        x and y, in heights of pixels; the first pixel reaches from 0 to ``width``, and to 1.
    radius : float
        In heights of pixels.
    shape : (int, int)
        Height and width of the plane, in pixels; runs lie in it.
    width : float
        Of a pixel, in its heights.
    """
    low = np.minimum(start[:, 1], end[:, 1]) - radius
    high = np.maximum(start[:, 1], end[:, 1]) + radius
    first = np.clip(np.floor(low), 0, shape[0]).astype(np.int64)
    count = np.clip(np.ceil(high), 0, shape[0]).astype(np.int64) - first
    group = np.cumsum(count) // MANY
    for some in np.split(np.arange(len(start)), np.flatnonzero(np.diff(group)) + 1):
        segment, rows = some.repeat(count[some]), count[some]
        row = np.arange(len(segment)) - (rows.cumsum() - rows - first[some]).repeat(rows)
        left, right = _reach(start, end, segment, row + 0.5, radius)
        from_, to = np.ceil(left / width - 0.5), np.floor(right / width + 0.5)
        there = np.flatnonzero((to > from_) & (to > 0) & (from_ < shape[1]))
        from_, to = np.maximum(from_[there], 0), np.minimum(to[there], shape[1])
        yield row[there], from_.astype(np.int64), to.astype(np.int64)


def _reach(
    start: Floats, end: Floats, segment: NDArray[np.int64], y: Floats, radius: float
) -> tuple[Floats, Floats]:
    """Return where rows enter and leave segments; the first is larger where they do not meet."""
    square = radius**2 + CLOSE
    along = end - start
    length = np.hypot(along[:, 0], along[:, 1])
    unit = along / np.where(length, length, 1)[:, None]
    x, below = start[:, 0][segment], y - start[:, 1][segment]
    left, right = _round(x, below, square)
    others = _round(end[:, 0][segment], y - end[:, 1][segment], square)
    left, right = np.minimum(left, others[0]), np.maximum(right, others[1])
    ux, uy, length = unit[:, 0][segment], unit[:, 1][segment], length[segment]
    from_, to = _between(ux, below * uy, 0, length)
    nearer, farther = _between(uy, -below * ux, -np.sqrt(square), np.sqrt(square))
    from_, to = np.maximum(from_, nearer), np.minimum(to, farther)
    meets = (from_ <= to) & (length > 0)
    return (
        np.where(meets, np.minimum(left, x + from_), left),
        np.where(meets, np.maximum(right, x + to), right),
    )


def _round(x: Floats, below: Floats, square: float) -> tuple[Floats, Floats]:
    """Return where rows enter and leave a disc, so far below its centre."""
    rest = square - below**2
    half, meets = np.sqrt(np.maximum(rest, 0)), rest >= 0
    return np.where(meets, x - half, np.inf), np.where(meets, x + half, -np.inf)


def _between(
    slope: Floats, offset: Floats, low: float, high: Floats | float
) -> tuple[Floats, Floats]:
    """Return between which x ``slope * x + offset`` lies from ``low`` to ``high``."""
    flat = slope == 0
    if not flat.any():
        ends = (low - offset) / slope, (high - offset) / slope
        return np.minimum(*ends), np.maximum(*ends)
    always = flat & (offset >= low) & (offset <= high)
    divisor = np.where(flat, 1, slope)
    ends = (low - offset) / divisor, (high - offset) / divisor
    none, every = np.where(always, -np.inf, np.inf), np.where(always, np.inf, -np.inf)
    return np.where(flat, none, np.minimum(*ends)), np.where(flat, every, np.maximum(*ends))


def joined(runs: Runs) -> Runs:
    """Return runs of which no two overlap or touch, row by row."""
    row, column, end = runs
    if not len(row):
        return runs
    width = int(end.max()) + 1
    start = row * width + column
    order = np.argsort(start, kind="stable")  # which is fast where they are nearly in order
    start, reached = start[order], np.maximum.accumulate((row * width + end)[order])
    new = np.append(True, start[1:] > reached[:-1])
    row = start[new] // width
    last = np.append(new[1:], True)
    return row, start[new] - row * width, reached[last] - row * width


def of_mask(box: Box, mask: NDArray[np.bool_]) -> Runs:
    """Return the marked pixels of a box."""
    (row, column, end), _ = of_labels(mask.view(np.uint8))
    return row + box.top, column + box.left, end + box.left


def of_labels(labels: NDArray[Label]) -> tuple[Runs, NDArray[Label]]:
    """Return the runs of equal labels along the rows of a plane, and their labels; none of 0."""
    edges = np.zeros((labels.shape[0], labels.shape[1] + 1), bool)
    edges[:, 0] = edges[:, -1] = True
    np.not_equal(labels[:, 1:], labels[:, :-1], out=edges[:, 1:-1])
    row, column = np.divmod(np.flatnonzero(edges), edges.shape[1])
    label = labels[row, np.minimum(column, labels.shape[1] - 1)]
    begins = np.flatnonzero((column < labels.shape[1]) & (label != 0))
    return (row[begins], column[begins], column[begins + 1]), label[begins]


def of_boxes(boxes: Sequence[Box]) -> tuple[Runs, NDArray[np.int64]]:
    """Return the rows of boxes, and which box each is of."""
    edges = np.array([(b.top, b.left, b.bottom, b.right) for b in boxes], np.int64).reshape(-1, 4)
    top, left, bottom, right = edges.T
    count = bottom - top
    which = np.repeat(np.arange(len(boxes)), count)
    row = np.arange(len(which)) - np.repeat(np.cumsum(count) - count - top, count)
    return (row, left[which], right[which]), which


def pixels(runs: Runs) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return row and column of every pixel."""
    row, column, end = runs
    count = end - column
    before = np.cumsum(count) - count
    return np.repeat(row, count), np.arange(int(count.sum())) + np.repeat(column - before, count)


def spread(plane: Slice, runs: Runs) -> tuple[int | NDArray[np.int64], Runs]:
    """Return runs of a plane, in reading order, as those of planes across z.

    Returns
    -------
    int or (n,) array, Runs
        The planes across z by their numbers, and the same pixels there.
    """
    if plane.across == "z":
        return plane.number, runs
    (level, column, end), at = runs, plane.planes.voxels(plane.number, Box(0, 0, 1, 1))
    first = plane.planes.level(plane.number)
    if plane.across == "y":
        return first + level, (np.full_like(level, at.top), column, end)
    level, row = pixels(runs)
    left = np.full_like(row, at.left)
    return first + level, (row, left, left + 1)
