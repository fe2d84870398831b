"""Painted pixels as points; of large areas, few of them at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from stroma.pixel.door import Points, ranks
from stroma.session.core.packs import TILE, TileKey
from stroma.session.strokes.painted.laying import Tile
from stroma.session.strokes.painted.pieces import AREA, numbered

Placed = tuple[TileKey, Tile]
"""A tile, and where it is."""


def every(tiles: Sequence[Placed]) -> Points:
    """Return all labelled pixels, tile by tile, and in reading order within a tile."""
    return _joined(_points(some) for some in _groups(tiles))


def thinned(tiles: Sequence[Placed], cap: int, many: Sequence[int]) -> Points:
    """Return at most ``cap`` pixels of some labels, and all of the others, in the same order.

    Parameters
    ----------
    tiles : sequence of (key, Tile)
        By their places.
    cap : int
        How many.
    many : sequence of int
        The labels that have more; those pixels are kept that `stroma.pixel.door.thinned` keeps.
    """
    least, few = {label: _Lowest(cap) for label in many}, []
    for some in _groups(tiles):
        points = _points(some)
        for label, lowest in least.items():
            lowest.add(_chosen(points, points.label == label))
        few.append(_chosen(points, ~np.isin(points.label, many)))
    return _in_order([*few, *(one.points() for one in least.values())])


def _groups(tiles: Sequence[Placed]) -> Iterator[Sequence[Placed]]:
    """Yield tiles that have about as many labelled pixels together as a full one."""
    begun, count = 0, 0
    for i, (_, tile) in enumerate(tiles):
        start, stop, _ = tile.runs
        count += int(stop.sum(dtype=np.int64) - start.sum(dtype=np.int64))
        if count >= AREA:
            yield tiles[begun : i + 1]
            begun, count = i + 1, 0
    if begun < len(tiles):
        yield tiles[begun:]


def _points(tiles: Sequence[Placed]) -> Points:
    runs = [tile.runs for _, tile in tiles]
    start, stop, label = (np.concatenate(column) for column in zip(*runs, strict=True))
    length = stop.astype(np.int64) - start
    corner = np.repeat(
        np.array([key for key, _ in tiles]) * (1, TILE, TILE), [len(r[0]) for r in runs], axis=0
    )
    at = numbered(start, length)
    plane, row, column = np.repeat(corner, length, axis=0).T
    yx = np.column_stack([row + at // TILE, column + at % TILE])
    return Points(plane, yx, np.repeat(label, length))


class _Lowest:
    """The points of lowest rank among many, of which few are held at a time.

    Parameters
    ----------
    cap : int
        How many.
    """

    def __init__(self, cap: int) -> None:
        self.cap = cap
        self._held: list[Points] = []
        self._count = 0
        self._below: np.uint64 | None = None

    def add(self, points: Points) -> None:
        """Look at more points."""
        if self._below is not None:
            points = _chosen(points, ranks(points) < self._below)
        self._held.append(points)
        self._count += len(points.label)
        if self._count > 2 * self.cap + AREA:
            self._prune()

    def points(self) -> Points:
        """Return the points of lowest rank."""
        self._prune()
        return _joined(self._held)

    def _prune(self) -> None:
        every = _joined(self._held)
        rank = ranks(every)
        if len(rank) > self.cap:
            lowest = np.argpartition(rank, self.cap)
            self._below = rank[lowest[self.cap]]
            every = _chosen(every, lowest[: self.cap])
        self._held, self._count = [every], len(every.label)


def _chosen(points: Points, which: NDArray[np.bool_] | NDArray[np.intp]) -> Points:
    return Points(points.plane[which], points.yx[which], points.label[which])


def _joined(parts: Iterable[Points]) -> Points:
    empty = Points(np.zeros(0, np.intp), np.zeros((0, 2), np.intp), np.zeros(0, np.uint16))
    return Points(*(np.concatenate(columns) for columns in zip(empty, *parts, strict=True)))


def _in_order(parts: Iterable[Points]) -> Points:
    """Return points tile by tile, and in reading order within a tile."""
    every = _joined(parts)
    (y, x), plane = every.yx.T, every.plane
    return _chosen(every, np.lexsort((x, y, x // TILE, y // TILE, plane)))
