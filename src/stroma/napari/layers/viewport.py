"""What of an image is in view, and bringing a place into view."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from napari.layers import Layer

from stroma.blocks.box import Box
from stroma.data import cut
from stroma.napari.layers.board import STROKES, Board
from stroma.session.events import Position

CLOSE = 16
"""A place that is gone to fills at least this part of the view: 1 / CLOSE."""


@dataclass(frozen=True)
class Look:
    """How somebody looked at an image.

    Parameters
    ----------
    center : tuple of float
        Of the camera, in the world.
    zoom : float
        Of the camera.
    point : tuple of float
        Where the planes lie, in the world.
    """

    center: tuple[float, ...]
    zoom: float
    point: tuple[float, ...]


def looked(viewer: Any) -> Look:
    """Return how the viewer looks now."""
    camera = viewer.scene.camera
    return Look(tuple(camera.center), camera.zoom, tuple(viewer.dims.point))


def look_again(viewer: Any, look: Look) -> None:
    """Look as somebody did."""
    camera = viewer.scene.camera
    camera.center, camera.zoom = look.center, look.zoom
    viewer.dims.point = look.point[-viewer.dims.ndim :]


def middle_plane(board: Board) -> Position:
    """Return the plane to see first: the middle one of the first stack."""
    return {
        axis: size // 2 if axis == "z" else 0 for axis, size in board.sizes.items() if axis in "tz"
    }


def plane(viewer: Any, board: Board, seen: Layer | None) -> Position:
    """Return the plane of an image that is in view.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
        The viewer.
    board : Board
        The layers of the image.
    seen : Layer, optional
        A layer that covers the image.
    """
    layer, sizes = board.layer(STROKES) or seen, board.sizes
    across = across_of(viewer, board)
    if layer is None:
        return {axis: 0 for axis in sizes if axis in ("t", across)}
    layer = seen if across != "z" and seen is not None else layer  # strokes may cover a part only
    point = layer.world_to_data(viewer.dims.point[-layer.ndim :])[-len(sizes) :]
    return {
        axis: int(np.clip(round(at), 0, size - 1))
        for (axis, size), at in zip(sizes.items(), point, strict=True)
        if axis in ("t", across)
    }


def voxel(viewer: Any, board: Board, seen: Layer) -> Position:
    """Return the voxel of a volume where the planes meet that go through the viewer's point.

    Parameters
    ----------
    viewer, board, seen
        As for `plane`.
    """
    point = seen.world_to_data(viewer.dims.point[-seen.ndim :])[-len(board.sizes) :]
    return {
        axis: int(np.clip(round(at), 0, size - 1))
        for (axis, size), at in zip(board.sizes.items(), point, strict=True)
    }


def across_of(viewer: Any, board: Board) -> str:
    """Return the axis that the plane in view lies across: z, or, of a volume, perhaps y or x."""
    names = list(board.sizes)
    first = viewer.dims.ndim - len(names)
    shown = {names[i - first] for i in viewer.dims.displayed if i >= first}
    return {frozenset("zx"): "y", frozenset("zy"): "x"}.get(frozenset(shown), "z")


def place_of(
    viewer: Any, board: Board, layer: Layer, position: Sequence[float]
) -> tuple[float, float]:
    """Return row and column, in pixels of the plane in view, of a point of the world.

    Parameters
    ----------
    viewer, board
        As for `plane`.
    layer : Layer
        One with the axes of the board, that covers the whole image.
    position : sequence of float
        The point; pixels of the result reach from 0 to 1, not from -0.5 to 0.5.
    """
    names = list(board.sizes)
    found = layer.world_to_data(position[-layer.ndim :])[-len(names) :]
    rows, columns = (names.index(axis) for axis in cut.ROWS_AND_COLUMNS[across_of(viewer, board)])
    return float(found[rows]) + 0.5, float(found[columns]) + 0.5


def box(viewer: Any, board: Board, seen: Layer | None) -> Box:
    """Return the pixels of the plane that are in view; all of them, if it is seen in space.

    Parameters
    ----------
    viewer, board, seen
        As for `plane`.
    """
    across, names = across_of(viewer, board), list(board.sizes)
    axes = [names.index(axis) - len(names) for axis in cut.ROWS_AND_COLUMNS[across]]
    whole = board.whole(across)
    if seen is None or set(viewer.dims.displayed) != {viewer.dims.ndim + axis for axis in axes}:
        return whole
    factors = seen.downsample_factors[seen.data_level] if seen.multiscale else np.ones(seen.ndim)
    factor = np.asarray(factors, float)[axes]
    corners = np.asarray(seen.corner_pixels, float)[:, axes] * factor
    (top, left), (bottom, right) = np.floor(corners[0]), np.ceil(corners[1] + factor)
    found = Box(int(top), int(left), int(bottom), int(right)).clipped(whole)
    return found if found.bottom > found.top and found.right > found.left else whole


def go_to(viewer: Any, board: Board, place: Box, view: Box) -> None:
    """Bring a place into view: if it is not, or small there, move and zoom."""
    if place.clipped(view) != place or max(view.shape) > CLOSE * max(place.shape):
        centre(viewer, board, place, view)


def centre(viewer: Any, board: Board, place: Box, view: Box) -> None:
    """Move a place into the middle of the view, and zoom in if it would be small there.

    At the edge of the image, the view is moved inwards rather than to show empty ground.
    """
    nearer = max(1.0, max(view.shape) / (CLOSE * max(place.shape)))
    across, names = across_of(viewer, board), list(board.sizes)
    axes = [names.index(axis) for axis in cut.ROWS_AND_COLUMNS[across]]
    sides = board.whole(across).shape
    wanted = (place.top + place.bottom) / 2, (place.left + place.right) / 2
    middle = [
        _inwards(at, size, room / nearer)
        for at, size, room in zip(wanted, sides, _room(viewer, board, axes), strict=True)
    ]
    at = np.zeros(len(names))
    at[axes] = np.array(middle) - 0.5  # pixels of napari lie around their index
    world = np.zeros(viewer.dims.ndim)
    world[-len(names) :] = board.placed.point(at)
    camera = viewer.scene.camera
    camera.center = (*camera.center[:-2], *world[list(viewer.dims.displayed[-2:])])
    camera.zoom *= nearer


def _room(viewer: Any, board: Board, axes: Sequence[int]) -> list[float]:
    """Return for how many pixels along axes of the image there is room, be they there or not."""
    world = viewer.canvas.viewbox_size(viewer.layers) / np.float64(viewer.scene.camera.zoom)
    room = dict(zip(viewer.dims.displayed[-2:], world, strict=True))
    first = viewer.dims.ndim - len(board.sizes)
    origin, *steps = map(
        board.placed.point, (np.zeros(len(board.sizes)), *np.eye(len(board.sizes)))
    )
    return [
        room.get(first + axis, np.inf) / float(np.linalg.norm(steps[axis] - origin))
        for axis in axes
    ]


def _inwards(at: float, size: int, seen: float) -> float:
    """Return the middle nearest to one that is wanted with which nothing beyond a side is seen."""
    return size / 2 if seen >= size else min(max(at, seen / 2), size - seen / 2)


def roll_to(viewer: Any, board: Board, plane: Position) -> None:
    """Look along the axis that a plane lies across, if that is not so."""
    across = cut.across(plane)
    if viewer.dims.ndisplay == 3 or across_of(viewer, board) == across:
        return
    first, names = viewer.dims.ndim - len(board.sizes), list(board.sizes)
    shown = [first + names.index(axis) for axis in cut.ROWS_AND_COLUMNS[across]]
    viewer.dims.order = (*(i for i in range(viewer.dims.ndim) if i not in shown), *shown)


def turn_to(viewer: Any, board: Board, plane: Position) -> None:
    """Bring a plane of an image into view."""
    at = np.array([plane.get(axis, 0) for axis in board.sizes], float)
    world = board.placed.point(at)
    first = viewer.dims.ndim - len(at)
    for index, axis in enumerate(board.sizes):
        if axis in plane:
            viewer.dims.set_point(first + index, world[index])
