"""Image layers of napari as images of a session, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.data.image import AXES, Image
from stroma.errors import ShapeError

READINGS = {2: ("yx",), 3: ("zyx", "tyx", "cyx"), 4: ("tzyx", "czyx", "tcyx"), 5: ("tczyx",)}
"""What the axes of a layer may be, by their number; the first is assumed."""

TITLES = {
    "yx": "one plane",
    "zyx": "a stack of planes",
    "tyx": "a time series",
    "cyx": "channels",
    "tzyx": "stacks over time",
    "czyx": "channels of a stack",
    "tcyx": "channels over time",
    "tczyx": "channels of stacks over time",
}
"""The same in words."""

CHANNEL_COLORS = ("green", "magenta", "cyan", "yellow", "red", "gray")


@dataclass(frozen=True, eq=False)
class Permuted:
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
        given = key if isinstance(key, tuple) else (key,)
        keys = [*given, *[slice(None)] * (self.ndim - len(given))]
        spans = [_span(k, n) for k, n in zip(keys, self.shape, strict=True)]
        inner = [spans[self.order.index(i)] for i in range(self.ndim)]
        values = np.asarray(self.array[tuple(inner)]).transpose(self.order)
        return values[tuple(0 if isinstance(k, int | np.integer) else slice(None) for k in keys)]


def guessed_axes(layer: Any) -> str:
    """Return what the axes of an image layer probably are, by their labels or their number.

    Raises
    ------
    ShapeError
        If the layer has more axes than an image of Stroma.
    """
    named = "".join(str(label).lower() for label in layer.axis_labels)
    if len(named) == layer.ndim and set(named) <= set(AXES) and named in readings(layer):
        return named
    return readings(layer)[0]


def readings(layer: Any) -> Sequence[str]:
    """Return what the axes of an image layer may be; colours are not counted."""
    possible = [a for a in READINGS.get(layer.ndim, ()) if not (layer.rgb and "c" in a)]
    if not possible:
        colours = " in colours" if layer.rgb else ""
        raise ShapeError(
            f"The layer {layer.name!r} has {layer.ndim} axes{colours}; Stroma takes planes, "
            "stacks, time series and channels. Choose the part of it that you need."
        )
    return possible


def image_of(layer: Any, axes: str) -> Image:
    """Return an image layer as an image; reads no pixels.

    Parameters
    ----------
    layer : napari.layers.Image
        Of any dimension; multiscale, in colours, backed by dask or zarr.
    axes : str
        One letter of ``tczyx`` per axis; that of the colours is not counted.
    """
    levels = list(layer.data) if layer.multiscale else [layer.data]
    spacing, unit = _spacing(layer, axes)
    images = [_image(level, axes, rgb=layer.rgb) for level in levels]
    full = replace(images[0], spacing=spacing, unit=unit, levels=tuple(images[1:]))
    path = getattr(layer.source, "path", None)
    return replace(full, source=str(path)) if path else full


def image_of_channels(layers: Sequence[Any], axes: str) -> Image:
    """Return several layers of one shape as the channels of one image.

    Raises
    ------
    ShapeError
        If the shapes differ, or a layer is in colours or has channels already.
    """
    shapes = {
        tuple(layer.level_shapes[0]) if layer.multiscale else layer.data.shape for layer in layers
    }
    if len(shapes) > 1 or any(layer.rgb for layer in layers) or "c" in axes:
        raise ShapeError(
            "Layers can be the channels of one image if they are grey and of one shape, got "
            f"{', '.join(f'{layer.name!r}' for layer in layers)} of {sorted(shapes)}."
        )
    arrays = [layer.data[0] if layer.multiscale else layer.data for layer in layers]
    wanted = "".join(a for a in AXES if a in axes + "c")
    spacing, unit = _spacing(layers[0], axes)
    names = tuple(layer.name for layer in layers)
    stacked = Stacked(tuple(arrays), wanted.index("c"))
    return Image(stacked, wanted, spacing=spacing, unit=unit, channels=names)


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


def layers_of(image: Image, name: str) -> list[tuple[Any, dict[str, Any]]]:
    """Return what shows an image: data and options of an image layer, or of one per channel."""
    levels = [image, *image.levels]
    if image.rgb or "c" not in image.sizes:
        arrays = [_shown(level) for level in levels]
        options = {"name": name, "rgb": image.rgb, **_placed(image, colours=image.rgb)}
        return [_layer(arrays, options)]
    made = []
    for c in range(image.sizes["c"]):
        arrays = [_shown(level.at(c=c)) for level in levels]
        title = image.channels[c] if image.channels else f"channel {c + 1}"
        look = {"colormap": CHANNEL_COLORS[c % len(CHANNEL_COLORS)], "blending": "additive"}
        placed = _placed(image.at(c=0), colours=False)
        made.append(_layer(arrays, {"name": f"{name} · {title}", **look, **placed}))
    return made


def overlay_sizes(image: Image, axes: str) -> dict[str, int]:
    """Return the sizes of layers that lie over a layer of an image, whose axes are given.

    Channels that come first are left out, since napari aligns the last axes of its layers; those
    in between stay, so that axes stay aligned.
    """
    kept = axes[1:] if axes.startswith("c") else axes
    return {axis: image.sizes[axis] for axis in kept}


def _layer(arrays: list[Any], options: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    if len(arrays) == 1:
        return arrays[0], {**options, "multiscale": False}
    return arrays, {**options, "multiscale": True}


def _shown(image: Image) -> Any:
    """Return an array that napari reads from: the array itself where nothing was cut from it."""
    in_memory = isinstance(image.array, np.ndarray) and image.shape == image.array.shape
    values = image.array if in_memory else ImageArray(image)
    if not image.rgb:
        return values
    c = image.kept_axes.index("c")
    order = (*(i for i in range(len(image.kept_axes)) if i != c), c)
    return Permuted(values, order)


@dataclass(frozen=True, eq=False)
class ImageArray:
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
        keys = key if isinstance(key, tuple) else (key,)
        cut = {
            axis: int(k) if isinstance(k, int | np.integer) else k
            for axis, k in zip(self.image.kept_axes, keys, strict=False)
        }
        return self.image.at(**cut).read()


def _image(data: Any, axes: str, *, rgb: bool) -> Image:
    found = axes + "c" if rgb else axes
    wanted = "".join(a for a in AXES if a in found)
    order = tuple(found.index(a) for a in wanted)
    if rgb or wanted != found:
        data = Permuted(data, order, keep=3 if rgb else None)
    return Image(data, wanted, rgb=rgb)


def _spacing(layer: Any, axes: str) -> tuple[Mapping[str, float], str]:
    """Return the spacing of an image layer, unless its scale is that of pixels."""
    scale = dict(zip(axes, np.abs(layer.scale).tolist(), strict=True))
    unit = f"{layer.units[-1]:~}" if hasattr(layer.units[-1], "__format__") else ""
    if unit in ("pix", "px", "pixel", ""):
        unit = ""
        if all(value == 1 for value in scale.values()):
            return {}, ""
    return {axis: value for axis, value in scale.items() if axis in "tzyx"}, unit


def _placed(image: Image, *, colours: bool) -> dict[str, Any]:
    """Return the scale and the names of the axes of a layer."""
    axes = image.kept_axes.replace("c", "") if colours else image.kept_axes
    scale = [float(image.spacing.get(axis, 1.0)) for axis in axes]
    return {"scale": scale, "axis_labels": tuple(axes)}


def _span(key: Any, size: int) -> slice:
    if isinstance(key, int | np.integer):
        position = int(key) % size
        return slice(position, position + 1)
    return slice(*key.indices(size))
