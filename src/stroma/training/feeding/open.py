"""Arrays, paths and images to images with named axes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from stroma.data.image import AXES, Image, LazyArray
from stroma.errors import ShapeError
from stroma.io import read_image


def as_image(data: Any, *, channels: int | None = None, axes: str | None = None) -> Image:
    """Return an image; reads no pixels of lazy ones.

    Parameters
    ----------
    data : array-like, Image, str or Path
        Of an array of three axes, the last is the colours if it has 3 or 4 samples, and the first
        the channels if it has as many samples as ``channels`` says; it is z otherwise. Arrays
        that name their axes, as xarray's do, need no guess.
    channels : int, optional
        Channels that are expected.
    axes : str, optional
        One letter per axis, where it is known.

    Raises
    ------
    ShapeError
        If the axes cannot be told.
    """
    if isinstance(data, Image):
        return data
    if isinstance(data, str | Path):
        return read_image(data, axes=axes)
    array: Any = data if hasattr(data, "shape") and hasattr(data, "dtype") else np.asarray(data)
    if not isinstance(array.dtype, np.dtype):
        array = np.asarray(array)
    named = axes or _named(array) or _guessed(array.shape, channels)
    if len(named) != len(array.shape) or not {"y", "x"} <= set(named) <= set(AXES):
        raise ShapeError(
            f"The axes {named!r} do not fit an array of shape {tuple(array.shape)}. Give one "
            f"letter of {AXES!r} for each of its axes, y and x among them."
        )
    order = [a for a in AXES if a in named]
    moved = array.transpose(*(named.index(a) for a in order)) if order != list(named) else array
    last = named.endswith("c")
    return Image(moved, "".join(order), rgb=last and array.shape[-1] == 3)


def named(data: Any) -> bool:
    """Tell whether data names its axes, as files, images and arrays of xarray do."""
    return isinstance(data, Image | str | Path) or bool(_named(data))


def without_channel(image: Image) -> Image:
    """Return an image of one channel without the axis of channels."""
    return image.at(c=0) if image.sizes.get("c") == 1 else image


COLOURS = 3


def as_colours(image: Image) -> Image:
    """Return a grey image as one whose red, green and blue are equal; reads no pixels.

    Where grey images and colours are learned from together, or a network for colours is given a
    grey image. Others are returned as they are.
    """
    if image.sizes.get("c", 1) != 1 or image.selection:
        return image
    at = AXES.index("c") - ("t" not in image.axes)
    axes = image.axes if "c" in image.axes else f"{image.axes[:at]}c{image.axes[at:]}"
    array = _Repeated(image.array, at, has_axis="c" in image.axes)
    return replace(image, array=array, axes=axes, channels=(), rgb=True, levels=())


@dataclass(frozen=True, eq=False)
class _Repeated:
    """An array with one channel, or none, that is read as three equal ones."""

    array: LazyArray
    at: int
    has_axis: bool

    @property
    def shape(self) -> tuple[int, ...]:
        sides = tuple(self.array.shape)
        return (*sides[: self.at], COLOURS, *sides[self.at + self.has_axis :])

    @property
    def dtype(self) -> Any:
        return self.array.dtype

    def __getitem__(self, key: Any, /) -> Any:
        keys = [*key, *(slice(None),) * (len(self.shape) - len(key))]
        channel = keys.pop(self.at)
        if self.has_axis:
            keys.insert(self.at, 0)
        values = np.asarray(self.array[tuple(keys)])
        axis = sum(not isinstance(k, int) for k in keys[: self.at])
        repeated = np.repeat(np.expand_dims(values, axis), COLOURS, axis)
        return repeated[(slice(None),) * axis + (channel,)]


def _named(array: Any) -> str:
    names = "".join(str(dim).lower() for dim in getattr(array, "dims", ()))
    return names if {"y", "x"} <= set(names) <= set(AXES) else ""


def _guessed(shape: tuple[int, ...], channels: int | None) -> str:
    if len(shape) == 3 and shape[-1] in (3, 4) and min(shape[:2]) > 4:
        return "yxc"
    if len(shape) == 3 and channels is not None and channels > 1 and shape[0] == channels:
        return "cyx"
    known = {2: "yx", 3: "zyx", 4: "czyx", 5: "tczyx"}
    if len(shape) not in known:
        raise ShapeError(
            f"An array of shape {tuple(shape)} has no axes that can be told. Give 2 to 5 "
            "dimensions, or an Image, which names its axes."
        )
    return known[len(shape)]


PAIR = 2


def as_pair(image: Image) -> Image:
    """Return an image as two channels: what is looked for, and what helps; reads no pixels.

    Of two channels nothing is changed. A single one is followed by zeros; of colours the mean is
    taken first. Others are returned as they are, and refused by who asks for two.
    """
    count = image.sizes.get("c", 1)
    if count != 1 and not (image.rgb and count == COLOURS):
        return image
    return _seen_as(image, _Paired)


def as_three(image: Image) -> Image:
    """Return an image of one or two channels as three, the others zeros; reads no pixels.

    Images with more are returned as they are, and those of more than three refused by who asks.
    """
    return image if image.sizes.get("c", 1) >= COLOURS else _seen_as(image, _Filled)


def _seen_as(image: Image, kind: Callable[[Image, int], LazyArray]) -> Image:
    """Return an image whose channels are others, given what reads them at an axis."""
    chosen = {a: i for a, i in image.selection.items() if a == "c"}
    whole = image.whole.at(**chosen) if chosen else image.whole
    names = [a for a in AXES if a in (*whole.sizes, "c")]
    made = replace(
        image.whole,
        array=kind(whole, names.index("c")),
        axes="".join(names),
        channels=(),
        rgb=False,
        levels=(),
        read_with=None,
    )
    rest = {a: i for a, i in image.selection.items() if a != "c"}
    return made.at(**rest) if rest else made


@dataclass(frozen=True, eq=False)
class _Others:
    """An image that is read with other channels than it has."""

    image: Image
    at: int
    count: ClassVar[int]

    @property
    def shape(self) -> tuple[int, ...]:
        sides = [n for a, n in self.image.sizes.items() if a != "c"]
        return (*sides[: self.at], self.count, *sides[self.at :])

    def __getitem__(self, key: Any, /) -> Any:
        keys = [*key, *(slice(None),) * (len(self.shape) - len(key))]
        channel = keys.pop(self.at)
        names = [a for a in self.image.sizes if a != "c"]
        cut = self.image.at(**dict(zip(names, keys, strict=True)))
        axis = sum(not isinstance(k, int) for k in keys[: self.at])
        values = cut.read() if "c" in cut.sizes else np.expand_dims(cut.read(), axis)
        return self.made(values, axis)[(slice(None),) * axis + (channel,)]

    def made(self, values: NDArray[Any], axis: int) -> NDArray[Any]:
        """Return values with channels at an axis, with others."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class _Paired(_Others):
    """Of one channel or colours: their mean, and zeros."""

    count: ClassVar[int] = PAIR

    @property
    def dtype(self) -> Any:
        colours = self.image.sizes.get("c", 1) > 1
        return np.dtype(np.float32) if colours else self.image.dtype

    def made(self, values: NDArray[Any], axis: int) -> NDArray[Any]:
        several = values.shape[axis] > 1
        grey = values.mean(axis, dtype=np.float32, keepdims=True) if several else values
        return np.concatenate([grey, np.zeros_like(grey)], axis)


