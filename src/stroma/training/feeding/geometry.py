"""Turned, scaled and bent patches: where each of their pixels comes from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from stroma.targets.turns import Turn
from stroma.training.feeding.windows import Cube, cube, shape_of

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False)
class Geometry:
    """How a patch is cut from an image.

    The pixel p of the patch shows the pixel ``centre + matrix @ (p - middle) + bend(p)`` of the
    image; then the patch is turned.

    Parameters
    ----------
    centre : (ndim,) float array
        Pixel of the image in the middle of the patch.
    matrix : (ndim, ndim) float array
        Rotation and scale.
    bend : (ndim, *coarse) float array or None
        Displacements on a coarse grid over the patch, in pixels.
    turn : Turn
        By right angles and mirrors.
    size : tuple of int
        Sides of the patch, before it is turned.
    """

    centre: Floats
    matrix: Floats
    bend: Floats | None
    turn: Turn
    size: tuple[int, ...]

    @property
    def is_plain(self) -> bool:
        """Whether pixels fall on pixels."""
        same = np.array_equal(self.matrix, np.eye(len(self.size)))
        return self.bend is None and bool(same)

    def cut(self, read: Callable[[Cube], NDArray[Any]], *, nearest: bool) -> NDArray[Any]:
        """Return the patch, (..., *size), turned.

        Parameters
        ----------
        read : callable
            Returns the values of any box of the image.
        nearest : bool
            Take the nearest pixel (labels) instead of interpolating (images).
        """
        if self.is_plain:
            return self.turn.apply(read(self._plain_box()))
        where = self._places()
        low = np.floor(where.min(axis=tuple(range(1, where.ndim)))).astype(int)
        high = np.ceil(where.max(axis=tuple(range(1, where.ndim)))).astype(int) + 1
        values = read(tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True)))
        where -= low.reshape(-1, *[1] * len(self.size))
        return self.turn.apply(_sampled(values, where, nearest=nearest))

    def points(self, places: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return where (n, ndim) pixels of the image are in the turned patch."""
        middle = (np.array(self.size, float) - 1) / 2
        offset = places - self._start_middle()
        found = offset @ np.linalg.inv(self.matrix).T + middle
        if self.bend is not None:
            for _ in range(3):  # the bend is gentle: its value hardly differs where it ends
                shift = self._bent(found.T).T
                found = (offset - shift) @ np.linalg.inv(self.matrix).T + middle
        return self._turned(found)

    def _turned(self, places: NDArray[np.float64]) -> NDArray[np.float64]:
        moved = places[:, list(self.turn.order)]
        sides = np.array(self.size)[list(self.turn.order)]
        flipped = np.array(self.turn.flips)
        return np.where(flipped, sides - 1 - moved, moved)

    def _plain_box(self) -> Cube:
        start = np.rint(self.centre - (np.array(self.size) - 1) / 2).astype(int)
        return cube(start.tolist(), self.size)

    def _start_middle(self) -> Floats:
        if not self.is_plain:
            return self.centre
        start = np.array([s.start for s in self._plain_box()], float)
        return np.asarray(start + (np.array(self.size) - 1) / 2)

    def _places(self) -> NDArray[np.float32]:
        middle = (np.array(self.size) - 1) / 2
        grid = np.stack(np.meshgrid(*(np.arange(n) for n in self.size), indexing="ij"))
        flat = grid.reshape(len(self.size), -1) - middle[:, None]
        where = (self.matrix @ flat + self.centre[:, None]).reshape(grid.shape)
        if self.bend is not None:
            where = where + self._bent(grid.astype(float))
        return where.astype(np.float32)

    def _bent(self, at: Floats) -> Floats:
        """Return displacements at positions (ndim, ...) of the patch."""
        assert self.bend is not None
        sides = np.array(self.size).reshape(-1, *[1] * (at.ndim - 1))
        coarse = np.array(self.bend.shape[1:]).reshape(sides.shape)
        scaled = at / np.maximum(sides - 1, 1) * (coarse - 1)
        return np.stack(
            [ndimage.map_coordinates(b, scaled, order=1, mode="nearest") for b in self.bend]
        )


def _sampled(values: NDArray[Any], where: NDArray[np.float32], *, nearest: bool) -> NDArray[Any]:
    """Return (..., *space) values at positions (ndim, *size)."""
    lead, space = values.shape[: -len(where)], where.shape[1:]
    flat = values.reshape(-1, *values.shape[len(lead) :])
    if nearest:
        index = [
            np.rint(w).astype(int).clip(0, n - 1)
            for w, n in zip(where, flat.shape[1:], strict=True)
        ]
        return flat[(slice(None), *index)].reshape(*lead, *space)
    if len(where) == 2 and max(flat.shape[1:]) < 2**15:
        planes = [_remapped(plane, where) for plane in flat]
    else:
        planes = [ndimage.map_coordinates(p, where, order=1, mode="nearest") for p in flat]
    return np.stack(planes).reshape(*lead, *space)


def _remapped(plane: NDArray[Any], where: NDArray[np.float32]) -> NDArray[np.float32]:
    rows, columns = np.ascontiguousarray(where[0]), np.ascontiguousarray(where[1])
    found: NDArray[np.float32] = cv2.remap(
        plane.astype(np.float32), columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return found


def rotation(angles: Sequence[float], ndim: int) -> NDArray[np.float64]:
    """Return a rotation by radians: one angle for planes, one about each of z, y, x for volumes."""
    if ndim == 2:
        return _plane_rotation(2, 0, 1, angles[0])
    pairs = ((1, 2), (0, 2), (0, 1))
    result = np.eye(3)
    for (a, b), angle in zip(pairs, angles, strict=True):
        result = result @ _plane_rotation(3, a, b, angle)
    return result


def _plane_rotation(ndim: int, a: int, b: int, angle: float) -> NDArray[np.float64]:
    matrix = np.eye(ndim)
    matrix[a, a] = matrix[b, b] = np.cos(angle)
    matrix[a, b], matrix[b, a] = -np.sin(angle), np.sin(angle)
    return matrix


def is_inside(places: NDArray[np.float64], size: Sequence[int]) -> NDArray[np.bool_]:
    """Return which (n, ndim) positions lie on a patch."""
    found: NDArray[np.bool_] = np.asarray((places > -0.5) & (places < np.array(size) - 0.5))
    return np.asarray(found.all(axis=1))


def turned_shape(geometry: Geometry) -> tuple[int, ...]:
    """Return the sides of the patch after it is turned."""
    return shape_of(cube([0] * len(geometry.size), [geometry.size[i] for i in geometry.turn.order]))
