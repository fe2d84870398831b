"""Lattices of blocks: fixed at (0, 0), so that a block never depends on who asks for it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from stroma.blocks.box import Box, PerAxis, per_axis

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
    shape: tuple[int, ...],
    *,
    stride: int | PerAxis,
    size: int | PerAxis,
    region: Box | None = None,
) -> list[Block]:
    """Return the blocks of an image in reading order.

    Parameters
    ----------
    shape : (int, int) or (int, int, int)
        Height and width of the image, or depth, height and width.
    stride : int or (int, int, int)
        Blocks start on multiples of it; one number holds along y and x.
    size : int or (int, int, int)
        Wanted sides of a block, rounded down to a multiple of ``stride`` (at least one); one number
        is for blocks of one plane.
    region : Box, optional
        Leave out blocks that do not touch this box.
    """
    steps, sizes = per_axis(stride, across=1), per_axis(size, across=1)
    sides = (max(1, n // s) * s for n, s in zip(sizes, steps, strict=True))
    whole = Box.of(shape)
    seen = region or whole
    spans = [
        _touching(_along(n, side), *ends)
        for n, side, *ends in zip(whole.stop, sides, seen.start, seen.stop, strict=True)
    ]
    cores = [Box.between(*zip(*spans_, strict=True)) for spans_ in product(*spans)]
    return [Block(core, core.aligned(stride)) for core in cores]


def windows(
    shape: tuple[int, ...],
    *,
    stride: int | PerAxis,
    depth: int | None = 1,
    region: Box | None = None,
) -> list[Block]:
    """Return overlapping windows for extractors with global context, in reading order.

    One window holds an image of up to ``WINDOW`` pixels a side; in larger ones ``DISCARD`` pixels
    at each inner border of a window belong to the neighbour's core.

    Parameters
    ----------
    shape : (int, int) or (int, int, int)
        Height and width of the image, or depth, height and width.
    stride : int or (int, int, int)
        Windows start and end on multiples of it; one number holds along y and x.
    depth : int or None
        Planes of a window, where the context is that of planes; None for windows of volumes.
    region : Box, optional
        Leave out windows whose core does not touch this box.
    """
    steps, whole = per_axis(stride, across=1), Box.of(shape)
    seen = region or whole
    along: list[Iterable[tuple[int, int, int, int]]] = [
        _windows_along(n, step) for n, step in zip(whole.stop, steps, strict=True)
    ]
    if depth is not None:
        along[0] = ((*ends, *ends) for ends in _along(whole.back, depth))
    spans = [
        _touching(axis, *ends) for axis, *ends in zip(along, seen.start, seen.stop, strict=True)
    ]
    edges = (tuple(zip(*chosen, strict=True)) for chosen in product(*spans))
    return [Block(Box.between(a, b), Box.between(c, d)) for a, b, c, d in edges]


def parts(block: Block, stride: int | PerAxis, pixels: float) -> list[Block]:
    """Return a block as blocks of the same window, each with a core of at most so many pixels.

    A core is cut at multiples of the stride; those of a single stride are not cut any further.
    """
    core, (depth, *steps) = block.core, per_axis(stride, across=1)
    if core.area <= pixels:
        return [block]
    deep = max(1, int(pixels / math.prod(core.shape)) // depth) * depth
    side = math.isqrt(int(pixels / min(deep, core.sides[0])))
    lengths = deep, *(max(1, side // step) * step for step in steps)
    spans = (_cuts(*ends) for ends in zip(core.start, core.stop, lengths, strict=True))
    return [
        Block(Box.between(*zip(*edges, strict=True)), block.window) for edges in product(*spans)
    ]


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
    points : (n, 3) int array
        Pixels (z, y, x).
    """
    corners = {block.core.start: block for block in blocks}
    starts = [np.unique([corner[axis] for corner in corners]) for axis in range(3)]
    cell = [np.searchsorted(s, points[:, axis], side="right") - 1 for axis, s in enumerate(starts)]
    number = (cell[0] * len(starts[1]) + cell[1]) * len(starts[2]) + cell[2]
    order = np.argsort(number, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(number[order])) + 1)
    filled = [group for group in groups if len(group)]
    first = ([int(s[c[group[0]]]) for s, c in zip(starts, cell, strict=True)] for group in filled)
    return [(corners[z, y, x], group) for (z, y, x), group in zip(first, filled, strict=True)]


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
