"""Rectangles of results, as they come, put together into an array or into a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from stroma.io.blockwise.writer import BlockWriter

Plane = dict[str, int]
"""Position along t and z, as far as the image has them."""


@dataclass(frozen=True)
class Target:
    """Where values of planes belong in a result.

    Parameters
    ----------
    axes : str
        One letter per axis of the result.
    shape : tuple of int
        Size along every axis.
    """

    axes: str
    shape: tuple[int, ...]

    def box(self, plane: Plane, rows: slice, columns: slice) -> tuple[slice, ...]:
        """Return the ranges that a rectangle of a plane covers; all channels."""
        at = {a: slice(i, i + 1) for a, i in plane.items()} | {"y": rows, "x": columns}
        return tuple(at.get(a, slice(0, n)) for a, n in zip(self.axes, self.shape, strict=True))


class Sink(Protocol):
    """Takes rectangles of results."""

    def add(self, plane: Plane, rows: slice, columns: slice, values: NDArray[Any]) -> None:
        """Take the ([K,] h, w) values of a rectangle; no two rectangles overlap."""
        ...

    def is_done(self, plane: Plane, rows: slice, columns: slice) -> bool:
        """Tell whether an earlier run left nothing to do in a chunk."""
        ...


class ArraySink:
    """Collects a result in memory."""

    def __init__(self, target: Target, dtype: Any) -> None:
        self._target = target
        self.array = np.zeros(target.shape, dtype)

    def add(self, plane: Plane, rows: slice, columns: slice, values: NDArray[Any]) -> None:
        """Put the values in their place."""
        place = self.array[self._target.box(plane, rows, columns)]
        place[...] = values.reshape(place.shape)

    def is_done(self, plane: Plane, rows: slice, columns: slice) -> bool:
        """Return False: memory does not outlive a run."""
        return False


class ChunkSink:
    """Writes a result chunk by chunk; holds only those that are not complete.

    Rectangles need not know of chunks: in reading order, about one row of chunks is held.

    Parameters
    ----------
    writer : BlockWriter
        Takes the chunks.
    target : Target
        Where values belong.
    side : int
        Side of a chunk along y and x.
    dtype : numpy.dtype
        Type of the values.
    """

    def __init__(self, writer: BlockWriter, target: Target, side: int, dtype: Any) -> None:
        self._writer = writer
        self._target = target
        self._side = side
        self._dtype = dtype
        self._held: dict[tuple[int, ...], tuple[NDArray[Any], int]] = {}

    @property
    def n_held(self) -> int:
        """Number of chunks that wait for more values."""
        return len(self._held)

    def add(self, plane: Plane, rows: slice, columns: slice, values: NDArray[Any]) -> None:
        """Take values, and write the chunks that are complete with them."""
        for y, x in chunks(self._target.shape[-2:], self._side, rows, columns):
            if self.is_done(plane, y, x):
                continue
            box = self._target.box(plane, y, x)
            key = tuple(s.start for s in box)
            if key not in self._held:
                empty = np.zeros([s.stop - s.start for s in box], self._dtype)
                self._held[key] = empty, (y.stop - y.start) * (x.stop - x.start)
            held, missing = self._held.pop(key)
            missing -= _copy(values, rows, columns, held, y, x)
            if missing:
                self._held[key] = held, missing
            else:
                self._writer.write(box, held)

    def is_done(self, plane: Plane, rows: slice, columns: slice) -> bool:
        """Tell whether a chunk is in the file."""
        return self._writer.is_done(self._target.box(plane, rows, columns))


def chunks(
    shape: Sequence[int], side: int, rows: slice | None = None, columns: slice | None = None
) -> Iterator[tuple[slice, slice]]:
    """Iterate over the chunks of a plane that a rectangle touches, in reading order."""
    spans = [
        range((s.start if s else 0) // side * side, s.stop if s else n, side)
        for s, n in zip((rows, columns), shape, strict=True)
    ]
    for y in spans[0]:
        for x in spans[1]:
            yield slice(y, min(y + side, shape[0])), slice(x, min(x + side, shape[1]))


def _copy(
    values: NDArray[Any], rows: slice, columns: slice, chunk: NDArray[Any], y: slice, x: slice
) -> int:
    """Copy what a rectangle and a chunk share; return the number of pixels."""
    top, bottom = max(rows.start, y.start), min(rows.stop, y.stop)
    left, right = max(columns.start, x.start), min(columns.stop, x.stop)
    part = values[
        ..., top - rows.start : bottom - rows.start, left - columns.start : right - columns.start
    ]
    place = chunk[..., top - y.start : bottom - y.start, left - x.start : right - x.start]
    place[...] = part.reshape(place.shape)
    return int((bottom - top) * (right - left))