@dataclass(frozen=True, eq=False)
class _Filled(_Others):
    """Of one or two channels: these, and zeros."""

    count: ClassVar[int] = COLOURS

    @property
    def dtype(self) -> Any:
        return self.image.dtype

    def made(self, values: NDArray[Any], axis: int) -> NDArray[Any]:
        missing = [
            COLOURS - values.shape[axis] if a == axis else n for a, n in enumerate(values.shape)
        ]
        return np.concatenate([values, np.zeros(missing, values.dtype)], axis)


FEEDS = {"pair": as_pair, "three": as_three}
"""By the names that `stroma.training.files.about.About` has."""


def opened(data: Any, channels: int, *, ndim: int, feed: str = "") -> Image:
    """Return an image as a network sees it.

    Parameters
    ----------
    data : array-like, Image, str or Path
        The image.
    channels : int
        That the network was trained on.
    ndim : {2, 3}
        Axes that it looks along.
    feed : {"", "pair", "three"}
        See `stroma.training.files.about.About`.

    Raises
    ------
    ShapeError
        If it has another number of channels, or no z for a network of volumes.
    """
    found = as_image(data, channels=channels)
    if channels == COLOURS and not feed:
        found = as_colours(found)
    if feed:
        found = FEEDS[feed](found)
    count = found.sizes.get("c", 1)
    if count != channels:
        raise ShapeError(
            f"The network was trained on {channels} channel{'s' * (channels != 1)}, this image has "
            f"{count} (axes {found.kept_axes!r}, shape {found.shape}). Give images like those that "
            "it learned from. Name its axes with axes=, or choose channels (image.at(c=...))."
        )
    if ndim == 3 and "z" not in found.sizes:
        raise ShapeError(
            f"The network was trained on volumes, this image has axes {found.kept_axes!r}: "
            "it needs z, y and x."
        )
    return found
