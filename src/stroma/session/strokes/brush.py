"""From what a hand did to pixels: pieces of a stroke, small enough to be drawn at once."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from stroma.blocks.box import Box
from stroma.data.shapes import Area, Dots, Line, Shape
from stroma.errors import ParameterError

PIECE_LENGTH = 256.0
BAND_ROWS = 256

Pixels = tuple[Box, NDArray[np.bool_]]
"""A rectangle of a plane, and which of its pixels are meant."""


def brush(
    points: Sequence[tuple[float, float]], radius: float, shape: tuple[int, int]
) -> Iterator[Pixels]:
    """Yield the pixels of a line with round ends: those whose centre is at most ``radius`` away.

    Even the thinnest brush marks the pixels it was put on.

    Parameters
    ----------
    points : sequence of (y, x)
        In pixels; the first pixel reaches from 0 to 1.
    radius : float
        In pixels.
    shape : (int, int)
        Height and width of the plane.
    """
    for piece in _pieces(np.array([(x, y) for y, x in points], float)):
        shapes: list[Shape] = [Line(piece, 2 * radius), Dots(piece[:1], 2 * radius)]
        if radius < 1:
            shapes.append(Dots(np.unique(np.floor(piece) + 0.5, axis=0), 0.5))
        low, high = piece.min(axis=0) - radius - 1, piece.max(axis=0) + radius + 1
        yield from _drawn(shapes, _box(low, high).clipped(Box.of(shape)))


def polygon(points: Sequence[tuple[float, float]], shape: tuple[int, int]) -> Iterator[Pixels]:
    """Yield the pixels whose centre lies inside a polygon, band by band."""
    ring = np.array([(x, y) for y, x in points], float)
    box = _box(ring.min(axis=0), ring.max(axis=0)).clipped(Box.of(shape))
    for top in range(box.top, box.bottom, BAND_ROWS):
        band = Box(top, box.left, min(top + BAND_ROWS, box.bottom), box.right)
        yield from _drawn([Area((ring,))], band)


def packed_mask(mask: NDArray[np.bool_]) -> bytes:
    """Return which pixels of a box are marked as compressed bits."""
    return zlib.compress(np.packbits(mask).tobytes(), 1)


def stamped(data: bytes, box: Box, shape: tuple[int, int]) -> Iterator[Pixels]:
    """Yield the pixels of a box that ``packed_mask`` kept.

    Raises
    ------
    ParameterError
        If the box does not lie in the plane, or the data are not of its shape.
    """
    if box.clipped(Box.of(shape)) != box:
        raise ParameterError(f"The box {box} lies outside an image of {shape}.")
    wanted = -(-box.area // 8)
    try:
        bits = zlib.decompressobj().decompress(data, wanted + 1)
    except zlib.error as error:
        raise ParameterError(f"A mask cannot be decompressed ({error}).") from error
    if len(bits) != wanted:
        raise ParameterError(f"A mask does not have the shape {box.shape}.")
    marked = np.unpackbits(np.frombuffer(bits, np.uint8), count=box.area)
    yield box, marked.reshape(box.shape).astype(bool)


def _pieces(path: NDArray[np.float64]) -> Iterator[NDArray[np.float64]]:
    """Yield parts of a path that are about ``PIECE_LENGTH`` long and join end to start."""
    length = np.linalg.norm(np.diff(path, axis=0), axis=1)
    count = np.maximum(1, np.ceil(length / PIECE_LENGTH)).astype(int)
    position = np.concatenate([[0.0], np.cumsum(np.repeat(1 / count, count))])
    nodes = np.arange(len(path))
    fine = np.column_stack([np.interp(position, nodes, path[:, i]) for i in (0, 1)])
    passed = np.cumsum(np.repeat(length / count, count)) // PIECE_LENGTH
    edges = [0, *(np.flatnonzero(np.diff(passed)) + 1).tolist(), max(1, len(fine) - 1)]
    for start, stop in pairwise(edges):
        yield fine[start : stop + 1]


def _box(low: NDArray[np.float64], high: NDArray[np.float64]) -> Box:
    left, top = np.floor(low).astype(int).tolist()
    right, bottom = np.ceil(high).astype(int).tolist()
    return Box(top, left, bottom, right)


def _drawn(shapes: Sequence[Shape], box: Box) -> Iterator[Pixels]:
    if box.bottom <= box.top or box.right <= box.left:
        return
    plane = np.zeros(box.shape, np.uint16)
    for shape in shapes:
        _moved(shape, box).draw(plane, 1)
    yield box, plane.astype(bool)


def _moved(shape: Shape, box: Box) -> Shape:
    """Return a shape in coordinates that start at the top left of a box."""
    by = np.array([box.left, box.top], float)
    if isinstance(shape, Line):
        return Line(shape.points - by, shape.width)
    if isinstance(shape, Dots):
        return Dots(shape.points - by, shape.width)
    assert isinstance(shape, Area)
    return Area(tuple(ring - by for ring in shape.rings))
