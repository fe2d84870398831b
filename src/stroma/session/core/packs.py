"""Tiles of labels, of which the many that nobody changes are kept compressed."""

from __future__ import annotations

import math
import zlib
from collections import OrderedDict
from collections.abc import Iterator, MutableMapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from stroma.blocks.box import Box

TILE = 128
"""Side of a tile, in pixels."""

OPEN = 2048
"""Tiles that are kept as they are (64 MB)."""

Labels = NDArray[np.uint16]
TileKey = tuple[int, int, int]
"""Plane, row and column of a tile."""


Part = tuple[Box, bytes]
"""A tile of which nothing is painted but in a rectangle: that, and its compressed labels."""


class Packs(MutableMapping[TileKey, Labels]):
    """Tiles by their place. Each has labels; arrays in it never change, so copies cost little."""

    def __init__(self) -> None:
        self._all: dict[TileKey, Labels | bytes | Part] = {}
        self._open: OrderedDict[TileKey, None] = OrderedDict()

    def copy(self) -> Packs:
        """Return a copy that later changes do not reach."""
        made = Packs()
        made._all, made._open = self._all.copy(), self._open.copy()
        return made

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        return sum(map(_bytes_of, self._all.values()))

    def packed(self, key: TileKey) -> bytes:
        """Return a tile, compressed."""
        found = self._all[key]
        return found if isinstance(found, bytes) else pressed(self[key])

    @property
    def is_full(self) -> bool:
        """Whether as many tiles are kept as they are as may be."""
        return len(self._open) >= OPEN

    def keep_part(self, key: TileKey, box: Box, data: bytes) -> None:
        """Set a tile that is blank but for a rectangle, whose labels are compressed already."""
        self._open.pop(key, None)
        self._all[key] = box, data

    def keep(self, key: TileKey, tile: Labels, data: bytes) -> None:
        """Set a tile that is compressed already; open it if there is room."""
        if not self.is_full:
            self[key] = tile
        else:
            self._open.pop(key, None)
            self._all[key] = data

    def __getitem__(self, key: TileKey) -> Labels:
        """Return the labels of a tile, not to be changed."""
        found = self._all[key]
        if isinstance(found, tuple):
            box, data = found
            tile = np.zeros((TILE, TILE), np.uint16)
            tile[box.slices] = unpacked(data, box.shape)
            return tile
        return unpacked(found, (TILE, TILE)) if isinstance(found, bytes) else found

    def __setitem__(self, key: TileKey, tile: Labels) -> None:
        """Set a tile, and compress the one that was set longest ago where there are too many."""
        self._all[key] = tile
        self._open[key] = None
        self._open.move_to_end(key)
        if len(self._open) > OPEN:
            oldest, _ = self._open.popitem(last=False)
            self._all[oldest] = pressed(self[oldest])

    def __delitem__(self, key: TileKey) -> None:
        """Remove a tile."""
        del self._all[key]
        self._open.pop(key, None)

    def __contains__(self, key: object) -> bool:
        """Tell whether there is a tile."""
        return key in self._all

    def __iter__(self) -> Iterator[TileKey]:
        """Go through the places."""
        return iter(self._all)

    def __len__(self) -> int:
        """Return how many tiles there are."""
        return len(self._all)


def _bytes_of(tile: Labels | bytes | Part) -> int:
    if isinstance(tile, tuple):
        return len(tile[1])
    return len(tile) if isinstance(tile, bytes) else tile.nbytes


def packed(labels: NDArray[np.integer], kind: str = "<u2") -> bytes:
    """Return labels as compressed bytes; ``kind`` is how each is written."""
    if not labels.any():
        return blank(labels.size * np.dtype(kind).itemsize)
    return pressed(labels, kind)


def pressed(labels: NDArray[np.integer], kind: str = "<u2") -> bytes:
    """Return labels of which some are set, as ``packed`` does: it need not look for them."""
    return zlib.compress(np.ascontiguousarray(labels, kind).data.cast("B"), 1)


@lru_cache(4096)
def blank(size: int) -> bytes:
    """Return labels of which none is set: the most frequent, so that each size is made once."""
    return zlib.compress(bytes(size), 1)


def unpacked(data: bytes, shape: tuple[int, int]) -> Labels:
    """Return labels of two bytes each from bytes that ``packed`` gave.

    Raises
    ------
    ValueError
        If they do not hold labels of that shape.
    """
    return np.asarray(unpacked_as(data, shape, "<u2"), np.uint16)


def unpacked_as(data: bytes, shape: tuple[int, ...], kind: str) -> NDArray[np.integer]:
    """Return labels from bytes that ``packed`` gave, each written as ``kind``.

    Raises
    ------
    ValueError
        If they do not hold labels of that shape.
    """
    wanted = np.dtype(kind).itemsize * math.prod(shape)
    decoder = zlib.decompressobj()
    try:
        raw = decoder.decompress(data, wanted)
    except zlib.error as error:
        raise ValueError(f"labels that cannot be decompressed ({error})") from error
    if len(raw) != wanted or not _ends(decoder):
        raise ValueError(f"labels that do not have the shape {shape}")
    native = np.dtype(kind).newbyteorder("=")
    return np.frombuffer(raw, kind).reshape(shape).astype(native, copy=False)


def _ends(decoder: zlib._Decompress) -> bool:
    """Tell whether nothing follows; the decoder may still have to read the checksum."""
    try:
        return decoder.decompress(decoder.unconsumed_tail, 1) == b"" and decoder.eof
    except zlib.error:
        return False
