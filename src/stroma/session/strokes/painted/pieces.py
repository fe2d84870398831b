"""Runs of pixels, cut where tiles end: what strokes and steps of undo are made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import starmap

import numpy as np
from numpy.typing import NDArray

from stroma.blocks.box import Box
from stroma.session.core.packs import TILE, TileKey
from stroma.session.strokes.drawing.runs import Runs

AREA = TILE * TILE
"""Pixels of a tile."""

MANY = 2**22
"""Pixels that are looked at together, for bounded memory."""

FEW = 256
"""Labels that are held one by one, which is faster."""

Ints = NDArray[np.int64]
Shorts = NDArray[np.uint16]


@dataclass(frozen=True, eq=False)
class Pieces:
    """Runs of pixels in tiles: tile by tile, and in reading order within each.

    A run may go on in the next row of its tile, so that a full tile is one.

    Parameters
    ----------
    places : (t, 3) array
        Plane, row and column of each tile.
    edges : (t + 1,) array
        Where the runs of each tile begin, and where the last ones end.
    start, stop : (n,) uint16 arrays
        First pixel and the one behind the last, counted through the tile row by row.
    """

    places: Ints
    edges: Ints
    start: Shorts
    stop: Shorts

    def __len__(self) -> int:
        """Return how many runs there are."""
        return len(self.start)

    @property
    def keys(self) -> list[TileKey]:
        """Plane, row and column of each tile."""
        return list(map(tuple, self.places.tolist()))

    @property
    def lengths(self) -> Ints:
        """Pixels of each run."""
        return self.stop.astype(np.int64) - self.start

    @property
    def tile(self) -> Ints:
        """In which of the tiles each run lies."""
        return np.arange(len(self.places)).repeat(self.counts)

    @property
    def counts(self) -> Ints:
        """How many runs each of the tiles has."""
        return self.edges[1:] - self.edges[:-1]

    def flat(self) -> tuple[Ints, Ints]:
        """Return where runs begin and end, counted through all the tiles."""
        number = np.arange(len(self.places), dtype=counting(len(self.places)))
        before: Ints = (number * AREA).repeat(self.counts)
        return before + self.start, before + self.stop

    def of_tiles(self, which: NDArray[np.bool_]) -> tuple[Pieces, NDArray[np.bool_]]:
        """Return the runs in some of the tiles, and which of all these are."""
        count = self.counts
        runs = which.repeat(count)
        edges = np.concatenate([[0], count[which].cumsum()])
        return Pieces(self.places[which], edges, self.start[runs], self.stop[runs]), runs

    def pixels(self) -> Iterator[tuple[Ints, Ints, Ints]]:
        """Yield plane, row and column of all pixels, of about `MANY` at a time."""
        lengths, corner = self.lengths, self.places * (1, TILE, TILE)
        group = np.cumsum(lengths) // MANY
        for some in np.split(np.arange(len(self)), np.flatnonzero(np.diff(group)) + 1):
            at = numbered(self.start[some], lengths[some])
            plane, row, column = np.repeat(corner[self.tile[some]], lengths[some], axis=0).T
            yield plane, row + at // TILE, column + at % TILE

    @cached_property
    def boxes(self) -> list[tuple[int, Box]]:
        """The planes, and the smallest rectangle around the runs on each."""
        first, last = self.start, self.stop - 1
        along = first // TILE == last // TILE
        left = np.where(along, first % TILE, 0)
        right = np.where(along, last % TILE, TILE - 1)
        begin, end = self.edges[:-1], self.edges[1:] - 1  # runs are in order: from top to bottom
        plane, row, column = self.places.T
        low = first[begin] // TILE + row * TILE, np.minimum.reduceat(left, begin) + column * TILE
        high = last[end] // TILE + row * TILE, np.maximum.reduceat(right, begin) + column * TILE
        group = np.flatnonzero(_differ(plane))
        edges = [
            *(np.minimum.reduceat(side, group).tolist() for side in low),
            *((np.maximum.reduceat(side, group) + 1).tolist() for side in high),
        ]
        return list(zip(plane[group].tolist(), starmap(Box, zip(*edges, strict=True)), strict=True))


def corner(key: TileKey) -> Box:
    """Return the empty rectangle at the upper left corner of a tile, in its plane."""
    return Box(key[1] * TILE, key[2] * TILE, key[1] * TILE, key[2] * TILE)


def grid(shape: tuple[int, int]) -> tuple[int, int]:
    """Return how many rows and columns of tiles a plane of a height and width has."""
    return -(-shape[0] // TILE), -(-shape[1] // TILE)


def cut(plane: int | Ints, runs: Runs, shape: tuple[int, int]) -> tuple[Pieces, Ints]:
    """Return runs of pixels as those of tiles, and of which run each is a part.

    Parameters
    ----------
    plane : int or (n,) array
        On which plane each run lies.
    runs : Runs
        In the planes, no two of them overlapping, and those on one plane in reading order.
    shape : (int, int)
        Height and width of the planes.
    """
    plane, row, column, end, which = _in_tiles(plane, *runs)
    across = column // TILE
    rows, columns = grid(shape)
    code = (plane * rows + row // TILE) * columns + across
    start = (row % TILE * TILE + column % TILE).astype(np.uint16)
    order = code.argsort(kind="stable")
    start, length = start[order], (end - column).astype(np.uint16)[order]
    code = code[order]
    new = np.flatnonzero(_differ(code))
    rest, tile_column = np.divmod(code[new], columns)
    tile_plane, tile_row = np.divmod(rest, rows)
    places = np.array([tile_plane, tile_row, tile_column]).T
    return Pieces(places, _followed(new, len(code)), start, start + length), which[order]


def _in_tiles(
    plane: int | Ints, row: Ints, column: Ints, end: Ints
) -> tuple[int | Ints, Ints, Ints, Ints, Ints]:
    """Return runs that end where tiles do, and of which run each is a part."""
    first = column // TILE
    more = (end - 1) // TILE - first
    if not more.any():
        return plane, row, column, end, np.arange(len(row))
    count = more + 1
    which = np.arange(len(row)).repeat(count)
    tile = np.arange(len(which)) - (count.cumsum() - count - first).repeat(count)
    left, right = tile * TILE, (tile + 1) * TILE
    column, end = np.maximum(column[which], left), np.minimum(end[which], right)
    return plane if isinstance(plane, int) else plane[which], row[which], column, end, which


def counting(tiles: int) -> type[np.int64]:
    """Return of which kind numbers are that count through the pixels of some tiles."""
    return np.int32 if tiles * AREA < 2**31 else np.int64  # type: ignore[return-value]


def _differ(values: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Return which values differ from the one before; the first does."""
    differ = np.ones(len(values), bool)
    np.not_equal(values[1:], values[:-1], out=differ[1:])
    return differ


