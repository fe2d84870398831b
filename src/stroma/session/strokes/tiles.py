"""Painted labels of one image, kept in tiles that exist only where something is painted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stroma.blocks.box import Box
from stroma.errors import ShapeError
from stroma.pixel.door import Points, ranks
from stroma.session.core.packs import TILE as TILE
from stroma.session.core.packs import Labels as Labels
from stroma.session.core.packs import Packs, blank, packed, pressed
from stroma.session.core.packs import TileKey as TileKey
from stroma.session.core.packs import unpacked as unpacked


@dataclass(frozen=True, slots=True)
class Delta:
    """What changed in one rectangle of one tile, kept small enough to be kept for ever.

    Parameters
    ----------
    key : (int, int, int)
        Plane, row and column of the tile.
    box : Box
        Pixels of the plane.
    before, after : bytes
        The labels, compressed.
    """

    key: TileKey
    box: Box
    before: bytes
    after: bytes

    def reversed(self) -> Delta:
        """Return the change back."""
        return Delta(self.key, self.box, self.after, self.before)


class StrokeTiles:
    """The labels of one image.

    Parameters
    ----------
    planes : int
        Number of planes (t times z).
    shape : (int, int)
        Height and width of a plane.
    """

    def __init__(self, planes: int, shape: tuple[int, int]) -> None:
        self.planes = planes
        self.shape = shape
        self.version = 0
        self._tiles = Packs()
        self._present: dict[TileKey, Mapping[int, int]] = {}

    @classmethod
    def of(cls, labels: Labels, shape: tuple[int, int]) -> StrokeTiles:
        """Return tiles with the labels of a (planes, y, x) array.

        Raises
        ------
        ShapeError
            If its planes do not have that shape.
        """
        if labels.ndim != 3 or labels.shape[1:] != shape:
            raise ShapeError(f"Labels of shape {labels.shape[1:]} do not fit an image of {shape}.")
        made = cls(len(labels), shape)
        for plane, values in enumerate(labels):
            if values.any():

                def change(part: Box, new: Labels, values: Labels = values) -> None:
                    new[...] = values[part.slices]

                made.draw(plane, Box.of(shape), change)
        return made

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        return self._tiles.nbytes

    def read(self, plane: int, box: Box) -> Labels:
        """Return the (h, w) labels in a box; 0 where nothing is painted."""
        result = np.zeros(box.shape, np.uint16)
        for key, part in self._parts(plane, box):
            if key in self._tiles:
                inside = part.relative(_corner(key))
                result[part.relative(box).slices] = self._tiles[key][inside.slices]
        return result

    def tiles(self, plane: int) -> list[Box]:
        """Return the rectangles of a plane that have labels."""
        whole = Box.of(self.shape)
        return sorted(_tile_box(k).clipped(whole) for k in self._tiles if k[0] == plane)

    def count(self) -> int:
        """Return how many pixels have labels."""
        return sum(n for tile in self._counts().values() for label, n in tile.items() if label)

    def painted_planes(self) -> list[int]:
        """Return the planes that have labels, ascending."""
        return sorted({key[0] for key in self._tiles})

    def labels(self) -> set[int]:
        """Return the labels that occur."""
        return set().union(*self._counts().values()) - {0}

    def points(self, *, cap: int | None = None) -> Points:
        """Return the labelled pixels; at most ``cap`` of a label, those that `thinned` keeps.

        They are thinned tile by tile, so that a large area takes no more memory than a small one.
        """
        total: Counter[int] = Counter()
        for counts in self._counts().values():
            total.update(counts)
        many = [label for label, n in total.items() if label and cap is not None and n > cap]
        if not many:
            return _joined(_points_of(k, self._tiles[k] != 0, self._tiles[k]) for k in self._keys())
        least = {label: _Lowest(cap or 0) for label in many}
        few = []
        for key in self._keys():
            labels = self._tiles[key]
            for label in least.keys() & self._present[key].keys():
                least[label].add(_points_of(key, labels == label, labels))
            if self._present[key].keys() - least.keys() - {0}:
                few.append(_points_of(key, (labels != 0) & ~np.isin(labels, many), labels))
        return _in_order([*few, *(one.points() for one in least.values())])

    def _keys(self) -> list[TileKey]:
        return sorted(self._tiles)

    def _counts(self) -> Mapping[TileKey, Mapping[int, int]]:
        """Return how many pixels of each tile have each label."""
        for key in self._tiles.keys() - self._present.keys():
            self._present[key] = _counted(self._tiles[key])
        return self._present

    def draw(self, plane: int, box: Box, change: Callable[[Box, Labels], None]) -> list[Delta]:
        """Change the labels in a box of a plane, tile by tile.

        Parameters
        ----------
        plane : int
            The plane.
        box : Box
            What may change; clipped to the image.
        change : callable
            Given the pixels of the plane that it may change, and their labels, changes these.

        Returns
        -------
        list of Delta
            What did change.
        """
        deltas = []
        for key, part in self._parts(plane, box.clipped(Box.of(self.shape))):
            old = self._tiles.get(key)
            inside = part.relative(_corner(key))
            before = np.zeros(part.shape, np.uint16) if old is None else old[inside.slices]
            after = before.copy()
            change(part, after)
            delta = _difference(key, part, before, after)
            if delta is not None:
                deltas.append(delta)
                self._set(delta, after[delta.box.relative(part).slices], old)
        return deltas

    def mark(self, plane: int, box: Box, mask: NDArray[np.bool_], label: int) -> list[Delta]:
        """Give the marked pixels of a rectangle a label (0 erases), and return what did change.

        As `draw`, but faster where the rectangle lies in one tile, as those of a line do.
        """
        key = plane, box.top // TILE, box.left // TILE
        if not box.area or box.clipped(_tile_box(key)).clipped(Box.of(self.shape)) != box:

            def change(part: Box, labels: Labels) -> None:
                labels[mask[part.relative(box).slices]] = label

            return self.draw(plane, box, change)
        old = self._tiles.get(key)
        if old is None:
            return self._begun(key, box, mask, label)
        inside = old[box.relative(_corner(key)).slices]
        inner = _around(mask & (inside != label))
        if inner is None:
            return []
        before = inside[inner.slices]
        after = np.where(mask[inner.slices], np.uint16(label), before)
        delta = Delta(key, _moved(inner, box), packed(before), packed(after))
        self._set(delta, after, old)
        return [delta]

    def _begun(self, key: TileKey, box: Box, mask: NDArray[np.bool_], label: int) -> list[Delta]:
        """Do what ``mark`` does, in a tile where nothing is painted."""
        inner = _around(mask) if label else None
        if inner is None:
            return []
        after = mask[inner.slices] * np.uint16(label)
        delta = Delta(key, _moved(inner, box), blank(after.nbytes), pressed(after))
        if self._tiles.is_full:  # then it would be compressed soon, as it is already here
            self.version += 1
            self._present.pop(key, None)
            self._tiles.keep_part(key, delta.box.relative(_corner(key)), delta.after)
        else:
            self._set(delta, after, None)
        return [delta]

    def apply(self, delta: Delta) -> None:
        """Make a change that was made before, or (reversed) unmake it."""
        values = unpacked(delta.after, delta.box.shape)
        self._set(delta, values, self._tiles.get(delta.key))

    def _set(self, delta: Delta, values: Labels, old: Labels | None) -> None:
        """Set the labels in the box of a change; those that somebody holds do not change.

        ``old`` is the tile as it is.
        """
        self.version += 1
        self._present.pop(delta.key, None)
        tile = np.zeros((TILE, TILE), np.uint16) if old is None else old.copy()
        tile[delta.box.relative(_corner(delta.key)).slices] = values
        if values.any() or tile.any():
            self._tiles[delta.key] = tile
        else:
            self._tiles.pop(delta.key, None)

    def laid_over(self, other: StrokeTiles, *, replace: bool = False) -> list[Delta]:
        """Take over the labels of another image's strokes, of the same shape.

        Parameters
        ----------
        other : StrokeTiles
            What to take over; where nothing is painted there, nothing changes.
        replace : bool
            Erase what is painted here and not there.
        """
        deltas = []
        keys = self._tiles.keys() | other._tiles.keys() if replace else other._tiles.keys()
        for key in sorted(keys):
            wanted = other._tiles.get(key, np.zeros((TILE, TILE), np.uint16))

            def change(part: Box, labels: Labels, wanted: Labels = wanted) -> None:
                new = wanted[: labels.shape[0], : labels.shape[1]]
                np.copyto(labels, new, where=replace or (new != 0))

            deltas += self.draw(key[0], _tile_box(key), change)
        return deltas

    def packed(self) -> list[tuple[TileKey, bytes]]:
        """Return all tiles, compressed."""
        return [(key, self._tiles.packed(key)) for key in self._keys()]

    def copy(self) -> StrokeTiles:
        """Return a copy that later changes do not reach; it costs little."""
        made = StrokeTiles(self.planes, self.shape)
        made.version = self.version
        made._tiles, made._present = self._tiles.copy(), self._present.copy()
        return made

    def put(self, key: TileKey, data: bytes) -> None:
        """Set a tile that ``packed`` gave.

        Raises
        ------
        ValueError
            If the data are not those of a tile in this image.
        """
        plane, row, column = key
        height, width = self.shape
        inside = (
            0 <= plane < self.planes and 0 <= row * TILE < height and 0 <= column * TILE < width
        )
        tile = unpacked(data, (TILE, TILE))
        rest = _tile_box(key).clipped(Box.of(self.shape)).shape
        if not inside or tile[rest[0] :].any() or tile[:, rest[1] :].any():
            raise ValueError(f"the tile {key} lies outside the image")
        if tile.any():
            self.version += 1
            self._present[key] = _counted(tile)
            self._tiles.keep(key, tile, data)

    def _parts(self, plane: int, box: Box) -> Iterator[tuple[TileKey, Box]]:
        """Yield the tiles that a box touches, and the pixels of the box in each."""
        if box.area == 0:
            return
        for row in range(box.top // TILE, -(-box.bottom // TILE)):
            for column in range(box.left // TILE, -(-box.right // TILE)):
                key = (plane, row, column)
                yield key, _tile_box(key).clipped(box)


def _counted(tile: Labels) -> Mapping[int, int]:
    """Return how many pixels of a tile have each label."""
    painted = tile[tile != 0]  # most tiles hold a line, and counting takes long
    counts = np.bincount(painted)
    there = np.flatnonzero(counts)
    found = dict(zip(there.tolist(), counts[there].tolist(), strict=True))
    free = tile.size - len(painted)
    return {0: free, **found} if free else found


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
        if self._count > 2 * self.cap + TILE * TILE:
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


def _points_of(key: TileKey, which: NDArray[np.bool_], labels: Labels) -> Points:
    """Return some pixels of a tile."""
    y, x = np.nonzero(which)
    yx = np.column_stack([y + key[1] * TILE, x + key[2] * TILE])
    return Points(np.full(len(y), key[0], np.intp), yx, labels[y, x])


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


def _corner(key: TileKey) -> Box:
    return Box(key[1] * TILE, key[2] * TILE, key[1] * TILE, key[2] * TILE)


def _tile_box(key: TileKey) -> Box:
    return Box(key[1] * TILE, key[2] * TILE, (key[1] + 1) * TILE, (key[2] + 1) * TILE)


def _difference(key: TileKey, part: Box, before: Labels, after: Labels) -> Delta | None:
    """Return the change within the smallest box around the pixels that differ."""
    inner = _around(before != after)
    if inner is None:
        return None
    return Delta(
        key, _moved(inner, part), packed(before[inner.slices]), packed(after[inner.slices])
    )


def _moved(box: Box, origin: Box) -> Box:
    """Return a box whose place is seen from the first pixel of another, seen from the plane."""
    top, left = origin.top, origin.left
    return Box(box.top + top, box.left + left, box.bottom + top, box.right + left)


def _around(mask: NDArray[np.bool_]) -> Box | None:
    """Return the smallest box around what is marked; None where nothing is."""
    if mask[0].any() and mask[-1].any() and mask[:, 0].any() and mask[:, -1].any():
        return Box.of(mask.shape)  # as that of a line is
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return None
    return Box(int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1)
