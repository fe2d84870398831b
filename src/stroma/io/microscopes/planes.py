"""Arrays of which whole planes are read: what most libraries for files of microscopes offer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Plane = Callable[[tuple[int, ...], tuple[slice, ...]], Any]
"""``plane(place, cut)``: a box of the plane at a place along the outer axes."""


class Planes:
    """An array that is read plane by plane; each plane by one thread at a time.

    Parameters
    ----------
    plane : callable
        ``plane(place, cut)`` returns what a plane has within ranges of its own axes.
    outer : sequence of int
        Sizes of the axes along which planes lie.
    inner : sequence of int
        Sizes of the axes of a plane.
    dtype : numpy.dtype
        Of the values.
    """

    def __init__(
        self, plane: Plane, outer: Sequence[int], inner: Sequence[int], dtype: np.dtype[Any]
    ) -> None:
        self._plane, self._outer, self._inner = plane, tuple(outer), tuple(inner)
        self.dtype = np.dtype(dtype)
        self._lock = threading.Lock()

    @property
    def shape(self) -> tuple[int, ...]:
        """Size along every axis."""
        return (*self._outer, *self._inner)

    def __getitem__(self, key: Any, /) -> NDArray[Any]:
        """Read a box given by integers and slices with steps above 0."""
        keys = key if isinstance(key, tuple) else (key,)
        keys += (slice(None),) * (len(self.shape) - len(keys))
        ranges = [
            range(*k.indices(n)) if isinstance(k, slice) else range(k, k + 1)
            for k, n in zip(keys, self.shape, strict=True)
        ]
        count = len(self._outer)
        cut = tuple(slice(r.start, max(r.stop, r.start), r.step) for r in ranges[count:])
        found = np.zeros([len(r) for r in ranges], self.dtype)
        for place in np.ndindex(found.shape[:count]):
            where = tuple(r[i] for r, i in zip(ranges[:count], place, strict=True))
            with self._lock:
                found[place] = self._plane(where, cut)
        single = tuple(slice(None) if isinstance(k, slice) else 0 for k in keys)
        return found[single]
