"""Arrays that others are seen through: axes in another order, stacked, or cut from an image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.data.image import Image
from stroma.napari.layers.arraylike import ArrayLike, by_values


@dataclass(frozen=True, eq=False)
class Permuted(ArrayLike):
    """An array with its axes in another order; reads only what is asked for.

    Parameters
    ----------
    array : array-like
        The values.
    order : tuple of int
        Axis of ``array`` for every axis of this one.
    keep : int
        Length of the last axis of ``array``, where not all of it is wanted (alpha is left out).
    """

    array: Any
    order: tuple[int, ...]
    keep: int | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Size along every axis."""
        full = list(self.array.shape)
        full[-1] = full[-1] if self.keep is None else self.keep
        return tuple(full[i] for i in self.order)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.order)

    @property
    def dtype(self) -> Any:
        """Type of the values."""
        return self.array.dtype

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """Read everything."""
        return np.asarray(self[()], dtype=dtype)

    def __getitem__(self, key: Any) -> NDArray[Any]:
        """Read a box, given by one position or slice per axis; axes left out are read in full."""
        if by_values(key):
            values: NDArray[Any] = np.asarray(self)[key]
            return values
        given = key if isinstance(key, tuple) else (key,)
        keys = [*given, *[slice(None)] * (self.ndim - len(given))]
        spans = [_span(k, n) for k, n in zip(keys, self.shape, strict=True)]
        inner = [spans[self.order.index(i)] for i in range(self.ndim)]
        values = np.asarray(self.array[tuple(inner)]).transpose(self.order)
        return values[tuple(0 if isinstance(k, int | np.integer) else slice(None) for k in keys)]


@dataclass(frozen=True, eq=False)
class Stacked:
    """Arrays of one shape side by side along a new axis; reads only what is asked for."""

    arrays: tuple[Any, ...]
    axis: int

    @property
    def shape(self) -> tuple[int, ...]:
        """Size along every axis."""
        inner = list(self.arrays[0].shape)
        return (*inner[: self.axis], len(self.arrays), *inner[self.axis :])

    @property
    def dtype(self) -> Any:
        """Type of the values."""
        return np.result_type(*(a.dtype for a in self.arrays))

    def __getitem__(self, key: tuple[Any, ...]) -> NDArray[Any]:
        """Read a box, given by one position or slice per axis."""
        inner = (*key[: self.axis], *key[self.axis + 1 :])
        chosen = key[self.axis]
        if isinstance(chosen, int | np.integer):
            return np.asarray(self.arrays[chosen][inner])
        before = sum(isinstance(k, slice) for k in key[: self.axis])
        return np.stack([np.asarray(a[inner]) for a in self.arrays[chosen]], axis=before)


@dataclass(frozen=True, eq=False)
class ImageArray(ArrayLike):
    """A cut of an image as an array."""

    image: Image

    @property
    def shape(self) -> tuple[int, ...]:
        """Size along every axis."""
        return self.image.shape

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.image.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values."""
        return self.image.dtype

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """Read everything."""
        return np.asarray(self.image.read(), dtype=dtype)

    def __getitem__(self, key: Any) -> NDArray[Any]:
        """Read a box, given by a position or slice per axis; axes left out are read in full."""
        if by_values(key):
            values: NDArray[Any] = np.asarray(self)[key]
            return values
        keys = key if isinstance(key, tuple) else (key,)
        cut = {
            axis: int(k) if isinstance(k, int | np.integer) else k
            for axis, k in zip(self.image.kept_axes, keys, strict=False)
        }
        return self.image.at(**cut).read()


def _span(key: Any, size: int) -> slice:
    if isinstance(key, int | np.integer):
        position = int(key) % size
        return slice(position, position + 1)
    return slice(*key.indices(size))
