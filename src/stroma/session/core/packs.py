"""Labels as compressed bytes, and the tiles that strokes are kept in."""

from __future__ import annotations

import math
import zlib
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

TILE = 128
"""Side of a tile, in pixels."""

Labels = NDArray[np.uint16]
TileKey = tuple[int, int, int]
"""Plane, row and column of a tile."""


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
