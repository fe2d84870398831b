"""What is seen on a plane of a volume that the viewer does not show: pixels, results, strokes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.data import cut
from stroma.data.classes import Class
from stroma.napari.layers.board import SEGMENTATION, STROKES, Board
from stroma.napari.planes.pane import Sheet
from stroma.napari.studio.bridge import Bridge
from stroma.session import Session
from stroma.session.events import Position
from stroma.workflow.applying.overlay import overlay

MOST = 4_000_000
"""Pixels that are read of a plane; of a larger one, every second or third row and column."""

OVER = SEGMENTATION, STROKES
"""What lies over the pixels, the last above all."""

GREY = 60
"""Of a plane none of whose pixels are shown."""

Colours = NDArray[np.float32]
"""(rows, columns, 3), from 0 to 1."""

Picture = NDArray[np.uint8]
"""(rows, columns, 3)."""


@dataclass(frozen=True, eq=False)
class Source:
    """What a layer of the viewer has of a plane, read when it is asked for.

    Parameters
    ----------
    data : array-like
        All of it, or one of its levels.
    index : tuple of int or slice
        The plane in it.
    rgb : bool
        Whether the last axis holds colours.
    limits : (float, float)
        What is black and what is white.
    colormap : Colormap
        Of napari.
    gamma : float
    """

    data: Any
    index: tuple[int | slice, ...]
    rgb: bool
    limits: tuple[float, float]
    colormap: Any
    gamma: float

    @property
    def key(self) -> tuple[Any, ...]:
        """What tells it apart from others."""
        at = tuple((i.start, i.stop, i.step) if isinstance(i, slice) else i for i in self.index)
        return id(self.data), at, self.limits, self.colormap.name, self.gamma

    def read(self) -> Colours:
        """Read the plane, in colours."""
        values = np.asarray(self.data[self.index])
        if self.rgb:
            scale = 255.0 if values.dtype == np.uint8 else 1.0
            colours: Colours = (values[..., :3] / scale).astype(np.float32)
            return colours
        low, high = self.limits
        share = np.clip((values.astype(np.float32) - low) / ((high - low) or 1.0), 0, 1)
        found: Colours = self.colormap.map(share.ravel() ** self.gamma)[:, :3]
        return found.reshape(*values.shape, 3).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Wanted:
    """All that a plane is drawn from; `drawn` may be called in any thread.

    Parameters
    ----------
    session : Session
        What is known.
    image : str
        Key of the image.
    plane : dict of str to int
        Its position.
    sources : tuple of Source
        Its pixels.
    shape : (int, int)
        Its rows and columns.
    stretch : float
        Height of a pixel, in its widths.
    step : int
        Of how many rows and columns one is drawn.
    over : dict of str to float
        What lies over the pixels, of "segmentation" and "strokes", and how opaque it is.
    classes : tuple of Class
        Whose colours it has.
    """

    session: Session
    image: str
    plane: Position
    sources: tuple[Source, ...]
    shape: tuple[int, int]
    stretch: float
    step: int
    over: Mapping[str, float]
    classes: tuple[Class, ...]

    def drawn(self, kept: Kept) -> Sheet:
        """Draw the plane; pixels that were read before are not read again."""
        key = (self.image, tuple(source.key for source in self.sources), self.shape)
        picture = kept.pixels(cut.across(self.plane), key, self._pixels)
        for role, opacity in self.over.items():
            picture = _laid(picture, self._labels(role), self.classes, opacity)
        return Sheet(picture, self.shape, self.stretch)

    def _labels(self, role: str) -> NDArray[Any]:
        """Return what a role shows of the plane."""
        if role == STROKES:
            painted = self.session.strokes(self.image, plane=self.plane)
            return painted[:: self.step, :: self.step]
        return self.session.result(self.image, plane=self.plane, step=self.step).values

    def _pixels(self) -> Picture:
        """Read the colours of all layers, one over the other; grey if there is none."""
        if not self.sources:
            rows, columns = (-(-size // self.step) for size in self.shape)
            return np.full((rows, columns, 3), GREY, np.uint8)
        total = np.sum([source.read() for source in self.sources], axis=0)
        found: Picture = (255 * np.clip(total, 0, 1) + 0.5).astype(np.uint8)
        return found


def _laid(
    picture: Picture, labels: NDArray[Any], classes: Sequence[Class], opacity: float
) -> Picture:
    """Return a picture with labels over it, which may have a row or column more or less."""
    height, width = (min(a, b) for a, b in zip(picture.shape, labels.shape, strict=False))
    found, inside = picture.copy(), np.s_[:height, :width]
    found[inside] = overlay(picture[inside], labels[inside], classes, alpha=opacity)
    return found


class Kept:
    """The pixels of the planes that were drawn last, one across every axis."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Any, Picture]] = {}

    def pixels(self, across: str, key: Any, read: Callable[[], Picture]) -> Picture:
        """Return the pixels of a plane; reads them unless they were asked for last."""
        known = self._known.get(across)
        if known is None or known[0] != key:
            known = self._known[across] = key, read()
        return known[1]

    def clear(self) -> None:
        """Forget them."""
        self._known.clear()


