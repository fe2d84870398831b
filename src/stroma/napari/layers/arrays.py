"""Arrays that hold nothing: what a session knows, read plane by plane when somebody looks.

napari asks its layers' data for the box that is in view and, for labels, assigns the box that was
painted. That is all these arrays answer, so a layer costs what is seen of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.blocks.box import Box
from stroma.napari.layers.arraylike import ArrayLike, by_values
from stroma.session.events import Position

Array = NDArray[Any]
Span = tuple[slice, Any]
"""A range along an axis, and what to take of it: a position, a slice or a list of positions."""


class PlaneArray(ArrayLike):
    """An array-like whose planes are read, and may be written, by functions.

    Parameters
    ----------
    sizes : mapping of str to int
        Samples along every axis, t, c, z as far as present, then y and x; what is read is the
        same all along c.
    dtype : dtype
        Type of the values.
    read : callable
        Given a plane and a box of it, returns its values.
    write : callable, optional
        Given a plane, a box of it and new values, changes them.
    cuts : bool
        Whether planes across y and x are read and written as such, by ``{"y": 40}``; they are read
        row by row otherwise.
    """

    def __init__(
        self,
        sizes: Mapping[str, int],
        dtype: Any,
        read: Callable[[Position, Box], Array],
        write: Callable[[Position, Box, Array], None] | None = None,
        *,
        cuts: bool = False,
    ) -> None:
        self.axes = "".join(sizes)
        self.shape = tuple(sizes.values())
        self.dtype: np.dtype[Any] = np.dtype(dtype)
        self._read = read
        self._write = write
        self._cuts = cuts and "z" in sizes

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of values."""
        return int(np.prod(self.shape, dtype=object))

    @property
    def nbytes(self) -> int:
        """Bytes it would take in memory; it takes none."""
        return self.size * self.dtype.itemsize

    def __len__(self) -> int:
        """Return the length of the first axis."""
        return self.shape[0]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """Read everything."""
        return np.asarray(self[...], dtype=dtype)

    def __getitem__(self, key: Any) -> Any:
        """Read a part; keys as in numpy."""
        if by_values(key):
            return np.asarray(self)[key]
        spans = spans_of(key, self.shape)
        return self._region([span for span, _ in spans])[picked(spans)]

    def __setitem__(self, key: Any, values: Any) -> None:
        """Write a part."""
        if self._write is None:
            raise TypeError("This array shows results; it cannot be painted on.")
        if by_values(key):
            whole = np.asarray(self)
            whole[key] = values
            self[...] = whole
            return
        spans = spans_of(key, self.shape)
        ranges = [span for span, _ in spans]
        region = self._region(ranges)
        region[picked(spans)] = values
        for position, box, index in self._planes(ranges):
            self._write(position, box, region[index])

    def _region(self, ranges: list[slice]) -> Array:
        result = np.empty([r.stop - r.start for r in ranges], self.dtype)
        for position, box, index in self._planes(ranges):
            result[index] = self._read(position, box)
        return result

    def _planes(self, ranges: list[slice]) -> list[tuple[Position, Box, tuple[Any, ...]]]:
        """Return the planes of a region: each with its box, and its place in the region."""
        *outer, rows, columns = ranges
        across = self._across(ranges)
        if across != "z":
            return self._cut(across, ranges)
        box = Box(rows.start, columns.start, rows.stop, columns.stop)
        found = []
        for index in product(*(range(r.stop - r.start) for r in outer)):
            at = zip(self.axes, index, outer, strict=False)
            position = {axis: i + r.start for axis, i, r in at if axis != "c"}
            found.append((position, box, index))
        return found

    def _across(self, ranges: list[slice]) -> str:
        """Return the axis that the planes of a region lie across."""
        length = {a: r.stop - r.start for a, r in zip(self.axes, ranges, strict=True)}
        if not self._cuts or length["z"] == 1:
            return "z"
        return next((axis for axis in "yx" if length[axis] == 1), "z")

    def _cut(self, across: str, ranges: list[slice]) -> list[tuple[Position, Box, tuple[Any, ...]]]:
        """Return what `_planes` does, of a region that is one pixel thick along y or x."""
        span = dict(zip(self.axes, ranges, strict=True))
        rows, columns = span["z"], span["x" if across == "y" else "y"]
        box = Box(rows.start, columns.start, rows.stop, columns.stop)
        times, channels = (span.get(a, slice(0, 1)) for a in "tc")
        found = []
        for t, c in product(*(range(r.stop - r.start) for r in (times, channels))):
            at = {"t": t, "c": c, across: 0}
            index = tuple(at.get(axis, slice(None)) for axis in self.axes)
            time = {"t": t + times.start} if "t" in span else {}
            found.append(({**time, across: span[across].start}, box, index))
        return found


def spans_of(key: Any, shape: tuple[int, ...]) -> list[Span]:
    """Return, for every axis, the range that a key touches and what it takes of it.

    Parameters
    ----------
    key : int, slice, array of int, Ellipsis, or a tuple of these
        As given to an array.
    shape : tuple of int
        That of the array.
    """
    given = list(key) if isinstance(key, tuple) else [key]
    at = next((i for i, k in enumerate(given) if k is Ellipsis), len(given))
    rest = given[at + 1 :]
    missing = len(shape) - at - len(rest)
    full = [*given[:at], *[slice(None)] * missing, *rest]
    return [_span(k, n) for k, n in zip(full, shape, strict=True)]


def picked(spans: list[Span]) -> tuple[Any, ...]:
    """Return the index that takes from the region what the key asked for."""
    return tuple(rest for _, rest in spans)


def _span(key: Any, size: int) -> Span:
    if isinstance(key, slice):
        chosen = range(*key.indices(size))
        if not chosen:
            return slice(0, 0), slice(None)
        low, high = min(chosen[0], chosen[-1]), max(chosen[0], chosen[-1]) + 1
        # a descending slice that reaches the first value stops before it: at None
        stop = chosen[-1] - low + chosen.step
        return slice(low, high), slice(chosen[0] - low, None if stop < 0 else stop, chosen.step)
    wanted = np.asarray(key)
    if wanted.dtype.kind not in "iu" or (wanted.size and not -size <= wanted.min()):
        raise IndexError(f"An axis of {size} values has no {key!r}.")
    if wanted.size and wanted.max() >= size:
        raise IndexError(f"Position {wanted.max()} lies outside an axis of {size} values.")
    wanted = np.where(wanted < 0, wanted + size, wanted)
    low = int(wanted.min()) if wanted.size else 0
    high = int(wanted.max()) + 1 if wanted.size else 0
    return slice(low, high), int(wanted) - low if wanted.ndim == 0 else wanted - low
