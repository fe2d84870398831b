"""Lines in the viewer along the axes of a volume, through the voxel where its planes meet."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.layers import Vectors

from stroma.napari.layers.board import MARK, Board
from stroma.session.events import Position

NAME = "planes meet"

THIN = 400
"""The lines are as wide as the longest side divided by this."""


class Cross:
    """The lines, as a layer.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
        Where they are shown.
    """

    def __init__(self, viewer: Any) -> None:
        self.viewer = viewer
        self.layer: Any = None
        self._board: Board | None = None

    def show(self, board: Board, voxel: Position) -> None:
        """Show the lines through a voxel, unless the user took them away from this image."""
        data = _lines(board, voxel)
        if self._board is not board:
            self.hide()
            self._board = board
            self._add(board, data)
        elif self.layer in self.viewer.layers:
            self.layer.data = data

    def hide(self) -> None:
        """Show them no longer."""
        layer, self.layer, self._board = self.layer, None, None
        if layer is not None and layer in self.viewer.layers:
            self.viewer.layers.remove(layer)

    def _add(self, board: Board, data: Any) -> None:
        layers = self.viewer.layers
        active = layers.selection.active
        scale = np.abs(board.placed.scale)
        sides = [size * s for size, s in zip(board.sizes.values(), scale, strict=True)]
        self.layer = Vectors(
            data,
            name=NAME,
            vector_style="line",
            edge_color="white",
            edge_width=max(sides[-3:]) / THIN / float(np.sqrt(scale[-3] * scale[-1])),
            opacity=0.5,
            **board.placed.options(),
        )
        self.layer.metadata[MARK] = {"image": board.image, "role": "cross", "label": None}
        layers.append(self.layer)
        if active is not None:
            layers.selection.active = active


def _lines(board: Board, voxel: Position) -> Any:
    """Return one line along each of z, y and x: (3, 2, axes), where it begins and how it goes."""
    names = list(board.sizes)
    found = np.zeros((3, 2, len(names)))
    for line, axis in zip(found, "zyx", strict=True):
        line[0] = [voxel.get(name, 0) for name in names]
        line[0, names.index(axis)] = 0
        line[1, names.index(axis)] = board.sizes[axis] - 1
    return found
