"""Tiles: rectangles of an image, of labels or of numbers, rendered as PNG.

Pure functions. A tile covers ``SIDE * factor`` pixels of the plane along each axis, at one value
per ``factor`` x ``factor`` pixels.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture

from stroma.blocks.box import Box
from stroma.data.classes import Class
from stroma.data.cut import flat
from stroma.data.image import Image
from stroma.errors import ParameterError

SIDE = 512
"""Pixels along each side of a tile, as shown."""

MAX_FACTOR = 1024
BAND_PIXELS = 4_000_000

Colour = tuple[int, int, int]
Ramp = tuple[tuple[int, int, int, int], ...]

UNCERTAINTY: Ramp = ((0, 0, 0, 0), (61, 38, 107, 120), (214, 86, 84, 200), (255, 224, 130, 255))
"""From certain to uncertain: transparent, violet, red, yellow; lightness rises throughout."""


@dataclass(frozen=True)
class Shown:
    """How one channel is shown.

    Parameters
    ----------
    channel : int
        Position along c; 0 for an image without channels.
    low, high : float
        Values shown as black and at full brightness.
    colour : (int, int, int)
        Red, green and blue of full brightness.
    """

    channel: int
    low: float
    high: float
    colour: Colour = (255, 255, 255)


def tile_box(shape: tuple[int, int], factor: int, row: int, column: int) -> Box:
    """Return the pixels of a plane that a tile covers.

    Raises
    ------
    ParameterError
        If there is no such tile.
    """
    if not (1 <= factor <= MAX_FACTOR and factor & (factor - 1) == 0):
        raise ParameterError(f"Tiles come reduced by 1, 2, 4 .. {MAX_FACTOR}, got {factor}.")
    side = SIDE * factor
    box = Box(row * side, column * side, (row + 1) * side, (column + 1) * side)
    inside = box.clipped(Box.of(shape))
    if row < 0 or column < 0 or inside.area == 0:
        raise ParameterError(f"There is no tile ({row}, {column}) at factor {factor}.")
    return inside


def plane_of(image: Image, position: Mapping[str, int]) -> Image:
    """Return one plane, with its coarser levels cut to the same plane.

    Positions along an axis that a coarser level has fewer samples of are scaled down. The rows of a
    plane across y or x are called y and its columns x here, whatever they are in the volume.
    """
    levels = tuple(_cut(level, image, position) for level in image.levels)
    plane = _cut(image, image, position)
    return replace(plane, levels=levels)


def _cut(level: Image, image: Image, position: Mapping[str, int]) -> Image:
    sizes = level.sizes
    scaled = {a: i * sizes[a] // image.sizes[a] for a, i in position.items()}
    return flat(level.at(**scaled))


def intensity(plane: Image, box: Box, *, factor: int, shown: Sequence[Shown]) -> NDArray[np.uint8]:
    """Return a rectangle of a plane as it is shown: (h, w) grey or (h, w, 3) colours.

    Parameters
    ----------
    plane : Image
        Axes c (perhaps), y, x.
    box : Box
        Pixels of the plane.
    factor : int
        Pixels per value.
    shown : sequence of Shown
        The channels, added up.
    """
    if not shown:
        return np.zeros(box.coarse(factor).shape, np.uint8)
    values = reduced(plane, box, factor=factor, channels=[s.channel for s in shown])
    bright = np.stack([_stretched(v, s) for v, s in zip(values, shown, strict=True)])
    if all(s.colour == (255, 255, 255) for s in shown):
        return _bytes(bright.sum(axis=0))
    colours = np.array([s.colour for s in shown], np.float32) / np.float32(255)
    mixed = np.einsum("chw,ck->khw", bright, colours, optimize=True)
    return np.ascontiguousarray(_bytes(mixed).transpose(1, 2, 0))


def _stretched(values: NDArray[Any], shown: Shown) -> NDArray[np.float32]:
    span = max(shown.high - shown.low, 1e-12)
    stretched = (values.astype(np.float32) - np.float32(shown.low)) / np.float32(span)
    return np.asarray(np.clip(np.nan_to_num(stretched), 0, 1), np.float32)


def _bytes(brightness: NDArray[np.float32]) -> NDArray[np.uint8]:
    scaled = brightness * np.float32(255)
    return np.asarray(np.clip(scaled + np.float32(0.5), 0, 255), np.uint8)


def reduced(plane: Image, box: Box, *, factor: int, channels: Sequence[int]) -> NDArray[np.float32]:
    """Return the (C, h, w) means of squares of ``factor`` x ``factor`` pixels in a box.

    Squares that reach beyond the image count its last row or column again. Read from the coarsest
    level of the image's own pyramid that is fine enough, band by band.
    """
    level, scale = _level_for(plane, factor)
    size = level.sizes["y"], level.sizes["x"]
    there = box.coarse(scale).clipped(Box.of(size))
    left = factor // scale
    rows = max(1, BAND_PIXELS // (left * max(1, there.shape[1]))) * left
    bands = []
    for top in range(there.top, there.bottom, rows):
        band = Box(top, there.left, min(top + rows, there.bottom), there.right)
        bands.append(_means(_read(level, band, channels), left))
    return np.concatenate(bands, axis=1)


def _level_for(plane: Image, factor: int) -> tuple[Image, int]:
    """Return the coarsest level whose pixels are at most ``factor`` wide, and their width."""
    best, scale = plane, 1
    for level in plane.levels:
        steps = {round(plane.sizes[a] / level.sizes[a]) for a in "yx"}
        step = steps.pop()
        if not steps and scale < step <= factor and factor % step == 0:
            best, scale = level, step
    return best, scale


def _read(level: Image, box: Box, channels: Sequence[int]) -> NDArray[Any]:
    rows, columns = box.slices
    if "c" not in level.sizes and not any(channels):
        return level.read({"y": rows, "x": columns})[None]
    return level.at(c=list(channels)).read({"y": rows, "x": columns})


def _means(values: NDArray[Any], factor: int) -> NDArray[np.float32]:
    """Return the means of squares, of what has data in them (NaN where nothing has).

    Those at the end are completed with the last row or column.
    """
    import cv2

    if factor == 1:
        return values.astype(np.float32)
    missing = [-n % factor for n in values.shape[-2:]]
    whole = np.pad(values, ((0, 0), *((0, n) for n in missing)), mode="edge").astype(np.float32)
    size = whole.shape[2] // factor, whole.shape[1] // factor
    if not np.isnan(whole.min()):
        return np.stack([cv2.resize(v, size, interpolation=cv2.INTER_AREA) for v in whole])
    known = (~np.isnan(whole)).astype(np.float32)
    sums, shares = (
        np.stack([cv2.resize(v, size, interpolation=cv2.INTER_AREA) for v in values])
        for values in (np.nan_to_num(whole), known)
    )
    return np.asarray(np.divide(sums, shares, where=shares > 0, out=np.full_like(sums, np.nan)))


def largest(labels: NDArray[np.uint16], box: Box, factor: int) -> NDArray[np.uint16]:
    """Return labels in a box reduced so that no thin stroke vanishes: the largest of a square.

    Parameters
    ----------
    labels : (h, w) array
        0 where nothing is painted.
    box : Box
        Where they are; the result covers ``box.coarse(factor)``.
    factor : int
        Side of the squares, which start at (0, 0) of the plane.
    """
    if factor == 1:
        return labels
    around = box.aligned(factor)
    whole = np.zeros(around.shape, np.uint16)
    whole[box.relative(around).slices] = labels
    rows, columns = (n // factor for n in around.shape)
    found: NDArray[np.uint16] = whole.reshape(rows, factor, columns, factor).max(axis=(1, 3))
    return found


def picture_png(values: NDArray[np.uint8]) -> bytes:
    """Return an (h, w) or (h, w, 3) picture as PNG."""
    import cv2

    stored = values if values.ndim == 2 else np.ascontiguousarray(values[..., ::-1])
    ok, encoded = cv2.imencode(".png", stored, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    assert ok
    return bytes(encoded)


def labels_png(labels: NDArray[np.integer], classes: Sequence[Class]) -> bytes:
    """Return labels as PNG in the colours of their classes; transparent where there is none."""
    order = sorted(classes, key=lambda c: c.label)[:255]
    palette = [(0, 0, 0, 0), *((*c.rgb, 255) for c in order)]
    index = np.zeros(max(int(labels.max(initial=0)), 255) + 1, np.uint8)
    for position, one in enumerate(order, 1):
        if one.label < len(index):
            index[one.label] = position
    return _indexed(index[labels], palette)


def packed(labels: NDArray[np.integer]) -> bytes:
    """Return labels compressed (zlib), a byte each; two, the lower first, where that is too few."""
    kind = "u1" if labels.max(initial=0) < 256 else "<u2"
    return zlib.compress(labels.astype(kind).tobytes(), 1)


def ramp_png(values: NDArray[np.floating], ramp: Ramp) -> bytes:
    """Return numbers from 0 to 1 as PNG along a ramp; transparent where they are NaN."""
    position = np.nan_to_num(np.clip(values, 0, 1)).astype(np.float32) * np.float32(254)
    index = np.where(np.isnan(values), 0, np.rint(position) + 1).astype(np.uint8)
    at = np.linspace(0, len(ramp) - 1, 255)
    channels = [np.interp(at, range(len(ramp)), [stop[i] for stop in ramp]) for i in range(4)]
    colours = np.rint(channels).astype(int).T.tolist()
    return _indexed(index, [(0, 0, 0, 0), *map(tuple, colours)])


def probability_ramp(one: Class) -> Ramp:
    """Return the ramp of a class's probability: from transparent to the class's colour."""
    return (*one.rgb, 0), (*one.rgb, 255)


def _indexed(index: NDArray[np.uint8], palette: Sequence[tuple[int, ...]]) -> bytes:
    picture = Picture.fromarray(index)
    picture.putpalette([value for colour in palette for value in colour[:3]])
    out = io.BytesIO()
    opacity = bytes(colour[3] for colour in palette)
    picture.save(out, format="PNG", transparency=opacity, compress_level=1)
    return out.getvalue()
