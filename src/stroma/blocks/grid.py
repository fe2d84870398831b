"""Lattices of blocks: fixed at (0, 0), so that a block never depends on who asks for it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from stroma.blocks.box import Box

Span = TypeVar("Span", bound=tuple[int, ...])

WINDOW = 1036
"""Side, in pixels, of the largest window shown at once to an extractor with global context."""

DISCARD = 112
"""Pixels at an inner border of such a window whose results are not used."""


@dataclass(frozen=True)
class Block:
    """One cell of a lattice.

    Parameters
    ----------
    core : Box
        The pixels this block answers for; the cores of all blocks cover the image once.
    window : Box
        What an extractor with global context sees for it: starts and ends on multiples of the
        stride, and may reach beyond the bottom and right border.
    """

    core: Box
    window: Box


def lattice(
    shape: tuple[int, int], *, stride: int, size: int, region: Box | None = None
) -> list[Block]:
    """Return the blocks of an image in reading order.

    Parameters
    ----------
    shape : (int, int)
        Height and width of the image.
    stride : int
        Blocks start on multiples of it.
    size : int
        Wanted side of a block, rounded down to a multiple of ``stride`` (at least one).
    region : Box, optional
        Leave out blocks that do not touch this box.
    """
    side, seen = max(1, size // stride) * stride, region or Box.of(shape)
    rows = _touching(_along(shape[0], side), seen.top, seen.bottom)
    columns = _touching(_along(shape[1], side), seen.left, seen.right)
    cores = (Box(y0, x0, y1, x1) for y0, y1 in rows for x0, x1 in columns)
    return [Block(core, core.aligned(stride)) for core in cores]


def windows(shape: tuple[int, int], *, stride: int, region: Box | None = None) -> list[Block]:
    """Return overlapping windows for extractors with global context, in reading order.

    One window holds an image of up to ``WINDOW`` pixels a side; in larger ones ``DISCARD`` pixels
    at each inner border of a window belong to the neighbour's core.
    """
    seen = region or Box.of(shape)
    rows = _touching(_windows_along(shape[0], stride), seen.top, seen.bottom)
    columns = _touching(_windows_along(shape[1], stride), seen.left, seen.right)
    return [
        Block(Box(cy0, cx0, cy1, cx1), Box(wy0, wx0, wy1, wx1))
        for (cy0, cy1, wy0, wy1) in rows
        for (cx0, cx1, wx0, wx1) in columns
    ]


def parts(block: Block, stride: int, pixels: float) -> list[Block]:
    """Return a block as blocks of the same window, each with a core of at most so many pixels.

    A core is cut at multiples of the stride; those of a single stride are not cut any further.
    """
    core = block.core
    if core.area <= pixels:
        return [block]
    side = max(1, math.isqrt(int(pixels)) // stride) * stride
    rows, columns = _cuts(core.top, core.bottom, side), _cuts(core.left, core.right, side)
    return [Block(Box(y0, x0, y1, x1), block.window) for y0, y1 in rows for x0, x1 in columns]


def _cuts(start: int, stop: int, side: int) -> list[tuple[int, int]]:
    """Return a range as ranges that end at multiples of ``side``."""
    edges = [start, *range((start // side + 1) * side, stop, side), stop]
    return list(pairwise(edges))


def holding(
    blocks: Sequence[Block], points: NDArray[np.integer]
) -> list[tuple[Block, NDArray[np.intp]]]:
    """Return the blocks that hold points, each with the positions of its points in the list.

    Parameters
    ----------
    blocks : sequence of Block
        Of one lattice, complete around the points.
    points : (n, 2) int array
        Pixels (y, x).
    """
    corners = {(block.core.top, block.core.left): block for block in blocks}
    starts = [np.unique([corner[axis] for corner in corners]) for axis in (0, 1)]
    cell = np.column_stack(
        [np.searchsorted(s, points[:, axis], side="right") - 1 for axis, s in enumerate(starts)]
    )
    number = cell[:, 0] * len(starts[1]) + cell[:, 1]
    order = np.argsort(number, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(number[order])) + 1)
    cells = (cell[group[0]] for group in groups if len(group))
    found = (corners[int(starts[0][y]), int(starts[1][x])] for y, x in cells)
    return list(zip(found, [g for g in groups if len(g)], strict=True))


def _touching(spans: Iterable[Span], start: int, stop: int) -> list[Span]:
    """Return the spans, (start, stop, ...), that share pixels with a range."""
    return [span for span in spans if max(span[0], start) < min(span[1], stop)]


def _along(length: int, side: int) -> Iterator[tuple[int, int]]:
    """Yield core start and stop along one axis."""
    return ((start, min(start + side, length)) for start in range(0, length, side))


def _windows_along(length: int, stride: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield core start and stop, window start and stop along one axis."""
    padded = -(-length // stride) * stride
    side = max(WINDOW // stride, 1) * stride
    discard = -(-DISCARD // stride) * stride
    if side <= 2 * discard:
        side = 4 * discard
    start = 0
    while True:
        stop = min(start + side, padded)
        last = stop == padded
        yield (start + discard if start else 0), (length if last else stop - discard), start, stop
        if last:
            return
        start += side - 2 * discard
