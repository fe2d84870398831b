"""Labels on planes of any direction: they are voxels, kept in tiles of the planes across z."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from stroma.blocks.box import Box
from stroma.session.core.packs import TILE, Labels
from stroma.session.core.planes import Planes

Pixels = tuple[Box, NDArray[np.bool_]]
"""A rectangle of a plane, and which of its pixels are meant."""


class Tiles(Protocol):
    """The labels of an image, plane by plane across z."""

    def read(self, plane: int, box: Box) -> Labels:
        """Return the (h, w) labels in a rectangle."""

    def tiles(self, plane: int) -> list[Box]:
        """Return the rectangles of a plane that have labels."""

    def painted_planes(self) -> list[int]:
        """Return the planes that have labels."""


@dataclass(frozen=True, eq=False)
class Slice:
    """One plane of an image, across z, y or x.

    Parameters
    ----------
    planes : Planes
        Those of the image.
    number : int
        Which of them.
    """

    planes: Planes
    number: int

    @property
    def whole(self) -> Box:
        """All its pixels."""
        return Box.of(self.planes.shape(self.number))

    @property
    def across(self) -> str:
        """The axis it lies across."""
        return self.planes.across(self.number)

    def read(self, tiles: Tiles, box: Box) -> Labels:
        """Return the (h, w) labels in a rectangle."""
        if self.across == "z":
            return tiles.read(self.number, box)
        labels, painted = np.zeros(box.shape, np.uint16), set(tiles.painted_planes())
        for z, row in self._rows(box):
            if self._level + z in painted:
                labels[z - box.top] = tiles.read(self._level + z, row).reshape(-1)
        return labels

    def painted(self, tiles: Tiles) -> list[Box]:
        """Return rectangles that hold all labels, each at most `TILE` pixels wide."""
        if self.across == "z":
            return tiles.tiles(self.number)
        found: dict[int, list[int]] = {}
        for level, part in self.holding(tiles):
            left = part.left if self.across == "y" else part.top
            found.setdefault(left, []).append(level - self._level)
        return [
            Box(min(rows), left, max(rows) + 1, left + TILE).clipped(self.whole)
            for left, rows in sorted(found.items())
        ]

    def holding(self, tiles: Tiles) -> Iterator[tuple[int, Box]]:
        """Yield what of it lies in tiles with labels, as pixels of planes across z."""
        if self.across == "z":
            yield from ((self.number, part) for part in tiles.tiles(self.number))
            return
        for z, row in self._rows(self.whole):
            parts = (part.clipped(row) for part in tiles.tiles(self._level + z))
            yield from ((self._level + z, part) for part in parts if part.area)

    @property
    def _level(self) -> int:
        return self.planes.level(self.number)

    def _rows(self, box: Box) -> Iterator[tuple[int, Box]]:
        """Yield the rows of a rectangle, by z, each as pixels of the plane across z there."""
        flat = self.planes.voxels(self.number, box)
        for z in range(flat.front, flat.back):
            yield z, Box(flat.top, flat.left, flat.bottom, flat.right)
