"""Painted labels of one image, kept as runs of pixels in tiles where something is painted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import compress
from operator import is_

import numpy as np
from numpy.typing import NDArray

from stroma.blocks.box import Box
from stroma.errors import ParameterError, ShapeError
from stroma.pixel.door import Points
from stroma.session.core.packs import TILE, Labels, TileKey, pressed
from stroma.session.strokes.drawing import runs
from stroma.session.strokes.drawing.runs import Runs
from stroma.session.strokes.painted import sampling
from stroma.session.strokes.painted.laying import Delta, Layer, Tile, Tiles, gathered, laid, tidy
from stroma.session.strokes.painted.pieces import AREA, Ints, Pieces, corner, cut, grouped, lean

MOST = 2**26
"""Runs that an image may hold: 400 MB of them."""

SHOWN = 2048
"""Tiles of which all pixels are remembered once they were read (64 MB)."""

KNOWN = 256
"""Runs of a tile, in the mean, up to which a step of undo remembers all that was in its tiles."""


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
        self._tiles: dict[int, dict[TileKey, Tile]] = {}
        self._pixels: Counter[int] = Counter()
        self._runs = 0
        self._shown: dict[TileKey, tuple[Tile, Labels]] = {}

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
                found, label = runs.of_labels(values)
                pieces, which = cut(plane, found, shape)
                made._lay(Layer(pieces, label[which]))
        return made

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        layers = {id(tile.layer): tile.layer for _, tile in self._all()}
        return sum(layer.nbytes for layer in layers.values())

    def read(self, plane: int, box: Box) -> Labels:
        """Return the (h, w) labels in a box; 0 where nothing is painted."""
        result = np.zeros(box.shape, np.uint16)
        there = self._tiles.get(plane)
        if not there:
            return result
        for key, part in _parts(plane, box):
            if key in there:
                inside = part.relative(corner(key))
                result[part.relative(box).slices] = self._drawn(key, there[key])[inside.slices]
        return result

    def _drawn(self, key: TileKey, tile: Tile) -> Labels:
        """Return the labels of a tile, which are remembered as long as they are as they are."""
        known = self._shown.pop(key, None)
        if known is None or known[0] is not tile:
            known = tile, _drawn(tile)
        self._shown[key] = known
        if len(self._shown) > SHOWN:
            del self._shown[next(iter(self._shown))]
        return known[1]

    def tiles(self, plane: int) -> list[Box]:
        """Return the rectangles of a plane that have labels."""
        whole = Box.of(self.shape)
        return sorted(_tile_box(key).clipped(whole) for key in self._tiles.get(plane, ()))

    def count(self) -> int:
        """Return how many pixels have labels."""
        return self._pixels.total()

    def painted_planes(self) -> list[int]:
        """Return the planes that have labels, ascending."""
        return sorted(self._tiles)

    def labels(self) -> set[int]:
        """Return the labels that occur."""
        return {label for label, count in self._pixels.items() if count}

    def points(self, *, cap: int | None = None) -> Points:
        """Return the labelled pixels; at most ``cap`` of a label, those that `thinned` keeps.

        They are thinned some tiles at a time, so that a large area takes no more memory than a
        small one.
        """
        tiles = self._all()
        many = [label for label, n in self._pixels.items() if cap is not None and n > cap]
        return sampling.thinned(tiles, cap or 0, many) if many else sampling.every(tiles)

    def mark(
        self, plane: int | Ints, marked: Runs, label: int, *, only: int | None = None
    ) -> list[Delta]:
        """Give pixels a label (0 erases), and return what did change.

        Parameters
        ----------
        plane : int or (n,) array
            On which plane each run lies.
        marked : Runs
            Of pixels in the planes; no two of them overlap, and those on one plane are in reading
            order.
        label : int
            The label.
        only : int, optional
            Change only pixels that have this one.
        """
        pieces, _ = cut(plane, marked, self.shape)
        self._require_room(pieces, erases=not label)
        labels = lean(np.full(len(pieces), label, np.uint16))
        return self._lay(Layer(pieces, labels), only=only)

    def erase(self, where: Iterable[tuple[int, Box]], *, only: int | None = None) -> list[Delta]:
        """Remove labels, or those of one class, in rectangles of planes; return what changed.

        Parameters
        ----------
        where : iterable of (plane, Box)
            Rectangles that do not overlap, from top to bottom and left to right.
        only : int, optional
            The one label to remove.
        """
        given = list(where)
        found, which = runs.of_boxes([box for _, box in given])
        planes = np.array([plane for plane, _ in given], np.int64)
        pieces, _ = cut(planes[which], found, self.shape)
        return self._lay(Layer(pieces, lean(np.zeros(len(pieces), np.uint16))), only=only)

    def apply(self, delta: Delta) -> None:
        """Make a change that was made before, or (reversed) unmake it."""
        keys = delta.pieces.keys
        there = self._there(keys)
        if delta.tiles is not None and all(map(is_, there, delta.tiles[0])):
            self._set(keys, *delta.tiles)
            self._recount(delta)
        else:
            self._lay(Layer(delta.pieces, delta.after))

    def laid_over(self, other: StrokeTiles, *, replace: bool = False) -> list[Delta]:
        """Take over the labels of another image's strokes, of the same shape.

        Parameters
        ----------
        other : StrokeTiles
            What to take over; where nothing is painted there, nothing changes.
        replace : bool
            Erase what is painted here and not there.
        """
        theirs = dict(other._all())
        keys = theirs.keys() | (key for key, _ in self._all()) if replace else theirs.keys()
        layer = _layer([(key, theirs.get(key)) for key in sorted(keys)])
        self._require_room(layer.pieces)
        return self._lay(layer, replace=replace)

    def begin(self, new: Layer) -> None:
        """Paint what a file holds.

        Raises
        ------
        ValueError
            If something is painted in one of the tiles, or it is far too much.
        """
        keys = new.pieces.keys
        if any(tile is not None for tile in self._there(keys)):
            raise ValueError("a tile of strokes that is there twice")
        if self._runs + len(new.pieces) > 2 * MOST:
            raise ValueError("more strokes than an image can have")
        self._begin(keys, new)

    def packed(self) -> list[tuple[TileKey, bytes]]:
        """Return all tiles, each compressed by itself."""
        return [(key, pressed(_drawn(tile))) for key, tile in self._all()]

    def layer(self) -> Layer:
        """Return everything that is painted, tile by tile in order."""
        return _layer(self._all())

    def copy(self) -> StrokeTiles:
        """Return a copy that later changes do not reach; it costs little."""
        made = StrokeTiles(self.planes, self.shape)
        made.version, made._runs = self.version, self._runs
        made._tiles = {plane: tiles.copy() for plane, tiles in self._tiles.items()}
        made._pixels = self._pixels.copy()
        return made

    def _all(self) -> list[tuple[TileKey, Tile]]:
        """Return all tiles, by their places."""
        return sorted((k, tile) for tiles in self._tiles.values() for k, tile in tiles.items())

    def _lay(self, new: Layer, *, only: int | None = None, replace: bool = False) -> list[Delta]:
        """Lay labels over those that are there, see `laid`; return what did change."""
        keys = new.pieces.keys
        there = self._there(keys)
        erases = only is not None or not new.label.any()
        paints = not erases and bool(new.label.all())
        fresh: list[Delta] = []
        if erases or paints:  # in blank tiles is nothing then, or what is painted
            occupied = np.array([tile is not None for tile in there], bool)
            if paints:
                fresh = self._begin(list(compress(keys, ~occupied)), _part(new, ~occupied))
            keys, there = list(compress(keys, occupied)), list(compress(there, occupied))
            new = _part(new, occupied)
        if not keys:
            return fresh
        layer, delta = laid(there, new, only=only, replace=replace)
        changed = self._changed(keys, there, layer, delta) if len(delta.pieces) else []
        return fresh + changed

    def _begin(self, keys: Sequence[TileKey], new: Layer) -> list[Delta]:
        """Paint in tiles in which nothing is; return what did change."""
        if not keys:
            return []
        layer = tidy(new)
        nothing = lean(np.zeros(len(layer.pieces), np.uint16))
        delta = Delta(layer.pieces, nothing, layer.label)
        return self._changed(keys, [None] * len(keys), layer, delta)

    def _changed(
        self, keys: Sequence[TileKey], there: Tiles, layer: Layer, delta: Delta
    ) -> list[Delta]:
        """Take over what there is after labels were laid over tiles; return what changed."""
        tiles = layer.tiles()
        self._set(keys, there, tiles)
        self._recount(delta)
        if sum(map(_size, there)) > KNOWN * len(there):
            return [delta]
        if len(delta.pieces.places) < len(keys):
            changed = set(delta.pieces.keys)
            which = [key in changed for key in keys]
            there, tiles = list(compress(there, which)), list(compress(tiles, which))
        return [Delta(delta.pieces, delta.before, delta.after, (there, tiles))]

    def _require_room(self, new: Pieces, *, erases: bool = False) -> None:
        """Check that there are not too many runs if some are laid over those that are there.

        What is erased within a run leaves two; there is room for as many again, which files hold.
        """
        runs, most = self._runs + 2 * len(new), MOST
        if erases:
            runs, most = self._runs + len(new), 2 * MOST
        if runs > most:
            raise ParameterError(
                f"Strokes of this image would be up to {runs:,} runs of pixels along rows, and "
                f"it can have {most:,}. Paint or erase fewer, or less scattered, pixels."
            )

    def _there(self, keys: Sequence[TileKey]) -> Tiles:
        return [self._tiles.get(key[0], {}).get(key) for key in keys]

    def _set(self, keys: Sequence[TileKey], before: Tiles, after: Tiles) -> None:
        """Set tiles, in which something else was."""
        self._runs += sum(map(_size, after)) - sum(map(_size, before))
        self.version += 1
        for key, tile in zip(keys, after, strict=True):
            tiles = self._tiles.setdefault(key[0], {})
            if tile is not None:
                tiles[key] = tile
            else:
                tiles.pop(key, None)
            if not tiles:
                del self._tiles[key[0]]

    def _recount(self, delta: Delta) -> None:
        """Count the pixels that have labels now, and those that had."""
        lengths = delta.pieces.lengths
        for sign, label in ((-1, delta.before), (1, delta.after)):
            counts = np.bincount(label, lengths)
            counts[0] = 0  # which is nothing
            for one in counts.nonzero()[0].tolist():
                self._pixels[one] += sign * int(counts[one])


def _part(layer: Layer, which: NDArray[np.bool_]) -> Layer:
    """Return what of a layer lies in some of its tiles."""
    if which.all():
        return layer
    pieces, runs = layer.pieces.of_tiles(which)
    return Layer(pieces, lean(layer.label[runs]))


def _layer(tiles: Sequence[tuple[TileKey, Tile | None]]) -> Layer:
    """Return the runs of tiles, by their places, as one layer."""
    start, stop, label = gathered([tile for _, tile in tiles])
    places = np.array([key for key, _ in tiles], np.int64).reshape(-1, 3)
    return Layer(grouped(places, start, stop), lean(label))


def _size(tile: Tile | None) -> int:
    """Return how many runs are in a tile."""
    return 0 if tile is None else tile.last - tile.first


def _drawn(tile: Tile) -> Labels:
    """Return the labels of all pixels of a tile."""
    start, stop, label = tile.runs
    edges = np.zeros(2 * len(start) + 2, np.int64)
    edges[1:-1:2], edges[2:-1:2], edges[-1] = start, stop, AREA
    values = np.zeros(2 * len(start) + 1, np.uint16)
    values[1::2] = label
    return values.repeat(edges[1:] - edges[:-1]).reshape(TILE, TILE)


def _parts(plane: int, box: Box) -> Iterator[tuple[TileKey, Box]]:
    """Yield the tiles that a box touches, and the pixels of the box in each."""
    if box.area == 0:
        return
    for row in range(box.top // TILE, -(-box.bottom // TILE)):
        for column in range(box.left // TILE, -(-box.right // TILE)):
            key = (plane, row, column)
            yield key, _tile_box(key).clipped(box)


def _tile_box(key: TileKey) -> Box:
    return Box(key[1] * TILE, key[2] * TILE, (key[1] + 1) * TILE, (key[2] + 1) * TILE)