def _followed(values: Ints, last: int) -> Ints:
    """Return values and one more."""
    return np.concatenate([values, [last]])


def grouped(places: Ints, start: Ints, stop: Ints) -> Pieces:
    """Return runs that are counted through all tiles; tiles may stay without runs."""
    before = np.arange(len(places) + 1) * AREA
    inside = (start % AREA).astype(np.uint16)
    return Pieces(
        places, start.searchsorted(before), inside, inside + (stop - start).astype(np.uint16)
    )


def without_empty(pieces: Pieces) -> Pieces:
    """Return the same runs, without the tiles that have none."""
    there = pieces.counts > 0
    if there.all():
        return pieces
    edges = _followed(pieces.edges[:-1][there], len(pieces))
    return Pieces(pieces.places[there], edges, pieces.start, pieces.stop)


def joined(
    start: Ints, stop: Ints, labels: Sequence[NDArray[np.integer]], keep: NDArray[np.bool_]
) -> tuple[Ints, Ints, list[Shorts]]:
    """Return some of the runs, those as one that follow one another in a tile with equal labels."""
    kept = np.flatnonzero(keep)
    start, stop = start.take(kept), stop.take(kept)
    labels = [label.take(kept) for label in labels]
    same = start[1:] == stop[:-1]
    if same.any():
        same &= start[1:] % AREA != 0
        for label in labels:
            same &= label[1:] == label[:-1]
        last = _followed(np.flatnonzero(~same), len(start) - 1)
        first = np.concatenate([[0], last[:-1] + 1])
        start, stop = start.take(first), stop.take(last)
        labels = [label.take(first) for label in labels]
    return start, stop, [lean(label) for label in labels]


def numbered(start: NDArray[np.integer], length: Ints) -> Ints:
    """Return the number of every pixel of runs."""
    before = np.cumsum(length) - length
    numbers: Ints = np.arange(int(length.sum())) + np.repeat(start - before, length)
    return numbers


def lean(labels: NDArray[np.integer]) -> Shorts:
    """Return labels such that one which all have is held once."""
    if len(labels) >= FEW and (labels == labels[0]).all():
        return np.broadcast_to(np.uint16(labels[0]), labels.shape)
    return labels.astype(np.uint16, copy=False)
