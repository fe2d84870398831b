"""From what a hand did to pixels: pieces of a stroke, small enough to be drawn at once."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from stroma.blocks.box import Box
from stroma.data.shapes import Area
from stroma.errors import ParameterError
from stroma.session.core.packs import TILE
from stroma.session.core.slices import Pixels
from stroma.session.strokes.drawing import runs

LONGEST = 256.0
"""Length of a segment, in pixels, beyond which rounding would matter."""

BAND = (256, 2**15)
"""Rows and columns that are filled at a time."""

MOST = 2**32
"""Pixels that one step may have to look at: those of a square of 65,536."""

CUT_COST = TILE
"""Pixels looked at for one of a plane across y or x: each row of it lies in tiles of its own."""


def brush(
    points: Sequence[tuple[float, float]],
    radius: float,
    shape: tuple[int, int],
    *,
    height: float = 1.0,
    cost: int = 1,
) -> Iterator[runs.Runs]:
    """Yield the pixels of a line with round ends: those whose centre is at most ``radius`` away.

    Even the thinnest brush marks the pixels it was put on.

    Parameters
    ----------
    points : sequence of (y, x)
        In pixels; the first pixel reaches from 0 to 1.
    radius : float
        In widths of pixels.
    shape : (int, int)
        Height and width of the plane.
    height : float
        Of a pixel, in its widths.
    cost : int
        Pixels that are looked at for each of the plane, see `CUT_COST`.

    Raises
    ------
    ParameterError
        If the line is too long to be drawn in one step.
    """
    path, high = np.array([(x / height, y) for y, x in points], float), radius / height
    _require_possible(_length(path).sum() * (2 * high + TILE) * max(1.0, height) * cost)
    nodes = _nodes(path)
    start, end = (nodes[:-1], nodes[1:]) if len(nodes) > 1 else (nodes, nodes)
    for found in runs.of_segments(start, end, high, shape, width=1 / height):
        yield runs.joined(found)
    if min(radius, high) < 1:
        yield runs.joined(_under(nodes * (height, 1), shape))


def polygon(
    points: Sequence[tuple[float, float]], shape: tuple[int, int], *, cost: int = 1
) -> Iterator[Pixels]:
    """Yield the pixels whose centre lies inside a polygon, part by part; ``cost`` as for `brush`.

    Raises
    ------
    ParameterError
        If it is too large to be filled in one step.
    """
    ring = np.array([(x, y) for y, x in points], float)
    box = _box(ring.min(axis=0), ring.max(axis=0)).clipped(Box.of(shape))
    _require_possible(box.area * cost)
    for part in _bands(box, BAND):
        plane = np.zeros(part.shape, np.uint16)
        Area((ring - np.array([part.left, part.top], float),)).draw(plane, 1)
        yield part, plane.astype(bool)


def _bands(box: Box, sides: tuple[int, int]) -> Iterator[Box]:
    """Yield the parts of a box, of at most so many rows and columns, cut at multiples of them."""
    if not box.area:
        return  # what lies outside of the plane
    for top in range(box.top - box.top % sides[0], box.bottom, sides[0]):
        for left in range(box.left - box.left % sides[1], box.right, sides[1]):
            yield Box(top, left, top + sides[0], left + sides[1]).clipped(box)


def packed_mask(mask: NDArray[np.bool_]) -> bytes:
    """Return which pixels of a box are marked as compressed bits."""
    return zlib.compress(np.packbits(mask).tobytes(), 1)


def stamped(data: bytes, box: Box, shape: tuple[int, int], *, cost: int = 1) -> Iterator[Pixels]:
    """Yield the pixels of a box that ``packed_mask`` kept; ``cost`` as for `brush`.

    Raises
    ------
    ParameterError
        If the box does not lie in the plane, or the data are not of its shape.
    """
    if box.clipped(Box.of(shape)) != box:
        raise ParameterError(f"The box {box} lies outside an image of {shape}.")
    _require_possible(box.area * cost)
    wanted = -(-box.area // 8)
    try:
        bits = zlib.decompressobj().decompress(data, wanted + 1)
    except zlib.error as error:
        raise ParameterError(f"A mask cannot be decompressed ({error}).") from error
    if len(bits) != wanted:
        raise ParameterError(f"A mask does not have the shape {box.shape}.")
    for part in _bands(box, (BAND[0], box.right)):
        yield part, _unpacked(np.frombuffer(bits, np.uint8), part.relative(box))


def _unpacked(bits: NDArray[np.uint8], rows: Box) -> NDArray[np.bool_]:
    """Return some rows of a mask whose bits follow one another, whole rows of it."""
    first, count = rows.top * rows.shape[1], rows.area
    bytes_ = bits[first // 8 : -(-(first + count) // 8)]
    marked = np.unpackbits(bytes_, count=first % 8 + count)[first % 8 :]
    return marked.reshape(rows.shape).view(bool)


def _nodes(path: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a path with as many nodes more as make its segments ``LONGEST`` at most."""
    count = np.maximum(1, np.ceil(_length(path) / LONGEST)).astype(int)
    position = np.concatenate([[0.0], np.cumsum(np.repeat(1 / count, count))])
    return np.column_stack([np.interp(position, np.arange(len(path)), axis) for axis in path.T])


def _length(path: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the length of every segment."""
    length: NDArray[np.float64] = np.linalg.norm(np.diff(path, axis=0), axis=1)
    return length


def _require_possible(pixels: float) -> None:
    if pixels > MOST:
        raise ParameterError(
            f"This step would have to look at {pixels:.0e} pixels, and one can look at {MOST:.0e}. "
            f"Paint it in several steps."
        )


def _under(nodes: NDArray[np.float64], shape: tuple[int, int]) -> runs.Runs:
    """Return the pixels that nodes lie in."""
    column, row = np.unique(np.floor(nodes).astype(np.int64), axis=0).T
    inside = (row >= 0) & (row < shape[0]) & (column >= 0) & (column < shape[1])
    return row[inside], column[inside], column[inside] + 1


def _box(low: NDArray[np.float64], high: NDArray[np.float64]) -> Box:
    left, top = np.floor(low).astype(int).tolist()
    right, bottom = np.ceil(high).astype(int).tolist()
    return Box(top, left, bottom, right)
