"""Values that lie in a file as they are: read box by box, never mapped into memory.

A map dies with the whole process where the file is cut while it is open; a read says so.
"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.errors import FormatError

GAP_BYTES = 2**10
"""Runs that lie closer than this, or than they are long, are read as one (1 KiB)."""

BLOCK_BYTES = 2**25
"""Blocks of which less than half is wanted are not larger (32 MiB)."""


class RawArray:
    """An array in C order at a place of a file.

    Parameters
    ----------
    path : Path
        The file.
    offset : int
        Byte at which the values begin.
    shape : tuple of int
        Size along every axis.
    dtype : numpy.dtype
        Type of the values, in the byte order of the file.
    """

    def __init__(self, path: Path, offset: int, shape: tuple[int, ...], dtype: Any) -> None:
        self.shape = shape
        self.dtype = np.dtype(dtype)
        self._path = path
        self._offset = offset
        self._lock = threading.Lock()
        self._file = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)

    def __getitem__(self, key: Any, /) -> NDArray[Any]:
        """Read a box given by integers and slices, one per axis.

        Raises
        ------
        FormatError
            If the file has become shorter.
        """
        keys = key if isinstance(key, tuple) else (key,)
        keys += (slice(None),) * (len(self.shape) - len(keys))
        ranges = [_range(k, n) for k, n in zip(keys, self.shape, strict=True)]
        values = np.empty([len(r) for r in ranges], self.dtype)
        if values.size:
            self._fill(values, ranges)
        dropped = tuple(0 if isinstance(k, int | np.integer) else slice(None) for k in keys)
        return np.asarray(values[dropped])

    def _fill(self, values: NDArray[Any], ranges: list[range]) -> None:
        """Read the box in blocks of the last axes that lie close together."""
        split = self._split(ranges)
        inner, sizes = ranges[split:], self.shape[split:]
        row = math.prod(sizes[1:])
        first, last = inner[0][0], inner[0][-1]
        at_once = all(r == range(n) for r, n in zip(inner[1:], sizes[1:], strict=True))
        at_once = at_once and inner[0].step == 1
        size = (last + 1 - first) * row * self.dtype.itemsize
        if at_once:
            view = values.reshape(-1).view(np.uint8).data
            for i, (_, start) in enumerate(self._starts(ranges[:split])):
                at = self._offset + (start + first * row) * self.dtype.itemsize
                self._read(view[i * size : (i + 1) * size], at)
            return
        for place, start in self._starts(ranges[:split]):
            at = self._offset + (start + first * row) * self.dtype.itemsize
            block = np.empty((last + 1 - first, *sizes[1:]), self.dtype)
            self._read(block.reshape(-1).view(np.uint8).data, at)
            rest = tuple(slice(r.start, r.stop, r.step) for r in inner[1:])
            values[place] = block[(slice(None, None, inner[0].step), *rest)]

    def _split(self, ranges: list[range]) -> int:
        """Return the first axis of the blocks that are read in one go."""
        split, size = len(ranges) - 1, self.dtype.itemsize
        for axis in range(len(ranges) - 1, 0, -1):
            n, r = self.shape[axis], ranges[axis]
            span = r[-1] + 1 - r[0]
            size *= n
            block = size * (ranges[axis - 1][-1] + 1 - ranges[axis - 1][0])
            gap, run = (n - span) * (size // n), span * (size // n)
            few = r.step == 1 and gap <= max(GAP_BYTES, run)
            if not few or (block > BLOCK_BYTES and 2 * span < n):
                break
            split = axis - 1
        return split

    def _starts(self, ranges: list[range]) -> Iterator[tuple[tuple[int, ...], int]]:
        """Iterate over the blocks: place in the result, and number of the value they begin at."""
        steps = [math.prod(self.shape[i + 1 :]) for i in range(len(ranges))]
        for place in product(*(range(len(r)) for r in ranges)):
            yield place, sum(r[i] * s for r, i, s in zip(ranges, place, steps, strict=True))

    def _read(self, view: memoryview, at: int) -> None:
        """Fill a part of the memory with the bytes at a place of the file."""
        done = 0
        while done < len(view):
            got = self._some(view[done : done + 2**30], at + done)
            if not got:
                raise FormatError(
                    f"{self._path} has become shorter since it was opened. Open it again when it "
                    "is whole."
                )
            done += got

    def _some(self, into: memoryview, at: int) -> int:
        if hasattr(os, "preadv"):
            return os.preadv(self._file, [into], at)
        with self._lock:  # where a place cannot be given with the read
            os.lseek(self._file, at, os.SEEK_SET)
            data = os.read(self._file, len(into))
        into[: len(data)] = data
        return len(data)


def _range(key: Any, n: int) -> range:
    if isinstance(key, slice):
        found = range(*key.indices(n))
        if found.step < 1:
            raise IndexError(f"Values are read forwards, got a step of {found.step}.")
        return found
    if not -n <= key < n:
        raise IndexError(f"Position {key} lies outside an axis of {n} samples.")
    return range(int(key) % n, int(key) % n + 1)
