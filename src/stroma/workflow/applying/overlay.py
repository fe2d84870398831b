"""Pictures of a segmentation on its image."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.data.classes import PALETTE, SHADES, Class
from stroma.data.image import AXES, Image
from stroma.data.outlines import inner_edges
from stroma.errors import ParameterError, ShapeError
from stroma.io import write_image
from stroma.workflow.applying.tables import planes

SIDE = 4096
"""Larger planes are shown reduced to at most this many pixels a side."""

BAND = 512
"""Rows that are read together."""

DARKEST, BRIGHTEST = 0.5, 99.8
"""Percentiles of the intensities that become black and white."""


Draw = Callable[[NDArray[np.uint8], NDArray[Any]], NDArray[np.uint8]]
"""Returns a picture with something drawn of the labels that lie on it."""


def write_overlay(image: Image, labels: Image, path: Path, draw: Draw) -> None:
    """Write a picture of an image and its labels: of one plane a PNG, of several a TIFF in colours.

    Parameters
    ----------
    image, labels : Image
        With the same planes.
    path : Path
        Where to.
    draw : callable
        What is drawn: `overlay` or `outlined`.
    """
    shown = []
    for (_, _, plane), (_, _, marked) in zip(planes(image), planes(labels), strict=True):
        below = picture(plane)
        shown.append(draw(below, sampled(marked, below.shape[:2])))
    outer = image.kept_axes.replace("c", "")[:-2] if len(shown) > 1 else ""
    values = np.stack(shown).reshape(*(image.sizes[a] for a in outer), *shown[0].shape)
    given = f"{outer}yxc"
    axes = "".join(a for a in AXES if a in given)
    write_image(path, values.transpose([given.index(a) for a in axes]), axes=axes, rgb=True)


def outlined(picture: NDArray[np.uint8], objects: NDArray[Any]) -> NDArray[np.uint8]:
    """Return a picture with the outlines of objects, so that what is inside stays to be seen.

    Parameters
    ----------
    picture : (y, x, 3) uint8 array
        Red, green, blue.
    objects : (y, x) integer array
        By number, 0 for none; neighbours by number have other colours.
    """
    if picture.shape != (*objects.shape, 3):
        raise ShapeError(f"Objects of {objects.shape} do not fit a picture of {picture.shape}.")
    edge = inner_edges(objects)
    colours = _palette()[: len(PALETTE)]  # dark shades are lost on dark images
    shown = picture.copy()
    shown[edge] = colours[(objects[edge].astype(np.int64) - 1) % len(colours)]
    return shown


def overlay(
    picture: NDArray[np.uint8],
    labels: NDArray[np.unsignedinteger[Any]],
    classes: Sequence[Class],
    *,
    alpha: float = 0.4,
) -> NDArray[np.uint8]:
    """Return a picture with the colours of the classes laid over it.

    Parameters
    ----------
    picture : (y, x, 3) uint8 array
        Red, green, blue.
    labels : (y, x) array of unsigned integers
        0 shows the picture alone.
    classes : sequence of Class
        Their colours; a label without class gets a colour of the palette.
    alpha : float
        Weight of the colours: 0 shows only the picture, 1 only the colours.

    Raises
    ------
    ParameterError, ShapeError
        If alpha is not from 0 to 1, or the sizes differ.
    """
    if not 0 <= alpha <= 1:
        raise ParameterError(f"alpha is the weight of the colours, 0 to 1, got {alpha}.")
    if picture.shape != (*labels.shape, 3):
        raise ShapeError(f"Labels of {labels.shape} do not fit a picture of {picture.shape}.")
    colours = _colours(int(labels.max(initial=0)), classes)
    weight = round(alpha * 256)
    weights = np.full(len(colours), weight, np.uint16)
    weights[0] = 0
    weight_of = weights[labels][..., None]
    # In 16 bit: 255 * 256 + 128 is the largest value there can be.
    mixed = picture * (256 - weight_of) + colours[labels] * weight_of + np.uint16(128)
    result: NDArray[np.uint8] = (mixed >> 8).astype(np.uint8)
    return result


def _colours(largest: int, classes: Sequence[Class]) -> NDArray[np.uint16]:
    """Return the colours of the labels from 0 to the largest."""
    table = np.zeros((max(largest, 0) + 1, 3), np.uint16)
    palette = _palette()
    table[1:] = palette[np.arange(largest) % len(palette)]
    for c in classes:
        if c.label <= largest:
            table[c.label] = c.rgb
    return table


def _palette() -> NDArray[np.uint16]:
    """Return the colours of labels that have none of their own, in turn."""
    return np.array([Class(i + 1).rgb for i in range(len(PALETTE) * len(SHADES))], np.uint16)


def picture(plane: Image, *, side: int = SIDE) -> NDArray[np.uint8]:
    """Return a plane as (y, x, 3) uint8, reduced to ``side`` pixels by leaving out samples.

    Colours are shown as they are; other channels are stretched each, and averaged to grey.
    """
    level = _level(plane, side)
    sizes = level.sizes
    every = -(-max(sizes["y"], sizes["x"]) // side)
    values = sampled(level, (-(-sizes["y"] // every), -(-sizes["x"] // every)))
    if values.ndim == 2:
        values = values[None]
    if plane.rgb and values.dtype.kind in "bu":
        top = 1 if values.dtype == bool else np.iinfo(values.dtype).max
        colours = np.rint(values.astype(np.float32) * (255 / top)).astype(np.uint8)
        return np.ascontiguousarray(colours.transpose(1, 2, 0))
    grey = np.mean([_stretched(channel) for channel in values], axis=0)
    return np.repeat(np.rint(grey * 255).astype(np.uint8)[..., None], 3, axis=2)


def sampled(plane: Image, shape: tuple[int, int]) -> NDArray[Any]:
    """Return samples of a plane on a coarser grid (the nearest to each centre), band by band."""
    height, width = plane.sizes["y"], plane.sizes["x"]
    if shape == (height, width):
        return plane.read()
    rows, columns = (
        ((np.arange(n) + 0.5) * whole / n).astype(np.intp)
        for n, whole in zip(shape, (height, width), strict=True)
    )
    parts = []
    for y in range(0, height, BAND):
        band = plane.read({"y": slice(y, min(y + BAND, height))})
        inside = rows[(rows >= y) & (rows < y + BAND)] - y
        parts.append(band[..., inside, :][..., columns])
    return np.concatenate(parts, axis=-2)


def _level(plane: Image, side: int) -> Image:
    """Return the finest level of a pyramid that is small enough; the plane itself if none is."""
    if max(plane.sizes["y"], plane.sizes["x"]) <= side:
        return plane
    cut = {a: i for a, i in plane.selection.items() if a not in "yx"}
    for level in plane.whole.levels:
        fits = max(level.sizes["y"], level.sizes["x"]) <= side
        if fits and all(level.sizes[a] == plane.whole.sizes[a] for a in cut):
            return level.at(**cut)
    return plane


def _stretched(channel: NDArray[Any]) -> NDArray[np.float32]:
    values = channel.astype(np.float32)
    low, high = np.percentile(values, (DARKEST, BRIGHTEST))
    stretched: NDArray[np.float32] = np.clip((values - low) / max(high - low, 1e-12), 0, 1)
    return stretched