def wanted(viewer: Any, bridge: Bridge, board: Board, plane: Position) -> Wanted:
    """Return what a plane of the image that is shown is drawn from, as things are now."""
    across = cut.across(plane)
    rows, columns = tuple(cut.ROWS_AND_COLUMNS[across])
    size = dict(zip(board.sizes, np.abs(board.placed.scale), strict=True))
    layers = [layer for layer in bridge.layers(board.image) if layer.visible]
    over = [(role, board.layer(role)) for role in OVER]
    return Wanted(
        bridge.session,
        board.image,
        plane,
        tuple(source_of(viewer, board, layer, plane) for layer in layers),
        board.whole(across).shape,
        float(size[rows] / size[columns]),
        _step(board, across),
        {role: float(layer.opacity) for role, layer in over if layer and layer.visible},
        bridge.session.classes,
    )


def source_of(viewer: Any, board: Board, layer: Any, plane: Position) -> Source:
    """Return a plane of a layer that shows pixels of an image.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
        It says which channel is shown, where channels are an axis.
    board : Board
        Of the image.
    layer : Image layer
    plane : dict of str to int
        Position of the plane.
    """
    across = cut.across(plane)
    step = _step(board, across)
    level = _level(layer, board, across, step)
    data = layer.data[level] if layer.multiscale else layer.data
    shape = layer.level_shapes[level] if layer.multiscale else layer.data.shape
    point = layer.world_to_data(viewer.dims.point[-layer.ndim :])
    names = [*[""] * (layer.ndim - len(board.sizes)), *board.sizes]
    full = layer.level_shapes[0] if layer.multiscale else shape
    index: list[int | slice] = []
    for axis, at, whole, size in zip(names, point, full, shape, strict=False):
        if axis and axis in cut.ROWS_AND_COLUMNS[across]:
            index.append(slice(0, size, max(1, round(step * size / whole))))
        else:
            index.append(int(np.clip(round(plane.get(axis, at)) * size // whole, 0, size - 1)))
    if layer.rgb:
        index.append(slice(None))
    low, high = layer.contrast_limits
    return Source(
        data, tuple(index), layer.rgb, (float(low), float(high)), layer.colormap, layer.gamma
    )


def _level(layer: Any, board: Board, across: str, step: int) -> int:
    """Return the coarsest level that has a pixel for every one that is shown."""
    if not layer.multiscale:
        return 0
    axes = [list(board.sizes).index(a) - len(board.sizes) for a in cut.ROWS_AND_COLUMNS[across]]
    offset = 1 if layer.rgb else 0  # shapes of levels have the colours last
    fine = [
        number
        for number, shape in enumerate(layer.level_shapes)
        if all(shape[a - offset] * step >= layer.level_shapes[0][a - offset] for a in axes)
    ]
    return fine[-1]


def _step(board: Board, across: str) -> int:
    """Return of how many rows and columns one is drawn."""
    return max(1, int(np.ceil(np.sqrt(board.whole(across).area / MOST))))
