"""Lines as runs of pixels along rows, and runs as masks of the cells that they touch."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from stroma.blocks.box import Box
from stroma.session.core.packs import TILE

CLOSE = 1e-9
"""Square of pixels by which a centre may be farther away than the radius, for rounding."""

MANY = 2**18
"""Rows of segments that are looked at together, for bounded memory."""

Runs = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]
"""Row, first column, and the column behind the last."""

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
        segment = np.repeat(some, count[some])
        inside = np.arange(len(segment)) - np.repeat(
            np.cumsum(count[some]) - count[some], count[some]
        )
        row = first[segment] + inside
        reach = _reach(start[segment], end[segment], row + 0.5, radius)
        left, right = (x / width for x in reach)
        from_, to = (np.clip(v, 0, shape[1]) for v in (np.ceil(left - 0.5), np.floor(right + 0.5)))
        there = to > from_
        yield row[there], from_[there].astype(np.int64), to[there].astype(np.int64)


def _reach(start: Floats, end: Floats, y: Floats, radius: float) -> tuple[Floats, Floats]:
    """Return where rows enter and leave segments; the first is larger where they do not meet."""
    square = radius**2 + CLOSE
    along = end - start
    length = np.hypot(along[:, 0], along[:, 1])
    left, right = np.full(len(y), np.inf), np.full(len(y), -np.inf)
    for centre in (start, end):
        half = np.sqrt(np.maximum(square - (y - centre[:, 1]) ** 2, 0))
        meets = np.abs(y - centre[:, 1]) <= np.sqrt(square)
        left = np.where(meets, np.minimum(left, centre[:, 0] - half), left)
        right = np.where(meets, np.maximum(right, centre[:, 0] + half), right)
    ux, uy = (along / np.where(length, length, 1)[:, None]).T
    below = y - start[:, 1]
    from_, to = _between(ux, below * uy, np.zeros(len(y)), length)
    nearer, farther = _between(uy, -below * ux, np.full(len(y), -np.sqrt(square)), np.sqrt(square))
    from_, to = start[:, 0] + np.maximum(from_, nearer), start[:, 0] + np.minimum(to, farther)
    meets = (from_ <= to) & (length > 0)
    return np.where(meets, np.minimum(left, from_), left), np.where(
        meets, np.maximum(right, to), right
    )


def _between(
    slope: Floats, offset: Floats, low: Floats, high: Floats | float
) -> tuple[Floats, Floats]:
    """Return between which x ``slope * x + offset`` lies from ``low`` to ``high``."""
    flat = slope == 0
    always = flat & (offset >= low) & (offset <= high)
    divisor = np.where(flat, 1, slope)
    ends = (low - offset) / divisor, (high - offset) / divisor
    none, every = np.where(always, -np.inf, np.inf), np.where(always, np.inf, -np.inf)
    return np.where(flat, none, np.minimum(*ends)), np.where(flat, every, np.maximum(*ends))


def cells(runs: Runs) -> Iterator[tuple[Box, NDArray[np.bool_]]]:
    """Yield what runs cover, in the smallest box around it in every tile that they touch."""
    row, column, end = _cut(_joined(runs))
    order = np.lexsort((column // TILE, row // TILE))
    row, column, end = row[order], column[order], end[order]
    place = np.stack([row // TILE, column // TILE])
    edges = np.flatnonzero(np.diff(place).any(axis=0)) + 1
    for part in map(slice, [0, *edges.tolist()], [*edges.tolist(), len(row)]):
        if len(row):
            yield _marked(row[part], column[part], end[part])


def _joined(runs: Runs) -> Runs:
    """Return runs of which no two overlap or touch, row by row."""
    row, column, end = runs
    if not len(row):
        return runs
    width = int(end.max()) + 1
    order = np.argsort(row * width + column)
    start, stop = (row * width + column)[order], (row * width + end)[order]
    reached = np.maximum.accumulate(stop)
    new = np.concatenate([[True], start[1:] > reached[:-1]])
    last = np.concatenate([new[1:], [True]])
    row = start[new] // width
    return row, start[new] - row * width, reached[last] - row * width


def _cut(runs: Runs) -> Runs:
    """Return runs that end where tiles do."""
    row, column, end = runs
    count = (end - 1) // TILE - column // TILE + 1
    which = np.repeat(np.arange(len(row)), count)
    step = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
    tile = (column // TILE)[which] + step
    return (
        row[which],
        np.maximum(column[which], tile * TILE),
        np.minimum(end[which], (tile + 1) * TILE),
    )


def _marked(
    row: NDArray[np.int64], column: NDArray[np.int64], end: NDArray[np.int64]
) -> tuple[Box, NDArray[np.bool_]]:
    """Return the box around separate runs, by rows, and which of its pixels they cover."""
    box = Box(int(row[0]), int(column.min()), int(row[-1]) + 1, int(end.max()))
    height, width = box.shape
    start = (row - box.top) * (width + 1) - box.left
    changes = np.zeros(height * (width + 1), bool)
    changes[start + column] = changes[start + end] = True
    inside = np.logical_xor.accumulate(changes.reshape(height, width + 1), axis=1)
    return box, inside[:, :width]
