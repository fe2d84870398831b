"""Image layers of napari as images of a session, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from napari.layers import Layer

from stroma.data.image import AXES, Image
from stroma.errors import ShapeError, StromaError
from stroma.io import is_image, read_image
from stroma.napari.layers.lazy import ImageArray, Permuted, Stacked

READINGS = {
    2: ("yx",),
    3: ("zyx", "tyx", "cyx"),
    4: ("tzyx", "czyx", "zcyx", "tcyx"),
    5: ("tczyx", "tzcyx"),
}
"""What the axes of a layer may be, by their number; the first is assumed."""

TITLES = {
    "yx": "one plane",
    "zyx": "a stack of planes",
    "tyx": "a time series",
    "cyx": "channels",
    "tzyx": "stacks over time",
    "czyx": "channels of a stack",
    "zcyx": "a stack, channels plane by plane",
    "tcyx": "channels over time",
    "tczyx": "channels of stacks over time",
    "tzcyx": "stacks over time, channels plane by plane",
}
"""The same in words."""

CHANNEL_COLORS = ("green", "magenta", "cyan", "yellow", "red", "gray")


@dataclass
class Picture:
    """The layers that show the pixels of an image of the session.

    Parameters
    ----------
    axes : str
        What the axes of its layers are, colours left out.
    layers : list of Layer
        One, or one per channel; empty if the user removed them.
    """

    axes: str
    layers: list[Layer] = field(default_factory=list)


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


def in_file(image: Image) -> bool:
    """Tell whether the pixels of a layer can be read again from the file it came from."""
    path = Path(image.source or "")
    if not image.source or not path.exists() or not is_image(path):
        return False
    try:
        found = read_image(path)
    except (StromaError, OSError):
        return False
    return (found.sizes, found.dtype, found.rgb) == (image.sizes, image.dtype, image.rgb)


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
