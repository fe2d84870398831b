"""An image with named axes, read lazily."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from stroma.errors import ShapeError

AXES = "tczyx"
"""The axes an image may have, in the order in which they are kept."""

Index = int | slice | Sequence[int]
"""What selects along one axis: a position (drops the axis), a range, or a list of positions."""


class LazyArray(Protocol):
    """Whatever can be asked for a box: numpy, dask, zarr and xarray arrays, tifffile stores."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Size along every axis."""
        ...

    @property
    def dtype(self) -> Any:
        """Type of the values."""
        ...

    def __getitem__(self, key: Any, /) -> Any:
        """Return the values in a box given by integers and slices, one per axis."""
        ...


@dataclass(frozen=True, eq=False)
class Image:
    """An array with named axes and what is known about it.

    Cutting with :meth:`at` reads nothing; :meth:`read` reads just the box asked for. A cut
    remembers the image it came from (``whole``), so that statistics are always those of the whole.

    Parameters
    ----------
    array : array-like
        The values; anything with ``shape``, ``dtype`` and box indexing. They are taken not to
        change: make a new Image of an array that was changed in place.
    axes : str
        One letter per axis of ``array``, a subset of ``"tczyx"`` in that order, with y and x.
    spacing : mapping of str to float
        Distance between samples along an axis, in ``units``; axes left out are unknown.
    unit : str
        Unit of the spatial spacing ("µm"); empty where unknown.
    channels : sequence of str
        Names of the channels; empty where unknown.
    rgb : bool
        Whether the three channels are the colours red, green and blue.
    source : str
        Where the image came from, usually a path; for messages and provenance.
    levels : sequence of Image
        The same image at coarser resolutions, finest first, without this one.
    read_with : mapping of str to object, optional
        The arguments of ``read_image`` that gave the whole of this image, if it came from there.
    notes : sequence of str
        What a reader should know: what of the file was left out, or read differently than stored.
    lossy : bool
        Whether the file changed the values to be smaller, as JPEG does.
    """

    array: LazyArray
    axes: str
    spacing: Mapping[str, float] = field(default_factory=dict)
    unit: str = ""
    channels: tuple[str, ...] = ()
    rgb: bool = False
    source: str = ""
    levels: tuple[Image, ...] = ()
    read_with: Mapping[str, Any] | None = None
    notes: tuple[str, ...] = ()
    lossy: bool = False
    _index: Mapping[str, Index] = field(default_factory=dict)
    _whole: Image | None = None

    def __post_init__(self) -> None:
        """Check that the axes fit the array."""
        if len(self.axes) != len(self.array.shape):
            raise ShapeError(
                f"The axes {self.axes!r} do not fit an array of shape {tuple(self.array.shape)}."
            )
        in_order = "".join(a for a in AXES if a in self.axes)
        if self.axes != in_order or not {"y", "x"} <= set(self.axes):
            raise ShapeError(
                f"Axes are letters of {AXES!r} in that order with y and x, got {self.axes!r}."
            )

    @property
    def whole(self) -> Image:
        """The image this one was cut from (itself, if it was not cut)."""
        return self if self._whole is None else self._whole

    @property
    def selection(self) -> Mapping[str, Index]:
        """What was cut from the whole, by axis; ``whole.at(**selection)`` gives this image."""
        return dict(self._index)

    @property
    def axes_given(self) -> str | None:
        """The axes that were given when it was read; None where the file said them."""
        return (self.read_with or {}).get("axes")

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values."""
        dtype: np.dtype[Any] = np.dtype(self.array.dtype)
        return dtype

    @property
    def sizes(self) -> dict[str, int]:
        """Number of samples along every axis that is left."""
        full = dict(zip(self.axes, self.array.shape, strict=True))
        cut = {a: _length(self._index.get(a, slice(None)), n) for a, n in full.items()}
        return {a: n for a, n in cut.items() if n is not None}

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of samples along the axes that are left, in their order."""
        return tuple(self.sizes.values())

    @property
    def kept_axes(self) -> str:
        """The axes that are left after cutting."""
        return "".join(self.sizes)

    def at(self, **index: Index) -> Image:
        """Return a cut: ``image.at(t=3, z=slice(0, 5), c=[0, 2])``; reads nothing.

        Raises
        ------
        ShapeError
            If the image has no such axis, or a position lies outside it.
        """
        sizes = self.sizes
        combined = dict(self._index)
        for axis, wanted in index.items():
            if axis not in sizes:
                raise ShapeError(f"The image has axes {self.kept_axes!r}, so no {axis!r} to cut.")
            absolute = np.arange(self.array.shape[self.axes.index(axis)])[
                _as_key(combined.get(axis, slice(None)))
            ]
            combined[axis] = _select(absolute, wanted, axis)
        return replace(self, _index=combined, _whole=self.whole)

    def read(self, box: Mapping[str, slice] | None = None) -> NDArray[Any]:
        """Return the values of a box of the cut, as numpy, axes as in ``kept_axes``.

        Parameters
        ----------
        box : mapping of str to slice
            Range per axis, relative to the cut; axes left out are read in full.
        """
        cut = self.at(**box) if box else self
        return _read(cut.array, [cut._index.get(a, slice(None)) for a in cut.axes])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """Read everything."""
        return np.asarray(self.read(), dtype=dtype)


def _as_key(index: Index) -> Any:
    return index if isinstance(index, int | slice) else list(index)


def _select(absolute: NDArray[np.intp], wanted: Index, axis: str) -> Index:
    """Express a selection within a cut in positions of the uncut axis."""
    try:
        chosen = absolute[_as_key(wanted)]
    except IndexError as error:
        raise ShapeError(
            f"Position {wanted} lies outside axis {axis!r}, which has {len(absolute)} samples."
        ) from error
    if chosen.ndim == 0:
        return int(chosen)
    steps = np.diff(chosen)
    if len(chosen) and (steps == 1).all():
        return slice(int(chosen[0]), int(chosen[-1]) + 1)
    return [int(i) for i in chosen] if len(chosen) else slice(0, 0)


def _length(index: Index, n: int) -> int | None:
    """Return the number of samples an index leaves of n, or None if it drops the axis."""
    if isinstance(index, int):
        return None
    return len(range(*index.indices(n))) if isinstance(index, slice) else len(index)


def _read(array: LazyArray, key: list[Index]) -> NDArray[Any]:
    """Read a box; lists of positions are applied after reading the range they span."""
    spans: list[int | slice] = [
        k if isinstance(k, int | slice) else slice(min(k), max(k) + 1) for k in key
    ]
    values = np.asarray(array[tuple(spans)])
    for i, positions in enumerate(key):
        if not isinstance(positions, int | slice):
            axis = i - sum(isinstance(k, int) for k in key[:i])
            values = values.take([p - min(positions) for p in positions], axis=axis)
    return values
