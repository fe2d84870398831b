"""Runs of pixels as plain values of a snapshot, and back; what comes from a file is checked."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.blocks.box import Box
from stroma.session.core import checks
from stroma.session.core.operations import plain
from stroma.session.core.packs import TILE, Labels, TileKey, unpacked, unpacked_as
from stroma.session.strokes.drawing.runs import Label, of_labels
from stroma.session.strokes.painted.laying import Delta, Layer
from stroma.session.strokes.painted.pieces import (
    AREA,
    Ints,
    Pieces,
    Shorts,
    corner,
    grid,
    lean,
    without_empty,
)
from stroma.session.strokes.painted.tiles import MOST, StrokeTiles

TOGETHER = 2**20
"""Runs, or about, that are written in one piece."""

AT_ONCE = 256
"""Tiles whose pixels are looked at together."""


def layer_to_json(layer: Layer) -> list[dict[str, Any]]:
    """Return labels as plain values."""
    return [_to_json(pieces, layer.label[runs]) for pieces, runs in _portions(layer.pieces)]


def read_layers(values: Any, tiles: StrokeTiles) -> None:
    """Paint, where nothing is, what ``layer_to_json`` gave.

    Raises
    ------
    ParameterError, KeyError, ValueError
        If that is not possible on such an image.
    """
    for value in values:
        pieces, (label,) = _read(value, tiles, 1)
        if not label.all():
            raise ValueError("strokes that have no label")
        tiles.begin(Layer(pieces, label))


def delta_to_json(delta: Delta) -> dict[str, Any]:
    """Return a change as plain values."""
    return _to_json(delta.pieces, delta.before, delta.after)


def read_delta(value: Any, tiles: StrokeTiles) -> Delta:
    """Return the change that ``delta_to_json`` gave plain values for.

    Raises
    ------
    ParameterError, KeyError, ValueError
        If it is not one of such an image.
    """
    pieces, (before, after) = _read(value, tiles, 2)
    return Delta(pieces, before, after)


def _portions(pieces: Pieces) -> Iterator[tuple[Pieces, slice]]:
    """Yield tiles that have about `TOGETHER` runs, and which runs these are."""
    first = 0
    while first < len(pieces.places):
        begin = int(pieces.edges[first])
        last = max(first + 1, int(np.searchsorted(pieces.edges, begin + TOGETHER)))
        edges = pieces.edges[first : last + 1]
        runs = slice(begin, int(edges[-1]))
        yield (
            Pieces(pieces.places[first:last], edges - begin, pieces.start[runs], pieces.stop[runs]),
            runs,
        )
        first = last


def _to_json(pieces: Pieces, *labels: Shorts) -> dict[str, Any]:
    start = np.diff(pieces.start, prepend=np.uint16(0))  # of a line: nearly always the same
    columns = start, pieces.stop - pieces.start, *labels
    parts = [pieces.places.astype("<i8"), np.diff(pieces.edges).astype("<u2")]
    data = b"".join(c.tobytes() for c in (*parts, *(c.astype("<u2") for c in columns)))
    packed = plain(zlib.compress(data, 1))
    return {"tiles": len(pieces.places), "runs": len(pieces), "data": packed}


def _read(value: Any, tiles: StrokeTiles, labels: int) -> tuple[Pieces, list[Shorts]]:
    given, there = checks.mapping(value, "strokes"), tiles.planes * prod(grid(tiles.shape))
    count = checks.whole(given["tiles"], "the number of tiles", 1, there)
    most = min(4 * MOST, count * AREA)  # which small bytes may say they hold, and take memory for
    runs = checks.whole(given["runs"], "the number of runs", count, most)
    per_run = 2 + labels
    size = 13 * count + per_run * runs
    data = np.asarray(unpacked_as(checks.data(given["data"]), (size,), "<u2"), np.uint16)
    places = np.asarray(data[: 12 * count].copy().view("<i8"), np.int64).reshape(-1, 3)
    edges = np.append(0, np.cumsum(data[12 * count : 13 * count], dtype=np.int64))
    columns = data[13 * count :].reshape(per_run, runs)
    start = np.cumsum(columns[0], dtype=np.uint16)
    stop = start + columns[1]
    pieces = Pieces(places, edges, start, stop)
    _check(pieces, columns[1], tiles)
    return pieces, [lean(column) for column in columns[2:]]


def _check(pieces: Pieces, length: NDArray[np.integer], tiles: StrokeTiles) -> None:
    """Check that runs are in order, and lie in their tiles and in the image."""
    count = np.diff(pieces.edges)
    if pieces.edges[-1] != len(pieces) or not count.all():
        raise ValueError("tiles of strokes that are not as many as they should be")
    (_, row, column), (height, width) = pieces.places.T, tiles.shape
    there = tiles.planes, *grid(tiles.shape)
    if not ((pieces.places >= 0) & (pieces.places < there)).all() or _repeated(pieces.places):
        raise ValueError("tiles of strokes that lie outside the image, or are there twice")
    room = height - row * TILE, width - column * TILE
    tile = pieces.tile
    start, stop = pieces.start.astype(np.int64), pieces.start + length.astype(np.int64)
    follows = (stop[:-1] <= start[1:]) | (tile[:-1] != tile[1:])
    high, wide = (np.minimum(side, TILE)[tile] for side in room)
    narrow = wide < TILE
    over = narrow & (start % TILE + stop - start > wide)
    if not (length.all() and follows.all() and (stop <= high * TILE).all()) or over.any():
        raise ValueError("strokes that lie outside the image, or over one another")


def _repeated(places: Ints) -> bool:
    """Tell whether two tiles are the same."""
    return len(np.unique(places, axis=0)) < len(places)


def read_tiles(kept: Sequence[tuple[TileKey, bytes]], tiles: StrokeTiles) -> None:
    """Paint, where nothing is, what `StrokeTiles.packed` gave.

    Raises
    ------
    ValueError
        If that is not possible on such an image.
    """
    for first in range(0, len(kept), AT_ONCE):
        some = kept[first : first + AT_ONCE]
        labels = np.stack([unpacked(data, (TILE, TILE)) for _, data in some])
        pieces, label = _runs_of(labels, [key for key, _ in some], tiles)
        tiles.begin(Layer(pieces, lean(label)))


Part = tuple[TileKey, Box, bytes, bytes]
"""A tile, a rectangle of its plane in it, and what was there before and after."""


def read_parts(parts: Sequence[Part], tiles: StrokeTiles) -> Iterator[Delta]:
    """Yield the changes that were written as rectangles of tiles, no two of one tile.

    Raises
    ------
    ValueError
        If they are not those of such an image.
    """
    for first in range(0, len(parts), AT_ONCE):
        some = parts[first : first + AT_ONCE]
        both = np.zeros((len(some), TILE, TILE), np.uint32)
        for labels, (key, box, *sides) in zip(both, some, strict=True):
            labels[_inside(key, box).slices] = _changed(*(unpacked(s, box.shape) for s in sides))
        pieces, label = _runs_of(both, [key for key, *_ in some], tiles)
        if len(pieces):
            yield Delta(pieces, lean(label >> 16), lean(label & 0xFFFF))


def _inside(key: TileKey, box: Box) -> Box:
    """Return a rectangle of a plane as that of the tile it lies in."""
    inside = box.relative(corner(key))
    if inside.clipped(Box.of((TILE, TILE))) != inside:
        raise ValueError("a change that lies outside its tile")
    return inside


def _changed(before: Labels, after: Labels) -> NDArray[np.uint32]:
    """Return what changed: both labels in one number."""
    both = before.astype(np.uint32) << 16 | after
    return np.where(before == after, np.uint32(0), both)


def _runs_of(
    labels: NDArray[Label], keys: Sequence[TileKey], tiles: StrokeTiles
) -> tuple[Pieces, NDArray[Label]]:
    """Return the runs in tiles, checked, from the labels of all their pixels."""
    (tile, start, stop), label = of_labels(labels.reshape(len(keys), AREA))
    edges = np.searchsorted(tile, np.arange(len(keys) + 1))
    pieces = Pieces(np.array(keys), edges, start.astype(np.uint16), stop.astype(np.uint16))
    pieces = without_empty(pieces)
    _check(pieces, stop - start, tiles)
    return pieces, label
